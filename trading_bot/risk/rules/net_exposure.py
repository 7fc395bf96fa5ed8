"""A falling market takes everything along that is long."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity
from trading_bot.risk.totals import totals


@risk_rule("net_exposure")
@dataclass(frozen=True, slots=True)
class NetExposure:
    """Trim a buy so that long positions less short ones stay within `max_net_exposure` of equity."""

    max_net_exposure: Annotated[Decimal, Gt(0), Le(1)] = Decimal(1)
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("NET_EXPOSURE_WITHIN_LIMIT", "NET_EXPOSURE_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that still fit; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "NET_EXPOSURE_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        invested, limit = totals(context).net, self.max_net_exposure
        asked = share_of_equity(invested + order.notional, context)
        room = (context.equity * limit - invested) / order.price
        message = f"net exposure may be {limit:.0%} of equity, asked were {asked:.1%}"
        return capped(
            order, room, "NET_EXPOSURE_EXCEEDS_LIMIT", message, observed=asked, limit=limit, unit="share of equity"
        )
