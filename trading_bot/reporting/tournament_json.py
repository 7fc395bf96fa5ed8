"""A tournament for machines. The keys are a promise: they are added to, never renamed.

Statistics are numbers, null where they cannot be computed; shares like 0.1 for 10 %, Sharpe ratios for a year.

```
format        1
first, last   the oldest and the newest session that was looked at
symbols       how many
source, criterion, windows, costs_bps
candidates    [{rank, strategy, options, score, windows [SCORE]}]      best first
refused       {combination: why}
luck          {trials, window, sharpe, expected_by_luck, deflated_sharpe}, or null
walk_forward  {train, test, first, last, steps [{chosen_on, strategy, options, promised SCORE, sessions}],
               chosen EARNED, of_all EARNED, others [EARNED]}, or null where it was not asked for
at_costs      [{times, costs_bps, score SCORE}]                        of the first candidate
notes         [text]
fingerprints  {data, code, settings}                                   SHA-256
SCORE         {window, sharpe, sortino, total_return, drawdown, volatility, exposure, turnover}
EARNED        {name, total_return, annual_return, sharpe, drawdown}
```
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, cast

from trading_bot.domain.tournament import Candidate, Score
from trading_bot.domain.tournament_result import Earned, Luck, TournamentResult, Walk
from trading_bot.reporting.as_json import Json, plain, plain_record

FORMAT = 1


def tournament_as_json(result: TournamentResult) -> str:
    """Return the result as indented JSON with the keys listed above."""
    document: dict[str, Json] = {
        "format": FORMAT,
        "first": plain(result.first),
        "last": plain(result.last),
        "symbols": result.symbols,
        "source": result.source,
        "criterion": str(result.criterion),
        "windows": list(result.windows),
        "costs_bps": result.costs_bps,
        "candidates": _candidates(result),
        "refused": dict(result.refused),
        "luck": _luck(result.luck) if result.luck else None,
        "walk_forward": _walk(result.walk) if result.walk else None,
        "at_costs": [
            {"times": each.times, "costs_bps": result.costs_bps * each.times, "score": _score(each.score)}
            for each in result.at_costs
        ],
        "notes": list(result.notes),
        "fingerprints": plain_record(asdict(result.fingerprints)),
    }
    return json.dumps(document, indent=2, allow_nan=False)


def _candidates(result: TournamentResult) -> list[Json]:
    found = {(score.candidate.label, score.window): score for score in result.scores}
    return [
        {
            "rank": rank,
            **_named(standing.candidate),
            "score": plain(standing.score),
            "windows": [_score(found[standing.label, window]) for window in result.windows],
        }
        for rank, standing in enumerate(result.standings, 1)
    ]


def _named(candidate: Candidate) -> dict[str, Json]:
    # The options are as the settings' JSON has them: plain already.
    return {"strategy": candidate.name, "options": cast("Mapping[str, Json]", dict(candidate.options))}


def _score(score: Score) -> Json:
    values: dict[str, Any] = {part.name: getattr(score, part.name) for part in fields(score)}
    del values["candidate"]
    return plain_record(values)


def _luck(luck: Luck) -> Json:
    values = plain_record(asdict(luck))
    return {("deflated_sharpe" if name == "probability" else name): value for name, value in values.items()}


def _walk(walk: Walk) -> Json:
    return {
        "train": walk.train,
        "test": walk.test,
        "first": plain(walk.first),
        "last": plain(walk.last),
        "steps": [
            {
                "chosen_on": plain(step.chosen_on),
                **_named(step.candidate),
                "promised": _score(step.promised),
                "sessions": step.sessions,
            }
            for step in walk.steps
        ],
        "chosen": _earned(walk.chosen),
        "of_all": _earned(walk.of_all),
        "others": [_earned(each) for each in walk.others],
    }


def _earned(earned: Earned) -> Json:
    return plain_record(asdict(earned))
