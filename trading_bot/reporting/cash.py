"""Money that moved without a trade, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trading_bot.domain.cash import CashActivity, CashKind
from trading_bot.domain.money import ZERO
from trading_bot.domain.words import one_line, signed_dollars

_WORDS = {
    CashKind.FEE: "fee",
    CashKind.DIVIDEND: "dividend",
    CashKind.INTEREST: "interest",
    CashKind.EXTERNAL: "traded by hand",
    CashKind.OTHER: "other",
    CashKind.ACCEPTED: "unexplained",
}


def cash_line(activity: CashActivity) -> str:
    """Return `dividend AAPL +$5.94 (DIV/CDIV)`."""
    paid = "paid in by the owner" if activity.amount > 0 else "taken out by the owner"
    words = [_WORDS.get(activity.kind, paid), activity.symbol or "", signed_dollars(activity.amount)]
    return one_line(f"{' '.join(filter(None, words))} ({activity.note})")


def cash_document(activity: CashActivity) -> dict[str, str | None]:
    """Return the same for machines; money is text."""
    return {
        "kind": activity.kind.value.lower(),
        "symbol": activity.symbol,
        "amount": format(activity.amount, "f"),
        "day": activity.day.isoformat(),
        "note": activity.note,
        "activity_id": activity.activity_id,
    }


def fees_of(activities: Sequence[CashActivity]) -> Decimal:
    """Return the fees among them in dollars; what was given back counts against them."""
    return -sum((activity.amount for activity in activities if activity.kind is CashKind.FEE), ZERO)
