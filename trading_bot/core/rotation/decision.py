"""Who is in the team from the next session on: a pure decision. `steps.py` carries it out.

Every candidate has one number, its score over all windows (`domain/merit.py`). A seat changes hands only when somebody
is better by more than the hysteresis:

- Each strategy has one seat at the most, so that the team is no crowd of near twins.
- A member keeps its seat while its score reaches the floor.
- A newcomer takes the seat of its own strategy's other options, or else that of the weakest member, when its score
  exceeds that member's by more than the hysteresis. An empty seat counts like a member with the floor for a score.
- Weights stay while none is off by more than five percentage points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from trading_bot.core.rotation import words
from trading_bot.core.rotation.policy import RotationPolicy
from trading_bot.domain.merit import CLOSE_CALL, Standing, best_first, ranked
from trading_bot.domain.tournament import Criterion, Rotation, Score, Seat, Weighting

STEADY_WEIGHT = 0.05  # a share of all votes: nobody's weight changes for less
LEAST_OF_THE_BEST = 0.1  # what the weakest member's vote counts at the least, weighted by score


def rotate(
    old: Sequence[Seat],
    scores: Iterable[Score],
    policy: RotationPolicy,
    session: date,
    *,
    notes: Sequence[str] = (),
) -> Rotation:
    """Return the team that follows `old`, and why.

    `scores` has one entry for each candidate and window, in any order. Members of `old` without a score are no
    candidates any more and leave. The same scores again change nothing. `notes` are sentences to end the reason with.
    """
    listed = tuple(scores)
    standings = ranked(listed, policy.criterion)
    members, told = _seated(old, standings, policy)
    told += _challenged(members, standings, policy)
    new = _with_weights(old, members, policy)
    order = {standing.label: place for place, standing in enumerate(standings)}
    return Rotation(
        session=session,
        old=tuple(old),
        new=new,
        scores=tuple(sorted(listed, key=lambda score: (order[score.candidate.label], score.window))),
        criterion=policy.criterion,
        reason=words.reason(tuple(old), new, [*told, *notes], standings, policy),
    )


def _seated(
    old: Sequence[Seat], standings: Sequence[Standing], policy: RotationPolicy
) -> tuple[list[Standing], list[str]]:
    """Return the members that keep their seats before anybody challenges them, best first, and who leaves why."""
    by_label = {standing.label: standing for standing in standings}
    members: list[Standing] = []
    told: list[str] = []
    known = sorted((by_label[seat.candidate.label] for seat in old if seat.candidate.label in by_label), key=best_first)
    told += [words.no_candidate(seat.candidate) for seat in old if seat.candidate.label not in by_label]
    for standing in known:
        if not standing.reaches(policy.floor):
            told.append(words.below_the_floor(standing, policy))
        elif _of(standing.candidate.name, members) is not None:
            told.append(words.one_seat_each(standing))
        elif len(members) >= policy.keep:
            told.append(words.no_seat_left(standing, policy))
        else:
            members.append(standing)
    return members, told


def _challenged(members: list[Standing], standings: Sequence[Standing], policy: RotationPolicy) -> list[str]:
    """Give seats to those who are better by enough, the best first. Changes `members`; returns what happened."""
    told: list[str] = []
    close: list[str] = []
    incumbents = {member.label for member in members}
    for newcomer in standings:
        if newcomer.label in incumbents or not newcomer.reaches(policy.floor + policy.hysteresis):
            continue
        holder = _of(newcomer.candidate.name, members)
        if holder is None and len(members) < policy.keep:
            members.append(newcomer)
            told.append(words.free_seat(newcomer, policy))
            continue
        holder = holder or max(members, key=best_first)
        if newcomer.beats(holder, policy.hysteresis):
            members[members.index(holder)] = newcomer
            told.append(words.takes_the_seat(newcomer, holder, policy))
        elif newcomer.beats(holder, 0.0) and not close:
            close.append(words.stays(holder, newcomer, policy))
    return told + close


def _of(name: str, members: Iterable[Standing]) -> Standing | None:
    return next((member for member in members if member.candidate.name == name), None)


def _with_weights(old: Sequence[Seat], members: Sequence[Standing], policy: RotationPolicy) -> tuple[Seat, ...]:
    """Return the team with weights that add up to 1, the old one where it has the same members and steady weights."""
    ordered = sorted(members, key=best_first)
    parts = _parts(ordered, policy)
    total = sum(parts)
    new = tuple(Seat(member.candidate, part / total) for member, part in zip(ordered, parts, strict=True))
    before: Mapping[str, float] = {seat.candidate.label: seat.weight for seat in old}
    same = before.keys() == {seat.candidate.label for seat in new}
    steady = same and all(abs(seat.weight - before[seat.candidate.label]) <= STEADY_WEIGHT + CLOSE_CALL for seat in new)
    return tuple(old) if steady else new


def _parts(members: Sequence[Standing], policy: RotationPolicy) -> list[float]:
    """Return how much each member's vote counts, in proportion to each other; all above 0."""
    match policy.weighting:
        case Weighting.EQUAL:
            return [1.0 for _ in members]
        case Weighting.SCORE:
            lost = policy.criterion is Criterion.DRAWDOWN  # then what is left of the high counts, not what was lost
            merits = [(member.score or 0.0) + (1.0 if lost else 0.0) for member in members]
            best = max(merits, default=0.0)
            return [max(merit, best * LEAST_OF_THE_BEST) for merit in merits] if best > 0 else [1.0 for _ in members]
        case Weighting.INVERSE_VOLATILITY:
            known = [member.volatility for member in members if member.volatility]
            return [1 / member.volatility if member.volatility else 1 / max(known, default=1.0) for member in members]
