"""What every risk rule promises, asked of every one that is registered."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.risk.desks import buy, context, entry, sell, ten_dollar_market, way_out
from tests.unit.strategies.markets import NO_VALUE, history, holding, market
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import PluginError
from trading_bot.domain.orders import Order, Rejected
from trading_bot.domain.ports import RiskContext, RiskRule, Stage
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import RISK_RULES

NAMES = RISK_RULES.names()
SYMBOLS: tuple[str, ...] = ("AAA", "BBB", "CCC")
one_rule_many_examples = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@functools.cache
def with_defaults(name: str) -> RiskRule:
    """Return the rule with its default options. Rules keep nothing, so that one can serve all tests."""
    return RISK_RULES.build(name, {})


@pytest.fixture
def rule(name: str) -> RiskRule:
    return with_defaults(name)


# Made once: a strategy made anew for each example costs as much as drawing from it.
SYMBOL, YES_OR_NO = st.sampled_from(list[str](SYMBOLS)), st.booleans()
CLOSES, SEEDS = st.lists(st.floats(0.01, 5000), min_size=3, max_size=3), st.integers(0, 99)
SECTORS = st.dictionaries(SYMBOL, st.sampled_from(["Energy", "Utilities"]))
QUARANTINED = st.dictionaries(SYMBOL, st.just("odd bars"), max_size=1)
HELD, DOLLARS = st.dictionaries(SYMBOL, st.integers(1, 500)), st.decimals(-1000, 100_000, places=2)
STATES, SHARES = st.sampled_from(TradingState), st.decimals("0.000001", 100_000, places=6)


@st.composite
def contexts(draw: st.DrawFn) -> RiskContext:
    """Return a book and a market of three symbols, wild but possible."""
    closes = draw(CLOSES)
    walk = np.random.default_rng(draw(SEEDS)).normal(0, 0.02, (70, 3))
    state = market(
        history(np.exp(np.cumsum(walk, axis=0) - walk.sum(axis=0)) * np.array(closes), SYMBOLS),
        sectors=draw(SECTORS),
        quarantined=draw(QUARANTINED),
        below_minimum_coverage=draw(YES_OR_NO),
    )
    held = draw(HELD)
    return context(
        state,
        holding(0, **{symbol: (shares, 10) for symbol, shares in held.items()}),
        equity=draw(DOLLARS),
        high_water=draw(DOLLARS),
        buying_power=draw(DOLLARS),
        trading=draw(STATES),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    quantity = draw(SHARES)
    symbol = draw(SYMBOL)
    if draw(YES_OR_NO):
        return buy(quantity, symbol=symbol)
    return sell(quantity, symbol=symbol, stop=draw(YES_OR_NO))


def at_its_price(order: Order, seen: RiskContext) -> Order:
    return replace(order, price=seen.prices[order.symbol])


def test_there_are_rules():
    assert {"price_sanity", "trading_state", "max_position", "buying_power"} <= set(NAMES)


def test_the_rule_says_when_it_is_asked(rule):
    assert isinstance(rule.stage, Stage)


def test_the_rule_says_in_its_docstring_what_it_does(rule):
    assert (type(rule).__doc__ or "").strip()


@one_rule_many_examples
@given(order=orders(), seen=contexts())
def test_a_rule_never_allows_more_than_was_asked_nor_less_than_nothing(rule, order, seen):
    order = at_its_price(order, seen)
    ruling = rule.check(order, seen)

    assert ruling.asked == order.quantity
    assert 0 <= ruling.allowed <= order.quantity


def test_the_rule_states_its_codes(rule):
    assert len(set(rule.codes)) == len(rule.codes) >= 2


@one_rule_many_examples
@given(order=orders(), seen=contexts())
def test_a_rule_that_binds_says_why_and_one_that_does_not_keeps_quiet(rule, order, seen):
    ruling = rule.check(at_its_price(order, seen), seen)

    assert ruling.code in rule.codes
    assert (ruling.code == rule.codes[0]) is not ruling.binds
    assert ruling.code == ruling.code.upper() != ""
    assert bool(ruling.message) is ruling.binds
    assert "NaN" not in ruling.message


@one_rule_many_examples
@given(order=orders(), seen=contexts())
def test_a_rule_is_content_with_what_it_allowed(rule, order, seen):
    order = at_its_price(order, seen)
    allowed = rule.check(order, seen).allowed

    if allowed:
        assert rule.check(replace(order, quantity=allowed), seen).allowed == allowed


@one_rule_many_examples
@given(order=orders(), seen=contexts())
def test_the_same_question_has_the_same_answer(rule, order, seen):
    order = at_its_price(order, seen)

    assert rule.check(order, seen) == rule.check(order, seen)


@one_rule_many_examples
@given(seen=contexts(), symbol=st.sampled_from(SYMBOLS), stop=st.booleans())
def test_a_complete_exit_passes_in_a_market_that_can_be_traded(rule, seen, symbol, stop):
    held = seen.portfolio.held(symbol)
    state = replace(seen.market, quarantined={})
    order = at_its_price(sell(held or 1, symbol=symbol, stop=stop), seen)

    for trading in (TradingState.ACTIVE, TradingState.REDUCING):
        ruling = rule.check(order, replace(seen, market=state, state=trading))
        assert not ruling.binds or not held


ODD: Mapping[str, RiskContext] = {
    "no sectors": context(ten_dollar_market(sectors={})),
    "no price of the symbol": context(market(history([[NO_VALUE, 10.0]], ["AAA", "BBB"]))),
    "the symbol is not listed": context(ten_dollar_market(["BBB"])),
    "one session": context(ten_dollar_market()),
    "no session": context(market(history(np.empty((0, 1)), ["AAA"]))),
    "a holding without a price": context(portfolio=holding(0, OLD=(10, 10))),
    "a holding of the symbol, without a price": context(ten_dollar_market(["BBB"]), holding(0, AAA=(10, 10))),
    "a short position": context(portfolio=holding(0, AAA=(-10, 10))),
    "no equity": context(equity=0),
    "debts": context(equity=-5000, high_water=0, buying_power=-1),
    "no high-water mark": context(high_water=0),
    "no coverage": context(market(history([[NO_VALUE]], ["AAA"]), below_minimum_coverage=True)),
    "an endless price": context(prices={"AAA": "Infinity"}),
    "a price that is no number": context(prices={"AAA": "NaN"}),
    "a negative price": context(prices={"AAA": "-10"}),
    "a fraction of a cent": context(prices={"AAA": "0.0001"}),
    "huge amounts": context(equity="9e15", high_water="9e15", buying_power="9e15"),
}


@pytest.mark.parametrize("oddity", ODD)
def test_odd_facts_end_in_a_decision_and_never_in_an_exception(name, rule, oddity, caplog):
    alone = RiskManager({name: rule}, stop=ProtectiveStop())
    for signal in (entry(), way_out(), way_out(stop=True), way_out(weight=0.01)):
        with caplog.at_level(logging.CRITICAL):
            (decision,) = alone.decide([signal], ODD[oddity])

        assert 0 <= decision.quantity <= decision.requested
        assert decision.reason


@pytest.mark.parametrize("signal", [entry(), way_out(), way_out(stop=True)])
@pytest.mark.parametrize("oddity", ["no price of the symbol", "the symbol is not listed", "no session", "no coverage"])
def test_nothing_is_traded_without_a_price_when_all_rules_are_asked(oddity, signal):
    rules = {name: with_defaults(name) for name in NAMES}
    by_stage = dict(sorted(rules.items(), key=lambda item: item[1].stage))
    (decision,) = RiskManager(by_stage, stop=ProtectiveStop()).decide([signal], ODD[oddity])

    assert isinstance(decision, Rejected)
    assert decision.rulings[-1].code != "RULE_FAILED"


@pytest.mark.parametrize(
    "oddity", ["no sectors", "one session", "no equity", "debts", "no high-water mark", "a short position"]
)
def test_facts_that_may_be_missing_are_answered_by_the_rule_itself(rule, oddity):
    for order in (buy(1), sell(1)):
        assert rule.check(order, ODD[oddity]).code != "RULE_FAILED"


def test_a_misspelt_option_is_refused_with_a_list_of_those_there_are(name):
    with pytest.raises(PluginError, match=f"{name!r} has no option 'limitt'"):
        RISK_RULES.build(name, {"limitt": 1})


def limits() -> list[tuple[str, str]]:
    return [
        (name, field.name)
        for name in NAMES
        for field in dataclasses.fields(cast("Any", RISK_RULES.get(name)))
        if isinstance(field.default, int | float | Decimal) and not isinstance(field.default, bool)
    ]


@pytest.mark.parametrize("wrong", [-1, "NaN", "Infinity", "many", None])
@pytest.mark.parametrize(("name", "option"), limits())
def test_a_limit_that_makes_no_sense_is_refused_by_name(name: str, option: str, wrong: Any):
    with pytest.raises(PluginError, match=option):
        RISK_RULES.build(name, {option: wrong})
