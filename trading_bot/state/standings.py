"""Where orders stand: rows read and written for the journal and the ledger alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from trading_bot.domain.errors import StateError
from trading_bot.domain.orders import ClientOrderId
from trading_bot.state.schema import orders
from trading_bot.state.transitions import Standing

_UPDATE = update(orders).where(orders.c.client_order_id == bindparam("id"))


def load_standings(connection: Connection, order_ids: Sequence[ClientOrderId]) -> dict[ClientOrderId, Standing]:
    """Return where each order stands. Raises StateError that names an unknown one."""
    found = connection.execute(select(orders).where(orders.c.client_order_id.in_(order_ids)))
    standings = {ClientOrderId(row.client_order_id): standing_of(row) for row in found}
    for order_id in order_ids:
        if order_id not in standings:
            raise StateError(f"The broker speaks of order {order_id}, which is not in the book.")
    return standings


def save_standings(connection: Connection, standings: Mapping[ClientOrderId, Standing]) -> None:
    """Write where each order stands."""
    if standings:
        connection.execute(_UPDATE, [standing_cells(id_, standing) for id_, standing in standings.items()])


def standing_of(row: Row[Any]) -> Standing:
    """Return where an order stands from its row."""
    return Standing(row.status, row.filled, row.reported, row.broker_order_id, row.reason, row.updated_at)


def standing_cells(order_id: ClientOrderId, standing: Standing) -> dict[str, Any]:
    """Return the changed columns of an order; `id` says which."""
    return {
        "id": order_id,
        "status": standing.status,
        "filled": standing.filled,
        "reported": standing.reported,
        "settled": standing.settled,
        "broker_order_id": standing.broker_order_id,
        "reason": standing.reason,
        "updated_at": standing.updated_at,
    }
