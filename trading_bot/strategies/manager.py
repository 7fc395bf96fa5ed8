"""The team of strategies: their opinions become one wanted portfolio, and the wish list of signals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import CENT, cents
from trading_bot.domain.orders import Purpose, Side, Signal
from trading_bot.domain.portfolio import Portfolio
from trading_bot.strategies.indicators import TIE
from trading_bot.strategies.thoughts import Targets, Thoughts
from trading_bot.strategies.voting import Member, Scores, Vote, asked_now

ROTATION = "rotation"  # who wants to sell what nobody in the team decides about


class StrategyManager:
    """Asks every member, weighs the answers and compares the wish with what is held.

    The combined score of a stock is the weighted mean of the members' exposures. Stocks are ranked by
    score, ties by symbol in alphabetical order. The manager goes long only: a negative score means
    not wanted. Where nobody is in the team on purpose, `why_cash` says why: nothing is wanted then.
    """

    def __init__(self, team: tuple[Member, ...], targets: Targets, *, why_cash: str = "") -> None:
        """Raise ValueError on an empty team that nobody has a reason for."""
        if not team and not why_cash:
            raise ValueError("strategy.team names no strategy")
        self.team = team
        self.targets = targets
        self._why_cash = why_cash
        self._tolerance = float(targets.rebalance_threshold) + TIE
        self._limits = _Limits(
            least=max(targets.min_score, TIE),
            most=targets.max_candidates,
            weight=float(targets.position_weight),
            gross=float(targets.max_gross_exposure),
        )

    def signals(
        self, market: MarketState, portfolio: Portfolio, equity: Decimal, only: tuple[str, ...] = ()
    ) -> tuple[Signal, ...]:
        """Return what should change, exits first, then by falling score, then by symbol.

        `portfolio` holds what open orders will add. A symbol without a usable price gets no signal:
        nobody has an opinion about a price that is not known. `only` names the members that decide
        alone, about everything that is held; empty: all of them. Where none of those named is in the team now,
        nobody decides, and nothing changes.

        Raises:
            WrongAnswer: a strategy failed, or answered with what is no opinion.
        """
        if not len(market.history.sessions):
            return ()
        voters = self._voters(only)
        if self.team and not voters:
            return ()
        votes = [asked_now(member, market.history) for member in voters]
        scores, wanted = self._wanted(votes, market)
        signals: list[Signal] = []
        for symbol in self._in_doubt(wanted, market, portfolio, equity):
            signal = self._compare(symbol, wanted.get(symbol, 0.0), market, portfolio, equity, votes, scores)
            if signal is not None:
                signals.append(signal)
        return tuple(sorted(signals, key=_exits_first))

    def _in_doubt(
        self, wanted: Mapping[Symbol, float], market: MarketState, portfolio: Portfolio, equity: Decimal
    ) -> set[Symbol]:
        """Return the symbols that may need a change: what is wanted or held, less what is held about as wanted.

        Nearly all holdings are. Many are wanted at one weight, and what it comes to in dollars is computed once.
        """
        near = self.targets.rebalance_threshold * equity - CENT  # to which dollars are rounded here
        dollars = {weight: cents(Decimal(repr(weight)) * equity) for weight in set(wanted.values())}
        positions = portfolio.positions
        symbols = {*wanted, *positions}
        for (symbol, position), price in zip(positions.items(), market.prices(positions), strict=True):
            weight = wanted.get(symbol)
            if weight and price and abs(position.quantity * price - dollars[weight]) < near:
                symbols.remove(symbol)
        return symbols

    def thoughts(
        self, market: MarketState, portfolio: Portfolio, equity: Decimal, symbol: Symbol, only: tuple[str, ...] = ()
    ) -> Thoughts:
        """Return what the team thinks of one symbol, whether a signal follows or not. The arguments of `signals`.

        Raises:
            ValueError: the symbol is not in the universe.
            WrongAnswer: a strategy failed, or answered with what is no opinion.
        """
        column = market.history.column(symbol)
        votes = [asked_now(member, market.history) for member in self._voters(only)]
        scores, wanted = self._wanted(votes, market)
        higher: NDArray[np.bool_] = np.round(scores, 9) > round(float(scores[column]), 9)
        better = np.flatnonzero(self._tradable(market) & higher)
        price = market.price(symbol)
        return Thoughts(
            symbol=symbol,
            price=price,
            score=float(scores[column]),
            better=tuple(market.history.symbols[c] for c in better.tolist()),
            wanted=wanted.get(symbol, 0.0) if votes else 0.0,
            held=float(portfolio.held(symbol) * price / equity) if price is not None and equity > 0 else 0.0,
            quarantined=market.quarantined.get(symbol, ""),
            votes=tuple(vote.reason(column) for vote in votes),
            targets=self.targets,
            why_nobody="" if votes else self._why_cash or "nobody who decides in this window is in the team",
        )

    def _voters(self, only: tuple[str, ...]) -> tuple[Member, ...]:
        return tuple(member for member in self.team if member.name in only) if only else self.team

    def _nobody(self) -> list[str]:
        return [self._why_cash] if not self.team else []

    def _wanted(self, votes: list[Vote], market: MarketState) -> tuple[Scores, Mapping[Symbol, float]]:
        """Return the combined scores, and symbol → share of equity for what is wanted."""
        said = tuple((vote.member.weight, vote.said.exposure.tobytes()) for vote in votes)
        return _wanted(said, self._tradable(market).tobytes(), market.history.symbols, self._limits)

    @staticmethod
    def _tradable(market: MarketState) -> NDArray[np.bool_]:
        """Return (N,): which symbols have a price that may be traded on."""
        usable = np.isfinite(market.history.close[-1])
        for symbol in market.quarantined:
            if (column := market.history.find(symbol)) is not None:
                usable[column] = False
        return usable

    def _compare(
        self,
        symbol: Symbol,
        wanted: float,
        market: MarketState,
        portfolio: Portfolio,
        equity: Decimal,
        votes: list[Vote],
        scores: Scores,
    ) -> Signal | None:
        price = market.price(symbol)
        if price is None or symbol in market.quarantined or equity <= 0:
            return None
        held = float(portfolio.held(symbol) * price / equity)
        change = wanted - held
        is_new_or_gone = (held == 0) != (wanted == 0)
        if not is_new_or_gone and abs(change) <= self._tolerance:
            return None
        column = market.history.column(symbol)
        in_favour = [vote for vote in votes if (vote.exposure_of(column) > 0) == (wanted > 0)]
        return Signal(
            symbol=symbol,
            side=Side.BUY if change > 0 else Side.SELL,
            purpose=Purpose.ENTRY if change > 0 else Purpose.EXIT,
            wanted_weight=wanted,
            strength=float(scores[column]),
            strategy="+".join(vote.member.name for vote in in_favour) or ("team" if self.team else ROTATION),
            reason=_words(held, wanted, [vote.reason(column) for vote in in_favour] or self._nobody()),
            evidence=_flat(votes, column),
        )


class _Limits(NamedTuple):
    """What `Targets` say of what may be wanted."""

    least: float  # score
    most: int  # stocks
    weight: float  # share of equity, at a score of 1
    gross: float  # share of equity, all together


@lru_cache(maxsize=1)  # in most sessions nobody has changed their mind
def _wanted(
    votes: tuple[tuple[float, bytes], ...], tradable: bytes, symbols: tuple[Symbol, ...], limits: _Limits
) -> tuple[Scores, Mapping[Symbol, float]]:
    """Return the scores, and symbol → share of equity for the best-scored tradable stocks.

    A vote is its member's weight and its exposures; arrays come as bytes, which can be compared.
    """
    scores = _combined([(weight, np.frombuffer(said)) for weight, said in votes]) if votes else np.zeros(len(symbols))
    rounded = scores.round(9)  # votes that sum to 0.9 pass a minimum of 0.9
    wanted = np.frombuffer(tradable, dtype=np.bool_) & (rounded >= limits.least)
    columns: list[int] = wanted.nonzero()[0].tolist()
    columns.sort(key=symbols.__getitem__)
    columns.sort(key=rounded.item, reverse=True)  # leaves ties in their order
    weights = {symbols[column]: scores.item(column) * limits.weight for column in columns[: limits.most]}
    gross = sum(weights.values())
    if gross <= limits.gross:
        return scores, weights
    scale = limits.gross / gross
    return scores, {symbol: weight * scale for symbol, weight in weights.items()}


def _combined(votes: list[tuple[float, Scores]]) -> Scores:
    total = sum(weight for weight, _ in votes)
    first, *others = (weight / total * said for weight, said in votes)
    for each in others:
        first += each
    return first


def _exits_first(signal: Signal) -> tuple[bool, float, Symbol]:
    return (signal.purpose.is_entry, -round(signal.strength, 9), signal.symbol)


def _words(held: float, wanted: float, reasons: list[str]) -> str:
    if wanted == 0:
        head = "no longer wanted"
    elif held == 0:
        head = f"wanted at {wanted:.1%} of equity"
    else:
        head = f"wanted at {wanted:.1%} of equity, held at {held:.1%}"
    return f"{head}; {'; '.join(reasons)}" if reasons else f"{head}; the team's votes are too weak"


def _flat(votes: list[Vote], column: int) -> Mapping[str, float]:
    numbers: dict[str, float] = {}
    for vote in votes:
        numbers[f"{vote.member.name}.exposure"] = vote.exposure_of(column)
        numbers.update({f"{vote.member.name}.{name}": value for name, value in vote.evidence_for(column).items()})
    return numbers
