"""What happens around the holdings: sectors, what the news means for what is held, and what a person could do."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from rich.console import Console

from tests.unit.strategies.markets import NO_VALUE, history, market
from trading_bot.domain.context import Action, Advice, MarketContext
from trading_bot.domain.market import Symbol
from trading_bot.domain.news import Impact, NewsItem, StoryId
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.intelligence.context import Limits, market_context
from trading_bot.reporting.context import NO_NEWS, context_as_json, print_context

LIMITS = Limits(loud=Decimal("0.8"), sector=Decimal("0.3"))
SECTORS = {"AAA": "Energy", "BBB": "Energy", "CCC": "Health Care"}
# The last session: AAA +10 %, BBB -2 %, CCC without a price, DDD unchanged and of no known sector.
PRICES = market(
    history([[100.0, 50.0, 20.0, 7.0], [110.0, 49.0, NO_VALUE, 7.0]], ["AAA", "BBB", "CCC", "DDD"]), sectors=SECTORS
)
NOBODY = Portfolio(Decimal(1000))


def story(symbols: str, score: float, impact: Impact = Impact.HIGH, name: str = "1") -> NewsItem:
    return NewsItem(
        story_id=StoryId(f"{symbols}:{name}"),
        source="wire",
        published=datetime(2020, 1, 6, 15, tzinfo=UTC),
        headline=f"About {symbols}",
        summary="",
        url="",
        symbols=tuple(Symbol(symbol) for symbol in symbols.split()),
        score=score,
        impact=impact,
    )


def holding(**shares: int) -> Portfolio:
    positions = {
        Symbol(name): Position(Symbol(name), Decimal(held), Decimal(1), date(2020, 1, 6))
        for name, held in shares.items()
    }
    return Portfolio(Decimal(1000), positions)


def context(portfolio: Portfolio = NOBODY, *stories: NewsItem, reads: bool = True) -> MarketContext:
    prices = {symbol: PRICES.price(symbol) or Decimal(20) for symbol in portfolio.positions}
    return market_context(PRICES, portfolio, prices, stories if reads else None, LIMITS)


def printed(found: MarketContext) -> list[str]:
    out = io.StringIO()
    print_context(found, Console(file=out, width=160, highlight=False))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_sector_moves_as_its_stocks_do_on_average_and_what_is_not_known_is_not_made_up():
    found = context(holding(AAA=2, BBB=4)).sectors

    assert [(each.name, each.symbols, each.held) for each in found] == [
        ("Energy", 2, Decimal(416)),  # 2 x 110 + 4 x 49
        ("unknown sector", 1, Decimal(0)),
        ("Health Care", 1, Decimal(0)),
    ]
    assert found[0].returns[0] == pytest.approx(0.04)  # (10 % - 2 %) / 2
    assert found[1].returns == (0.0, None, None)  # two sessions are no week
    assert found[2].returns == (None, None, None)


def test_a_story_about_two_stocks_of_a_sector_counts_once_and_by_its_impact():
    energy, *others = context(NOBODY, story("AAA BBB", -0.5), story("AAA", 0.7, Impact.LOW)).sectors

    assert energy.mood == pytest.approx((3 * -0.5 + 0.7) / 4)
    assert [each.mood for each in others] == [None, None]


def test_a_holding_with_news_is_told_with_its_weight_and_the_story_that_weighs_most():
    quiet, loud = story("AAA", -0.2, Impact.LOW, "quiet"), story("AAA", -0.6, Impact.MEDIUM, "loud")
    [found] = context(holding(AAA=10, BBB=1), quiet, loud).holdings

    assert (found.symbol, found.value, found.stories) == ("AAA", Decimal(1100), (loud, quiet))
    assert found.share == Decimal(1100) / Decimal(2149)
    assert found.mood == pytest.approx((2 * -0.6 - 0.2) / 3)
    assert found.usual_move is None  # one return says nothing of a usual day


def test_a_usual_day_is_the_standard_deviation_of_21_returns():
    closes = [[100.0 * (1.1 if row % 2 else 1.0)] for row in range(40)]  # up 10 %, down 9.09 %, in turn
    bars = market(history(closes, ["AAA"]))
    held = holding(AAA=1)

    [found] = market_context(bars, held, {Symbol("AAA"): Decimal(110)}, [story("AAA", 0.1)], LIMITS).holdings

    # 11 rises of 0.1 and 10 falls of 1/11 among the last 21 returns, divided by n - 1.
    mean = (11 * 0.1 - 10 / 11) / 21
    deviation = ((11 * (0.1 - mean) ** 2 + 10 * (1 / 11 + mean) ** 2) / 20) ** 0.5
    assert found.usual_move == pytest.approx(110 * deviation)


def test_recommendations_are_urgent_ones_first_and_each_names_a_command():
    portfolio = holding(AAA=10, CCC=5)
    told = (story("CCC", -0.9), story("AAA", -0.3), story("BBB", 0.9))

    advice = context(portfolio, *told).advice

    assert [(each.action, each.about, each.command) for each in advice] == [
        (Action.SELL, "CCC", "bensbot flatten --symbol CCC"),
        (Action.WATCH, "AAA", "bensbot why AAA"),
        (Action.HOLD_BACK, "Energy", "bensbot positions"),
        (Action.LOOK, "BBB", "bensbot why BBB"),
    ]
    assert advice[2] == Advice(
        Action.HOLD_BACK, "Energy", "50.0% of equity are in it, the limit is 30.0%", "bensbot positions"
    )


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"AAA": 1}, story("AAA", -0.79, Impact.MEDIUM)),  # neither loud nor of high impact
        ({"AAA": 1}, story("AAA", 0.95)),  # good news about what is held
        ({}, story("AAA", 0.79)),  # not loud enough to look at
        ({}, story("AAA", 0.95, Impact.MEDIUM)),
        ({}, story("AAA", -0.95)),  # bad news about what nobody holds
        ({"AAA": -1}, story("AAA", -0.95)),  # short of it: the cycle buys it back by itself
    ],
)
def test_without_a_reason_nothing_is_recommended(held: dict[str, int], told: NewsItem):
    assert context(holding(**held), told).advice == ()


def test_where_nobody_reads_the_news_nothing_is_said_about_them():
    found = context(holding(AAA=1), reads=False)

    assert found.holdings == ()
    assert NO_NEWS in printed(found)
    assert "No news about what is held." in printed(context(holding(AAA=1)))


def test_foreign_text_is_shown_as_text_on_its_line():
    odd = replace(story("AAA", -0.9), headline="[red]AAA[/red]\x1b[31m falls\nconsider buying BBB", source="[b]wire")

    lines = printed(context(holding(AAA=1), odd))

    assert (
        "    2020-01-06 15:00 UTC, [b]wire: [red]AAA[/red] [31m falls consider buying BBB (score -0.90, high impact)"
        in lines
    )
    assert not any(line.lstrip().startswith("consider buying") for line in lines)


def test_machines_get_everything_to_the_last_digit():
    document = json.loads(context_as_json(context(holding(AAA=10), story("AAA", -0.123456789))))

    assert document["equity"] == "2100.00"
    assert document["sectors"][0] == {
        "name": "Energy",
        "symbols": 2,
        "return_1": pytest.approx(0.04),
        "return_5": None,
        "return_21": None,
        "sentiment": -0.123456789,
        "held": "1100.00",
    }
    assert document["holdings"][0]["stories"][0]["headline"] == "About AAA"
    assert [each["action"] for each in document["advice"]] == ["watch", "buy no more of"]
