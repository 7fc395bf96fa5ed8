"""What a trading day came to, when it is over: one record for people, artifacts and machines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading_bot.domain.cycle import ControlState, TradingState
from trading_bot.domain.day import BookedDay, DayFill
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import OrderStatus, Side
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.statistics import Slippage
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.words import counted, ordered, sentence
from trading_bot.reporting.cash import fees_of
from trading_bot.reporting.metrics import EquityChange, Holding, change_since, holding_at

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class DayTrade:
    """All fills of one symbol on one side."""

    side: Side
    symbol: Symbol
    shares: Decimal
    average_price: Decimal  # dollars per share
    amount: Decimal  # dollars, to the cent, without fees
    fees: Decimal  # dollars, to the cent
    fills: int


@dataclass(frozen=True, slots=True)
class EarlierDay:
    """A day before the one reported that had no report of its own, in one line."""

    session: date
    equity: Decimal
    change: EquityChange | None
    fills: int


@dataclass(frozen=True, slots=True, eq=False)
class DayReport:
    """The result of one session."""

    booked: BookedDay
    state: TradingState  # now, not then
    today: EquityChange | None  # since the session before; None on a book's first day
    since_start: EquityChange | None  # since the opening deposit
    trades: tuple[DayTrade, ...]  # buys first, each side in alphabetical order
    fees: Decimal  # dollars, to the cent
    slippage: Slippage | None  # None where no fill has a price to compare with
    holdings: tuple[Holding, ...]  # after the session, in alphabetical order
    earlier: tuple[EarlierDay, ...]  # oldest first
    warnings: tuple[str, ...]  # sentences

    @property
    def session(self) -> date:
        """The New York date of the day."""
        return self.booked.session

    @property
    def worth(self) -> EquityPoint:
        """Cash and equity after the day's last cycle."""
        return self.booked.equity_curve[-1]


def day_report(
    booked: BookedDay,
    control: ControlState,
    *,
    prices: Mapping[Symbol, Decimal],
    after: date | None = None,
    notes: Sequence[str] = (),
) -> DayReport:
    """Return the report of a day.

    Args:
        booked: what the book has of it.
        control: the trading state now.
        prices: dollars per share at the end of the session; a holding without one has no value of its own.
        after: sessions between this date and the one reported get a line each; None: no other session is told of.
        notes: what else a person should know.
    """
    positions = sorted(booked.positions.values(), key=lambda position: position.symbol)
    return DayReport(
        booked=booked,
        state=control.state,
        today=_today(booked),
        since_start=_since_start(booked),
        trades=trades_of(booked.fills),
        fees=sum((cents(done.fill.fee) for done in booked.fills), fees_of(booked.cash)),
        slippage=slippage_of(booked.fills),
        holdings=tuple(holding_at(position, prices.get(position.symbol)) for position in positions),
        earlier=() if after is None else _earlier(booked, after),
        warnings=tuple(dict.fromkeys(filter(None, map(sentence, (*notes, *_warnings(booked, control)))))),
    )


def trades_of(fills: Sequence[DayFill]) -> tuple[DayTrade, ...]:
    """Return the fills of each symbol and side added up, at their average price."""
    groups: dict[tuple[Side, Symbol], list[DayFill]] = {}
    for done in fills:
        groups.setdefault((done.fill.side, done.fill.symbol), []).append(done)
    return tuple(_trade(side, symbol, groups[side, symbol]) for side, symbol in sorted(groups))


def slippage_of(fills: Sequence[DayFill]) -> Slippage | None:
    """Return what the fills cost against the prices they were decided at, weighted by dollars."""
    compared = [(done.fill, done.reference_price) for done in fills if done.reference_price]
    wanted = sum((fill.quantity * price for fill, price in compared), ZERO)
    if not wanted:
        return None
    lost = sum((fill.side.sign * fill.quantity * (fill.price - price) for fill, price in compared), ZERO)
    return Slippage(len(compared), float(lost / wanted * BASIS_POINTS))


def _trade(side: Side, symbol: Symbol, done: Sequence[DayFill]) -> DayTrade:
    shares = sum((each.fill.quantity for each in done), ZERO)
    amount = sum((each.fill.quantity * each.fill.price for each in done), ZERO)
    fees = sum((cents(each.fill.fee) for each in done), ZERO)
    return DayTrade(side, symbol, shares, amount / shares, cents(amount), fees, len(done))


def _today(booked: BookedDay) -> EquityChange | None:
    *before, last = booked.equity_curve
    return change_since(before[-1], last) if before else None


def _since_start(booked: BookedDay) -> EquityChange | None:
    if not booked.opening_cash:
        return None
    first, last = booked.equity_curve[0], booked.equity_curve[-1]
    deposit = EquityPoint(first.session, booked.opening_cash, booked.opening_cash)
    return change_since(deposit, last)


def _earlier(booked: BookedDay, after: date) -> tuple[EarlierDay, ...]:
    curve = booked.equity_curve
    return tuple(
        EarlierDay(
            session=point.session,
            equity=point.equity,
            change=change_since(curve[place - 1], point) if place else None,
            fills=booked.fills_by_session.get(point.session, 0),
        )
        for place, point in enumerate(curve[:-1])
        if point.session > after
    )


def _warnings(booked: BookedDay, control: ControlState) -> Iterator[str]:
    if control.state is not TradingState.ACTIVE:
        yield f"Trading is {control.state} since {control.changed_at:%Y-%m-%d %H:%M} UTC: {control.cause}"
    for words in booked.cycles.failures:
        yield f"A cycle failed: {words}"
    for update in booked.troubled_orders:
        status = update.status.replace("_", " ")
        yield f"{ordered(update)}: {status}. {update.reason}"
    for order in booked.open_orders:
        if order.status is OrderStatus.UNKNOWN:
            yield f"Whether the broker has {ordered(order.intent)} is unknown; the next cycle asks"
    if booked.booked_late:
        yield (
            f"{counted(booked.booked_late, 'fill')} came after the equity of {booked.session} was marked; "
            "that of the next session counts them"
        )
