from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.unit.strategies.markets import history
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion, Strategy
from trading_bot.domain.tournament import Candidate, Criterion
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.scoring import ScoringTerms, score
from trading_bot.tournament.walk_forward import cost_sensitivity, walk_forward

FREE = ScoringTerms(cost_bps=0)


class Only:
    """Holds one symbol."""

    def __init__(self, column: int) -> None:
        self.column = column

    def opinion(self, history: MarketHistory) -> Opinion:
        exposure = np.zeros(history.close.shape)
        exposure[:, self.column] = 1.0
        return Opinion(exposure)


def only(_name: str, options: Mapping[str, Any]) -> Strategy:
    return Only(options["column"])


EITHER = [Candidate("only", {"column": column}) for column in (0, 1)]


def changing_fortunes() -> MarketHistory:
    """Return two symbols: the first rises 2 % a session for 12 sessions, then the second one does."""
    grow = np.array([[1.02, 1.0]] * 12 + [[1.0, 1.02]] * 12, dtype=np.float64)
    grow[::3] += 0.001  # so that returns vary
    return history((10.0 * np.cumprod(grow, axis=0)).tolist())


def random_walk(sessions: int) -> MarketHistory:
    rng = np.random.default_rng(11)
    return history(40 * np.exp(np.cumsum(rng.normal(0.0004, 0.02, (sessions, 3)), axis=0)))


def test_the_best_of_the_sessions_before_is_followed_until_the_next_choice():
    found = walk_forward(changing_fortunes(), EITHER, only, Criterion.RETURN, train=5, test=4, terms=FREE)

    assert [step.candidate.options["column"] for step in found.steps] == [0, 0, 1, 1, 1]
    assert [step.sessions for step in found.steps] == [4, 4, 4, 4, 1]
    assert found.sessions.tolist() == changing_fortunes().sessions[7:].tolist()
    assert found.steps[0].chosen_on == changing_fortunes().sessions[6].astype(object)
    assert len(found.returns) == 17


def test_only_sessions_after_the_choice_are_earned():
    found = walk_forward(changing_fortunes(), EITHER, only, Criterion.RETURN, train=5, test=4, terms=FREE)

    # Half of equity for each symbol. Rows 8 to 11 rise with the first; the second rises from row 12 on, and what was
    # chosen at the close of row 14 is bought at the close of row 15, there being no other price.
    assert found.returns[1:5] == pytest.approx([0.01, 0.0105, 0.01, 0.01], abs=1e-12)
    assert found.returns[5:9].max() < 0.001
    assert found.returns[9:] == pytest.approx([0.01, 0.01, 0.0105, 0.01, 0.01, 0.0105, 0.01, 0.01], abs=1e-12)


def test_one_candidate_walks_as_it_is_scored():
    market, candidate = random_walk(150), Candidate("sma_cross", {"fast": 3, "slow": 9})

    found = walk_forward(market, [candidate], STRATEGIES.build, Criterion.SHARPE, train=50, test=7)
    (scored,) = score(market, [candidate], STRATEGIES.build, windows=[97])

    # The first walked session (row 52) still pays for entering; from then on both are the same portfolio.
    later = float(np.prod(1 + found.returns[1:])) - 1
    assert later == pytest.approx(scored.total_return, rel=1e-12)
    assert len(found.returns) == 98
    assert found.of_all[1:] == pytest.approx(found.returns[1:], abs=1e-12)


def test_each_choice_knows_nothing_of_later_sessions():
    market = random_walk(120)
    candidates = [Candidate("sma_cross", {"fast": fast, "slow": 12}) for fast in (2, 4, 8)]

    whole = walk_forward(market, candidates, STRATEGIES.build, Criterion.SHARPE, train=40, test=10)
    part = walk_forward(market.rows(slice(0, 82)), candidates, STRATEGIES.build, Criterion.SHARPE, train=40, test=10)

    assert part.steps == whole.steps[: len(part.steps)]
    assert part.returns.tolist() == whole.returns[: len(part.returns)].tolist()


def test_what_a_choice_promised_is_told():
    market = random_walk(120)
    candidates = [Candidate("sma_cross", {"fast": fast, "slow": 12}) for fast in (2, 4, 8)]

    first = walk_forward(market, candidates, STRATEGIES.build, Criterion.RETURN, train=40, test=10).steps[0]
    known = score(market.rows(slice(0, 42)), candidates, STRATEGIES.build, windows=[40])

    assert first.promised == max(known, key=lambda one: one.total_return)


def test_too_short_a_history_is_refused():
    with pytest.raises(DataError, match="needs 62 sessions of prices and a candidate; there are 61 sessions and 2"):
        walk_forward(random_walk(61), EITHER, only, Criterion.RETURN, train=50, test=10)


def test_the_same_candidate_earns_less_the_dearer_trading_is():
    candidate = Candidate("sma_cross", {"fast": 2, "slow": 5})

    found = cost_sensitivity(random_walk(150), candidate, STRATEGIES.build, window=100)

    assert [times for times, _ in found] == [0, 1, 2, 4]
    gained = [one.total_return for _, one in found]
    assert gained == sorted(gained, reverse=True)
    assert len(set(gained)) == 4
    assert len({one.turnover for _, one in found}) == 1
