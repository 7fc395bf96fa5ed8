from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.risk.desks import context, entry, manager, ten_dollar_market, way_out
from tests.unit.strategies.markets import NO_VALUE, history, holding, market, today
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import DataError, PluginError
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import (
    Approved,
    Decision,
    Order,
    Purpose,
    Rejected,
    Resized,
    Ruling,
    Side,
    Signal,
    binding_ruling,
)
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import RISK_RULES, build_rules
from trading_bot.risk.rules.buying_power import BuyingPower
from trading_bot.risk.rules.holdings import Holdings
from trading_bot.risk.rules.max_open_trades import MaxOpenTrades
from trading_bot.risk.rules.max_position import MaxPosition
from trading_bot.risk.rules.price_sanity import PriceSanity
from trading_bot.risk.rules.sector_allocation import SectorAllocation
from trading_bot.risk.rules.whole_shares import WholeShares
from trading_bot.risk.shadow import with_pending

NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")


@dataclass(frozen=True)
class Allows:
    """A rule that allows what it is told."""

    allowed: Decimal
    stage: ClassVar[Stage] = Stage.SIZE_CAPS

    def check(self, order: Order, context: RiskContext) -> Ruling:
        return Ruling("somebody else", "TOLD", order.quantity, self.allowed, "", "", "", "as it was told")


@dataclass(frozen=True)
class Breaks:
    """A rule that cannot calculate."""

    error: Exception
    stage: ClassVar[Stage] = Stage.SIZE_CAPS

    def check(self, order: Order, context: RiskContext) -> Ruling:
        raise self.error


def decide(signal: Signal, seen: RiskContext | None = None, rules: RiskManager | None = None) -> Decision:
    (decision,) = (rules or manager()).decide([signal], seen or context())
    return decision


# ── which rules, in which order ───────────────────────────────────────────────────────────────────


def test_every_registered_rule_is_asked_however_few_options_are_given():
    assert set(build_rules({}, {})) == set(RISK_RULES.names())


def test_rules_are_asked_by_stage_and_then_by_name():
    rules = build_rules({}, {})
    order = [(rule.stage, name) for name, rule in rules.items()]

    assert order == sorted(order)
    ours = [
        "price_sanity",
        "trading_state",
        "coverage",
        "holdings",
        "portfolio_stop",
        "max_open_trades",
        "buying_power",
        "correlated_positions",
        "max_position",
        "portfolio_heat",
        "risk_per_trade",
        "sector_allocation",
        "whole_shares",
    ]
    assert [name for name in rules if name in ours] == ours


def test_an_order_that_passes_was_seen_by_every_rule_in_their_order():
    decision = decide(entry())

    assert [ruling.rule for ruling in decision.rulings] == list(build_rules({}, {}))


def test_a_refused_order_was_seen_by_every_rule_up_to_the_one_that_refused():
    decision = decide(entry(), context(trading=TradingState.PAUSED))

    assert [ruling.rule for ruling in decision.rulings] == ["price_sanity", "trading_state"]
    assert decision.rule == "trading_state"


def test_a_setting_reaches_every_rule_that_has_a_field_of_its_name():
    rules = build_rules({"position_stop_pct": Decimal("0.2"), "max_open_trades": 7, "unrelated": "x"}, {})

    assert rules["risk_per_trade"].position_stop_pct == Decimal("0.2")  # pyright: ignore[reportAttributeAccessIssue]
    assert rules["portfolio_heat"].position_stop_pct == Decimal("0.2")  # pyright: ignore[reportAttributeAccessIssue]
    assert rules["max_open_trades"].max_open_trades == 7  # pyright: ignore[reportAttributeAccessIssue]


def test_an_option_of_one_rule_reaches_that_rule():
    rules = build_rules({}, {"buying_power": {"reserve": "0.1"}})

    assert rules["buying_power"] == BuyingPower(Decimal("0.1"))


def test_options_for_a_rule_that_does_not_exist_are_refused_with_the_nearest_name():
    with pytest.raises(PluginError, match=r"no risk rule called 'buying_powr'\. Did you mean 'buying_power'\?"):
        build_rules({}, {"buying_powr": {"reserve": "0.1"}})


def test_an_option_that_a_rule_does_not_have_is_refused_with_the_nearest_name():
    with pytest.raises(PluginError, match=r"'buying_power' has no option 'reserv'\. Did you mean 'reserve'\?"):
        build_rules({}, {"buying_power": {"reserv": "0.1"}})


def test_a_limit_out_of_range_is_refused():
    with pytest.raises(PluginError, match="max_position_pct"):
        build_rules({"max_position_pct": Decimal("1.01")}, {})


def test_without_any_rule_there_is_no_trading():
    with pytest.raises(ValueError, match="no risk rules"):
        RiskManager({}, stop=ProtectiveStop())


# ── from a weight to a size ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("weight", "held", "shares"),
    [
        (0.04, 0, "40"),
        (0.04, 10, "30"),
        (0.0405, 0, "40"),  # 40.5 shares, and a fraction is nothing to trade
        (0.0409999, 0, "40"),
    ],
)
def test_an_entry_is_as_large_as_its_wanted_weight_less_what_is_held(weight, held, shares):
    assert decide(entry(weight=weight), context(portfolio=holding(0, AAA=(held, 10)))).requested == Decimal(shares)


@pytest.mark.parametrize(("weight", "shares"), [(0.0, "100"), (0.03, "70"), (0.0999, "0.1")])
def test_an_exit_is_as_large_as_what_is_held_above_the_wanted_weight(weight, shares):
    decision = decide(way_out(weight=weight), context(portfolio=holding(0, AAA=(100, 10))))

    assert decision.requested == Decimal(shares)


def test_an_exit_to_nothing_sells_every_share_and_every_fraction():
    decision = decide(way_out(), context(portfolio=holding(0, AAA=("12.345", 10))))

    assert isinstance(decision, Approved)
    assert decision.quantity == Decimal("12.345")


def test_where_fractions_are_traded_sizes_have_six_digits():
    decision = decide(entry(weight=0.01 / 3), rules=manager(fractional=True))

    assert isinstance(decision, Approved)
    assert decision.quantity == Decimal("3.333333")


def test_less_than_one_share_is_refused_in_words():
    decision = decide(entry(weight=0.0005))

    assert isinstance(decision, Rejected)
    assert (decision.rule, decision.requested, decision.quantity) == ("whole_shares", Decimal("0.5"), 0)
    assert decision.reason == "$5.00 do not buy one share at $10.00"


def test_a_weight_that_is_reached_already_is_no_order():
    decision = decide(entry(weight=0.05), context(portfolio=holding(0, AAA=(50, 10))))

    assert isinstance(decision, Rejected)
    assert (decision.rule, decision.requested) == ("price_sanity", 0)


def test_a_symbol_without_a_price_is_refused_and_not_sized():
    decision = decide(entry("ZZZ"))

    assert isinstance(decision, Rejected)
    assert (decision.rule, decision.requested, decision.reason) == ("price_sanity", 0, "ZZZ has no price")


# ── the decision ──────────────────────────────────────────────────────────────────────────────────


def test_an_order_no_rule_binds_is_approved():
    decision = decide(entry(weight=0.05))

    assert isinstance(decision, Approved)
    assert (decision.quantity, decision.rule, decision.reason) == (50, "", "every rule let it pass")
    assert binding_ruling(decision) is None


def test_an_order_that_is_too_large_is_resized_by_the_rule_that_took_most():
    decision = decide(entry(weight=0.2))

    assert isinstance(decision, Resized)
    assert (decision.requested, decision.quantity, decision.rule) == (200, 50, "max_position")
    assert decision.reason == "a position may be 5.0% of equity, asked were 20.0%"


def test_the_last_rule_that_took_something_set_the_size():
    rules = manager({"first": Allows(Decimal(30)), "second": Allows(Decimal(20))})
    decision = decide(entry(weight=0.05), rules=rules)

    assert (decision.quantity, decision.rule) == (20, "second")


def test_rounding_binds_only_where_no_limit_did():
    rules = {"max_position": MaxPosition(Decimal("0.0335")), "whole_shares": WholeShares()}
    decision = decide(entry(weight=0.05), rules=manager(rules))

    assert (decision.quantity, decision.rule) == (33, "max_position")
    assert binding_ruling(decision) == decision.rulings[0]


def test_rounding_binds_where_nothing_else_did():
    rules = RiskManager({"whole_shares": WholeShares()}, stop=ProtectiveStop(), fractional=True)
    decision = decide(entry(weight=0.0335), rules=rules)

    assert isinstance(decision, Resized)
    assert (decision.requested, decision.quantity, decision.rule) == (Decimal("33.5"), 33, "whole_shares")


def test_a_limit_that_leaves_less_than_one_share_is_a_refusal():
    decision = decide(entry(weight=0.05), context(buying_power="10.29"))

    assert isinstance(decision, Rejected)
    assert [ruling.rule for ruling in decision.rulings if ruling.binds] == ["buying_power", "whole_shares"]


def test_rulings_carry_the_registered_name_of_their_rule():
    decision = decide(entry(), rules=manager({"mine": Allows(Decimal(1))}))

    assert [ruling.rule for ruling in decision.rulings] == ["mine"]


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("x"), KeyError("x"), TypeError("x"), ValueError("x"), AttributeError("x"),
        NotImplementedError("x"), AssertionError("x"), TimeoutError("x"), DataError("x"),
    ],
)  # fmt: skip
def test_a_rule_that_fails_refuses(error, caplog):
    with caplog.at_level(logging.CRITICAL):
        decision = decide(entry(), rules=manager({"broken": Breaks(error), "other": Allows(Decimal(1))}))

    assert isinstance(decision, Rejected)
    assert [(ruling.rule, ruling.code, ruling.allowed) for ruling in decision.rulings] == [("broken", "RULE_FAILED", 0)]
    assert type(error).__name__ in decision.reason


@pytest.mark.parametrize("allowed", ["50.000001", "1000", "-1", "Infinity", "NaN"])
def test_a_rule_that_allows_more_than_was_asked_or_nonsense_refuses(allowed):
    decision = decide(entry(weight=0.05), rules=manager({"generous": Allows(Decimal(allowed))}))

    assert isinstance(decision, Rejected)
    assert (decision.rule, decision.rulings[0].code) == ("generous", "RULE_FAILED")


def test_two_signals_for_one_symbol_are_an_error():
    with pytest.raises(ValueError, match="two signals for one symbol"):
        manager().decide([entry("AAA"), way_out("AAA")], context())


def test_no_signals_are_no_decisions():
    assert manager().decide([], context()) == ()


# ── many signals in one cycle ─────────────────────────────────────────────────────────────────────


def wide_market():
    sectors = {"AAA": "Energy", "BBB": "Energy", "CCC": "Energy", "DDD": "Health Care"}
    return ten_dollar_market(NAMES, sectors=sectors)


def signals_for(draw: st.DrawFn, held: tuple[str, ...]) -> list[Signal]:
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    signals: list[Signal] = []
    for name in chosen:
        weight, strength = draw(st.floats(0, 0.5)), draw(st.sampled_from([0.1, 0.5, 0.5, 0.9]))
        wants_out = name in held and draw(st.booleans())
        signals.append(
            way_out(name, weight=0.0, strength=strength, stop=draw(st.booleans()))
            if wants_out
            else entry(name, weight=weight, strength=strength)
        )
    return signals


@st.composite
def cycles(draw: st.DrawFn) -> tuple[list[Signal], RiskContext]:
    """Return some signals and the context they meet."""
    held = draw(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 80), max_size=4))
    portfolio = holding(0, **{name: (shares, 10) for name, shares in held.items()})
    seen = context(wide_market(), portfolio, buying_power=draw(st.integers(0, 12_000)))
    return signals_for(draw, tuple(held)), seen


def after(decisions: tuple[Decision, ...], seen: RiskContext) -> RiskContext:
    portfolio = seen.portfolio
    for d in decisions:
        if d.quantity:
            portfolio = with_pending(portfolio, d.signal.symbol, d.signal.side, d.quantity, Decimal(10))
    return context(seen.market, portfolio)


@given(cycles())
def test_every_signal_has_exactly_one_decision_with_a_reason(cycle):
    signals, seen = cycle
    decisions = manager().decide(signals, seen)

    assert sorted(d.signal.symbol for d in decisions) == sorted(signal.symbol for signal in signals)
    assert all(d.reason for d in decisions)
    assert all((d.quantity > 0) != isinstance(d, Rejected) for d in decisions)
    assert all((d.quantity == d.requested > 0) == isinstance(d, Approved) for d in decisions)


@given(cycles(), st.randoms(use_true_random=False))
def test_the_order_in_which_signals_come_does_not_matter(cycle, random):
    signals, seen = cycle
    shuffled = signals.copy()
    random.shuffle(shuffled)

    assert manager().decide(shuffled, seen) == manager().decide(signals, seen)


@given(cycles())
def test_exits_are_decided_first_then_the_stronger_then_by_symbol(cycle):
    signals, seen = cycle
    order = [(d.signal.purpose.is_entry, -d.signal.strength, d.signal.symbol) for d in manager().decide(signals, seen)]

    assert order == sorted(order)


@given(cycles())
def test_no_decision_is_larger_than_what_was_requested(cycle):
    signals, seen = cycle

    assert all(0 <= d.quantity <= d.requested for d in manager().decide(signals, seen))


@given(cycles())
def test_no_position_that_was_bought_exceeds_its_share_of_equity(cycle):
    signals, seen = cycle
    decisions = manager().decide(signals, seen)
    portfolio = after(decisions, seen).portfolio

    for d in decisions:
        if d.quantity and d.signal.side is Side.BUY:
            assert portfolio.held(d.signal.symbol) * 10 <= Decimal("0.05") * 10_000


@given(cycles())
def test_no_sector_that_was_bought_exceeds_its_share_of_equity(cycle):
    signals, seen = cycle
    rules = manager({"price_sanity": PriceSanity(), "sector_allocation": SectorAllocation(Decimal("0.2"))})
    decisions = rules.decide(signals, seen)
    portfolio = after(decisions, seen).portfolio

    for sector in {
        seen.market.sectors.get(d.signal.symbol) for d in decisions if d.quantity and d.signal.side is Side.BUY
    }:
        alike = [symbol for symbol in portfolio.positions if seen.market.sectors.get(symbol) == sector]
        assert sum(portfolio.held(symbol) * 10 for symbol in alike) <= Decimal("0.2") * 10_000


@given(cycles(), st.integers(1, 5))
def test_no_more_positions_are_open_than_allowed(cycle, most):
    signals, seen = cycle
    rules = manager({"price_sanity": PriceSanity(), "max_open_trades": MaxOpenTrades(most)})
    before = set(seen.portfolio.positions)
    portfolio = after(rules.decide(signals, seen), seen).portfolio

    assert len(portfolio.positions) <= most or set(portfolio.positions) <= before


@given(cycles())
def test_all_buys_together_and_their_reserve_can_be_paid(cycle):
    signals, seen = cycle
    bought = sum(d.quantity * 10 for d in manager().decide(signals, seen) if d.signal.side is Side.BUY)

    assert bought * Decimal("1.03") <= seen.buying_power


def test_the_reserve_of_the_first_buy_is_not_spent_by_the_second():
    rules = manager({"buying_power": BuyingPower(Decimal("0.25")), "whole_shares": WholeShares()})
    first, second = rules.decide(
        [entry("AAA", weight=0.05, strength=0.9), entry("BBB", weight=0.05)], context(buying_power=700)
    )

    assert (first.quantity, second.quantity) == (
        50,
        6,
    )  # 700 less 625 leave 75, and a share with its reserve costs 12.50


def test_a_sale_frees_no_place_before_it_has_filled():
    portfolio = holding(0, BBB=(100, 10))
    rules = manager({"max_open_trades": MaxOpenTrades(1)})
    sale, buy = rules.decide([entry("AAA"), way_out("BBB")], context(portfolio=portfolio))

    assert (sale.quantity, buy.quantity, buy.rule) == (100, 0, "max_open_trades")


def test_a_sale_frees_no_cash_before_it_has_filled():
    portfolio = holding(0, BBB=(100, 10))
    rules = manager({"buying_power": BuyingPower()})
    sale, buy = rules.decide([entry("AAA"), way_out("BBB")], context(portfolio=portfolio, buying_power=103))

    assert (sale.quantity, buy.quantity, buy.rule) == (100, 10, "buying_power")


def test_shares_that_an_open_order_sells_are_not_sold_again():
    portfolio, on_their_way = holding(0, BBB=(100, 10)), {Symbol("BBB"): Decimal(70)}
    (sale,) = manager({"holdings": Holdings()}).decide(
        [way_out("BBB")], replace(context(portfolio=portfolio), pending_sells=on_their_way)
    )

    assert sale.quantity == 30


def test_shares_that_are_still_being_bought_are_not_sold():
    seen = replace(context(portfolio=holding(0, BBB=(100, 10))), booked=holding(0, BBB=(60, 10)))
    (sale,) = manager().decide([way_out("BBB")], seen)

    assert (sale.requested, sale.quantity) == (60, 60)


@pytest.mark.parametrize("stop", [False, True])
@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.REDUCING])
def test_an_exit_is_never_held_up_by_a_loss_a_count_or_a_cap(stop, state):
    portfolio = holding(0, **dict.fromkeys(NAMES, (900, 10)))
    dark = market(
        history(np.full((61, len(NAMES)), 10.0), NAMES),
        below_minimum_coverage=True,
        sectors=dict.fromkeys(NAMES, "Energy"),
    )
    seen = context(dark, portfolio, equity=1, high_water=100_000, buying_power=-500, trading=state)
    decision = decide(way_out("AAA", stop=stop), seen)

    assert isinstance(decision, Approved)
    assert decision.quantity == 900


# ── protective stops ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("price", "stopped"), [(90.01, False), (90.00, True), (89.99, True), (100.0, False), (1.0, True)]
)
def test_a_position_is_given_up_at_its_stop(price, stopped):
    signals = manager().protective_exits(today(AAA=price), holding(0, AAA=(5, 100)))

    assert bool(signals) is stopped


def test_a_stop_sells_everything_and_says_why():
    (signal,) = manager().protective_exits(today(AAA=80.0), holding(0, AAA=(5, 100)))

    assert (signal.side, signal.purpose, signal.wanted_weight) == (Side.SELL, Purpose.STOP, 0)
    assert signal.strategy == "position_stop"
    assert signal.reason == "$80.00 is at or below the stop of $90.00, -20.0% from the $100.00 paid"
    assert signal.evidence == {"price": 80.0, "stop": 90.0, "average_price": 100.0}


def test_stops_come_in_the_order_of_their_symbols():
    signals = manager().protective_exits(today(BBB=1.0, AAA=1.0), holding(0, BBB=(5, 100), AAA=(5, 100)))

    assert [signal.symbol for signal in signals] == ["AAA", "BBB"]


@pytest.mark.parametrize(
    "state",
    [
        market(history([[80.0], [NO_VALUE]], ["AAA"])),  # no price today
        market(history([[80.0]], ["AAA"]), quarantined={"AAA": "odd"}),
        today(BBB=80.0),  # not listed
    ],
)
def test_nobody_knows_whether_a_stop_is_hit_without_a_usable_price(state):
    assert manager().protective_exits(state, holding(0, AAA=(5, 100))) == ()


def test_a_stop_that_is_switched_off_stops_nothing():
    off = manager(stop=ProtectiveStop(enabled=False))

    assert off.protective_exits(today(AAA=1.0), holding(0, AAA=(5, 100))) == ()


def test_the_distance_of_the_stop_is_a_share_of_the_price_paid():
    close = manager(stop=ProtectiveStop(distance=Decimal("0.02")))

    assert close.protective_exits(today(AAA=98.0), holding(0, AAA=(5, 100)))
    assert not close.protective_exits(today(AAA=98.01), holding(0, AAA=(5, 100)))


# ── the shadow portfolio ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("held", "side", "quantity", "left"),
    [(0, Side.BUY, 5, 5), (5, Side.BUY, 5, 10), (5, Side.SELL, 3, 2), (5, Side.SELL, 5, 0)],
)
def test_a_pending_order_counts_as_filled(held, side, quantity, left):
    before = holding(100, AAA=(held, 8)) if held else holding(100)
    now = with_pending(before, "AAA", side, Decimal(quantity), Decimal(10))  # pyright: ignore[reportArgumentType]

    assert now.held("AAA") == left  # pyright: ignore[reportArgumentType]
    assert ("AAA" in now.positions) is bool(left)
    assert now.cash == 100
