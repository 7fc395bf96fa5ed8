"""A tournament written out: two candidates over two windows."""

from __future__ import annotations

from datetime import date
from typing import Any

from trading_bot.domain.backtest import Fingerprints
from trading_bot.domain.tournament import Candidate, Criterion, Score
from trading_bot.domain.tournament_result import AtCosts, Earned, Luck, Step, TournamentResult, Walk

CROSS = Candidate("sma_cross", {"fast": 5, "slow": 50})
STRENGTH = Candidate("momentum")


def score(candidate: Candidate, window: int, sharpe: float | None, gained: float = 0.1) -> Score:
    return Score(candidate, window, sharpe, 2.0, gained, 0.05, 0.12, 0.8, 3.21)


def luck(probability: float, trials: int = 2) -> Luck:
    return Luck(trials=trials, window=504, sharpe=1.2, expected_by_luck=0.8, probability=probability)


def step(day: date, candidate: Candidate, promised: float) -> Step:
    return Step(day, candidate, score(candidate, 504, promised), 21)


def earned(name: str, sharpe: float | None) -> Earned:
    return Earned(name, 0.123, 0.05, sharpe, 0.2)


def walked(*others: Earned, steps: tuple[Step, ...] = ()) -> Walk:
    return Walk(
        train=504,
        test=21,
        first=date(2021, 1, 4),
        last=date(2022, 12, 28),
        steps=steps
        or tuple(step(date(2021, month, 1), CROSS if month < 7 else STRENGTH, 1.5) for month in range(1, 13)),
        chosen=earned("the chosen one", 0.6),
        of_all=earned("an equal part in each candidate", 0.5),
        others=others,
    )


def at_costs(*gains: float) -> tuple[AtCosts, ...]:
    times = (0.0, 1.0, 2.0, 4.0)
    return tuple(AtCosts(each, score(CROSS, 504, 1.0, gain)) for each, gain in zip(times, gains, strict=True))


def tournament(**changes: Any) -> TournamentResult:
    told: dict[str, Any] = {
        "first": date(1990, 1, 2),
        "last": date(2022, 12, 28),
        "symbols": 20,
        "source": "files",
        "criterion": Criterion.SHARPE,
        "windows": (90, 504),
        "costs_bps": 10.0,
        "scores": (
            *(score(STRENGTH, 90, 0.5), score(STRENGTH, 504, 0.9)),
            *(score(CROSS, 90, 0.7), score(CROSS, 504, 1.2)),
        ),
        "refused": {},
        "luck": luck(0.72),
        "walk": None,
        "at_costs": (),
        "notes": (),
        "fingerprints": Fingerprints("a1" * 32, "b2" * 32, "c3" * 32),
    }
    return TournamentResult(**(told | changes))
