"""Who decides now, and who may: the team of the settings, the one a rotation chose, and all candidates."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.domain.tournament import Candidate, Seat, Team
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.grid import Expansion, expand

if TYPE_CHECKING:
    from trading_bot.config.rotation import CandidateSettings
    from trading_bot.state.manager import StateManager

log = logging.getLogger(__name__)


def present_team(settings: TradingBotSettings, book: StateManager) -> Team:
    """Return the team of the newest rotation, or that of the settings where there was none or it is turned off."""
    chosen = book.rotations.team() if settings.orchestrator.enable_strategy_rotation else None
    return chosen or home_team(settings)


def home_team(settings: TradingBotSettings) -> Team:
    """Return the team of the settings. Raises PluginError."""
    team = settings.strategy.team
    total = sum(member.weight for member in team)
    return Team(tuple(Seat(plain(member.name, member.options), member.weight / total) for member in team), since=None)


def candidates(settings: TradingBotSettings, grids: Expansion | None = None) -> tuple[Candidate, ...]:
    """Return everybody who may be in the team, each once: the members of `strategy.team`, then all `grids`.

    Raises:
        PluginError: no such strategy, or a member of the team has a wrong option.
        SettingsError: an option of a grid, or one of its values, is wrong; or a strategy refuses every combination.
    """
    at_home = [seat.candidate for seat in home_team(settings).seats]
    grids = grids or of_grids(settings.rotation.candidates)
    return tuple({one.label: one for one in (*at_home, *grids.candidates)}.values())


def of_grids(listed: Iterable[CandidateSettings]) -> Expansion:
    """Return what all grids together come to, each candidate once. The errors of `candidates`."""
    grids = [_expanded(one) for one in listed]
    found = [plain(one.name, one.options) for grid in grids for one in grid.candidates]
    refused = {label: why for grid in grids for label, why in grid.refused.items()}
    unused = tuple(words for grid in grids for words in grid.unused)
    for label, why in refused.items():
        log.debug("%s does not compete: %s", label, why)
    for words in unused:
        log.warning("%s", words)
    return Expansion(tuple({one.label: one for one in found}.values()), refused, unused)


def _expanded(listed: CandidateSettings) -> Expansion:
    STRATEGIES.get(listed.name)  # a name that nobody has is no matter of the grid
    return expand(listed.name, listed.grid, STRATEGIES.build)


def plain(name: str, options: Mapping[str, Any]) -> Candidate:
    """Return the candidate with the options that are not the strategy's defaults, as JSON has them.

    So equal candidates are known to be equal, however they were written: `sma_cross` and `sma_cross(fast=20)`.

    Raises:
        PluginError: no such strategy or option.
    """
    built: Any = STRATEGIES.build(name, options)
    if not dataclasses.is_dataclass(built):
        return Candidate(name, to_jsonable_python(dict(options)))
    chosen = {field.name: getattr(built, field.name) for field in dataclasses.fields(built) if field.init}
    usual = {field.name: field.default for field in dataclasses.fields(built)}
    return Candidate(name, to_jsonable_python({key: value for key, value in chosen.items() if value != usual[key]}))
