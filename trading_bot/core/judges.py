"""What settings make of a market: who has opinions, what rules say to them, and which exits protect a position.

Nothing is opened for it, so a cycle on record is judged again without broker, prices or news.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trading_bot.domain.errors import PluginError
from trading_bot.risk.stop_action import StopAction
from trading_bot.strategies.manager import StrategyManager, Targets
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.strategies.voting import Member

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings
    from trading_bot.domain.tournament import Team
    from trading_bot.risk.manager import RiskManager
    from trading_bot.risk.protection import ProtectiveStop


def strategy_manager(
    settings: TradingBotSettings, team: Team | None = None, *, looking_back: bool = False
) -> StrategyManager:
    """Build the team, that of the settings by default. Who looks back imports no others. Raises PluginError."""
    chosen = settings.strategy
    targets = Targets(
        position_weight=chosen.position_weight,
        max_gross_exposure=chosen.max_gross_exposure,
        max_candidates=chosen.max_candidates,
        min_score=chosen.min_score,
        rebalance_threshold=chosen.rebalance_threshold,
    )
    if team is None or team.since is None:
        listed = tuple(_member(m.name, m.weight, m.options, alone=looking_back) for m in chosen.team)
        return StrategyManager(listed, targets)
    try:
        members = tuple(
            _member(s.candidate.name, s.weight, s.candidate.options, alone=looking_back) for s in team.seats
        )
    except PluginError as error:
        raise PluginError(
            f"The rotation of {team.since} put a strategy in the team that cannot be built now. {error} To trade "
            "strategy.team instead: orchestrator.enable_strategy_rotation: false"
        ) from error
    return StrategyManager(
        members, targets, why_cash=f"the rotation of {team.since} found nobody to trust, so it is cash"
    )


def _member(name: str, weight: float, options: Mapping[str, Any], *, alone: bool) -> Member:
    return Member(name, weight, STRATEGIES.build(name, options, alone=alone))


def risk_manager(settings: TradingBotSettings) -> RiskManager:
    """Build every rule there is."""
    from trading_bot.risk.manager import RiskManager  # who only asks for opinions does not need it
    from trading_bot.risk.registry import build_rules

    limits = {name: getattr(settings.risk, name) for name in type(settings.risk).model_fields if name != "options"}
    stop = protective_stop(settings)
    rules = build_rules(limits, settings.risk.options)
    action = StopAction(settings.risk.portfolio_stop_action)
    return RiskManager(rules, stop=stop, fractional=settings.risk.fractional_shares, stop_action=action)


def protective_stop(settings: TradingBotSettings) -> ProtectiveStop:
    """Return which exits protect a position."""
    from trading_bot.risk.protection import ProtectiveStop

    risk = settings.risk
    return ProtectiveStop(
        enabled=risk.position_stop,
        distance=risk.position_stop_pct,
        by=risk.position_stop_by,
        atr_multiple=risk.position_stop_atr,
        atr_sessions=risk.atr_sessions,
        trailing=risk.trailing_stop_pct,
        take_profit=risk.take_profit_pct,
        sessions=risk.time_stop_sessions,
        at_broker=risk.protective_orders == "broker",
    )
