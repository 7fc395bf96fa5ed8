"""No single sector may decide over the portfolio."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.market import UNKNOWN_SECTOR
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity
from trading_bot.risk.totals import totals


@risk_rule("sector_allocation")
@dataclass(frozen=True, slots=True)
class SectorAllocation:
    """Trim a buy so that its sector stays within `max_sector_allocation` of equity.

    Symbols whose sector is not known count as one sector together: what is not known is not safe.
    """

    max_sector_allocation: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.30")
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("SECTOR_WITHIN_MAX_PCT", "SECTOR_EXCEEDS_MAX_PCT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that still fit; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "SECTOR_WITHIN_MAX_PCT", observed=NOT_FOR_EXITS)
        sectors, limit = context.market.sectors, self.max_sector_allocation
        sector = sectors.get(order.symbol, UNKNOWN_SECTOR)
        invested = totals(context).by_sector.get(sector, ZERO)
        asked = share_of_equity(invested + order.notional, context)
        room = (context.equity * limit - invested) / order.price
        return capped(
            order,
            room,
            ("SECTOR_WITHIN_MAX_PCT", "SECTOR_EXCEEDS_MAX_PCT"),
            lambda: f"{sector} may be {limit:.0%} of equity, asked were {asked:.1%}",
            observed=asked,
            limit=limit,
            unit="share of equity",
        )
