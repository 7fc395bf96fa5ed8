"""What the report's numbers come to: holdings at their last price, changes of equity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.portfolio import EquityPoint, Position
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.words import signed_dollars, signed_percent


@dataclass(frozen=True, slots=True)
class Holding:
    """A position at its last known price. Without a price it has neither value nor profit."""

    symbol: Symbol
    quantity: Decimal  # shares; negative is short
    average_price: Decimal  # dollars per share
    price: Decimal | None  # dollars per share
    value: Decimal | None  # dollars, to the cent
    unrealised: Decimal | None  # dollars, to the cent, fees not included


@dataclass(frozen=True, slots=True)
class EquityChange:
    """How equity moved since an earlier session."""

    since: date
    amount: Decimal  # dollars, without what the owner paid in or took out
    ratio: Decimal  # of the earlier equity and what was paid in on top of it; 0 when that was 0


def holdings(report: CycleReport) -> tuple[Holding, ...]:
    """Return every position at its last price, in alphabetical order."""
    positions = sorted(report.portfolio.positions.values(), key=lambda position: position.symbol)
    return tuple(holding_at(position, report.prices.get(position.symbol)) for position in positions)


def since_previous(report: CycleReport) -> EquityChange | None:
    """Return the change since the newest point before this session, None when there is none."""
    before = _before(report)
    return change_since(before[-1], _now(report)) if before else None


def since_start(report: CycleReport) -> EquityChange | None:
    """Return the change since the first point, None when that is not before this session."""
    before = _before(report)
    return change_since(before[0], _now(report)) if before else None


def change_since(point: EquityPoint, now: EquityPoint) -> EquityChange:
    """Return how equity moved since an earlier point. What the owner paid in or took out since is no profit or loss."""
    paid_in = now.paid_in - point.paid_in
    amount, there = now.equity - point.equity - paid_in, point.equity + max(paid_in, ZERO)
    return EquityChange(point.session, amount, amount / there if there else ZERO)


def moved(change: EquityChange | None, when: str) -> str:
    """Return `+$12.00 (+0.01%) since 2022-01-03`, empty without a change; `when` has braces for the date."""
    if change is None:
        return ""
    return f"{signed_dollars(change.amount)} ({signed_percent(change.ratio)}) {when.format(change.since)}"


def holding_at(position: Position, price: Decimal | None) -> Holding:
    """Return a position at a price; None where none is known."""
    if price is None:
        return Holding(position.symbol, position.quantity, position.average_price, None, None, None)
    return Holding(
        symbol=position.symbol,
        quantity=position.quantity,
        average_price=position.average_price,
        price=price,
        value=cents(position.quantity * price),
        unrealised=cents(position.quantity * (price - position.average_price)),
    )


def _now(report: CycleReport) -> EquityPoint:
    newest = next(reversed(report.equity_curve), None)
    paid_in = newest.paid_in if newest else ZERO
    return EquityPoint(report.session, report.portfolio.cash, report.equity, paid_in=paid_in)


def _before(report: CycleReport) -> tuple[EquityPoint, ...]:
    return tuple(point for point in report.equity_curve if point.session < report.session)
