"""`bensbot orders`, `account` and `reconcile`."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trading_bot.cli.options import Config, Json, book_to_read
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.words import one_line
from trading_bot.terminal import DONE, FAILED, fold, hide, person, say, stop_on_signals

if TYPE_CHECKING:
    from trading_bot.core.bot import Bot

RUN = "reconcile"
UNDER_DAY, UNDER_WORD = 12, 8  # columns before what is said of an order, and of what was booked


def orders(
    *,
    symbol: Annotated[str | None, Parameter(help="Orders in this stock only.")] = None,
    open_only: Annotated[bool, Parameter(name="--open", negative="", help="Only what can still fill.")] = False,
    limit: Annotated[int, Parameter(help="So many at the most; 0 is all.")] = 20,
    follow: Annotated[
        bool, Parameter(negative="", help="Ask the broker, and show orders as they move until Ctrl-C.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """List orders as the book has them, the newest first. The broker is asked with --follow only."""
    if limit < 0:
        raise SettingsError(f"--limit {limit} is no number of orders; write 0 (all) or more.")
    if follow and (as_json or open_only):
        raise SettingsError("--follow shows orders as they move, line by line: leave --json and --open out.")
    if follow:
        return _follow(symbol, config)
    from trading_bot.domain.symbols import Symbol
    from trading_bot.reporting.broker import external_as_text, orders_as_json, orders_as_text

    with book_to_read(config) as book:
        wanted = Symbol(symbol.upper()) if symbol else None
        found = book.stories.orders(wanted, open_only=open_only, limit=limit or None)
        traded = [] if open_only else [each for each in book.cash.external() if wanted in (None, each.symbol)]
    if as_json:
        sys.stdout.write(orders_as_json(found) + "\n")
        return DONE
    lines = f"{orders_as_text(found, open_only=open_only, symbol=wanted)}\n{external_as_text(traded[-limit:])}"
    sys.stdout.write(fold(lines, under=UNDER_DAY))
    return DONE


def account(*, config: Config = None, as_json: Json = False) -> int:
    """Ask the broker for cash, buying power and positions, and compare them with the book; exit 1 when they differ."""
    from trading_bot.core.reconcile import account_now
    from trading_bot.reporting.broker import account_as_json, account_as_text

    with _bot(config) as bot:
        now = account_now(bot)
    parts = (now.account, now.theirs, now.ours, now.differences, now.by_hand)
    sys.stdout.write((account_as_json(*parts) if as_json else fold(account_as_text(*parts), under=2)) + "\n")
    if now.for_now:
        say(f"bensbot: That may be so for now: {now.for_now}.")
    return FAILED if now.differences else DONE


def reconcile(
    *,
    accept_cash: Annotated[
        bool, Parameter(negative="", help="Book the cash that differs as the broker has it, on your word.")
    ] = False,
    because: Annotated[str, Parameter(help="Why, for the book; needed with --accept-cash.")] = "",
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Book what became of open orders, as the next cycle would, and compare; exit 1 when both sides differ.

    A difference that nothing explains lets exits through only, until `bensbot resume`. Nothing is bought or sold.
    """
    if accept_cash != bool(because.strip()):
        raise SettingsError('--accept-cash and --because "…" belong together: the book keeps your reason.')
    from trading_bot.core.reconcile import Word
    from trading_bot.core.reconcile import reconcile as settle_now
    from trading_bot.reporting.broker import reconciled_as_json, reconciled_as_text

    with _bot(config) as bot:
        done = settle_now(bot, run_id=RUN, word=Word(person(), one_line(because)) if accept_cash else None)
    parts = (done.settlement, done.differences, done.state, done.by_hand)
    said = reconciled_as_json(*parts) if as_json else fold(reconciled_as_text(*parts), under=UNDER_WORD)
    sys.stdout.write(f"{said}\n")
    return FAILED if done.differences else DONE


def _follow(symbol: str | None, config: Path | None) -> int:
    from trading_bot.core.following import follow as follow_orders
    from trading_bot.reporting.broker import moved_order

    stop_on_signals()
    with _bot(config) as bot:
        say("Orders as they move; Ctrl-C ends it.")
        for order in follow_orders(bot):
            if symbol is None or order.symbol == symbol.upper():
                sys.stdout.write(moved_order(order) + "\n")
                sys.stdout.flush()
    return DONE


@contextmanager
def _bot(config: Path | None) -> Generator[Bot]:
    with book_to_read(config):
        pass  # that there is one is said as everywhere else
    from trading_bot.config.typed_settings import load_config
    from trading_bot.core.bot import open_bot

    settings = load_config(config)
    hide(settings.secret_values())
    with open_bot(settings) as bot:
        yield bot
