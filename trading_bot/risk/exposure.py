"""What the limits of gross and of net exposure have in common."""

from __future__ import annotations

from decimal import Decimal

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity

UNIT = "share of equity"


def exposure_within(
    order: Order, context: RiskContext, kind: str, *, invested: Decimal, limit: Decimal, codes: tuple[str, ...]
) -> Ruling:
    """Trim an entry so that `invested` dollars and its own stay within `limit` of equity; exits pass.

    `kind` names the exposure, `codes` are the one to pass with and the one to trim with.
    """
    within, exceeded = codes
    if not order.signal.purpose.is_entry:
        return passed(order, within, observed=NOT_FOR_EXITS)
    asked = share_of_equity(invested + order.notional, context)
    room = (context.equity * limit - invested) / order.price
    return capped(
        order,
        room,
        (within, exceeded),
        lambda: f"{kind} exposure may be {limit:.0%} of equity, asked were {asked:.1%}",
        observed=asked,
        limit=limit,
        unit=UNIT,
    )
