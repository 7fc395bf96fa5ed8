"""Records to rows and back, without a loss."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from trading_bot.domain.errors import StateError
from trading_bot.domain.orders import (
    Approved,
    Decision,
    Fill,
    OpenOrder,
    OrderIntent,
    OrderStatus,
    OrderUpdate,
    Rejected,
    Resized,
    Ruling,
    Signal,
)

Cells = dict[str, Any]  # one row, by column name

_OUTCOMES: dict[str, type[Approved | Resized | Rejected]] = {
    "approved": Approved,
    "resized": Resized,
    "rejected": Rejected,
}
_NAMES = {kind: name for name, kind in _OUTCOMES.items()}


def signal_cells(cycle_id: str, number: int, signal: Signal) -> Cells:
    """Return the row of one signal."""
    return {
        "cycle_id": cycle_id,
        "number": number,
        "symbol": signal.symbol,
        "side": signal.side,
        "purpose": signal.purpose,
        "wanted_weight": signal.wanted_weight,
        "strength": signal.strength,
        "strategy": signal.strategy,
        "reason": signal.reason,
        "evidence": dict(signal.evidence),
        "stop_price": signal.stop_price,
    }


def decision_cells(cycle_id: str, number: int, decision: Decision) -> Cells:
    """Return the row of one decision."""
    return {
        "cycle_id": cycle_id,
        "number": number,
        "outcome": _NAMES[type(decision)],
        "requested": decision.requested,
        "approved": decision.quantity,
        "rule": decision.rule,
        "reason": decision.reason,
        "rulings": [_ruling_cells(ruling) for ruling in decision.rulings],
    }


def decision_of(row: Row[Any]) -> Decision:
    """Return the decision from a row of signals joined with decisions."""
    signal = Signal(
        symbol=row.signal_symbol,
        side=row.signal_side,
        purpose=row.signal_purpose,
        wanted_weight=row.signal_wanted_weight,
        strength=row.signal_strength,
        strategy=row.signal_strategy,
        reason=row.signal_reason,
        evidence=row.signal_evidence,
        stop_price=row.signal_stop_price,
    )
    kind = _OUTCOMES[row.outcome]
    rulings = tuple(_ruling_of(cells) for cells in row.rulings)
    return kind(signal, row.requested, row.approved, row.rule, row.reason, rulings)


def intent_cells(intent: OrderIntent, decision: int) -> Cells:
    """Return the row of one intent; `decision` is the number of the decision it carries out."""
    return {
        "client_order_id": intent.client_order_id,
        "cycle_id": intent.cycle_id,
        "decision": decision,
        "symbol": intent.symbol,
        "side": intent.side,
        "purpose": intent.purpose,
        "quantity": intent.quantity,
        "type": intent.type,
        "limit_price": intent.limit_price,
        "time_in_force": intent.time_in_force,
        "reference_price": intent.reference_price,
        "stop_price": intent.stop_price,
    }


def intent_of(row: Row[Any]) -> OrderIntent:
    """Return the intent from its row."""
    return OrderIntent(
        client_order_id=row.client_order_id,
        cycle_id=row.cycle_id,
        symbol=row.symbol,
        side=row.side,
        purpose=row.purpose,
        quantity=row.quantity,
        type=row.type,
        limit_price=row.limit_price,
        time_in_force=row.time_in_force,
        reference_price=row.reference_price,
        stop_price=row.stop_price,
    )


def open_order_of(row: Row[Any]) -> OpenOrder:
    """Return the order from a row of intents joined with orders."""
    return OpenOrder(intent_of(row), row.status, row.filled, row.reported)


def new_order_cells(intent: OrderIntent) -> Cells:
    """Return the row of an order that was not sent yet."""
    return {
        "client_order_id": intent.client_order_id,
        "status": OrderStatus.INTENDED,
        "filled": Decimal(0),
        "reported": Decimal(0),
        "settled": False,
        "broker_order_id": "",
        "reason": "",
    }


def update_of(row: Row[Any]) -> OrderUpdate:
    """Return the order as it stands from a row of intents joined with orders."""
    return OrderUpdate(
        client_order_id=row.client_order_id,
        broker_order_id=row.broker_order_id,
        symbol=row.symbol,
        side=row.side,
        type=row.type,
        quantity=row.quantity,
        filled=row.reported,
        status=row.status,
        reason=row.reason,
        updated_at=row.updated_at or row.sent_at or row.decided_at,
        limit_price=row.limit_price,
        stop_price=row.stop_price,
    )


def fill_cells(fill: Fill, number: int) -> Cells:
    """Return the row of one fill."""
    return {
        "execution_id": fill.execution_id,
        "number": number,
        "client_order_id": fill.client_order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "session": fill.session,
        "filled_at": fill.filled_at,
    }


def fill_of(row: Row[Any]) -> Fill:
    """Return the fill from its row."""
    return Fill(
        execution_id=row.execution_id,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        session=row.session,
        filled_at=row.filled_at,
    )


def match_intents(decisions: Mapping[int, Decision], intents: Mapping[str, OrderIntent]) -> dict[str, int]:
    """Return the number of the decision each intent carries out, by client order id.

    Raises:
        StateError: an intent that no decision approved in just this size, or an approval without an intent.
    """
    approved = {
        (d.signal.symbol, d.signal.side, d.signal.purpose): number for number, d in decisions.items() if d.quantity > 0
    }
    if len(approved) != sum(d.quantity > 0 for d in decisions.values()):
        raise StateError("Two decisions approve the same symbol, side and purpose; wanted one of them.")
    matched: dict[str, int] = {}
    for order_id, intent in intents.items():
        number = approved.pop((intent.symbol, intent.side, intent.purpose), None)
        if number is None or decisions[number].quantity != intent.quantity:
            raise StateError(
                f"Intent {order_id} over {intent.quantity} shares has no decision that approves just that."
            )
        matched[order_id] = number
    if approved:
        raise StateError(f"Approved without an intent: {', '.join(' '.join(key) for key in approved)}.")
    return matched


def _ruling_cells(ruling: Ruling) -> dict[str, str]:
    return {**ruling._asdict(), "asked": format(ruling.asked, "f"), "allowed": format(ruling.allowed, "f")}


def _ruling_of(cells: Mapping[str, str]) -> Ruling:
    shares = {name: Decimal(cells[name]) for name in ("asked", "allowed")}
    return Ruling(**{**cells, **shares})  # pyright: ignore[reportArgumentType]  # each field is one or the other
