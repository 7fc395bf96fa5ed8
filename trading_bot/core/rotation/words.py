"""Say who came into the team, who left, and by what numbers. Pure; one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from trading_bot.core.rotation.policy import RotationPolicy
from trading_bot.domain.merit import Standing, score_text, team_text, what
from trading_bot.domain.tournament import Candidate, Criterion, Seat


def no_candidate(candidate: Candidate) -> str:
    """Say that a member is none of the candidates any more."""
    return f"{candidate.label} leaves: it is no candidate any more."


def below_the_floor(standing: Standing, policy: RotationPolicy) -> str:
    """Say that a member has lost its seat to nobody."""
    if standing.score is None:
        return f"{standing.label} leaves: it held nothing, or its {what(policy.criterion)} cannot be computed."
    return f"{standing.label} leaves: its {_score(standing, policy)} is below the floor of {_floor(policy)}."


def one_seat_each(standing: Standing) -> str:
    """Say that a strategy had two seats."""
    return f"{standing.label} leaves: {standing.candidate.name} has a better member, and each strategy one seat."


def no_seat_left(standing: Standing, policy: RotationPolicy) -> str:
    """Say that the team had more members than seats."""
    return f"{standing.label} leaves: there are {policy.keep} seats, and others have a better {what(policy.criterion)}."


def free_seat(newcomer: Standing, policy: RotationPolicy) -> str:
    """Say who takes an empty seat."""
    return f"{newcomer.label} takes a free seat with a {_score(newcomer, policy)}."


def takes_the_seat(newcomer: Standing, holder: Standing, policy: RotationPolicy) -> str:
    """Say who takes whose seat."""
    return (
        f"{newcomer.label} with a {_score(newcomer, policy)} takes the seat of {holder.label} with "
        f"{score_text(holder.score, policy.criterion)}: better by more than {_margin(policy)}."
    )


def stays(holder: Standing, newcomer: Standing, policy: RotationPolicy) -> str:
    """Say whom the hysteresis kept in the team."""
    return (
        f"{holder.label} stays with a {_score(holder, policy)} though {newcomer.label} has "
        f"{score_text(newcomer.score, policy.criterion)}: a newcomer must be better by more than {_margin(policy)}."
    )


def reason(
    old: Sequence[Seat], new: Sequence[Seat], told: Sequence[str], standings: Sequence[Standing], policy: RotationPolicy
) -> str:
    """Return the whole reason: what came of it in one sentence, then who came and left."""
    same_members = {seat.candidate.label for seat in old} == {seat.candidate.label for seat in new}
    if not new:
        head = f"The bot {'keeps' if not old else 'goes to'} cash: {_nobody(standings, policy)}"
    elif tuple(old) == tuple(new):
        head = f"The team stays: {team_text(new)}."
    elif same_members:
        head = f"The team stays, and its weights change to {team_text(new)}."
    else:
        head = f"The team is now {team_text(new)}."
    return " ".join((head, *told))


def _nobody(standings: Sequence[Standing], policy: RotationPolicy) -> str:
    best = next((standing for standing in standings if standing.score is not None), None)
    if best is None:
        return f"no candidate has a {what(policy.criterion)}."
    if best.reaches(policy.floor):  # then it is the way in that is too high
        least = score_text(policy.floor + policy.hysteresis, policy.criterion)
        found = f"the best, {best.label}, has {_only(best, policy)}"
        return f"a newcomer needs a {what(policy.criterion)} of {least}, and {found}."
    return f"nobody reaches the floor of {_floor(policy)}; the best, {best.label}, has a {_score(best, policy)}."


def _score(standing: Standing, policy: RotationPolicy) -> str:
    return f"{what(policy.criterion)} of {_only(standing, policy)}"


def _only(standing: Standing, policy: RotationPolicy) -> str:
    return score_text(standing.score, policy.criterion)


def _floor(policy: RotationPolicy) -> str:
    return score_text(policy.floor, policy.criterion)


def _margin(policy: RotationPolicy) -> str:
    if policy.criterion in (Criterion.SHARPE, Criterion.SORTINO):
        return f"{policy.hysteresis:.2f}"
    return f"{policy.hysteresis * 100:.1f} percentage points"
