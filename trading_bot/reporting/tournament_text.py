"""A tournament in a terminal: who did best, and how far to believe it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from trading_bot.domain.honesty import ENOUGH_SESSIONS
from trading_bot.domain.merit import Standing, score_text, what
from trading_bot.domain.tournament import Candidate, Score
from trading_bot.domain.tournament_result import Earned, Luck, Step, TournamentResult, Walk
from trading_bot.domain.words import counted, one_line
from trading_bot.reporting.backtest_rows import UNKNOWN
from trading_bot.reporting.columns import beside

MOST_LISTED = 10  # candidates; the JSON has all of them
MOST_TENURES = 8  # the newest ones; the JSON has every choice
SURE = 0.95  # the usual confidence of a statistical test
_NAME = 29  # columns of a candidate
_RANKING = "{:>3} {:<29} {:>6} {:>8} {:>6} {:>8} {:>7} {:>6}"
_EARNED = "{:<14}{:<31} {:>10} {:>8} {:>6} {:>7}"
_COSTS = "{:<14}{:<31} {:>10} {:>6} {:>7}"


def tournament_text(result: TournamentResult) -> str:
    """Return the result in at most 80 columns; only a name without blanks may be longer."""
    standings = result.standings
    parts = [
        beside("Tournament", _head(result, standings)),
        "\n".join(_ranking(result, standings)),
        beside("Luck", _luck(result.luck, standings[0])),
        *(_walk(result.walk, result) if result.walk else ()),
        *(_costs(result) if result.at_costs else ()),
        beside("Notes", [f"- {one_line(note)}" for note in result.notes], under="  "),
    ]
    return "\n\n".join(filter(None, parts))


# ── the ranking ───────────────────────────────────────────────────────────────────────────────────


def _head(result: TournamentResult, standings: Sequence[Standing]) -> Iterator[str]:
    yield f"{counted(len(standings), 'candidate')} on {counted(result.symbols, 'symbol')} up to {result.last}"
    windows = " and ".join(f"{window}" for window in result.windows)
    mean = ", the longer counting for more" if len(result.windows) > 1 else ""
    yield f"ranked by {what(result.criterion)} over the last {windows} sessions{mean}"
    yield f"trading costs {result.costs_bps:g} bps of the dollars that change hands"
    if result.refused:
        yield f"{counted(len(result.refused), 'combination')} left out, which the strategy refuses"


def _ranking(result: TournamentResult, standings: Sequence[Standing]) -> Iterator[str]:
    found = {(score.candidate.label, score.window): score for score in result.scores}
    yield _RANKING.format("#", "Candidate", "Score", "Sessions", "Sharpe", "Return", "Loss", "Traded")
    for place, standing in enumerate(standings[:MOST_LISTED], 1):
        scores = [found[standing.label, window] for window in result.windows]
        yield from _rows(place, standing.candidate, score_text(standing.score, result.criterion), scores)
    if (more := len(standings) - MOST_LISTED) > 0:
        yield f"    and {more:,} more; --json has all"
    yield "    Loss: from the high, at the worst. Traded: multiples of equity a year."


def _rows(place: int, candidate: Candidate, score: str, scores: Sequence[Score]) -> Iterator[str]:
    options = one_line(candidate.label.removeprefix(candidate.name).strip("()"))
    names = [candidate.name, *textwrap.wrap(options, _NAME - 2, break_on_hyphens=False)]
    numbers = [
        (
            str(each.window),
            _ratio(each.sharpe),
            _signed(each.total_return),
            _signed(-each.drawdown),
            f"{each.turnover:,.1f}",
        )
        for each in scores
    ]
    for line in range(max(len(names), len(numbers))):
        name = names[line] if line < len(names) else ""
        cells = numbers[line] if line < len(numbers) else ("",) * 5
        head = (f"{place}", name, score) if line == 0 else ("", f"  {name}", "")
        yield _RANKING.format(*head, *cells).rstrip()


# ── how far to believe it ─────────────────────────────────────────────────────────────────────────


def _luck(luck: Luck | None, winner: Standing) -> Iterator[str]:
    if luck is None:
        yield f"{winner.label} held nothing, or its returns do not vary: there is no Sharpe ratio to be doubted."
        return
    share, shown = f"{luck.probability:.0%}", f"{luck.sharpe:.2f}"
    if luck.trials == 1:
        yield (
            f"One candidate, so nothing was picked: with a Sharpe ratio of {shown} over {luck.window} sessions the "
            f"true one is above 0 with a probability of {share} (Bailey & López de Prado 2012)."
        )
    else:
        yield (
            f"{luck.trials:,} variants were tried. The best of as many without any skill would show a Sharpe ratio of "
            f"about {luck.expected_by_luck:.2f} over {luck.window} sessions; {winner.label} shows {shown}."
        )
        yield (
            f"Its deflated Sharpe ratio is {luck.probability:.2f}: with a probability of {share} it is better than "
            "the luckiest of so many (Bailey & López de Prado 2014)."
        )
    yield _verdict(luck.probability)


def _verdict(probability: float) -> str:
    if probability >= SURE:
        return "That passes the usual 95%: luck alone hardly does it, if nothing else was tried before."
    if probability > 0.5:
        return "That is short of the usual 95%: it may well have been luck."
    return "Luck alone would have done as well: do not believe it."


def _walk(walk: Walk, result: TournamentResult) -> Iterator[str]:
    tenures = [list(steps) for _, steps in groupby(walk.steps, key=lambda step: step.candidate.label)]
    yield beside(
        "Walk forward",
        [
            f"what choosing by the past would have earned, {walk.first} to {walk.last}: every {walk.test} sessions the "
            f"best by {what(result.criterion)} of the {walk.train} sessions before, "
            f"{counted(len(walk.steps), 'choice')}, {counted(len(tenures) - 1, 'change')} paid for"
        ],
    )
    yield "\n".join(
        [
            _EARNED.format("", "", "Return", "a year", "Sharpe", "Loss"),
            *(_earned(each) for each in (walk.chosen, walk.of_all, *walk.others)),
        ]
    )
    yield beside("", _what_choosing_brought(walk, candidates=len(result.standings)))
    yield "\n".join(_tenures(tenures))


def _earned(earned: Earned) -> str:
    fall = None if earned.drawdown is None else -earned.drawdown
    return _EARNED.format(
        "",
        one_line(earned.name),
        _signed(earned.total_return),
        _signed(earned.annual_return),
        _ratio(earned.sharpe),
        _signed(fall),
    ).rstrip()


def _what_choosing_brought(walk: Walk, *, candidates: int) -> Iterator[str]:
    sessions = sum(step.sessions for step in walk.steps)
    if sessions < ENOUGH_SESSIONS:
        yield f"These are {counted(sessions, 'session')}, less than a year: that says next to nothing."
    if candidates == 1:
        yield "There was nobody else to choose."
        return
    promised = [step.promised.sharpe for step in walk.steps if step.promised.sharpe is not None]
    if promised and walk.chosen.sharpe is not None:
        yield (
            f"When chosen, the best had shown a Sharpe ratio of {sum(promised) / len(promised):.2f} on average; what "
            f"followed came to {walk.chosen.sharpe:.2f}."
        )
    better = [each.name for each in (walk.of_all, *walk.others) if _beats(each, walk.chosen)]
    if better:
        yield f"By Sharpe ratio, choosing did worse than {_and(better)}."
    else:
        yield "By Sharpe ratio, choosing did no worse than the others."
    if richer := [each.name for each in (walk.of_all, *walk.others) if _gained(each) > _gained(walk.chosen)]:
        yield f"It earned less than {_and(richer)}."


def _beats(other: Earned, chosen: Earned) -> bool:
    if other.sharpe is None or chosen.sharpe is None:
        return other.sharpe is not None
    return round(other.sharpe, 2) > round(chosen.sharpe, 2)  # as it is shown


def _gained(earned: Earned) -> float:
    return -1.0 if earned.total_return is None else round(earned.total_return, 3)  # as it is shown


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tenures(tenures: Sequence[Sequence[Step]]) -> Iterator[str]:
    shown = tenures[-MOST_TENURES:]
    if len(shown) < len(tenures):
        yield beside("Chosen", [f"the newest; --json has all {sum(map(len, tenures)):,} choices"])
    for number, steps in enumerate(shown):
        sessions = counted(sum(step.sessions for step in steps), "session")
        said = f"{steps[0].chosen_on}  {one_line(steps[0].candidate.label)}, for {sessions}"
        yield beside("Chosen" if number == 0 and len(shown) == len(tenures) else "", [said], under=" " * 12)


def _costs(result: TournamentResult) -> Iterator[str]:
    candidate, usual = result.standings[0].candidate, result.costs_bps
    window = result.at_costs[0].score.window
    yield beside("Costs", [f"{one_line(candidate.label)} over the last {window} sessions, at other costs"])
    yield "\n".join(
        [
            _COSTS.format("", "", "Return", "Sharpe", "Loss"),
            *(
                _COSTS.format(
                    "",
                    f"{each.times:g} × {usual:g} bps",
                    _signed(each.score.total_return),
                    _ratio(each.score.sharpe),
                    _signed(-each.score.drawdown),
                )
                for each in result.at_costs
            ),
        ]
    )
    yield beside("", [_what_costs_leave(result)])


def _what_costs_leave(result: TournamentResult) -> str:
    gains = [each for each in result.at_costs if each.score.total_return > 0]
    if len(gains) == len(result.at_costs):
        return f"It gains even at {gains[-1].times:g} times the costs."
    if not gains:
        return "It loses even where trading is free."
    return f"The gain is gone at {result.at_costs[len(gains)].times:g} times the costs: it hangs on cheap trading."


def _ratio(number: float | None) -> str:
    return UNKNOWN if number is None else f"{number + 0.0:,.2f}"


def _signed(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share + 0.0:+,.1%}"
