"""Small builders for tests of the book: a clock to turn, signals, decisions, fills, and one written cycle."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading_bot.domain.cash import CashActivity, CashKind
from trading_bot.domain.cycle import Lease, SkipReason, TradingState
from trading_bot.domain.market import Coverage, Regime, Split, Symbol, Trend, Volatility
from trading_bot.domain.news import Impact, NewsItem, StoryId
from trading_bot.domain.orders import (
    Approved,
    ClientOrderId,
    Decision,
    ExecutionId,
    Fill,
    OrderIntent,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Purpose,
    Rejected,
    Resized,
    Ruling,
    Side,
    Signal,
    client_order_id,
)
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.tournament import Candidate, Criterion, Rotation, Score, Seat
from trading_bot.state import StateManager

FRIDAY = date(2024, 1, 5)
MONDAY = date(2024, 1, 8)
TUESDAY = date(2024, 1, 9)
WEDNESDAY = date(2024, 1, 10)
NOON = datetime(2024, 1, 5, 17, 0, tzinfo=UTC)
RISING = Regime(Trend.RISING, Volatility.CALM, "The market rises calmly.")


class TurnedClock:
    """A clock that stands still until a test turns it."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class Desk:
    """An open book, its clock, its file, and the lease of the one who trades."""

    book: StateManager
    clock: TurnedClock
    path: Path
    lease: Lease

    def begin(self, cycle_id: str = "monday", *, session: date = MONDAY, state: TradingState = TradingState.ACTIVE):
        return self.book.cycles.begin(
            cycle_id,
            session=session,
            scheduled_at=NOON,
            lease=self.lease,
            run_id=f"run-{cycle_id}",
            settings_hash="settings",
            state=state,
        )

    def decide(self, *decisions: Decision, cycle_id: str = "monday") -> tuple[OrderIntent, ...]:
        wanted = tuple(intent(decision, cycle_id) for decision in decisions if decision.quantity)
        self.book.journal.commit_decisions(
            cycle_id, self.lease, decisions=decisions, intents=wanted, market_hash="market"
        )
        return wanted

    def complete(self, cycle_id: str = "monday") -> None:
        self.book.cycles.complete(cycle_id, self.lease, RISING, Coverage(20, 19))

    def order(self, decision: Decision, cycle_id: str = "monday") -> ClientOrderId:
        """Begin a cycle with one decision and send its order."""
        self.begin(cycle_id)
        (wanted,) = self.decide(decision, cycle_id=cycle_id)
        self.book.journal.mark_sending(wanted.client_order_id, self.lease)
        return wanted.client_order_id

    def trade(self, side: Side, quantity: str, price: str, *, session: date, fee: str = "0") -> Fill:
        """Decide, send and fill one order in AAPL in a cycle of its own."""
        cycle_id = f"{session}-{side}-{quantity}-{price}"
        purpose = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
        decision = approved(quantity, signal(side=side, purpose=purpose))
        done = fill(self.order(decision, cycle_id), quantity, price, side=side, session=session, fee=fee)
        self.book.ledger.book_fills(self.lease, [done])
        return done

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Read with the standard library alone."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()

    def break_with(self, *statements: str) -> None:
        """Change rows behind the book's back, without foreign keys."""
        with closing(sqlite3.connect(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()


@contextmanager
def open_desk(path: Path) -> Iterator[Desk]:
    """Open a book for the paper account PA1 with 10,000 dollars, and take the lease."""
    clock = TurnedClock()
    with StateManager.open(f"sqlite:///{path}", clock=clock, busy_timeout_seconds=0.1) as book:
        book.cycles.bind_account("PA1", "paper", Decimal(10_000))
        lease = book.control.acquire_lease("us", ttl_seconds=600, owner_is_dead=lambda _: True)
        assert lease is not None
        yield Desk(book, clock, path, lease)


def signal(symbol: str = "AAPL", *, side: Side = Side.BUY, purpose: Purpose = Purpose.ENTRY) -> Signal:
    return Signal(
        symbol=Symbol(symbol),
        side=side,
        purpose=purpose,
        wanted_weight=0.1,
        strength=1 / 3,
        strategy="momentum+sma_cross",
        reason="12 % above its mean — “strong”",
        evidence={"mean": 0.1 + 0.2, "close": 1e-300, "zero": -0.0},
    )


def ruling(asked: str, allowed: str) -> Ruling:
    return Ruling(
        rule="max_position",
        code="POSITION_EXCEEDS_MAX_PCT",
        asked=Decimal(asked),
        allowed=Decimal(allowed),
        observed="0.15",
        limit="0.10",
        unit="share of equity",
        message="capped at a tenth of equity",
    )


def approved(quantity: str = "10", wanted: Signal | None = None) -> Approved:
    shares = Decimal(quantity)
    return Approved(wanted or signal(), shares, shares, "", "all rules passed", (ruling(quantity, quantity),))


def resized(requested: str = "20", quantity: str = "10", wanted: Signal | None = None) -> Resized:
    rulings = (ruling(requested, requested), ruling(requested, quantity))
    return Resized(
        wanted or signal(), Decimal(requested), Decimal(quantity), "max_position", "capped at a tenth", rulings
    )


def rejected(requested: str = "20", wanted: Signal | None = None) -> Rejected:
    return Rejected(
        wanted or signal(), Decimal(requested), Decimal(0), "max_position", "no room", (ruling(requested, "0"),)
    )


def intent(decision: Decision, cycle_id: str = "monday", *, quantity: str | None = None) -> OrderIntent:
    wanted = decision.signal
    return OrderIntent(
        client_order_id=client_order_id(cycle_id, wanted.symbol, wanted.side, wanted.purpose),
        cycle_id=cycle_id,
        symbol=wanted.symbol,
        side=wanted.side,
        purpose=wanted.purpose,
        quantity=Decimal(quantity) if quantity else decision.quantity,
        type=OrderType.LIMIT,
        limit_price=Decimal("187.50"),
        reference_price=Decimal(100) if wanted.symbol == "AAPL" else None,  # of the others nobody wrote it down
    )


def update(
    order_id: ClientOrderId, status: OrderStatus, *, filled: str = "0", minute: int = 0, reason: str = ""
) -> OrderUpdate:
    return OrderUpdate(
        client_order_id=order_id,
        broker_order_id="B1",
        symbol=Symbol("AAPL"),
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal(10),
        filled=Decimal(filled),
        status=status,
        reason=reason,
        updated_at=NOON + timedelta(minutes=minute),
        limit_price=Decimal("187.50"),
    )


def fill(
    order_id: ClientOrderId,
    quantity: str = "10",
    price: str = "100",
    *,
    symbol: str = "AAPL",
    side: Side = Side.BUY,
    session: date = MONDAY,
    fee: str = "0",
    execution_id: str | None = None,
) -> Fill:
    return Fill(
        execution_id=ExecutionId(execution_id or f"{order_id}-{quantity}-{price}"),
        client_order_id=order_id,
        symbol=Symbol(symbol),
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        session=session,
        filled_at=NOON,
    )


def activity(
    name: str, amount: str, *, kind: CashKind = CashKind.DIVIDEND, day: date = WEDNESDAY, minute: int = 1
) -> CashActivity:
    """Return a movement of cash that the broker has listed some minutes after the book was opened."""
    symbol = Symbol("AAPL") if kind is CashKind.DIVIDEND else None
    listed = NOON + timedelta(minutes=minute)
    return CashActivity(name, kind, Decimal(amount), day, listed, symbol, f"{kind.value}/note")


FAST = Candidate("sma_cross", {"fast": 5, "slow": 50})
STRONG = Candidate("momentum", {"lookback": 252, "top": 0.3})


def a_rotation(session: date, **changes: Any) -> Rotation:
    """Return a rotation after which momentum decides alone, with two scores of each candidate."""
    whole = Rotation(
        session=session,
        old=(Seat(FAST, 1.0),),
        new=(Seat(STRONG, 1.0),),
        scores=(
            Score(STRONG, 90, 1.25, None, 0.1, 0.05, 0.15, 0.9, 4.0),
            Score(STRONG, 504, 0.75, 1.1, 0.3, 0.2, 0.2, 0.85, 3.5),
            Score(FAST, 90, None, None, 0.0, 0.0, None, 0.0, 0.0),
            Score(FAST, 504, 0.1 + 0.2, 0.4, 0.02, 0.12, 0.11, 0.4, 9.0),
        ),
        criterion=Criterion.SHARPE,
        reason="The team is now momentum(lookback=252, top=0.3) 100%.",
    )
    return replace(whole, **changes)


def story(
    name: str,
    score: float = 0.5,
    *,
    published: datetime = NOON - timedelta(hours=1),
    symbols: Sequence[str] = ("AAPL",),
    impact: Impact = Impact.LOW,
) -> NewsItem:
    about = tuple(Symbol(symbol) for symbol in symbols)
    return NewsItem(StoryId(name), "wire", published, f"Story {name}", "", "", about, score, impact)


def fill_a_book(desk: Desk) -> None:
    """Write a few days of everything: fills in parts, a split with cash in lieu, a refusal, a rotation, a pause."""
    desk.begin()
    decisions: Sequence[Decision] = [
        approved("7"),
        resized("20", "10", signal("IBM")),
        rejected("5", signal("MSFT")),
    ]
    apple, ibm = desk.decide(*decisions)
    for wanted in (apple, ibm):
        desk.book.journal.mark_sending(wanted.client_order_id, desk.lease)
    desk.book.journal.record_updates(desk.lease, [update(apple.client_order_id, OrderStatus.FILLED, filled="7")])
    desk.book.ledger.book_fills(
        desk.lease,
        [
            fill(apple.client_order_id, "3", "100", fee="0.35"),
            fill(apple.client_order_id, "4", "101.25", fee="0.001"),
            fill(ibm.client_order_id, "4", "50", symbol="IBM"),
        ],
    )
    desk.book.ledger.mark_equity(desk.lease, EquityPoint(MONDAY, Decimal("9094.65"), Decimal("10003.40")), "monday")
    desk.complete()
    desk.book.cycles.record_steps("monday", {"settle_orders": 0.25, "generate_signals": 1.5e-05})
    split = Split(Symbol("AAPL"), TUESDAY, Decimal("1.5"))
    desk.book.ledger.apply_splits(desk.lease, [(split, Decimal(68))])
    desk.book.ledger.mark_equity(desk.lease, EquityPoint(TUESDAY, Decimal("9128.65"), Decimal("10008.65")), "tuesday")
    desk.trade(Side.SELL, "10", "70", session=WEDNESDAY)
    desk.book.cash.book(desk.lease, [activity("div-1", "5.94"), activity("fee-1", "-0.02", kind=CashKind.FEE)])
    desk.book.news.keep(desk.lease, MONDAY, NOON, [story("a", -0.5, symbols=("AAPL", "IBM")), story("b", 0.25)])
    desk.book.rotations.record(a_rotation(MONDAY), run_id="run", settings_hash="settings", market_hash="market")
    for state in (TradingState.PAUSED, TradingState.ACTIVE):
        desk.book.control.set_state(state, cause="a holiday", who="owner")
    desk.book.cycles.skip(
        "thursday",
        session=date(2024, 1, 11),
        scheduled_at=NOON,
        reason=SkipReason.MARKET_CLOSED,
        message="The exchange is closed.",
    )
