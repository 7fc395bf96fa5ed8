"""The three answers a rule can give, so that a rule file holds nothing but its rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import numpy as np

from trading_bot.domain.errors import BensBotError
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling, new_ruling
from trading_bot.domain.ports import RiskContext
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.track_record import Closed, ClosedTrade, sorted_out

NOT_FOR_EXITS = "exits pass"
FOUR_PLACES = Decimal("0.0001")  # of a share of something, where it is shown

RULE_FAULTS = (  # what a wrong calculation raises, and what a rule of another package that reads or asks something does
    ArithmeticError, LookupError, TypeError, ValueError, AttributeError, AssertionError, RuntimeError, OSError,
    BensBotError,
)  # fmt: skip
GIVEN_BY: dict[str, str] = {}  # code → the rule that gives it; a ruling is made under that name


def passed(order: Order, code: str, *, observed: object = "", limit: object = "", unit: str = "") -> Ruling:
    """Let all of the order's shares through."""
    shares = order.quantity
    return new_ruling(Ruling, (GIVEN_BY.get(code, ""), code, shares, shares, str(observed), str(limit), unit, ""))


def capped(
    order: Order,
    allowed: Decimal,
    codes: tuple[str, str],
    message: Callable[[], str],
    *,
    observed: object,
    limit: object,
    unit: str,
) -> Ruling:
    """Let at most `allowed` shares through: all, some, or none when `allowed` is 0 or less.

    `codes` are the one to let all of them through with, and the one to take some away with. `message` is asked for in
    the second case only: wording it takes longer than all the arithmetic before.
    """
    within, exceeded = codes
    if allowed >= order.quantity:
        return passed(order, within, observed=observed, limit=limit, unit=unit)
    left = max(allowed, ZERO)
    return Ruling(
        GIVEN_BY.get(exceeded, ""), exceeded, order.quantity, left, str(observed), str(limit), unit, message()
    )


def refused(order: Order, code: str, message: str, *, observed: object, limit: object, unit: str = "") -> Ruling:
    """Let nothing through."""
    return Ruling(GIVEN_BY.get(code, ""), code, order.quantity, ZERO, str(observed), str(limit), unit, message)


def share_of_equity(dollars: Decimal, context: RiskContext) -> Decimal:
    """Return `dollars` as a share of equity with four decimals; 0 when there is no equity."""
    return (dollars / context.equity).quantize(FOUR_PLACES) if context.equity > ZERO else ZERO


def value_of(symbol: Symbol, context: RiskContext) -> Decimal:
    """Return what is held of `symbol` in dollars, open orders included. KeyError without a price."""
    held = context.portfolio.held(symbol)
    return held * context.prices[symbol] if held else ZERO


def closed_trades(context: RiskContext) -> Closed:
    """Return the trades that ended lately."""
    return context.closed or sorted_out(context.record.closed)


def sessions_since(session: date, context: RiskContext) -> int:
    """Return how many sessions have begun after `session`: 0 on that very day."""
    known = context.market.history.sessions
    return len(known) - int(known.searchsorted(np.datetime64(session), side="right"))


def ended_within(trades: Sequence[ClosedTrade], sessions: int, context: RiskContext) -> list[ClosedTrade]:
    """Return the trades that ended in one of the last `sessions` sessions, this one included."""
    return [trade for trade in trades if sessions_since(trade.session, context) < sessions]
