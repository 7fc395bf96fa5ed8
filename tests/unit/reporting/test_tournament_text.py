from __future__ import annotations

import json
from datetime import date

import pytest

from tests.unit.reporting.tournament_results import (
    CROSS,
    STRENGTH,
    at_costs,
    earned,
    luck,
    score,
    step,
    tournament,
    walked,
)
from trading_bot.domain.tournament import Candidate, Criterion
from trading_bot.domain.tournament_result import Earned
from trading_bot.reporting.tournament_json import tournament_as_json
from trading_bot.reporting.tournament_text import tournament_text


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_ranking_is_a_table_with_a_line_for_each_window():
    lines = tournament_text(tournament()).splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("  # "))

    assert lines[begin : begin + 5] == [
        "  # Candidate                      Score Sessions Sharpe   Return    Loss Traded",
        "  1 sma_cross                       1.05       90   0.70   +10.0%   -5.0%    3.2",
        "      fast=5, slow=50                         504   1.20   +10.0%   -5.0%    3.2",
        "  2 momentum                        0.78       90   0.50   +10.0%   -5.0%    3.2",
        "                                              504   0.90   +10.0%   -5.0%    3.2",
    ]


def test_the_head_says_what_was_compared_and_what_was_not():
    said = plain(tournament_text(tournament(refused={"sma_cross(fast=60, slow=50)": "why"})))

    assert "2 candidates on 20 symbols up to 2022-12-28" in said
    assert "ranked by Sharpe ratio over the last 90 and 504 sessions, the longer counting for more" in said
    assert "trading costs 10 bps of the dollars that change hands" in said
    assert "1 combination left out, which the strategy refuses" in said


def test_a_long_list_is_cut_and_says_so():
    many = [score(Candidate("momentum", {"lookback": number}), 90, number / 10) for number in range(12)]
    text = tournament_text(tournament(scores=tuple(many), windows=(90,)))

    assert "and 2 more; --json has all" in text
    assert "lookback=1\n" not in text


@pytest.mark.parametrize(
    ("probability", "verdict"),
    [
        (0.95, "That passes the usual 95%: luck alone hardly does it, if nothing else was tried before."),
        (0.72, "That is short of the usual 95%: it may well have been luck."),
        (0.50, "Luck alone would have done as well: do not believe it."),
    ],
)
def test_luck_is_told_in_plain_words(probability: float, verdict: str):
    said = plain(tournament_text(tournament(luck=luck(probability))))

    assert (
        "2 variants were tried. The best of as many without any skill would show a Sharpe ratio of about 0.80" in said
    )
    assert f"Its deflated Sharpe ratio is {probability:.2f}: with a probability of {probability:.0%}" in said
    assert verdict in said


def test_a_candidate_that_was_alone_was_not_picked():
    said = plain(tournament_text(tournament(luck=luck(0.8, trials=1))))

    assert "One candidate, so nothing was picked" in said
    assert "the true one is above 0 with a probability of 80%" in said


def test_a_winner_that_held_nothing_has_nothing_to_doubt():
    assert "there is no Sharpe ratio to be doubted" in plain(tournament_text(tournament(luck=None)))


def test_the_walk_says_what_was_promised_what_came_and_who_did_better():
    said = plain(tournament_text(tournament(walk=walked(earned("The market", 0.9)))))

    assert "12 choices, 1 change paid for" in said
    assert "When chosen, the best had shown a Sharpe ratio of 1.50 on average; what followed came to 0.60." in said
    assert "By Sharpe ratio, choosing did worse than The market." in said
    assert "2021-01-01 sma_cross(fast=5, slow=50), for 126 sessions 2021-07-01 momentum, for 126 sessions" in said


def test_a_walk_that_nobody_beats_is_no_worse():
    said = plain(tournament_text(tournament(walk=walked(earned("The market", 0.604)))))

    assert "By Sharpe ratio, choosing did no worse than the others." in said


def test_who_earned_more_is_named_whatever_the_risk_was():
    richer = Earned("The market", 0.124, 0.06, 0.1, 0.5)

    assert "It earned less than The market." in plain(tournament_text(tournament(walk=walked(richer))))
    assert "It earned less" not in tournament_text(tournament(walk=walked()))


def test_a_short_walk_says_next_to_nothing():
    short = walked(steps=(step(date(2022, 1, 3), CROSS, 1.0),))

    assert "These are 21 sessions, less than a year" in plain(tournament_text(tournament(walk=short)))


def test_only_the_newest_tenures_are_shown():
    changing = tuple(step(date(2021, month, 1), (CROSS, STRENGTH)[month % 2], 1.0) for month in range(1, 13))
    text = tournament_text(tournament(walk=walked(steps=changing)))

    assert "the newest; --json has all 12 choices" in text
    assert "2021-04-01" not in text
    assert "2021-05-01" in text


@pytest.mark.parametrize(
    ("gains", "told"),
    [
        ((0.4, 0.3, 0.2, 0.1), "It gains even at 4 times the costs."),
        ((0.4, 0.3, -0.1, -0.2), "The gain is gone at 2 times the costs: it hangs on cheap trading."),
        ((-0.1, -0.2, -0.3, -0.4), "It loses even where trading is free."),
    ],
)
def test_costs_end_in_a_sentence(gains: tuple[float, ...], told: str):
    text = tournament_text(tournament(at_costs=at_costs(*gains)))

    assert told in text
    assert f"4 × 10 bps                          {gains[-1]:+.1%}" in text


@pytest.mark.parametrize("criterion", list(Criterion))
def test_everything_together_stays_within_eighty_columns(criterion: Criterion):
    others = (earned("an equal part in each stock", None), earned("The market", 0.9))
    whole = tournament(
        criterion=criterion, walk=walked(*others), at_costs=at_costs(9.0, 9.0, 9.0, 9.0), notes=("n " * 99,)
    )

    assert max(map(len, tournament_text(whole).splitlines())) <= 80


def test_machines_get_everything():
    whole = tournament(walk=walked(earned("The market", None)), at_costs=at_costs(0.4, 0.3, 0.2, 0.1), notes=("doubt",))
    found = json.loads(tournament_as_json(whole))

    assert [each["rank"] for each in found["candidates"]] == [1, 2]
    assert found["candidates"][0]["options"] == {"fast": 5, "slow": 50}
    assert [each["window"] for each in found["candidates"][0]["windows"]] == [90, 504]
    assert found["luck"] == {
        "trials": 2,
        "window": 504,
        "sharpe": 1.2,
        "expected_by_luck": 0.8,
        "deflated_sharpe": 0.72,
    }
    assert len(found["walk_forward"]["steps"]) == 12
    assert found["walk_forward"]["steps"][0]["promised"]["sharpe"] == 1.5
    assert found["walk_forward"]["others"] == [
        {"name": "The market", "total_return": 0.123, "annual_return": 0.05, "sharpe": None, "drawdown": 0.2}
    ]
    assert [each["costs_bps"] for each in found["at_costs"]] == [0, 10, 20, 40]
    assert found["notes"] == ["doubt"]
    assert found["fingerprints"]["data"] == "a1" * 32


def test_what_was_not_asked_for_is_null():
    found = json.loads(tournament_as_json(tournament(luck=None)))

    assert (found["luck"], found["walk_forward"], found["at_costs"]) == (None, None, [])
