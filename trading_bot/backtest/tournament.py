"""Many candidates on one past: who is best, and how far that may be believed.

Scores and their order are those of the rotation, so that what wins here would win a seat there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import numpy as np

from trading_bot.backtest.fingerprints import fingerprints
from trading_bot.backtest.foresight import require_causality
from trading_bot.backtest.replay import without_news
from trading_bot.backtest.run import Wanted, member_of, settings_for
from trading_bot.backtest.walk import walk
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core import bot as assembly
from trading_bot.core.hours import TradingHours
from trading_bot.core.rotation.steps import Contest, score_some
from trading_bot.core.rotation.team import candidates, of_grids
from trading_bot.data.past import Past
from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.domain.honesty import doubts_about_prices
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.merit import ranked
from trading_bot.domain.performance import SESSIONS_A_YEAR
from trading_bot.domain.tournament import Candidate, Criterion, Score
from trading_bot.domain.tournament_result import AtCosts, Luck, TournamentResult
from trading_bot.domain.words import counted
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.deflated import deflated_sharpe, moments, variance_of
from trading_bot.tournament.scoring import BEFORE, ScoringTerms, recent, sessions_seen
from trading_bot.tournament.walk_forward import cost_sensitivity

SHORTEST_WINDOW = 20  # sessions, as the settings want it


@dataclass(frozen=True, slots=True)
class TournamentWanted:
    """What a person asks for. `wanted.strategies` are the only candidates, if there are any; a list is a grid."""

    wanted: Wanted
    criterion: str | None = None
    walk_forward: bool = False
    costs: bool = False


def tournament(asked: TournamentWanted) -> TournamentResult:
    """Rank the candidates, and find out how far the winner may be believed.

    Raises:
        SettingsError, PluginError: something is asked or set wrong, or a grid has no combination left.
        DataError, SourceUnavailable: the prices are not there, or too few.
        LooksAhead: the winner knows on some session what came later.
    """
    settings = _settings_for(asked)
    past, history = _prices(settings, asked.wanted)
    found, grids = fingerprints(past, settings), of_grids(settings.rotation.candidates)
    contest = Contest(
        session=_day(history, -1),
        history=history,
        candidates=grids.candidates if asked.wanted.strategies else candidates(settings, grids),
        windows=_windows(settings.rotation.windows, history),
        terms=ScoringTerms(cost_bps=float(settings.rotation.costs_bps)),
        market_hash=found.data,
    )
    criterion, scores = Criterion(settings.rotation.criterion), score_some(contest, contest.candidates)
    winner = ranked(scores, criterion)[0].candidate
    _require_causality(contest, winner)
    return TournamentResult(
        first=_day(history, 0),
        last=contest.session,
        symbols=len(history.symbols),
        source=settings.data.source,
        criterion=criterion,
        windows=contest.windows,
        costs_bps=contest.terms.cost_bps,
        scores=scores,
        refused=grids.refused,
        luck=_luck(contest, winner, scores),
        walk=walk(contest, criterion, past.raw) if asked.walk_forward else None,
        at_costs=_at_costs(contest, winner) if asked.costs else (),
        notes=tuple(_notes(settings, contest, past)),
        fingerprints=found,
    )


# ── what is compared ──────────────────────────────────────────────────────────────────────────────


def _settings_for(asked: TournamentWanted) -> TradingBotSettings:
    more: dict[str, object] = {}
    if asked.wanted.strategies:
        more["rotation.candidates"] = [_grid_of(text) for text in asked.wanted.strategies]
    if asked.criterion is not None:
        more["rotation.criterion"] = asked.criterion
    return settings_for(replace(asked.wanted, strategies=()), more)  # they compete, they are no team


def _grid_of(text: str) -> dict[str, Any]:
    """Return a candidate of the settings: one value is a list of one."""
    member = member_of(text)
    options: Mapping[str, Any] = member["options"]
    grid = {name: cast("list[Any]", value if isinstance(value, list) else [value]) for name, value in options.items()}
    return {"name": member["name"], "grid": grid}


def _prices(settings: TradingBotSettings, wanted: Wanted) -> tuple[Past, MarketHistory]:
    """Return the market as it was known on the last session asked for, from the first one on."""
    first, last = wanted.first or date.min, wanted.last or date.max
    if first > last:
        raise SettingsError(f"--from {first} is after --to {last}: nothing lies in between.")
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    data = assembly.data_manager(settings, hours)
    days = data.sessions()
    asked = days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]
    if not asked.size:
        if not days.size:
            raise DataError("The price source has no session at all.")
        raise SettingsError(f"The price source has no session in the time asked for. It has {days[0]} to {days[-1]}.")
    newest: date = asked[-1].item()
    past = data.past(newest, newest)
    history = past.get_market_state(hours.close_of(newest), newest).history
    return past, history.rows(slice(int((history.sessions < np.datetime64(first)).sum()), None))


def _windows(wanted: Sequence[int], history: MarketHistory) -> tuple[int, ...]:
    """Return the windows that there are prices for. Raises DataError when there is none."""
    known = len(history.sessions)
    windows = tuple(window for window in wanted if window + BEFORE <= known)
    if windows:
        return windows
    room = known - BEFORE
    shorter = f", or write --set rotation.windows=[{room}]" if room >= SHORTEST_WINDOW else ""
    raise DataError(
        f"The shortest of rotation.windows is {wanted[0]} sessions and needs {wanted[0] + BEFORE} of prices; there are "
        f"{known}, {_day(history, 0)} to {_day(history, -1)}. Begin earlier with --from{shorter}."
    )


def _day(history: MarketHistory, row: int) -> date:
    return history.sessions[row].item()


# ── how far it may be believed ────────────────────────────────────────────────────────────────────


def _require_causality(contest: Contest, winner: Candidate) -> None:
    strategy, history = STRATEGIES.build(winner.name, winner.options), contest.history
    first = len(history.sessions) - contest.windows[-1]
    require_causality(winner.label, strategy, strategy.opinion(history), history, first)


def _luck(contest: Contest, winner: Candidate, scores: Sequence[Score]) -> Luck | None:
    """Deflate the winner's Sharpe ratio over the longest window, by all candidates' ratios over it."""
    did = recent(contest.history, winner, STRATEGIES.build, window=contest.windows[-1], terms=contest.terms)
    seen = moments(did.returns)
    if seen is None:
        return None
    ratios = [each.sharpe for each in scores if each.window == contest.windows[-1] and each.sharpe is not None]
    found = deflated_sharpe(seen, trials=len(contest.candidates), variance=variance_of(ratios))
    a_year = math.sqrt(SESSIONS_A_YEAR)
    return Luck(
        trials=found.trials,
        window=contest.windows[-1],
        sharpe=seen.sharpe * a_year,
        expected_by_luck=found.expected_by_luck * a_year,
        probability=found.probability,
    )


def _at_costs(contest: Contest, winner: Candidate) -> tuple[AtCosts, ...]:
    found = cost_sensitivity(contest.history, winner, STRATEGIES.build, window=contest.windows[-1], terms=contest.terms)
    return tuple(AtCosts(times, each) for times, each in found)


def _notes(settings: TradingBotSettings, contest: Contest, past: Past) -> Iterator[str]:
    yield from without_news(settings)
    known, longest = len(contest.history.sessions), contest.windows[-1]
    if left_out := [str(window) for window in settings.rotation.windows if window not in contest.windows]:
        yield f"There are {known:,} sessions of prices, too few for a window of {' and '.join(left_out)}."
    seen = {one.label: sessions_seen(one, longest, contest.terms) for one in contest.candidates}
    farthest = max(seen, key=lambda label: seen[label])
    if seen[farthest] > known:
        before = counted(known - longest - BEFORE, "session")
        yield (
            f"Before the window of {longest} sessions there are {before} of prices: a strategy that looks back further "
            "begins late in it."
        )
    yield from doubts_about_prices(
        settings.data.source, None if past.raw.benchmark is None else past.raw.benchmark_name
    )
