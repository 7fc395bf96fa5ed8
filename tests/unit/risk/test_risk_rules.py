"""Every rule at its edges: just below, at and just above the limit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.unit.risk.desks import buy, context, priced, sell, ten_dollar_market
from tests.unit.strategies.markets import NO_VALUE, history, holding, market
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.market import FloatMatrix
from trading_bot.risk.rules.buying_power import BuyingPower
from trading_bot.risk.rules.correlated_positions import CorrelatedPositions
from trading_bot.risk.rules.coverage import CoverageRule
from trading_bot.risk.rules.holdings import Holdings
from trading_bot.risk.rules.max_open_trades import MaxOpenTrades
from trading_bot.risk.rules.max_position import MaxPosition
from trading_bot.risk.rules.portfolio_heat import PortfolioHeat
from trading_bot.risk.rules.portfolio_stop import PortfolioStop
from trading_bot.risk.rules.price_sanity import PriceSanity
from trading_bot.risk.rules.risk_per_trade import RiskPerTrade
from trading_bot.risk.rules.sector_allocation import SectorAllocation
from trading_bot.risk.rules.trading_state import TradingStateRule
from trading_bot.risk.rules.whole_shares import WholeShares
from trading_bot.risk.rulings import capped

FIVE_PERCENT = Decimal("0.05")


# ── price sanity ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", [buy(1), sell(1), sell(1, stop=True)])
def test_an_order_with_a_price_and_a_size_is_sane(order):
    ruling = PriceSanity().check(order, context())

    assert (ruling.allowed, ruling.code, ruling.observed) == (1, "PRICE_KNOWN", "10.00")


@pytest.mark.parametrize("order", [buy(1), sell(1), sell(1, stop=True)])
def test_nothing_is_traded_in_quarantine(order):
    ruling = PriceSanity().check(order, context(ten_dollar_market(quarantined={"AAA": "its close jumped"})))

    assert (ruling.allowed, ruling.code) == (0, "SYMBOL_QUARANTINED")
    assert ruling.message == "AAA is quarantined: its close jumped"


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_nothing_is_traded_at_a_price_that_is_none(price):
    ruling = PriceSanity().check(buy(1), context(prices={"AAA": price}))

    assert (ruling.allowed, ruling.code) == (0, "NO_PRICE")


def test_nothing_is_traded_without_a_price():
    ruling = PriceSanity().check(buy(1, symbol="ZZZ"), context())

    assert (ruling.allowed, ruling.code, ruling.message) == (0, "NO_PRICE", "ZZZ has no price")


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity"])
def test_a_size_that_is_no_positive_number_is_no_order(quantity):
    ruling = PriceSanity().check(buy(quantity), context())

    assert (ruling.allowed, ruling.code) == (0, "NO_QUANTITY")


# ── trading state ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "entries", "exits"),
    [
        (TradingState.ACTIVE, 1, 1),
        (TradingState.REDUCING, 0, 1),
        (TradingState.PAUSED, 0, 0),
        (TradingState.HALTED, 0, 0),
    ],
)
def test_the_state_decides_what_may_be_traded(state, entries, exits):
    seen = context(trading=state)

    assert TradingStateRule().check(buy(1), seen).allowed == entries
    assert TradingStateRule().check(sell(1), seen).allowed == exits
    assert TradingStateRule().check(sell(1, stop=True), seen).allowed == exits


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TradingState.REDUCING, "the bot is reducing: exits only"),
        (TradingState.HALTED, "the bot is halted: no orders at all"),
    ],
)
def test_the_refusal_names_the_state(state, words):
    assert TradingStateRule().check(buy(1), context(trading=state)).message == words


def test_the_refusal_names_the_window_that_lets_nothing_in():
    seen = replace(context(trading=TradingState.REDUCING), state_cause="the window lunch lets exits through only")

    assert TradingStateRule().check(buy(1), seen).message == "the window lunch lets exits through only"


# ── coverage ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("too_few", "allowed"), [(False, 1), (True, 0)])
def test_nothing_is_bought_while_the_market_cannot_be_seen(too_few, allowed):
    ruling = CoverageRule().check(buy(1), context(ten_dollar_market(below_minimum_coverage=too_few)))

    assert (ruling.allowed, ruling.observed) == (allowed, "3 of 3")


def test_an_exit_passes_while_the_market_cannot_be_seen():
    assert CoverageRule().check(sell(1), context(ten_dollar_market(below_minimum_coverage=True))).allowed == 1


# ── holdings ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("held", "allowed"), [(0, 0), (9, 9), (10, 10), (11, 10), (-5, 0)])
def test_a_sale_is_trimmed_to_what_is_held(held, allowed):
    seen = context(portfolio=holding(0, AAA=(held, 10)))

    assert Holdings().check(sell(10), seen).allowed == allowed


def test_a_sale_of_what_was_never_held_is_refused():
    ruling = Holdings().check(sell(10), context())

    assert (ruling.allowed, ruling.code, ruling.message) == (
        0,
        "SALE_EXCEEDS_HOLDING",
        "0 shares of AAA are left to sell",
    )


def test_a_buy_needs_no_holding():
    assert Holdings().check(buy(10), context()).allowed == 10


# ── portfolio stop ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("equity", "allowed"),
    [("10000", 1), ("9500.01", 1), ("9500", 0), ("9499.99", 0), ("0", 0), ("-1", 0), ("10100", 1)],
)
def test_nothing_is_bought_from_a_fall_of_five_percent_on(equity, allowed):
    assert PortfolioStop(FIVE_PERCENT).check(buy(1), context(equity=equity, high_water=10_000)).allowed == allowed


@pytest.mark.parametrize("stop", [False, True])
def test_an_exit_passes_however_far_equity_fell(stop):
    assert PortfolioStop().check(sell(1, stop=stop), context(equity=1, high_water=10_000)).allowed == 1


def test_the_refusal_says_how_far_it_fell_and_how_to_go_on():
    ruling = PortfolioStop().check(buy(1), context(equity=9_000, high_water=10_000))

    assert ruling.code == "DRAWDOWN_EXCEEDS_LIMIT"
    assert ruling.observed == "0.1000"
    assert "10.0% below its high of $10,000.00" in ruling.message
    assert "bensbot resume" in ruling.message


# ── open trades ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("open_now", "allowed"), [(0, 1), (1, 1), (2, 0), (3, 0)])
def test_a_new_position_is_refused_when_all_places_are_taken(open_now, allowed):
    held = dict.fromkeys(("BBB", "CCC", "DDD")[:open_now], (1, 10))
    ruling = MaxOpenTrades(2).check(buy(1), context(portfolio=holding(0, **held)))

    assert (ruling.allowed, ruling.observed, ruling.limit) == (allowed, str(open_now), "2")


def test_enlarging_a_position_takes_no_new_place():
    assert MaxOpenTrades(1).check(buy(1), context(portfolio=holding(0, AAA=(1, 10)))).allowed == 1


def test_an_exit_needs_no_place():
    assert MaxOpenTrades(1).check(sell(1), context(portfolio=holding(0, AAA=(1, 10), BBB=(1, 10)))).allowed == 1


# ── size caps: a hundred shares at ten dollars are a tenth of the equity ───────────────────────────


@pytest.mark.parametrize(("asked", "allowed"), [(1, 1), (49, 49), (50, 50), (51, 50), (500, 50)])
def test_a_buy_is_trimmed_to_the_largest_position(asked, allowed):
    assert MaxPosition(FIVE_PERCENT).check(buy(asked), context()).allowed == allowed


@pytest.mark.parametrize(("held", "allowed"), [(0, 40), (10, 40), (20, 30), (49, 1), (50, 0), (60, 0)])
def test_what_is_held_counts_towards_the_largest_position(held, allowed):
    assert MaxPosition(FIVE_PERCENT).check(buy(40), context(portfolio=holding(0, AAA=(held, 3)))).allowed == allowed


def test_the_trim_says_what_was_asked_and_what_may_be():
    ruling = MaxPosition(FIVE_PERCENT).check(buy(80), context())

    assert ruling.code == "POSITION_EXCEEDS_MAX_PCT"
    assert ruling.message == "a position may be 5.0% of equity, asked were 8.0%"
    assert (ruling.observed, ruling.limit, ruling.unit) == ("0.0800", "0.05", "share of equity")


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [(99, 99), (100, 100), (101, 100)],  # 100 shares: 1,000 dollars, a tenth of them at risk is 1 % of equity
)
def test_a_buy_is_trimmed_to_what_its_stop_may_cost(asked, allowed):
    assert RiskPerTrade().check(buy(asked), context()).allowed == allowed


def test_without_a_stop_the_whole_price_is_at_risk():
    assert RiskPerTrade(position_stop=False).check(buy(100), context()).allowed == 10


def test_what_is_held_counts_towards_the_risk_of_a_trade():
    assert RiskPerTrade().check(buy(100), context(portfolio=holding(0, AAA=(70, 10)))).allowed == 30


@pytest.mark.parametrize(
    ("invested", "allowed"),
    # 2 % of equity may be lost at stops 10 % away: 2,000 dollars, 200 shares
    [(0, 100), (100, 100), (101, 99), (199, 1), (200, 0), (300, 0)],
)
def test_a_buy_is_trimmed_to_what_all_stops_together_may_cost(invested, allowed):
    heat = PortfolioHeat(max_portfolio_risk=Decimal("0.02"))

    assert heat.check(buy(100), context(portfolio=holding(0, BBB=(invested, 10)))).allowed == allowed


def test_without_stops_everything_invested_is_at_risk():
    heat = PortfolioHeat(max_portfolio_risk=Decimal("0.02"), position_stop=False)

    assert heat.check(buy(100), context()).allowed == 20


@pytest.mark.parametrize(("same_sector", "allowed"), [(0, 100), (200, 100), (201, 99), (300, 0), (301, 0)])
def test_a_buy_is_trimmed_to_the_room_in_its_sector(same_sector, allowed):
    state = ten_dollar_market(sectors={"AAA": "Energy", "BBB": "Energy", "CCC": "Health Care"})
    portfolio = holding(0, BBB=(same_sector, 10), CCC=(500, 10))

    assert SectorAllocation().check(buy(100), context(state, portfolio)).allowed == allowed


def test_symbols_without_a_known_sector_share_one():
    state = ten_dollar_market(sectors={"CCC": "Energy"})
    ruling = SectorAllocation().check(buy(100), context(state, holding(0, BBB=(250, 10), CCC=(250, 10))))

    assert ruling.allowed == 50
    assert ruling.message == "unknown sector may be 30% of equity, asked were 35.0%"


@pytest.mark.parametrize(
    ("power", "allowed"),
    [("1030", 100), ("1029.99", Decimal("1029.99") / Decimal("10.3")), ("10.30", 1), ("0", 0), ("-5", 0)],
)
def test_a_buy_is_trimmed_to_the_buying_power_less_a_reserve(power, allowed):
    assert BuyingPower().check(buy(100), context(buying_power=power)).allowed == allowed


@pytest.mark.parametrize(
    "rule", [MaxPosition(), RiskPerTrade(), PortfolioHeat(), SectorAllocation(), BuyingPower(), CorrelatedPositions()]
)
@pytest.mark.parametrize("stop", [False, True])
def test_a_sale_passes_every_cap_whatever_is_held(rule, stop):
    crowded = context(portfolio=holding(0, AAA=(900, 10), BBB=(900, 10)), buying_power=0, equity=1)

    assert rule.check(sell(900, stop=stop), crowded).allowed == 900


@pytest.mark.parametrize("rule", [MaxPosition(), RiskPerTrade(), PortfolioHeat(), SectorAllocation()])
@pytest.mark.parametrize("equity", [0, -100])
def test_without_equity_nothing_is_bought(rule, equity):
    assert rule.check(buy(1), context(equity=equity)).allowed == 0


# ── correlation ───────────────────────────────────────────────────────────────────────────────────


def path(returns: FloatMatrix) -> FloatMatrix:
    return 100 * np.concatenate([[1.0], np.cumprod(1.0 + returns)]).astype(np.float64)


def with_correlation(rho: float, seed: int = 1, sessions: int = 60) -> tuple[FloatMatrix, FloatMatrix]:
    """Return two paths of closes whose daily returns have exactly this correlation."""
    a, b = np.random.default_rng(seed).normal(size=(2, sessions))
    a = (a - a.mean()) / a.std()
    b = b - b.mean() - (a @ (b - b.mean())) / sessions * a
    b /= b.std()
    return path(0.01 * a), path(0.01 * (rho * a + np.sqrt(1 - rho**2) * b))


@pytest.mark.parametrize(("rho", "allowed"), [(0.69, 1), (0.6999, 1), (0.7001, 0), (0.9, 0), (-0.9, 1), (0.0, 1)])
def test_a_position_that_moves_with_another_is_refused(rho, allowed):
    mine, other = with_correlation(rho)
    seen = context(priced(AAA=mine, BBB=other), holding(0, BBB=(1, 10)))

    assert CorrelatedPositions(max_correlated_positions=1).check(buy(1), seen).allowed == allowed


@pytest.mark.parametrize(("alike", "allowed"), [(1, 1), (2, 1), (3, 0), (4, 0)])
def test_only_so_many_positions_may_move_alike(alike, allowed):
    mine = with_correlation(0.0)[0]
    held = dict.fromkeys(("BBB", "CCC", "DDD", "EEE")[:alike], (1, 10))
    seen = context(priced(AAA=mine, BBB=mine, CCC=mine, DDD=mine, EEE=mine), holding(0, **held))
    ruling = CorrelatedPositions(max_correlated_positions=3).check(buy(1), seen)

    assert (ruling.allowed, ruling.observed) == (allowed, str(alike))


@pytest.mark.parametrize(("limit", "observed"), [(2, "1"), (3, "fewer than 3"), (9, "fewer than 9")])
def test_a_limit_that_all_others_together_cannot_reach_is_not_looked_into(limit, observed):
    mine = with_correlation(0.0)[0]
    seen = context(priced(AAA=mine, BBB=mine, CCC=mine), holding(0, BBB=(1, 10)))
    ruling = CorrelatedPositions(max_correlated_positions=limit).check(buy(1), seen)

    assert (ruling.allowed, ruling.observed, ruling.limit) == (1, observed, str(limit))


def test_the_refusal_names_those_it_moves_with():
    mine = with_correlation(0.0)[0]
    seen = context(priced(AAA=mine, CCC=mine, BBB=mine), holding(0, CCC=(1, 10), BBB=(1, 10)))
    ruling = CorrelatedPositions(max_correlated_positions=2).check(buy(1), seen)

    assert ruling.message.startswith("it moves together with BBB, CCC (correlation above 0.7 over 60 sessions)")


def test_only_the_newest_sessions_count():
    alike, (mine, other) = with_correlation(0.99, sessions=100), with_correlation(0.0, seed=2)
    seen = context(priced(AAA=np.append(alike[0], mine), BBB=np.append(alike[1], other)), holding(0, BBB=(1, 10)))

    assert CorrelatedPositions(max_correlated_positions=1).check(buy(1), seen).allowed == 1


@pytest.mark.parametrize(("common", "allowed"), [(19, 1), (20, 0)])
def test_a_correlation_over_few_common_sessions_says_nothing(common, allowed):
    mine = with_correlation(0.0)[0]
    other = mine.copy()
    other[: len(other) - common - 1] = NO_VALUE
    seen = context(priced(AAA=mine, BBB=other), holding(0, BBB=(1, 10)))

    assert CorrelatedPositions(max_correlated_positions=1).check(buy(1), seen).allowed == allowed


def test_a_price_that_never_moves_moves_with_nobody():
    flat = np.full(61, 10.0)
    seen = context(priced(AAA=flat, BBB=flat), holding(0, BBB=(1, 10)))

    assert CorrelatedPositions(max_correlated_positions=1).check(buy(1), seen).allowed == 1


def test_enlarging_a_position_is_no_new_correlation():
    mine = with_correlation(0.0)[0]
    seen = context(priced(AAA=mine, BBB=mine), holding(0, AAA=(1, 10), BBB=(1, 10)))

    assert CorrelatedPositions(max_correlated_positions=1).check(buy(1), seen).allowed == 1


def test_a_holding_the_market_does_not_list_is_alike_nobody():
    seen = context(market(history(np.full((61, 1), 10.0), ["AAA"])), holding(0, OLD=(1, 10)))

    assert CorrelatedPositions(max_correlated_positions=1).check(buy(1), seen).allowed == 1


@pytest.mark.parametrize("gap", [False, True])
def test_what_is_held_counts_now_whatever_was_held_when_the_rule_was_asked_before(gap):
    mine, other = with_correlation(0.0)
    alike, apart = [f"A{n:02}" for n in range(80)], [f"B{n:02}" for n in range(80)]
    rows = dict.fromkeys(alike, mine) | dict.fromkeys(apart, other)
    if gap:
        rows["A01"] = np.where(np.arange(61) == 7, NO_VALUE, mine)
    seen, rule = priced(AAA=mine, **rows), CorrelatedPositions(max_correlated_positions=100)

    def counted(*held: str) -> str:
        return rule.check(buy(1), context(seen, holding(0, **dict.fromkeys(held, (1, 10))))).observed

    assert counted("B00", "A01") == "1"
    assert counted("B00", "A01", "A02") == "2"  # one more
    assert counted("B00", "A02") == "1"  # one is gone
    assert counted("A00", "OLD", "A01", "B01") == "2"  # others, of which the market does not list one
    assert counted(*apart, *alike) == "80"  # many at once
    assert counted(*apart) == "0"
    assert counted() == "0"


def test_what_takes_shares_away_is_worded_only_where_it_does():
    def words() -> str:
        raise ArithmeticError("there is nothing to say")

    codes, facts = ("WITHIN", "EXCEEDED"), {"observed": 5, "limit": 5, "unit": "shares"}

    assert capped(buy(5), Decimal(5), codes, words, **facts).code == "WITHIN"
    assert capped(buy(5), Decimal(4), codes, lambda: "too many", **facts).message == "too many"


# ── rounding ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "allowed", "code"),
    [
        ("1", "1", "QUANTITY_TRADABLE"),
        ("1.000001", "1", "ROUNDED_TO_WHOLE_SHARES"),
        ("2.999999", "2", "ROUNDED_TO_WHOLE_SHARES"),
        ("0.999999", "0", "LESS_THAN_ONE_SHARE"),
    ],
)
def test_fractions_of_a_share_are_dropped(asked, allowed, code):
    ruling = WholeShares().check(buy(asked), context())

    assert (ruling.allowed, ruling.code) == (Decimal(allowed), code)


def test_a_fractional_holding_can_be_sold_completely():
    seen = context(portfolio=holding(0, AAA=("2.5", 10)))

    assert WholeShares().check(sell("2.5"), seen).allowed == Decimal("2.5")
    assert WholeShares().check(sell("1.5"), seen).allowed == 1


@pytest.mark.parametrize(
    ("asked", "allowed"), [("2.5", "2.5"), ("0.000001", "0.000001"), ("3.3333333333", "3.333333"), ("0.0000009", "0")]
)
def test_where_fractions_are_traded_a_millionth_is_the_smallest(asked, allowed):
    assert WholeShares(fractional_shares=True).check(buy(asked), context()).allowed == Decimal(allowed)
