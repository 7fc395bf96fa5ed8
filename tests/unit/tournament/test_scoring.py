from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.strategies.markets import column, history
from trading_bot.domain.errors import DataError, WrongAnswer
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion, Strategy
from trading_bot.domain.tournament import Candidate
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.scoring import ScoringTerms, score

FREE = ScoringTerms(cost_bps=0)


@dataclass(frozen=True)
class Always:
    """Wants the same exposure of everything, and notes how many sessions it was shown."""

    exposure: float = 1.0
    seen: list[int] | None = None

    def opinion(self, history: MarketHistory) -> Opinion:
        if self.seen is not None:
            self.seen.append(len(history.sessions))
        return Opinion(np.full(history.close.shape, self.exposure))


def always(name: str, options: Mapping[str, Any]) -> Strategy:
    assert name == "always"
    return Always(**options)


def random_walk(sessions: int, symbols: int) -> MarketHistory:
    rng = np.random.default_rng(7)
    return history(40 * np.exp(np.cumsum(rng.normal(0.0004, 0.02, (sessions, symbols)), axis=0)))


def test_a_score_says_what_was_earned_lost_invested_and_traded():
    closes = history(column(10, 10, 10, 10, 11, 9.9, 9.9, 9.9, 9.9))

    (found,) = score(closes, [Candidate("always")], always, windows=[6], terms=FREE)

    # returns 0, +10 %, -10 %, 0, 0, 0: the sum of squares is 0.02, the mean 0
    assert found.total_return == pytest.approx(-0.01)
    assert found.drawdown == pytest.approx(0.1)
    assert found.volatility == pytest.approx((0.02 / 5 * 252) ** 0.5)
    assert found.sharpe == pytest.approx(0.0, abs=1e-12)
    assert found.sortino == pytest.approx(0.0, abs=1e-12)
    assert (found.exposure, found.turnover, found.window) == (1.0, 0.0, 6)


def test_half_an_exposure_is_half_of_equity_and_changing_it_counts_as_turnover():
    (half,) = score(random_walk(30, 4), [Candidate("always", {"exposure": 0.5})], always, windows=[20], terms=FREE)

    assert half.exposure == pytest.approx(0.5)
    assert half.turnover == 0.0


def test_turnover_halves_what_is_bought_and_sold_and_counts_for_a_year():
    @dataclass(frozen=True)
    class EveryOther:
        def opinion(self, history: MarketHistory) -> Opinion:
            rows = np.arange(len(history.close), dtype=np.float64)[:, None]
            return Opinion(np.broadcast_to(rows % 2, history.close.shape).copy())

    market = random_walk(40, 3)
    (found,) = score(market, [Candidate("x")], lambda _name, _options: EveryOther(), windows=[20], terms=FREE)

    assert found.turnover == pytest.approx(252 / 2)  # all of equity changes hands at every open, one way each time
    assert found.exposure == pytest.approx(0.5)


def test_a_candidate_that_never_trades_has_no_ratio():
    (idle,) = score(random_walk(30, 4), [Candidate("always", {"exposure": 0.0})], always, windows=[20])

    assert (idle.sharpe, idle.sortino) == (None, None)
    assert (idle.total_return, idle.drawdown, idle.exposure, idle.turnover) == (0, 0, 0, 0)


def test_what_a_short_candidate_lost_whole_stays_lost():
    closes = history(column(10, 10, 10, 10, 25, 5, 5, 5))
    terms = ScoringTerms(cost_bps=0, short=True)

    (ruined,) = score(closes, [Candidate("always", {"exposure": -1.0})], always, windows=[5], terms=terms)

    assert (ruined.total_return, ruined.drawdown) == (-1.0, 1.0)


def test_scores_come_by_candidate_and_then_by_window():
    candidates = [Candidate("sma_cross", {"fast": fast, "slow": 20}) for fast in (5, 10)]

    scores = score(random_walk(90, 3), candidates, STRATEGIES.build, windows=[30, 60])

    assert [(one.candidate.options["fast"], one.window) for one in scores] == [(5, 30), (5, 60), (10, 30), (10, 60)]


def test_costs_take_something_from_whoever_trades():
    candidate = Candidate("sma_cross", {"fast": 2, "slow": 5})
    free, dear = (
        score(random_walk(90, 3), [candidate], STRATEGIES.build, windows=[60], terms=ScoringTerms(cost_bps=bps))[0]
        for bps in (0.0, 10.0)
    )

    assert free.turnover == dear.turnover > 10
    growth = (1 + free.total_return) * (1 - free.turnover / 252 * 60 * 2 * 0.001)  # to the first order
    assert dear.total_return == pytest.approx(growth - 1, abs=2e-4)


@settings(max_examples=20)
@given(st.lists(st.booleans(), min_size=12, max_size=12), st.sampled_from([1, 2, 7]))
def test_scores_are_the_same_to_the_last_bit_however_candidates_are_portioned(splits, symbols):
    candidates = [Candidate("sma_cross", {"fast": fast, "slow": 12}) for fast in (2, 3, 5, 7, 8)]
    candidates += [Candidate("momentum", {"lookback": 20, "skip": 2, "top": top}) for top in (0.3, 0.6)]
    candidates += [Candidate("bollinger_reversion", {"window": 10, "width": width}) for width in (1.0, 1.5)]
    candidates += [Candidate("donchian_breakout", {"entry": entry, "exit": 5}) for entry in (7, 9)]
    candidates += [Candidate("rsi_reversion", {"period": 7, "oversold": oversold}) for oversold in (30.0, 40.0)]
    portions: list[list[Candidate]] = [[candidates[0]]]
    for candidate, splitting in zip(candidates[1:], splits, strict=True):
        portions.append([candidate]) if splitting else portions[-1].append(candidate)
    market = random_walk(140, symbols)

    built = {one.label: STRATEGIES.build(one.name, one.options) for one in candidates}

    def build(name: str, options: Mapping[str, Any]) -> Strategy:
        return built[Candidate(name, options).label]

    together = score(market, candidates, build, windows=[33, 100])
    apart = [one for portion in portions for one in score(market, portion, build, windows=[33, 100])]

    assert list(together) == apart


def test_a_strategy_is_shown_enough_sessions_to_be_warm_and_no_more():
    seen: list[int] = []
    market = random_walk(2000, 1)

    score(market, [Candidate("always")], lambda _name, _options: Always(seen=seen), windows=[90, 504])
    slow = Candidate("always", {"lookback": 400})
    score(market, [slow], lambda _name, _options: Always(seen=seen), windows=[90])
    nested = Candidate("always", {"members": [{"name": "momentum", "options": {"lookback": 700}}]})
    score(market, [nested], lambda _name, _options: Always(seen=seen), windows=[90])

    assert seen == [504 + 2 + 285, 90 + 2 + 400 + 23, 90 + 2 + 700 + 23]


@pytest.mark.parametrize("more", range(0, 23, 2))
@pytest.mark.parametrize("options", [{"hurdle": 0.0}, {"lookback": 300}])
def test_who_decides_once_a_month_has_decided_when_the_window_begins(options: Mapping[str, Any], more: int):
    rising = history(np.exp(np.linspace(0, 1, 400 + more))[:, None])  # ends on another day of the month each time

    (found,) = score(rising, [Candidate("dual_momentum", options)], STRATEGIES.build, windows=[60])

    assert (found.exposure, found.turnover) == (1.0, 0.0)


def test_a_history_that_is_too_short_for_the_window_is_refused():
    with pytest.raises(DataError, match="A window of 30 sessions needs 32 sessions of prices, and there are 31"):
        score(random_walk(31, 2), [Candidate("always")], always, windows=[10, 30])


@pytest.mark.parametrize("wrong", [1.5, -1.5, float("nan")])
def test_an_exposure_outside_the_bounds_is_refused(wrong):
    with pytest.raises(WrongAnswer, match=r"wants .* of S000 on .*; an exposure lies from -1 to 1\."):
        score(random_walk(30, 2), [Candidate("always", {"exposure": wrong})], always, windows=[10])


def test_an_opinion_of_another_shape_is_refused():
    class Short:
        def opinion(self, history: MarketHistory) -> Opinion:
            return Opinion(history.close[1:])

    with pytest.raises(WrongAnswer, match=r"an array of shape \(29, 2\) for its exposure; wanted .* 30 sessions by 2"):
        score(random_walk(30, 2), [Candidate("x")], lambda _name, _options: Short(), windows=[10])
