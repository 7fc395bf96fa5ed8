"""The commands that look at the loop and switch it, from the machine that has the book or from any other.

Where the book is here it is switched at once, and Prefect follows; where it is elsewhere, a run of a control flow
switches it. Prefect is imported only when a server answers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deployments.loop import Run
from deployments.place import forget_drain
from deployments.standing import (
    METRICS_TABLE,
    STATUS_TABLE,
    Desk,
    desk,
    no_book,
    picture_from_server,
    picture_of_book,
    show_status,
    table_as_text,
)
from deployments.switching import show_in_prefect, tell_of_unseen_pause
from trading_bot.cli.options import Config, Json
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.words import sentence
from trading_bot.reporting.as_json import Json as JsonValue
from trading_bot.terminal import DONE, fold, person, say


def _says_why(_type: object, why: str) -> None:
    """Refuse a cause without a word. Raises SettingsError."""
    if not why.strip():
        raise SettingsError("--because is empty, and the journal wants to know why. Write a few words.")


Because = Annotated[str, Parameter(help="Why, for the journal.", validator=_says_why)]
Acknowledged = Annotated[bool, Parameter(negative="", help="I have seen why trading was halted.")]
Timeout = Annotated[float, Parameter(name="--timeout", help="Seconds to wait at the most.")]
Now = Annotated[bool, Parameter(negative="", help="Cancel the running cycle instead of waiting for its end.")]

TIMEOUT_SECONDS = 120.0
UNDER_NAME = 9  # columns of the names in a status


def status(
    *,
    config: Config = None,
    check: Annotated[bool, Parameter(negative="", help="Exit with 0, 3, 4 or 5, for monitoring.")] = False,
    as_json: Json = False,
) -> int:
    """Show the trading state, the loop, the last cycle, open orders and positions.

    With --check: 0 it trades as it should, 3 it rests on purpose (paused, stopped, reducing), 4 it is halted,
    5 it should trade and does not.
    """
    found = desk(config)
    picture = picture_of_book(found, check=check) if found.has_book else picture_from_server(found)
    said = picture.as_json(check=check) if as_json else fold(picture.as_text(check=check), under=UNDER_NAME)
    sys.stdout.write(f"{said}\n")
    return int(picture.finding.verdict) if check else DONE


def start(*, config: Config = None) -> int:
    """Let the loop go on after `bensbot stop`."""
    from deployments.api import connected
    from deployments.switching import wait_for_next_run

    found = desk(config)
    with connected(found.reached()) as prefect:
        prefect.set_paused(False)
        forget_drain(found.settings)
        loop = wait_for_next_run(prefect)
        state = _state(found) if found.has_book else (prefect.table(STATUS_TABLE) or {}).get("state", "active")
    when = f"the next run is due at {loop.next_run:%Y-%m-%d %H:%M:%S} UTC" if loop.next_run else "no run is due yet"
    say(f"The loop goes on; {when}.")
    if not loop.served:
        say("Nothing serves it: `bensbot serve`, or `bensbot up`.")
    if state != TradingState.ACTIVE:
        say(f"Trading is {state}, so it will not trade yet: `bensbot status` says why, `bensbot resume` ends it.")
    return DONE


def stop(*, now: Now = False, timeout: Timeout = TIMEOUT_SECONDS, config: Config = None) -> int:
    """Stop the loop, when the running cycle has ended, until `bensbot start`."""
    from deployments.api import connected
    from deployments.switching import cancel_and_wait, wait_until_idle

    found = desk(config)
    with connected(found.reached()) as prefect:
        prefect.set_paused(True)
        forget_drain(found.settings)
        if now:
            cancel_and_wait(prefect, say, timeout_seconds=timeout)
        else:
            wait_until_idle(prefect, say, timeout_seconds=timeout, hurry="bensbot stop --now")
    say("The loop is stopped. To go on: bensbot start")
    return DONE


def pause(*, because: Because = "asked to", timeout: Timeout = TIMEOUT_SECONDS, config: Config = None) -> int:
    """Keep everything, do nothing, until `bensbot resume`."""
    return _stand_still(TradingState.PAUSED, because, timeout, config)


def halt(*, because: Because = "asked to", timeout: Timeout = TIMEOUT_SECONDS, config: Config = None) -> int:
    """Stop at once, as in an emergency, until `bensbot resume --ack`."""
    return _stand_still(TradingState.HALTED, because, timeout, config)


def resume(
    *,
    ack: Acknowledged = False,
    because: Because = "asked to",
    timeout: Timeout = TIMEOUT_SECONDS,
    config: Config = None,
) -> int:
    """Trade again: after a pause, a halt (with --ack), failed cycles, or a portfolio stop."""
    found = desk(config)
    if not found.has_book:
        _by_a_run(found, "resume", {"because": because, "ack": ack}, timeout, paused=False)
        say("Trading is active. Failures are forgotten, and drawdown counts from here.")
        return DONE
    from trading_bot.core import switch

    with switch.open_book_to_switch(found.settings) as book:
        before, place = book.control.read(), book.place
        switch.resume(book, because=because, who=person(), ack=ack)
    say(f"Trading is active, in the book {place}. Failures are forgotten, and drawdown counts from here.")
    if found.server is None:
        tell_of_unseen_pause(before, say)
    _switch_prefect(found, paused=False)
    return DONE


def metrics(
    *,
    since: Annotated[date | None, Parameter(help="Count this session and later ones only; where the book is.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Print what the trading came to: cycles, orders, money, and how long the steps took."""
    found = desk(config)
    if found.has_book:
        sys.stdout.write(_metrics_of_book(found, since, as_json=as_json) + "\n")
        return DONE
    if since is not None:
        raise SettingsError("--since needs the book, and the book is elsewhere; leave --since out.")
    from deployments.api import connected

    with connected(found.elsewhere()) as prefect:
        rows = prefect.table(METRICS_TABLE) or {}
    if as_json:
        from trading_bot.reporting.metrics_document import FORMAT

        sys.stdout.write(json.dumps({"format": FORMAT, "metrics": rows}, indent=2) + "\n")
    else:
        sys.stdout.write((table_as_text(rows) or "No cycle has left its metrics on the server yet.") + "\n")
    return DONE


def _stand_still(state: TradingState, because: str, timeout: float, config: Path | None) -> int:
    found = desk(config)
    if not found.has_book:
        _by_a_run(found, "halt", {"because": because, "state": str(state)}, timeout, paused=True)
        say(f"Trading is {state}.")
        return DONE
    from trading_bot.core import switch

    with switch.open_book_to_switch(found.settings) as book:
        book.control.set_state(state, cause=because, who=person())
        place = book.place
    say(f"Trading is {state}, in the book {place}.")
    _switch_prefect(found, paused=True)
    return DONE


def _switch_prefect(found: Desk, *, paused: bool) -> None:
    if show_in_prefect(found.server, say, paused=paused):
        forget_drain(found.settings)
        show_status(found, paused=paused)


def _by_a_run(found: Desk, flow: str, params: Mapping[str, JsonValue], timeout: float, *, paused: bool | None) -> Run:
    """Have a control flow switch the book where it is; a standstill is shown at once, a going on when it is true."""
    from deployments.api import connected
    from deployments.switching import ask_and_wait

    with connected(found.elsewhere()) as prefect:
        if paused:
            prefect.set_paused(True)
        run = ask_and_wait(prefect, flow, params, say, timeout_seconds=timeout)
        if paused is False:
            prefect.set_paused(False)
    return run


def flatten(
    *symbols: Annotated[str, Parameter(help="Close these only, e.g. AAPL; none means everything that is held.")],
    because: Because,
    ack: Acknowledged = False,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask whether I am sure.")] = False,
    timeout: Timeout = TIMEOUT_SECONDS,
    config: Config = None,
) -> int:
    """Cancel what would buy and sell what is held. Nothing is bought until `bensbot resume`."""
    found = desk(config)
    if not found.has_book and found.server is None:
        raise no_book(found.settings)
    what = ", ".join(symbols) if symbols else "everything that is held"
    if not yes and not _sure(what):
        say("Nothing was done.")
        return DONE
    if found.has_book:
        from deployments.flattening import flatten_here

        return flatten_here(found, symbols, because, person(), ack=ack)
    params: dict[str, JsonValue] = {"because": because, "symbols": list(symbols), "ack": ack}
    run = _by_a_run(found, "flatten", params, timeout, paused=None)
    say(f"{sentence(run.message)} Nothing is bought until: bensbot resume".strip())
    return DONE


def _sure(what: str) -> bool:
    if not sys.stdin.isatty():
        raise SettingsError(
            f"This would close {what}, and there is no terminal to ask whether you are sure: add --yes."
        )
    say(f"Close {what}? Type yes: ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _state(found: Desk) -> TradingState:
    from trading_bot.core.book import book_url
    from trading_bot.state.manager import open_read_only

    with open_read_only(book_url(found.settings)) as book:
        return book.control.read().state


def _metrics_of_book(found: Desk, since: date | None, *, as_json: bool) -> str:
    from trading_bot.core.book import book_url
    from trading_bot.core.metrics import read_metrics
    from trading_bot.reporting.metrics_document import metrics_as_json, metrics_as_text
    from trading_bot.state.manager import open_read_only

    with open_read_only(book_url(found.settings)) as book:
        rows = read_metrics(book, since=since)
    return metrics_as_json(rows) if as_json else metrics_as_text(rows)
