from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from tests.unit.strategies.markets import history, walk
from trading_bot.backtest.walk import earned_by
from trading_bot.backtest.walk import walk as walk_forward
from trading_bot.core.rotation.steps import Contest
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatVector
from trading_bot.domain.ports import RawBars
from trading_bot.domain.tournament import Candidate, Criterion
from trading_bot.tournament.scoring import ScoringTerms

FAST, SLOW = (Candidate("sma_cross", {"fast": fast, "slow": 12}) for fast in (2, 8))


def contest(*candidates: Candidate, sessions: int, windows: tuple[int, ...] = (40,)) -> Contest:
    return Contest(
        session=date(2020, 6, 1),
        history=history(walk(5, sessions, 3)),
        candidates=candidates,
        windows=windows,
        terms=ScoringTerms(cost_bps=0),
        market_hash="",
    )


def raw_of(asked: Contest, benchmark: FloatVector | None = None) -> RawBars:
    seen = asked.history
    return RawBars(
        seen.sessions,
        seen.symbols,
        *(seen.open, seen.high, seen.low, seen.close, seen.volume),
        benchmark=benchmark,
        benchmark_name="The market",
    )


def test_returns_come_to_what_they_come_to():
    earned = earned_by("it", np.array([0.10, -0.50, 0.20]))

    assert earned.total_return == pytest.approx(1.1 * 0.5 * 1.2 - 1)
    assert earned.annual_return == pytest.approx(0.66 ** (252 / 3) - 1)
    assert earned.drawdown == pytest.approx(0.5)
    assert earned.sharpe == pytest.approx(-0.2 / 3 / np.std([0.1, -0.5, 0.2], ddof=1) * 252**0.5)


def test_the_longest_window_that_leaves_a_month_is_chosen_by():
    long_enough = contest(FAST, sessions=83, windows=(20, 60))
    too_short = contest(FAST, sessions=82, windows=(20, 60))

    assert walk_forward(long_enough, Criterion.SHARPE, raw_of(long_enough)).train == 60
    assert walk_forward(too_short, Criterion.SHARPE, raw_of(too_short)).train == 20


def test_prices_too_short_to_choose_and_to_follow_are_refused_with_what_to_write():
    short = contest(FAST, sessions=62)

    with pytest.raises(
        DataError, match=r"needs 63 sessions of prices; from 2020-01-06 on there are 62\. Begin earlier"
    ):
        walk_forward(short, Criterion.SHARPE, raw_of(short))


def test_whoever_is_alone_is_chosen_each_time():
    alone = contest(FAST, sessions=120)
    found = walk_forward(alone, Criterion.SHARPE, raw_of(alone))

    assert all(step.candidate == FAST for step in found.steps)
    assert sum(step.sessions for step in found.steps) == 120 - 42


def test_an_equal_part_in_each_candidate_lies_between_them():
    both, fast, slow = (contest(*some, sessions=120) for some in ((FAST, SLOW), (FAST,), (SLOW,)))
    of_all, one, other = (walk_forward(each, Criterion.RETURN, raw_of(each)).of_all for each in (both, fast, slow))

    low, high = sorted([one.total_return or 0, other.total_return or 0])
    assert low < (of_all.total_return or 0) < high


def test_every_stock_held_earns_the_mean_of_their_returns_on_the_sessions_walked():
    asked = contest(FAST, sessions=120)
    closes = asked.history.close
    means = (closes[42:] / closes[41:-1] - 1).mean(axis=1)  # opens are closes here, so parts are set anew each session

    stocks = walk_forward(asked, Criterion.SHARPE, raw_of(asked)).others[0]

    # What is decided at a close is bought at the next open, which is the next close: one session later.
    assert stocks.total_return == pytest.approx(np.prod(1 + means) - 1)


def test_the_benchmark_is_that_of_the_sessions_walked_and_a_gap_in_it_is_bridged():
    asked = contest(FAST, sessions=120)
    closes = np.full(120, 100.0)
    closes[41], closes[60], closes[-1] = 50.0, np.nan, 60.0

    market = walk_forward(asked, Criterion.SHARPE, raw_of(asked, closes)).others[1]

    assert market.name == "The market"
    assert market.total_return == pytest.approx(0.2)
    assert market.drawdown == pytest.approx(0.4)
