"""From market, book and news to what a person should know of them: a pure function, and every rule in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from trading_bot.domain.context import SPANS, Action, Advice, HoldingView, MarketContext, SectorView
from trading_bot.domain.market import UNKNOWN_SECTOR, FloatVector, MarketState, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.news import Impact, NewsItem, mood_of, moods
from trading_bot.domain.portfolio import Portfolio

WINDOW, FEWEST = 21, 10  # returns that a usual day is reckoned from, and how few will do


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is worth a word."""

    loud: Decimal  # sentiment this far from 0, in [0, 1]
    sector: Decimal  # share of equity in one sector


def market_context(
    market: MarketState,
    portfolio: Portfolio,
    prices: Mapping[Symbol, Decimal],
    stories: Sequence[NewsItem] | None,
    limits: Limits,
) -> MarketContext:
    """Return what happens around the holdings.

    Args:
        market: As of the session that is looked at.
        portfolio: What is held.
        prices: Dollars per share of every holding.
        stories: What is known and not too old; None where nobody reads the news.
        limits: From where on something is worth a word.
    """
    known = stories or ()
    found = MarketContext(
        session=market.session,
        regime=market.regime,
        equity=portfolio.equity(prices),
        sectors=tuple(_sectors(market, portfolio, prices, known)),
        holdings=tuple(_holdings(market, portfolio, prices, known)),
        advice=(),
        reads_news=stories is not None,
    )
    return replace(found, advice=tuple(_advice(found, portfolio, known, limits)))


def _sectors(
    market: MarketState, portfolio: Portfolio, prices: Mapping[Symbol, Decimal], stories: Sequence[NewsItem]
) -> Iterator[SectorView]:
    """Yield every sector, by falling return of the last session; those whose return is not known come last."""
    members: dict[str, list[Symbol]] = {}
    for symbol in market.history.symbols:
        members.setdefault(market.sectors.get(symbol, UNKNOWN_SECTOR), []).append(symbol)
    returns = [_returns(market, sessions) for sessions in SPANS]
    found: list[SectorView] = []
    for name, symbols in members.items():
        columns, told_of = [market.history.column(symbol) for symbol in symbols], frozenset(symbols)
        held = (symbol for symbol in symbols if symbol in portfolio.positions)
        found.append(
            SectorView(
                name=name,
                symbols=len(symbols),
                returns=tuple(_mean(each[columns]) for each in returns),
                mood=mood_of(story for story in stories if not told_of.isdisjoint(story.symbols)),
                held=sum((portfolio.held(symbol) * prices[symbol] for symbol in held), ZERO),
            )
        )
    yield from sorted(found, key=lambda each: (each.returns[0] is None, -(each.returns[0] or 0.0), each.name))


def _returns(market: MarketState, sessions: int) -> FloatVector:
    """Return (N,) how each stock has moved over the last `sessions` sessions; NaN where a close is missing."""
    close = market.history.close
    before: FloatVector = close[-1 - sessions] if len(close) > sessions else np.full_like(close[-1], np.nan)
    return close[-1] / before - 1.0


def _mean(values: FloatVector) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _holdings(
    market: MarketState, portfolio: Portfolio, prices: Mapping[Symbol, Decimal], stories: Sequence[NewsItem]
) -> Iterator[HoldingView]:
    """Yield every holding that there are news about, the worst first."""
    told, equity = moods(stories), portfolio.equity(prices)
    for symbol in sorted(portfolio.positions, key=lambda symbol: (told.get(symbol, 0.0), symbol)):
        if symbol not in told:
            continue
        value = portfolio.held(symbol) * prices[symbol]
        usual = _usual_return(market, symbol)
        about = sorted(
            (story for story in stories if symbol in story.symbols),
            key=lambda story: (-story.impact.weight, -abs(story.score), story.published, story.story_id),
        )
        yield HoldingView(
            symbol=symbol,
            value=value,
            share=value / equity if equity > 0 else ZERO,
            mood=told[symbol],
            usual_move=None if usual is None else abs(float(value)) * usual,
            stories=tuple(about),
        )


def _usual_return(market: MarketState, symbol: Symbol) -> float | None:
    """Return the standard deviation (n - 1) of the last 21 daily returns; None with fewer than ten."""
    column = market.history.find(symbol)
    if column is None:
        return None
    close = market.history.close[-WINDOW - 1 :, column]
    returns = close[1:] / close[:-1] - 1.0
    known = returns[np.isfinite(returns)]
    return float(known.std(ddof=1)) if known.size >= FEWEST else None


def _advice(
    found: MarketContext, portfolio: Portfolio, stories: Sequence[NewsItem], limits: Limits
) -> Iterator[Advice]:
    """Yield what a person could do, the most urgent first: about holdings, then about sectors, then about others."""
    loud, equity = float(limits.loud), found.equity
    for each in found.holdings:
        if portfolio.held(each.symbol) <= 0:  # bad news is good for who is short, and the bot means to be none
            continue
        said = f"the sentiment of its news is {each.mood:+.2f}, and it is {each.share:.1%} of equity"
        if each.mood <= -loud:
            yield Advice(Action.SELL, each.symbol, said, f"bensbot flatten --symbol {each.symbol}")
        elif each.mood < 0 and each.stories[0].impact is Impact.HIGH:
            yield Advice(Action.WATCH, each.symbol, said, f"bensbot why {each.symbol}")
    for sector in found.sectors:
        if equity > 0 and sector.held > limits.sector * equity:
            said = f"{sector.held / equity:.1%} of equity are in it, the limit is {limits.sector:.1%}"
            yield Advice(Action.HOLD_BACK, sector.name, said, "bensbot positions")
    for symbol, mood in sorted(moods(stories).items(), key=lambda item: (-item[1], item[0])):
        is_big = any(story.impact is Impact.HIGH for story in stories if symbol in story.symbols)
        if mood >= loud and is_big and symbol not in portfolio.positions:
            said = f"the sentiment of its news is {mood:+.2f}, and it is not held"
            yield Advice(Action.LOOK, symbol, said, f"bensbot why {symbol}")
