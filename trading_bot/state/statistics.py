"""What the rows come to. The database counts; only durations and prices are computed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import ColumnElement, Connection, Double, Select, cast, func, select

from trading_bot.domain.cycle import CycleStatus
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import OrderStatus
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.statistics import Slippage, Statistics, StepDuration
from trading_bot.state.schema import (
    cash_ledger,
    cycle_steps,
    cycles,
    decisions,
    equity,
    failures,
    fills,
    intents,
    news,
    orders,
)
from trading_bot.storage.database import Database

Word = TypeVar("Word", bound=StrEnum)

OUTCOMES: tuple[str, ...] = ("approved", "resized", "rejected")
BASIS_POINTS = 10_000  # of one


class StatisticsBook:
    """Counts what is in the book. A year of one-minute cycles is read in about a second."""

    def __init__(self, database: Database) -> None:
        """Take what `StateManager.open` made."""
        self._database = database

    def read(self, *, since: date | None = None) -> Statistics:
        """Return everything that happened in session `since` and later, or ever: the book at one instant.

        A failed run may have no session: failures count from the start of that day in UTC, on the wall clock.
        """
        with self._database.reading() as connection:
            found = _Reading(connection, since)
            outcomes, rejections = found.decisions()
            return Statistics(
                since=since,
                cycles=found.cycles(),
                skips=found.skips(),
                failures=found.failures(),
                orders=found.orders(),
                decisions=outcomes,
                rejections=rejections,
                steps=found.steps(),
                fills=found.fills(),
                fees=found.fees(),
                slippage=found.slippage(),
                coverage=found.coverage(),
                first=found.equity_point(equity.c.session.asc()),
                newest=found.equity_point(equity.c.session.desc()),
                news_lag=found.news_lag(),
            )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The queries, on one connection and from one session on."""

    connection: Connection
    since: date | None

    def cycles(self) -> dict[CycleStatus, int]:
        query = self._from_session(select(cycles.c.status, func.count()).group_by(cycles.c.status))
        return _every(CycleStatus, self._counted(query))

    def skips(self) -> dict[str, int]:
        query = select(cycles.c.skipped_because, func.count()).where(cycles.c.status == CycleStatus.SKIPPED)
        return self._counted(self._from_session(query.group_by(cycles.c.skipped_because)))

    def failures(self) -> int:
        query = select(func.count()).select_from(failures)
        if self.since is not None:
            query = query.where(failures.c.failed_at >= datetime.combine(self.since, time(), UTC))
        return self.connection.scalar(query) or 0

    def orders(self) -> dict[OrderStatus, int]:
        query = select(orders.c.status, func.count()).group_by(orders.c.status)
        if self.since is not None:
            query = query.join(intents).join(cycles, cycles.c.cycle_id == intents.c.cycle_id)
        return _every(OrderStatus, self._counted(self._from_session(query)))

    def decisions(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return decisions by outcome, and the rejected ones by rule."""
        query = select(decisions.c.outcome, decisions.c.rule, func.count()).group_by(
            decisions.c.outcome, decisions.c.rule
        )
        if self.since is not None:
            query = query.join(cycles, cycles.c.cycle_id == decisions.c.cycle_id)
        outcomes, rejections = dict.fromkeys(OUTCOMES, 0), dict[str, int]()
        for outcome, rule, count in self.connection.execute(self._from_session(query)):
            outcomes[outcome] += count
            if outcome == "rejected":
                rejections[rule] = count
        return outcomes, rejections

    def steps(self) -> tuple[StepDuration, ...]:
        # One text a step: a row for each of a million durations would take five times as long.
        query = select(cycle_steps.c.step, func.aggregate_strings(cycle_steps.c.seconds, " "))
        query = query.group_by(cycle_steps.c.step).order_by(cycle_steps.c.step)
        if self.since is not None:
            query = query.join(cycles)
        return tuple(_duration(step, joined) for step, joined in self.connection.execute(self._from_session(query)))

    def fills(self) -> int:
        query = select(func.count()).select_from(fills)
        return self.connection.scalar(query if self.since is None else query.where(fills.c.session >= self.since)) or 0

    def fees(self) -> Decimal:
        # Grouped by amount: there are few different ones, and each is exact.
        query = select(cash_ledger.c.amount, func.count()).where(cash_ledger.c.kind == "FEE")
        if self.since is not None:
            query = query.where(cash_ledger.c.session >= self.since)
        paid = self.connection.execute(query.group_by(cash_ledger.c.amount))
        return -sum((amount * count for amount, count in paid), ZERO)

    def slippage(self) -> Slippage | None:
        query = select(fills.c.side, fills.c.quantity, fills.c.price, intents.c.reference_price)
        query = query.join(intents, intents.c.client_order_id == fills.c.client_order_id)
        query = query.where(intents.c.reference_price.is_not(None))
        if self.since is not None:
            query = query.where(fills.c.session >= self.since)
        done = self.connection.execute(query).all()
        wanted = sum((row.quantity * row.reference_price for row in done), ZERO)
        if not wanted:
            return None
        lost = sum((row.side.sign * row.quantity * (row.price - row.reference_price) for row in done), ZERO)
        return Slippage(fills=len(done), bps=float(BASIS_POINTS * lost / wanted))

    def coverage(self) -> float | None:
        query = select(func.avg(cast(cycles.c.symbols_usable, Double) / cycles.c.symbols_wanted))
        query = query.where(cycles.c.status == CycleStatus.COMPLETED, cycles.c.symbols_wanted > 0)
        return self.connection.scalar(self._from_session(query))

    def news_lag(self) -> float | None:
        query = select(news.c.lag_seconds)
        if self.since is not None:
            query = query.where(news.c.session >= self.since)
        lags = self.connection.scalars(query).all()
        return float(np.median(lags)) if lags else None

    def equity_point(self, order: ColumnElement[Any]) -> EquityPoint | None:
        query = select(equity).order_by(order).limit(1)
        if self.since is not None:
            query = query.where(equity.c.session >= self.since)
        row = self.connection.execute(query).one_or_none()
        return EquityPoint(row.session, row.cash, row.equity, row.gross) if row else None

    def _from_session(self, query: Select[Any]) -> Select[Any]:
        return query if self.since is None else query.where(cycles.c.session >= self.since)

    def _counted(self, query: Select[Any]) -> dict[Any, int]:
        return {row[0]: row[1] for row in self.connection.execute(query)}


def _every(words: type[Word], counted: Mapping[Word, int]) -> dict[Word, int]:
    return {word: counted.get(word, 0) for word in words}


def _duration(step: str, joined: str) -> StepDuration:
    seconds = np.fromstring(joined, sep=" ")
    return StepDuration(
        step=step,
        count=len(seconds),
        median=float(np.median(seconds)),
        p95=float(np.quantile(seconds, 0.95, method="inverted_cdf")),
    )
