"""The rules that look at the stock, its market and the news, at their edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from tests.unit.risk.desks import buy, context, entry, manager, priced, sell, ten_dollar_market, way_out
from tests.unit.strategies.markets import NO_VALUE, history, holding, market
from trading_bot.domain.errors import PluginError
from trading_bot.domain.listing import AssetStatus, Quote
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Order, Purpose, Side, Signal
from trading_bot.domain.ports import RiskContext
from trading_bot.risk.registry import RISK_RULES
from trading_bot.risk.rules.asset_status import AssetStatusRule
from trading_bot.risk.rules.earnings_blackout import EarningsBlackout
from trading_bot.risk.rules.gross_exposure import GrossExposure
from trading_bot.risk.rules.jump import Jump
from trading_bot.risk.rules.liquidity import Liquidity
from trading_bot.risk.rules.min_order_value import MinOrderValue
from trading_bot.risk.rules.min_price import MinPrice
from trading_bot.risk.rules.net_exposure import NetExposure
from trading_bot.risk.rules.news_risk import NewsRisk
from trading_bot.risk.rules.price_collar import PriceCollar
from trading_bot.risk.rules.quote import QuoteRule
from trading_bot.risk.rules.volatility_target import VolatilityTarget

AAA = Symbol("AAA")


# ── the stock ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("price", "code"), [("1", "PRICE_HIGH_ENOUGH"), ("0.9999", "PRICE_TOO_LOW")])
def test_a_share_has_to_cost_something(price, code):
    assert MinPrice().check(buy(1, price), context()).code == code
    assert MinPrice().check(sell(1, price), context()).code == "PRICE_HIGH_ENOUGH"


@pytest.mark.parametrize(
    ("closes", "jumped"),
    [
        ([10.0, 14.9], False),
        ([10.0, 15.0], True),
        ([10.0, 5.0], True),
        ([10.0, NO_VALUE, 15.0], True),  # over a day without a price
        ([10.0, 15.0, 15.0, 15.0], True),  # two sessions ago
        ([10.0, 15.0, 15.0, 15.0, 15.0], False),  # three sessions ago
        ([10.0], False),
    ],
)
def test_nothing_is_bought_after_a_jump(closes, jumped):
    ruling = Jump().check(buy(1), context(priced(AAA=np.array(closes))))

    assert ruling.code == ("PRICE_JUMPED" if jumped else "NO_JUMP")


def test_a_jump_is_told_with_its_size():
    ruling = Jump().check(buy(1), context(priced(AAA=np.array([10.0, 16.0]))))

    assert (ruling.observed, ruling.limit) == ("0.6000", "0.5")
    assert ruling.message == (
        "AAA moved by 60.0% in one of its last 3 sessions, and no split explains it; the limit is 50%"
    )


REPORTS = EarningsBlackout({"AAA": (date(2020, 1, 8), date(2020, 4, 8))}, days_before=2, days_after=1)


@pytest.mark.parametrize(("sessions", "near"), [(1, True), (2, True), (3, True), (4, True), (5, False)])
def test_nothing_is_bought_around_the_day_of_earnings(sessions, near):
    """The market's last day is Monday 6 January 2020, or some sessions later."""
    today = market(history(np.full((sessions, 2), 10.0), ["AAA", "BBB"]))

    assert REPORTS.check(buy(1), context(today)).binds is near
    assert not REPORTS.check(buy(1, symbol="BBB"), context(today)).binds


def test_the_days_of_earnings_come_from_the_owner():
    rule = RISK_RULES.build("earnings_blackout", {"dates": {"AAA": ["2020-01-07"]}})
    ruling = rule.check(buy(1), context())

    assert ruling.message == "AAA reports on 2020-01-07: no entries from 2 days before to 0 after"
    with pytest.raises(PluginError, match="dates"):
        RISK_RULES.build("earnings_blackout", {"dates": {"AAA": ["soon"]}})


# ── the broker's word ─────────────────────────────────────────────────────────────────────────────


def with_status(**statuses: AssetStatus) -> RiskContext:
    return replace(context(), assets={Symbol(name): status for name, status in statuses.items()})


GOOD = AssetStatus(tradable=True, fractionable=True, shortable=True)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (replace(GOOD, tradable=False), "NOT_TRADABLE"),
        (replace(GOOD, halted=True), "TRADING_HALTED"),
        (GOOD, "ASSET_TRADABLE"),
    ],
)
@pytest.mark.parametrize("order", [buy(1), sell(1), sell(1, stop=True)])
def test_what_is_not_traded_is_neither_bought_nor_sold(status, code, order):
    ruling = AssetStatusRule().check(order, with_status(AAA=status))

    assert ruling.code == code
    assert ruling.binds is (code != "ASSET_TRADABLE")


def test_selling_short_wants_shares_that_can_be_borrowed():
    short = Order(Signal(AAA, Side.SELL, Purpose.ENTRY, -0.05, 0.5, "team", "it falls"), Decimal(1), Decimal(10))

    assert not AssetStatusRule().check(short, with_status(AAA=GOOD)).binds
    assert AssetStatusRule().check(short, with_status(AAA=replace(GOOD, shortable=False))).code == "NOT_SHORTABLE"


def test_parts_of_a_share_are_dropped_where_they_are_not_traded():
    whole = with_status(AAA=replace(GOOD, fractionable=False))

    assert AssetStatusRule().check(buy("2.5"), whole).allowed == 2
    assert AssetStatusRule().check(buy("2"), whole).code == "ASSET_TRADABLE"
    assert AssetStatusRule().check(buy("2.5"), with_status(AAA=GOOD)).allowed == Decimal("2.5")


def test_a_broker_that_says_nothing_forbids_nothing_but_one_that_does_not_know_a_stock_does():
    assert AssetStatusRule().check(buy(1), context()).observed == "the broker says nothing"
    assert AssetStatusRule().check(buy(1), with_status(BBB=GOOD)).code == "ASSET_UNKNOWN"
    assert not AssetStatusRule().check(sell(1), with_status(BBB=GOOD)).binds


def quoted(bid: str, ask: str, *, seconds_ago: float = 0) -> RiskContext:
    seen = context()
    quote = Quote(Decimal(bid), Decimal(ask), seen.market.at - timedelta(seconds=seconds_ago))
    return replace(seen, quotes={AAA: quote})


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (quoted("9.95", "10.05"), "QUOTE_FINE"),  # just one per cent
        (quoted("9.94", "10.05"), "SPREAD_TOO_WIDE"),
        (quoted("10", "10", seconds_ago=60), "QUOTE_FINE"),
        (quoted("10", "10", seconds_ago=60.5), "QUOTE_TOO_OLD"),
        (quoted("10.01", "10"), "QUOTE_WRONG"),
        (quoted("0", "10"), "QUOTE_WRONG"),
        (context(), "QUOTE_FINE"),
    ],
)
def test_nothing_is_bought_on_a_quote_that_is_wide_old_or_wrong(seen, code):
    assert QuoteRule().check(buy(1), seen).code == code
    assert not QuoteRule().check(sell(1), seen).binds


def test_where_others_have_a_quote_a_stock_without_one_is_not_bought():
    assert QuoteRule().check(buy(1, symbol="BBB"), quoted("10", "10")).code == "NO_QUOTE"


def test_a_quote_is_told_in_words():
    assert QuoteRule().check(buy(1), quoted("9.8", "10.2")).message == (
        "bid and ask of AAA are 4.00% apart, 1.00% are the limit"
    )


@pytest.mark.parametrize(
    ("order", "seen", "off"),
    [
        (buy(1), quoted("5", "11"), False),
        (buy(1), quoted("5", "11.01"), True),
        (sell(1), quoted("9", "15"), False),
        (sell(1), quoted("8.99", "15"), True),
        (sell(1, stop=True), quoted("8.99", "15"), True),
        (sell(1), context(), False),
    ],
)
def test_no_order_is_sent_that_was_sized_with_a_price_far_from_the_market(order, seen, off):
    assert PriceCollar().check(order, seen).binds is off


# ── how much ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("asked", "allowed"), [(1000, 1000), (1001, 1000), (9000, 1000)])
def test_a_position_is_a_small_part_of_what_changes_hands(asked, allowed):
    bars = history(np.full((25, 1), 10.0), ["AAA"])
    volume = np.full((25, 1), 100_000.0)
    volume[-1] = np.nan  # not known: the mean is that of the others
    volume[:5] = 1e9  # too old
    traded = market(replace(bars, volume=volume))

    assert Liquidity().check(buy(asked), context(traded)).allowed == allowed
    more = Liquidity().check(buy(asked), context(traded, holding(0, AAA=(400, 10))))
    assert more.allowed == min(asked, 600)


def test_prices_without_volumes_limit_nothing_but_a_stock_without_them_among_others_is_not_bought():
    bars = history(np.full((25, 2), 10.0), ["AAA", "BBB"])
    volume = np.full((25, 2), np.nan)
    assert Liquidity().check(buy(10**6), context(market(bars))).observed == "the prices come without volumes"

    volume[:, 1] = 100_000.0
    assert Liquidity().check(buy(1), context(market(replace(bars, volume=volume)))).allowed == 0


@pytest.mark.parametrize("rule", [GrossExposure(Decimal("0.5")), NetExposure(Decimal("0.5"))])
def test_positions_together_stay_within_their_share_of_equity(rule):
    seen = context(portfolio=holding(0, BBB=(200, 10), CCC=(200, 10)))

    assert rule.check(buy(100), seen).allowed == 100
    assert rule.check(buy(101), seen).allowed == 100
    assert rule.check(buy(101), seen).message.endswith("exposure may be 50% of equity, asked were 50.1%")


def test_short_positions_add_to_the_gross_and_take_from_the_net():
    seen = context(portfolio=holding(0, BBB=(-200, 10), CCC=(200, 10)))

    assert GrossExposure(Decimal("0.5")).check(buy(500), seen).allowed == 100
    assert NetExposure(Decimal("0.5")).check(buy(500), seen).allowed == 500


def swinging(part: float) -> np.ndarray:
    """Return 61 closes that go up and down by a part: a daily deviation of just about that part."""
    return 10.0 * np.cumprod(np.where(np.arange(61) % 2, 1 + part, 1 / (1 + part)))


def test_a_wild_stock_is_bought_in_smaller_parts_than_a_calm_one():
    prices = {"AAA": 10, "BBB": 10}
    seen = context(priced(AAA=swinging(0.04), BBB=swinging(0.01)), prices=prices)
    wild = VolatilityTarget(Decimal("0.10")).check(buy(1000), seen)
    calm = VolatilityTarget(Decimal("0.10")).check(buy(1000, symbol="BBB"), seen)

    assert (int(wild.allowed), int(calm.allowed)) == (159, 627)  # 10 % / (4 % or 1 % a day x sqrt(252)) of 1,000 shares
    assert wild.code == "VOLATILITY_EXCEEDS_TARGET"


def test_what_is_held_moves_the_portfolio_too_and_what_is_not_known_moves_most():
    prices = {"AAA": 10, "BBB": 10}
    seen = context(priced(AAA=swinging(0.01), BBB=swinging(0.01)), holding(0, BBB=(600, 10)), prices=prices)

    assert int(VolatilityTarget(Decimal("0.10")).check(buy(1000), seen).allowed) == 27
    assert VolatilityTarget(Decimal("0.10")).check(buy(1000), context()).allowed == 100
    assert VolatilityTarget().check(buy(1000), context()).observed == "switched off"


@pytest.mark.parametrize(("shares", "price", "small"), [(1, "1", False), (1, "0.99", True), (3, "0.34", False)])
def test_an_order_has_to_be_worth_sending(shares, price, small):
    assert MinOrderValue().check(buy(shares, price), context()).binds is small


def test_the_last_shares_are_sold_however_little_they_are_worth():
    seen = context(portfolio=holding(0, AAA=(2, 10)))

    assert not MinOrderValue().check(sell(2, "0.01"), seen).binds
    assert MinOrderValue().check(sell(1, "0.01"), seen).binds


# ── the news ──────────────────────────────────────────────────────────────────────────────────────


def after_news(score: float, *, held: int = 0) -> RiskContext:
    bars = history([[10.0]], ["AAA"], sentiment=np.array([[score]]))
    return context(market(bars), holding(0, AAA=(held, 10)) if held else None)


@pytest.mark.parametrize(
    ("score", "allowed", "code"),
    [
        (NO_VALUE, 50, "NEWS_ALLOWS"),
        (0.9, 50, "NEWS_ALLOWS"),
        (0.0, 50, "NEWS_ALLOWS"),
        (-0.4, "37.5", "NEWS_BAD"),  # half of 0.8 takes a quarter off
        (-0.79, "25.3125", "NEWS_BAD"),
        (-0.8, 0, "NEWS_FORBIDS"),
        (-1.0, 0, "NEWS_FORBIDS"),
    ],
)
def test_bad_news_takes_something_off_and_very_bad_news_all(score, allowed, code):
    ruling = NewsRisk().check(buy(50), after_news(score))

    assert (ruling.allowed, ruling.code) == (Decimal(allowed), code)
    assert not NewsRisk().check(sell(50), after_news(score)).binds


def test_news_never_takes_more_off_than_its_influence():
    assert NewsRisk(news_influence=Decimal("0.1")).check(buy(50), after_news(-0.79)).allowed > 45
    assert NewsRisk(news_influence=Decimal(0)).check(buy(50), after_news(-0.79)).allowed == 50


def test_what_is_held_counts_towards_what_bad_news_leaves():
    assert NewsRisk().check(buy(20), after_news(-0.4, held=30)).allowed == Decimal("7.5")


def test_bad_news_is_told_in_words():
    assert NewsRisk().check(buy(50), after_news(-0.4)).message == (
        "the news of AAA is bad (-0.40): 75% of what was wanted"
    )


# ── what the manager keeps up for all rules ───────────────────────────────────────────────────────


def test_each_approval_counts_towards_the_exposure_of_the_next_one():
    rules = manager({"gross_exposure": GrossExposure(Decimal("0.08"))})
    first, second, third = rules.decide(
        [way_out("CCC"), entry("AAA", strength=0.9), entry("BBB", strength=0.1)],
        context(ten_dollar_market(), holding(0, CCC=(5, 10))),
    )

    assert (first.quantity, second.quantity) == (5, 50)
    assert third.quantity == 25  # 800 dollars less 50 that are being sold, not gone yet, and 500
