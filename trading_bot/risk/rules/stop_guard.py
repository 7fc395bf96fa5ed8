"""When one stop after the other is hit, the market has changed and the strategies have not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.words import counted
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, closed_trades, ended_within, passed, refused

MOST = 60  # sessions that may be looked back on


@risk_rule("stop_guard")
@dataclass(frozen=True, slots=True)
class StopGuard:
    """Refuse entries after `stop_guard_stops` losing stops within `stop_guard_sessions` sessions; 0 stops is off.

    A trade counts when a protective stop sold its last share and it lost money.
    """

    stop_guard_stops: Annotated[int, Ge(0)] = 4
    stop_guard_sessions: Annotated[int, Gt(0), Le(MOST)] = 5
    stage: ClassVar[Stage] = Stage.LOSS_GUARDS
    codes: ClassVar[tuple[str, ...]] = ("STOPS_WITHIN_LIMIT", "TOO_MANY_STOPS")

    @property
    def sessions_back(self) -> int:
        """How many sessions of closed trades it has to see."""
        return self.stop_guard_sessions if self.stop_guard_stops else 0

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        limit, sessions = self.stop_guard_stops, self.stop_guard_sessions
        if not order.signal.purpose.is_entry:
            return passed(order, "STOPS_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        if not limit:
            return passed(order, "STOPS_WITHIN_LIMIT", observed="switched off")
        losses = closed_trades(context).losing_stops
        stops = len(ended_within(losses, sessions, context)) if losses else 0
        if stops < limit:
            return passed(order, "STOPS_WITHIN_LIMIT", observed=stops, limit=limit, unit="stops")
        message = (
            f"{counted(stops, 'position')} hit the stop with a loss within {counted(sessions, 'session')}, "
            f"{limit} are the limit: no entries until the oldest lies further back"
        )
        return refused(order, "TOO_MANY_STOPS", message, observed=stops, limit=limit, unit="stops")
