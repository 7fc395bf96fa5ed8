"""What the exchange or the broker does not trade, nobody can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trading_bot.domain.listing import AssetStatus
from trading_bot.domain.money import whole_shares
from trading_bot.domain.orders import Order, Ruling, Side
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import capped, passed, refused


@risk_rule("asset_status")
@dataclass(frozen=True, slots=True)
class AssetStatusRule:
    """Refuse what is not tradable or halted, selling short what cannot be borrowed, and parts of whole-share stocks.

    Exits are asked, too. It passes where the broker says nothing of any stock; where it speaks of others only, entries
    are refused.
    """

    stage: ClassVar[Stage] = Stage.ASSET
    codes: ClassVar[tuple[str, ...]] = (
        "ASSET_TRADABLE",
        "ASSET_UNKNOWN",
        "NOT_TRADABLE",
        "TRADING_HALTED",
        "NOT_SHORTABLE",
        "WHOLE_SHARES_ONLY",
    )

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, whole ones, or none."""
        asset = context.assets.get(order.symbol)
        if asset is None:
            return self._unknown(order, anybody=bool(context.assets))
        if why := _forbidden(order, asset):
            code, message = why
            return refused(order, code, message, observed=code.lower().replace("_", " "), limit="tradable")
        whole = whole_shares(order.quantity)
        if asset.fractionable or whole == order.quantity:
            return passed(order, "ASSET_TRADABLE", observed="tradable", limit="tradable")
        asked = order.quantity.normalize()
        return capped(
            order,
            whole,
            ("ASSET_TRADABLE", "WHOLE_SHARES_ONLY"),
            lambda: f"{order.symbol} is traded in whole shares only, asked were {asked:f}",
            observed=asked,
            limit=whole,
            unit="shares",
        )

    def _unknown(self, order: Order, *, anybody: bool) -> Ruling:
        if order.signal.purpose.is_entry and anybody:
            message = f"the broker does not know {order.symbol}"
            return refused(order, "ASSET_UNKNOWN", message, observed="unknown", limit="tradable")
        return passed(order, "ASSET_TRADABLE", observed="the broker says nothing")


def _forbidden(order: Order, asset: AssetStatus) -> tuple[str, str] | None:
    """Return the code and the words for what keeps the order back, if anything does."""
    if not asset.tradable:
        return "NOT_TRADABLE", f"{order.symbol} is not tradable at the broker"
    if asset.halted:
        return "TRADING_HALTED", f"trading in {order.symbol} is halted"
    if order.signal.purpose.is_entry and order.side is Side.SELL and not asset.shortable:
        return "NOT_SHORTABLE", f"{order.symbol} cannot be sold short"
    return None
