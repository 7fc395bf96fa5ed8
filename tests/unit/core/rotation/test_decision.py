"""Who is in the team from the next session on, and what people are told about it."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.core.rotation.decision import rotate
from trading_bot.core.rotation.policy import RotationPolicy
from trading_bot.domain.merit import ranked, worth
from trading_bot.domain.tournament import Candidate, Criterion, Rotation, Score, Seat, Weighting

SESSION = date(2022, 3, 16)
SHARPE = RotationPolicy(Criterion.SHARPE, keep=3, weighting=Weighting.EQUAL, hysteresis=0.25, floor=0.0)
A, B, C, D, E = (Candidate(name) for name in "ABCDE")
A_FAST = Candidate("A", {"fast": 5})


def policy(**changes: Any) -> RotationPolicy:
    fields = {"criterion": Criterion.SHARPE, "keep": 3, "weighting": Weighting.EQUAL, "hysteresis": 0.25, "floor": 0.0}
    return RotationPolicy(**{**fields, **changes})


def score(candidate: Candidate, sharpe: float | None, **numbers: Any) -> Score:
    fields: dict[str, Any] = {
        "window": 90,
        "sortino": None,
        "total_return": 0.1,
        "drawdown": 0.1,
        "volatility": 0.2,
        "exposure": 0.5,
        "turnover": 3.0,
    }
    return Score(candidate=candidate, sharpe=sharpe, **{**fields, **numbers})


def team(*candidates: Candidate) -> tuple[Seat, ...]:
    return tuple(Seat(candidate, 1 / len(candidates)) for candidate in candidates)


def rotated(old: tuple[Seat, ...], *scores: Score, by: RotationPolicy = SHARPE) -> Rotation:
    return rotate(old, scores, by, SESSION)


def names(rotation: Rotation) -> list[str]:
    return [seat.candidate.label for seat in rotation.new]


# ── seats ─────────────────────────────────────────────────────────────────────────────────────────


def test_who_is_better_by_enough_takes_the_weakest_seat():
    rotation = rotated(team(A, B), score(A, 0.9), score(B, 0.4), score(C, 0.7), by=policy(keep=2))

    assert names(rotation) == ["A", "C"]
    assert rotation.changed
    assert rotation.reason == (
        "The team is now A 50%, C 50%. C with a Sharpe ratio of 0.70 takes the seat of B with 0.40: better by more "
        "than 0.25."
    )


def test_who_is_better_by_just_the_hysteresis_does_not():
    old = team(A, B)

    rotation = rotated(old, score(A, 0.9), score(B, 0.4), score(C, 0.65), by=policy(keep=2))

    assert rotation.new == old
    assert not rotation.changed
    assert rotation.reason == (
        "The team stays: A 50%, B 50%. B stays with a Sharpe ratio of 0.40 though C has 0.65: a newcomer must be "
        "better by more than 0.25."
    )


def test_who_falls_below_the_floor_leaves_and_the_seat_stays_empty():
    rotation = rotated(team(A, B), score(A, 0.9), score(B, -0.1), score(C, 0.2))

    assert names(rotation) == ["A"]
    assert rotation.reason == (
        "The team is now A 100%. B leaves: its Sharpe ratio of -0.10 is below the floor of 0.00."
    )


def test_an_empty_seat_is_taken_by_who_exceeds_the_floor_by_the_hysteresis():
    rotation = rotated(team(A), score(A, 0.9), score(B, 0.25), score(C, 0.24))

    assert names(rotation) == ["A", "B"]
    assert "B takes a free seat with a Sharpe ratio of 0.25." in rotation.reason


def test_a_strategy_has_one_seat_and_better_options_take_its_own():
    rotation = rotated(team(A, B, C), score(A, 0.9), score(B, 0.1), score(C, 0.2), score(A_FAST, 1.5))

    assert names(rotation) == ["A(fast=5)", "C", "B"]
    assert "A(fast=5) with a Sharpe ratio of 1.50 takes the seat of A with 0.90" in rotation.reason


def test_of_two_members_of_one_strategy_the_better_one_stays():
    rotation = rotated(team(A, A_FAST), score(A, 0.9), score(A_FAST, 0.8))

    assert names(rotation) == ["A"]
    assert "A(fast=5) leaves: A has a better member, and each strategy one seat." in rotation.reason


def test_more_members_than_seats_leave_the_best():
    rotation = rotated(team(A, B, C), score(A, 0.3), score(B, 0.2), score(C, 0.4), by=policy(keep=2))

    assert names(rotation) == ["C", "A"]
    assert "B leaves: there are 2 seats, and others have a better Sharpe ratio." in rotation.reason


def test_who_is_no_candidate_any_more_leaves():
    rotation = rotated(team(A, E), score(A, 0.3))

    assert names(rotation) == ["A"]
    assert "E leaves: it is no candidate any more." in rotation.reason


def test_where_nobody_reaches_the_floor_the_bot_holds_cash():
    rotation = rotated(team(A), score(A, -0.3), score(B, -0.2))

    assert rotation.new == ()
    assert rotation.reason == (
        "The bot goes to cash: nobody reaches the floor of 0.00; the best, B, has a Sharpe ratio of -0.20. "
        "A leaves: its Sharpe ratio of -0.30 is below the floor of 0.00."
    )


def test_out_of_cash_leads_the_floor_and_the_hysteresis():
    still, back = (rotated((), score(A, sharpe)) for sharpe in (0.2, 0.25))

    assert (still.new, names(back)) == ((), ["A"])
    assert still.reason == ("The bot keeps cash: a newcomer needs a Sharpe ratio of 0.25, and the best, A, has 0.20.")


@pytest.mark.parametrize("sharpe", [None, 0.0])
def test_who_held_nothing_never_has_a_seat(sharpe: float | None):
    rotation = rotated(team(A), score(A, sharpe, exposure=0.0, drawdown=0.0), by=policy(floor=-1.0, hysteresis=0.0))

    assert rotation.new == ()
    assert "A leaves: it held nothing, or its Sharpe ratio cannot be computed." in rotation.reason


def test_scores_are_told_best_first_and_windows_in_ascending_order():
    rotation = rotated((), score(A, 0.1, window=504), score(B, 0.5), score(A, 0.1), score(B, 0.5, window=504))

    assert [(found.candidate.name, found.window) for found in rotation.scores] == [
        ("B", 90),
        ("B", 504),
        ("A", 90),
        ("A", 504),
    ]


# ── one number for several windows ────────────────────────────────────────────────────────────────


def test_windows_count_with_the_root_of_their_length():
    (standing,) = ranked([score(A, 1.0, window=100), score(A, 0.1, window=400)], Criterion.SHARPE)

    assert standing.score == pytest.approx((10 * 1.0 + 20 * 0.1) / 30)


def test_a_window_in_which_nothing_was_held_counts_as_nothing():
    (standing,) = ranked([score(A, None, window=100, exposure=0.0), score(A, 0.6, window=100)], Criterion.SHARPE)

    assert standing.score == pytest.approx(0.3)


def test_a_window_without_a_number_is_left_out():
    (standing,) = ranked([score(A, None, window=90), score(A, 0.6, window=504)], Criterion.SHARPE)

    assert standing.score == 0.6


@pytest.mark.parametrize(
    ("criterion", "value"),
    [
        (Criterion.SHARPE, 1.2),
        (Criterion.SORTINO, 1.7),
        (Criterion.RETURN, 0.21),  # 10 % in half a year is 21 % in a whole one
        (Criterion.DRAWDOWN, -0.15),
    ],
)
def test_what_a_window_is_worth(criterion: Criterion, value: float):
    found = score(A, 1.2, window=126, sortino=1.7, total_return=0.1, drawdown=0.15)

    assert worth(found, criterion) == pytest.approx(value)


def test_by_drawdown_the_smallest_loss_is_the_best():
    by = policy(criterion=Criterion.DRAWDOWN, hysteresis=0.02, floor=-0.25, keep=2)

    rotation = rotated(
        team(A, B), score(A, 0, drawdown=0.3), score(B, 0, drawdown=0.12), score(C, 0, drawdown=0.09), by=by
    )

    assert names(rotation) == ["C", "B"]
    assert rotation.reason == (
        "The team is now C 50%, B 50%. A leaves: its loss from the high of -30.0% is below the floor of -25.0%. "
        "C takes a free seat with a loss from the high of -9.0%."
    )


# ── weights ───────────────────────────────────────────────────────────────────────────────────────


def weights(rotation: Rotation) -> dict[str, float]:
    return {seat.candidate.label: round(seat.weight, 4) for seat in rotation.new}


def test_equal_weights():
    assert weights(rotated(team(A), score(A, 1.0), score(B, 3.0))) == {"B": 0.5, "A": 0.5}


def test_weights_in_proportion_to_the_score_with_a_tenth_of_the_best_at_the_least():
    by = policy(weighting=Weighting.SCORE, floor=-1.0)

    rotation = rotated(team(A, B), score(A, 3.0), score(B, 1.0), score(C, 0.0), by=by)

    assert weights(rotation) == {"A": round(3 / 4.3, 4), "B": round(1 / 4.3, 4), "C": round(0.3 / 4.3, 4)}


def test_where_no_score_is_above_nothing_weights_by_score_are_equal():
    by = policy(weighting=Weighting.SCORE, floor=-1.0)

    assert weights(rotated(team(A, B), score(A, -0.1), score(B, -0.2), by=by)) == {"A": 0.5, "B": 0.5}


def test_by_drawdown_weights_count_what_is_left_of_the_high():
    by = policy(criterion=Criterion.DRAWDOWN, weighting=Weighting.SCORE, floor=-0.5, hysteresis=0.0)

    rotation = rotated((), score(A, 0, drawdown=0.1), score(B, 0, drawdown=0.4), by=by)

    assert weights(rotation) == {"A": 0.6, "B": 0.4}


def test_weights_by_inverse_volatility_favour_the_calm():
    by = policy(weighting=Weighting.INVERSE_VOLATILITY)

    rotation = rotated((), score(A, 1.0, volatility=0.1), score(B, 1.0, volatility=0.3), by=by)

    assert weights(rotation) == {"A": 0.75, "B": 0.25}


def test_weights_that_moved_by_five_points_at_the_most_stay():
    by = policy(weighting=Weighting.SCORE)
    old = (Seat(A, 0.55), Seat(B, 0.45))

    assert rotated(old, score(A, 1.0), score(B, 1.0), by=by).new == old
    moved = rotated(old, score(A, 1.0), score(B, 2.0), by=by)
    assert weights(moved) == {"B": round(2 / 3, 4), "A": round(1 / 3, 4)}
    assert moved.reason == "The team stays, and its weights change to B 67%, A 33%."


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────

labels = st.sampled_from([Candidate(name, {"n": n}) for name in "ABCD" for n in (1, 2, 3)])
ratios = st.one_of(st.none(), st.floats(-3, 3).map(lambda value: round(value, 3)))


@st.composite
def tables(draw: st.DrawFn) -> list[Score]:
    found = draw(st.lists(labels, unique_by=lambda candidate: candidate.label, min_size=1, max_size=12))
    return [
        score(
            candidate,
            draw(ratios),
            sortino=draw(ratios),
            window=window,
            total_return=draw(st.floats(-0.9, 2)),
            drawdown=draw(st.floats(0, 1)),
            volatility=draw(st.one_of(st.none(), st.floats(0.01, 1))),
            exposure=draw(st.sampled_from([0.0, 0.3, 1.0])),
        )
        for candidate in found
        for window in (90, 504)
    ]


policies = st.builds(
    RotationPolicy,
    criterion=st.sampled_from(Criterion),
    keep=st.integers(1, 4),
    weighting=st.sampled_from(Weighting),
    hysteresis=st.floats(0, 1).map(lambda value: round(value, 3)),
    floor=st.floats(-1, 1).map(lambda value: round(value, 3)),
)
teams = st.lists(labels, unique_by=lambda candidate: candidate.label, max_size=5).map(lambda found: team(*found))


@given(old=teams, scores=tables(), by=policies)
def test_the_same_scores_again_change_nothing(old: tuple[Seat, ...], scores: list[Score], by: RotationPolicy):
    first = rotate(old, scores, by, SESSION)

    assert rotate(first.new, scores, by, SESSION).new == first.new


@given(old=teams, scores=tables(), by=policies)
def test_a_team_has_known_members_one_of_each_strategy_and_weights_of_one(
    old: tuple[Seat, ...], scores: list[Score], by: RotationPolicy
):
    new = rotate(old, scores, by, SESSION).new

    assert {seat.candidate.label for seat in new} <= {found.candidate.label for found in scores}
    assert len({seat.candidate.name for seat in new}) == len(new) <= by.keep
    assert all(seat.weight > 0 for seat in new)
    assert not new or math.isclose(sum(seat.weight for seat in new), 1.0)


@given(old=teams, scores=tables(), by=policies, data=st.data())
def test_the_order_of_the_candidates_does_not_matter(
    old: tuple[Seat, ...], scores: list[Score], by: RotationPolicy, data: st.DataObject
):
    shuffled = data.draw(st.permutations(scores))

    assert rotate(old, shuffled, by, SESSION) == rotate(old, scores, by, SESSION)


EVERYBODY = [Candidate(name, {"n": n}) for name in "ABCD" for n in (1, 2, 3)]


@given(
    old=teams,
    calm=st.lists(st.floats(0.5, 3), min_size=12, max_size=12),
    noise=st.lists(st.floats(-0.12, 0.12), min_size=12, max_size=12),
)
def test_noise_of_less_than_half_the_hysteresis_changes_nobody_in_the_best_team(
    old: tuple[Seat, ...], calm: list[float], noise: list[float]
):
    scores = [score(each, value) for each, value in zip(EVERYBODY, calm, strict=True)]
    settled = rotate(old, scores, policy(hysteresis=0.0), SESSION)  # the best three, however it began
    noisy = [score(each, value + off) for each, value, off in zip(EVERYBODY, calm, noise, strict=True)]

    assert len(settled.new) == 3
    assert rotate(settled.new, noisy, SHARPE, SESSION).new == settled.new
