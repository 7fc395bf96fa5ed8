"""The laws of the risk rules, whatever signals, fills, cancels and prices come, in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.risk.desks import context, entry, manager, way_out
from tests.unit.strategies.markets import history, market
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.orders import Approved, Decision, Order, Purpose, Rejected, Ruling, Side
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.ports import RiskContext, RiskRule, Stage
from trading_bot.domain.track_record import ClosedTrade, OrdersSent, TrackRecord, Worth
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import build_rules
from trading_bot.risk.shadow import with_pending

NAMES = tuple(Symbol(name) for name in ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF"))
SECTORS = {"AAA": "Energy", "BBB": "Energy", "CCC": "Energy", "DDD": "Utilities"}
LIMITS = {
    "max_open_trades": 4,
    "max_orders_per_cycle": 3,
    "max_orders_per_day": 8,
    "max_gross_exposure": Decimal("0.25"),
    "max_net_exposure": Decimal("0.25"),
    "max_position_pct": Decimal("0.08"),
    "max_sector_allocation": Decimal("0.12"),
    "max_volume_share": Decimal("0.01"),
}
RULES = RiskManager(build_rules(LIMITS, {}), stop=ProtectiveStop())
GUARDS = {Stage.LOSS_GUARDS, Stage.COUNTS, Stage.SIZE_CAPS}
OPENING = Decimal(10_000)


def state_of(prices: dict[Symbol, float]) -> MarketState:
    """Return a market whose stocks have stood still at these prices, with 100,000 shares a day."""
    closes = np.tile(np.array([prices[name] for name in NAMES]), (25, 1))
    bars = history(closes, NAMES)
    return market(replace(bars, volume=np.full(closes.shape, 100_000.0)), sectors=SECTORS)


@st.composite
def wishes(draw: st.DrawFn) -> list[tuple[Symbol, float, float, bool, bool]]:
    """Return symbol, weight, strength, whether it is a way out, and whether a stop wants it."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
    weights, strengths = st.floats(0, 0.5), st.sampled_from([0.1, 0.5, 0.9])
    return [(name, draw(weights), draw(strengths), draw(st.booleans()), draw(st.booleans())) for name in names]


class Desk(RuleBasedStateMachine):
    """A day at a desk: signals are decided, orders fill in parts or are cancelled, prices move, sessions pass."""

    @initialize()
    def begin(self) -> None:
        self.prices = dict.fromkeys(NAMES, 10.0)
        self.portfolio = Portfolio(OPENING)
        self.open: list[tuple[Symbol, Side, Decimal]] = []
        self.sent = 0
        self.worths = [OPENING]
        self.last: tuple[Decision, ...] = ()

    def dollars(self, name: Symbol) -> Decimal:
        return Decimal(repr(self.prices[name]))

    def context(self) -> RiskContext:
        shadow, leaving = self.portfolio, dict[Symbol, Decimal]()
        for name, side, shares in self.open:
            if side is Side.BUY:
                shadow = with_pending(shadow, name, side, shares, self.dollars(name))
            else:
                leaving[name] = leaving.get(name, Decimal(0)) + shares
        seen = state_of(self.prices)
        prices = {name: self.dollars(name) for name in NAMES}
        equity = self.portfolio.equity(prices)
        spoken_for = sum((n * prices[name] for name, side, n in self.open if side is Side.BUY), Decimal(0))
        day = seen.session
        return replace(
            context(seen, shadow, equity=equity, high_water=max([*self.worths, equity])),
            prices=prices,
            buying_power=self.portfolio.cash - spoken_for,
            pending_sells=leaving,
            booked=self.portfolio,
            on_their_way=frozenset(name for name, _, _ in self.open),
            record=TrackRecord(
                worths=tuple(Worth(day, worth) for worth in self.worths[-21:]),
                sent=OrdersSent(self.sent, 0),
            ),
        )

    @rule(wanted=wishes())
    def decide(self, wanted: list[tuple[Symbol, float, float, bool, bool]]) -> None:
        signals = [
            way_out(name, strength=strength, stop=stop)
            if out and self.portfolio.held(name)
            else entry(name, weight=weight, strength=strength)
            for name, weight, strength, out, stop in wanted
        ]
        seen = self.context()
        self.last = RULES.decide(signals, seen)
        assert RULES.decide(list(reversed(signals)), seen) == self.last
        assert sorted(d.signal.symbol for d in self.last) == sorted(name for name, *_ in wanted)
        for number, d in enumerate(d for d in self.last if d.quantity):
            assert not d.signal.purpose.is_entry or (number < 3 and self.sent < 8)
            self.open.append((d.signal.symbol, d.signal.side, d.quantity))
            self.sent += 1
        self.check_limits()

    def check_limits(self) -> None:
        """After each decision every limit holds, as far as this cycle's buys could break it."""
        after = self.context()
        bought = [d for d in self.last if d.quantity and d.signal.side is Side.BUY]
        if not bought:
            return
        values = {name: after.portfolio.held(name) * after.prices[name] for name in after.portfolio.positions}
        assert sum(values.values()) <= after.equity * Decimal("0.25")
        assert len(values) <= 4
        for d in bought:
            name = d.signal.symbol
            sector = SECTORS.get(name)
            alike = sum(value for other, value in values.items() if SECTORS.get(other) == sector)
            assert values[name] <= after.equity * Decimal("0.08")
            assert alike <= after.equity * Decimal("0.12")
            assert after.portfolio.held(name) <= 1000
        assert after.buying_power >= 0

    @precondition(lambda self: self.open)
    @rule(part=st.sampled_from(["0.5", "1"]), data=st.data())
    def fill(self, part: str, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.open) - 1))
        name, side, shares = self.open.pop(place)
        done = (shares * Decimal(part)).to_integral_value(rounding="ROUND_UP")
        held = self.portfolio.positions.get(name)
        now = (held.quantity if held else Decimal(0)) + side.sign * done
        assert now >= 0, "more was sold than was held"
        positions = {other: position for other, position in self.portfolio.positions.items() if other != name}
        if now:
            positions[name] = Position(name, now, held.average_price if held else self.dollars(name))
        self.portfolio = Portfolio(self.portfolio.cash - side.sign * done * self.dollars(name), positions)
        if done < shares:
            self.open.append((name, side, shares - done))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))

    @rule(name=st.sampled_from(NAMES), factor=st.sampled_from([0.7, 0.9, 1.05, 1.2]))
    def move(self, name: Symbol, factor: float) -> None:
        self.prices[name] = round(min(max(self.prices[name] * factor, 2.0), 60.0), 2)

    @rule()
    def next_session(self) -> None:
        self.worths.append(self.portfolio.equity({name: self.dollars(name) for name in NAMES}))
        self.sent = 0

    @invariant()
    def a_decision_is_no_larger_than_what_was_wanted_and_says_why(self) -> None:
        for d in self.last:
            assert 0 <= d.quantity <= d.requested
            assert d.reason
            assert (d.quantity > 0) != isinstance(d, Rejected)

    @invariant()
    def no_exit_is_held_up_by_a_guard_a_count_or_a_cap(self) -> None:
        for d in self.last:
            if not d.signal.purpose.is_entry:
                bound = [ruling.rule for ruling in d.rulings if ruling.binds]
                assert not any(RULES.rules[name].stage in GUARDS for name in bound)


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)


# ── single laws ───────────────────────────────────────────────────────────────────────────────────

TODAY = state_of(dict.fromkeys(NAMES, 10.0)).session
worths = st.builds(Worth, st.just(TODAY), st.decimals(0, 10**6, places=2))
trades = st.builds(ClosedTrade, st.sampled_from(NAMES), st.just(TODAY), st.decimals(-100, 100, places=2), st.booleans())
bad_days = st.builds(
    TrackRecord,
    worths=st.lists(worths).map(tuple),
    closed=st.lists(trades, max_size=9).map(tuple),
    sent=st.builds(OrdersSent, st.integers(0, 900), st.integers(0, 100)),
)


@settings(max_examples=40, deadline=None)
@given(record=bad_days, equity=st.decimals(0, 20_000, places=2), stop=st.booleans())
def test_no_past_however_bad_keeps_a_position_from_being_sold(record: TrackRecord, equity: Decimal, stop: bool):
    portfolio = Portfolio(Decimal(0), {NAMES[0]: Position(NAMES[0], Decimal(7), Decimal(10))})
    seen = replace(
        context(state_of(dict.fromkeys(NAMES, 10.0)), portfolio, equity=equity, high_water=10**6, buying_power=-5),
        record=record,
        on_their_way=frozenset(NAMES),
    )
    (decision,) = manager().decide([way_out("AAA", stop=stop)], seen)

    assert isinstance(decision, Approved)
    assert decision.quantity == 7


@dataclass(frozen=True)
class Fails:
    """A rule that cannot calculate."""

    error: Exception
    stage: ClassVar[Stage] = Stage.SIZE_CAPS

    def check(self, order: Order, context: RiskContext) -> Ruling:
        raise self.error


@settings(max_examples=20, deadline=None)
@given(
    place=st.integers(0, len(RULES.rules)),
    error=st.sampled_from([KeyError("x"), ZeroDivisionError("x"), ValueError("x"), TypeError("x")]),
    purpose=st.sampled_from(Purpose),
)
def test_wherever_a_rule_fails_nothing_is_traded(place: int, error: Exception, purpose: Purpose):
    rules: list[tuple[str, RiskRule]] = list(RULES.rules.items())
    broken = dict([*rules[:place], ("broken", Fails(error)), *rules[place:]])
    portfolio = Portfolio(Decimal(0), {NAMES[0]: Position(NAMES[0], Decimal(7), Decimal(10))})
    seen = context(state_of(dict.fromkeys(NAMES, 10.0)), portfolio)
    signal = entry("BBB") if purpose.is_entry else way_out("AAA", stop=purpose is Purpose.STOP)
    (decision,) = RiskManager(broken, stop=ProtectiveStop()).decide([signal], seen)

    assert isinstance(decision, Rejected)
    assert (decision.rule, decision.rulings[-1].code) == ("broken", "RULE_FAILED")
