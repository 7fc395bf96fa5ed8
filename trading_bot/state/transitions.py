"""The order's life as a table: which status may follow which.

Events arrive twice, late and out of order (a stream, a poll and a reconciliation tell of the same
order), so what does not follow is ignored, not an error. A final status that the broker gave is never left.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading_bot.domain.orders import OrderStatus, OrderUpdate
from trading_bot.domain.records import changed, dataclass

_ENDS = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})

MAY_FOLLOW: dict[OrderStatus, frozenset[OrderStatus]] = {
    # The broker's word is taken even for an order we believe unsent: it knows, we only remember.
    OrderStatus.INTENDED: _ENDS
    | {OrderStatus.UNKNOWN, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.EXPIRED_UNSENT},
    OrderStatus.UNKNOWN: _ENDS
    | {OrderStatus.UNKNOWN, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.EXPIRED_UNSENT},
    OrderStatus.ACCEPTED: _ENDS | {OrderStatus.UNKNOWN, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED},
    OrderStatus.PARTIALLY_FILLED: _ENDS | {OrderStatus.UNKNOWN, OrderStatus.PARTIALLY_FILLED},
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    # The one end that is our belief alone: a request may travel for long, and reach the broker after we gave it up.
    OrderStatus.EXPIRED_UNSENT: _ENDS | {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED},
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands in the book."""

    status: OrderStatus
    filled: Decimal  # shares of booked fills
    reported: Decimal  # shares the broker says are filled, at least
    broker_order_id: str
    reason: str
    updated_at: datetime | None  # the broker's clock; None before its first word

    @property
    def settled(self) -> bool:
        """Whether nothing can come any more: final, and every share reported is booked."""
        return self.status.is_final and self.filled >= self.reported


def after_update(old: Standing, update: OrderUpdate) -> Standing:
    """Return the standing after the broker's word; the same one when the word is old or impossible.

    A final status counts whatever its time says, because no order comes back from it. Shares filled never shrink.
    """
    if update.status not in MAY_FOLLOW[old.status]:
        return old
    late = old.updated_at is not None and update.updated_at < old.updated_at
    if late and not update.status.is_final:
        return old
    return Standing(
        status=update.status,
        filled=old.filled,
        reported=max(old.reported, update.filled),
        broker_order_id=update.broker_order_id or old.broker_order_id,
        reason=update.reason or ("" if old.status is OrderStatus.EXPIRED_UNSENT else old.reason),
        updated_at=old.updated_at if late else update.updated_at,
    )


def after_booking(old: Standing, filled: Decimal) -> Standing:
    """Return the standing when `filled` shares are booked in all. The status stays the broker's word alone."""
    return changed(old, filled=filled, reported=max(old.reported, filled))
