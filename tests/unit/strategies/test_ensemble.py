from __future__ import annotations

import numpy as np

from tests.unit.strategies.markets import column, history, walk
from trading_bot.strategies.ensemble import Ensemble, Vote
from trading_bot.strategies.registry import STRATEGIES

QUICK = {"fast": 1, "slow": 2}
SLOW = {"fast": 2, "slow": 3}
BARS = history(column(3, 2, 1, 2))  # above the mean of 2, and means of 2 and 3 are 1.5 and 1.67


def test_the_votes_are_weighed():
    both = Ensemble((Vote("sma_cross", 3.0, QUICK), Vote("sma_cross", 1.0, {**SLOW, "short": True})))
    opinion = both.opinion(BARS)

    assert opinion.evidence["sma_cross 1"][-1, 0] == 1.0
    assert opinion.evidence["sma_cross 2"][-1, 0] == -1.0
    assert opinion.exposure[-1, 0] == 0.5


def test_a_vote_up_to_the_least_counts_for_nothing():
    votes = (Vote("sma_cross", 3.0, QUICK), Vote("sma_cross", 1.0, {**SLOW, "short": True}))

    assert Ensemble(votes, least=0.5).opinion(BARS).exposure[-1, 0] == 0.0
    assert Ensemble(votes, least=0.49).opinion(BARS).exposure[-1, 0] == 0.5


def test_members_are_read_from_settings_as_names_or_with_weight_and_options():
    built = STRATEGIES.build(
        "ensemble", {"members": ["momentum", {"name": "sma_cross", "weight": 2, "options": {"fast": 5}}]}
    )

    assert isinstance(built, Ensemble)
    assert [(label, round(weight, 3)) for label, weight, _ in built._team] == [
        ("momentum", 0.333),
        ("sma_cross", 0.667),
    ]


def test_an_ensemble_of_one_wants_what_that_one_wants():
    bars = history(walk(1))
    alone = STRATEGIES.build("rsi_reversion", {}).opinion(bars)

    assert np.array_equal(Ensemble(("rsi_reversion",)).opinion(bars).exposure, alone.exposure)


def test_the_reason_quotes_every_member():
    team = Ensemble((Vote("sma_cross", options=QUICK), Vote("sma_cross", options=SLOW)))
    opinion = team.opinion(BARS)
    last = {name: float(values[-1, 0]) for name, values in opinion.evidence.items()}

    assert team.reason(last, 0.5) == (
        "the vote is +0.50 (sma_cross 1 +1.00: the 1-session mean 2.00 is above the 2-session mean 1.50; "
        "sma_cross 2 +0.00: the 2-session mean 1.50 is not above the 3-session mean 1.67)"
    )
