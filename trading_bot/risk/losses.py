"""What the loss guards of a day, a week and a month have in common."""

from __future__ import annotations

from decimal import Decimal

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext
from trading_bot.domain.words import counted
from trading_bot.risk.rulings import FOUR_PLACES, NOT_FOR_EXITS, passed, refused

UNIT = "share of the equity then"


def loss_within(order: Order, context: RiskContext, *, sessions: int, limit: Decimal, codes: tuple[str, ...]) -> Ruling:
    """Refuse an entry when equity has fallen by `limit` or more since the end of the session `sessions` ago.

    Younger books look back as far as they can. `codes` are the one to pass with and the one to refuse with.
    """
    within, exceeded = codes
    if not order.signal.purpose.is_entry:
        return passed(order, within, observed=NOT_FOR_EXITS)
    past = context.record.worths
    if not past:
        return passed(order, within, observed="no session before")
    then = past[-min(sessions, len(past))]
    if then.equity <= 0:
        return refused(
            order, exceeded, f"there was no equity on {then.session}", observed=then.equity, limit=limit, unit=UNIT
        )
    loss = 1 - context.equity / then.equity
    seen = loss.quantize(FOUR_PLACES)
    if loss < limit:
        return passed(order, within, observed=seen, limit=limit, unit=UNIT)
    message = (
        f"equity has fallen by {loss:.1%} since {then.session} ({counted(min(sessions, len(past)), 'session')}), "
        f"the limit is {limit:.1%}: no entries until it recovers or the owner resumes with `bensbot resume`"
    )
    return refused(order, exceeded, message, observed=seen, limit=limit, unit=UNIT)
