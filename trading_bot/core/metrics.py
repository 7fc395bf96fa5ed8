"""Gather the metrics of a book: the command and the artifact say the same, because both ask here."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from trading_bot.domain.money import ZERO
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.reporting.metrics_document import Metrics
from trading_bot.reporting.performance import performance
from trading_bot.state.manager import StateManager


def read_metrics(book: StateManager, *, since: date | None = None) -> Metrics:
    """Return the metrics of session `since` and later, or of the whole book. Reading is all it does.

    Profit counts from the equity before `since`, or from the opening deposit.
    """
    earlier, points = _divided(book.ledger.equity_curve(), since)
    opening = earlier[-1].equity if earlier else _deposit(book)
    paid_in = earlier[-1].paid_in if earlier else ZERO
    return Metrics(book.statistics.read(since=since), performance(opening, points, paid_in=paid_in))


def _divided(
    curve: tuple[EquityPoint, ...], since: date | None
) -> tuple[tuple[EquityPoint, ...], tuple[EquityPoint, ...]]:
    """Return the points before `since` and those from then on."""
    first = 0 if since is None else sum(point.session < since for point in curve)
    return curve[:first], curve[first:]


def _deposit(book: StateManager) -> Decimal | None:
    account = book.cycles.binding()
    return account.opening_cash if account else None
