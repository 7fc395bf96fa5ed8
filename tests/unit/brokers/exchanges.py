"""Small exchanges for tests of the paper broker: days with bars written out, orders, an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from tests.unit.strategies.markets import market
from trading_bot.brokers.paper import PaperBroker
from trading_bot.brokers.paper_books import PaperStore
from trading_bot.domain.market import MarketHistory, MarketState, SessionAxis, Split, Symbol
from trading_bot.domain.orders import ClientOrderId, OrderIntent, OrderType, Purpose, Side, TimeInForce
from trading_bot.domain.ports import BrokerSetup, TradingCalendar

MONDAY = date(2024, 1, 8)
DAYS = tuple(MONDAY + timedelta(days=number) for number in range(5))
NO_BAR = (float("nan"),) * 5

BarRow = Sequence[float]  # open, high, low, close, volume


def flat(price: float, volume: float = 1e6) -> BarRow:
    return (price, price, price, price, volume)


def close_only(price: float) -> BarRow:
    return (price, price, price, price, float("nan"))


@dataclass(frozen=True)
class Weekdays:
    """An exchange that is open from Monday to Friday, 14:30 to 21:00 UTC, and has no holidays."""

    broken_on: date | None = None  # asking for this day's hours fails

    def open_of(self, day: date) -> datetime:
        if day == self.broken_on:
            raise RuntimeError(f"no hours for {day}")
        return datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)

    def is_session(self, day: date) -> bool:
        return day.weekday() < 5

    def close_of(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 21, tzinfo=UTC)

    def sessions_between(self, first: date, last: date) -> SessionAxis:
        days = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + np.timedelta64(1, "D"))
        return days[np.is_busday(days)]

    def newest_session(self, at: datetime) -> date:
        return at.date() - timedelta(days=max(at.weekday() - 4, 0))


def week(bars: Mapping[str, Sequence[BarRow]], *, splits: Sequence[Split] = ()) -> MarketState:
    """Return the market after the last of these days, the first one a Monday; bars adjusted for `splits`."""
    table = np.array([list(days) for days in bars.values()], dtype=np.float64)  # symbols, days, fields
    fields = [np.ascontiguousarray(table[:, :, place].T) for place in range(5)]
    sessions = np.array([np.datetime64(day, "D") for day in DAYS[: table.shape[1]]])
    return market(
        MarketHistory(sessions, tuple(Symbol(name) for name in bars), *fields),
        splits=tuple(split for split in splits if split.session <= sessions[-1].astype(object)),
    )


def order(
    side: Side,
    quantity: int | str,
    symbol: str = "AAA",
    *,
    limit: str | None = None,
    stop: str | None = None,
    name: str = "",
    time_in_force: TimeInForce = TimeInForce.DAY,
) -> OrderIntent:
    """Return an order; its id says what it is unless it is named."""
    kind = OrderType.STOP if stop else OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderIntent(
        client_order_id=ClientOrderId(name or f"bb-1-{symbol}-{side}-{quantity}"),
        cycle_id="1",
        symbol=Symbol(symbol),
        side=side,
        purpose=Purpose.ENTRY if side is Side.BUY else Purpose.EXIT,
        quantity=Decimal(quantity),
        type=kind,
        limit_price=None if limit is None else Decimal(limit),
        time_in_force=time_in_force,
        stop_price=None if stop is None else Decimal(stop),
    )


def buy(quantity: int | str, symbol: str = "AAA", **terms: object) -> OrderIntent:
    return order(Side.BUY, quantity, symbol, **terms)  # pyright: ignore[reportArgumentType]


def sell(quantity: int | str, symbol: str = "AAA", **terms: object) -> OrderIntent:
    return order(Side.SELL, quantity, symbol, **terms)  # pyright: ignore[reportArgumentType]


def evening(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 21, tzinfo=UTC)


def open_account(
    folder: Path, *, calendar: TradingCalendar | None = None, store: PaperStore | None = None, **settings: object
) -> PaperBroker:
    """Open a paper account in `folder`: 10,000 dollars and no slippage unless the settings say otherwise."""
    chosen = {"starting_cash": Decimal(10_000), "slippage_bps": Decimal(0), **settings}
    return PaperBroker(BrokerSetup(settings=chosen, folder=folder, calendar=calendar or Weekdays()), store)
