"""What is wrong with a command line, and what to write instead."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnusedCliTokensError,
)

from trading_bot.domain.words import listed

if TYPE_CHECKING:
    from rich.text import Text

PROGRAM = "bensbot"
MOST = 3  # words that are quoted
KINDS = {
    date: "no day; write one like 2022-01-31",
    datetime: "no point in time; write one like 2022-01-31T16:30",
    int: "no whole number",
    float: "no number",
    Decimal: "no number; write one like 100000 or 99.50",
    Decimal | None: "no number; write one like 100000 or 99.50",  # of this one alone the parser says it may be None
}


def mistake(error: CycloptsError) -> Text:
    """Return what is wrong, and on a line of its own where it is said what the command takes."""
    from rich.text import Text

    chain = error.command_chain or ()
    if isinstance(error, UnknownCommandError) and error.app is not None:
        chain = [name for name in error.app.name if name != PROGRAM]
    command = " ".join([PROGRAM, *chain])
    return Text(f"{PROGRAM}: {_wrong(error, command)}\nWhat it takes: {command} --help")


def _wrong(error: CycloptsError, command: str) -> str:
    match error:
        case UnusedCliTokensError(unused_tokens=[*tokens]) if tokens:
            return f"{listed(tokens, most=MOST)} is more than `{command}` takes."
        case MissingArgumentError(argument=argument, keyword=keyword) if argument is not None:
            is_given = keyword or any(token.keyword for token in argument.tokens)
            name = argument.name if argument.index is None or is_given else argument.name.lstrip("-").upper()
            about = f" ({argument.parameter.help.rstrip('.')})" if argument.parameter.help else ""
            return f"{name} wants a value{about}." if is_given else f"`{command}` needs {name}{about}."
        case CoercionError(token=token, target_type=kind) if token is not None and kind in KINDS:
            option = token.keyword or (error.argument.name.lstrip("-").upper() if error.argument else "")
            return f"{option} {token.value} is {KINDS[kind]}.".lstrip()
        case _:
            return str(error).strip()
