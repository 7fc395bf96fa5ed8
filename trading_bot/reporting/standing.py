"""How things stand between two cycles, as `bensbot status` says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from trading_bot.domain.cycle import ControlState, CycleStatus, TradingState
from trading_bot.domain.errors import StateError
from trading_bot.domain.orders import OpenOrder
from trading_bot.domain.portfolio import EquityPoint, Portfolio
from trading_bot.domain.words import counted, dollars, ordered, price_text, sentence, shares_text
from trading_bot.reporting.as_json import Json

Row = dict[str, str | int | None]

WITH_PARTS = ("last_cycle", "open_orders", "positions")


@dataclass(frozen=True, slots=True)
class LastCycle:
    """The cycle that began last."""

    cycle_id: str
    status: CycleStatus
    ended_at: datetime | None  # aware, UTC; None while it runs


@dataclass(frozen=True, slots=True)
class Standing:
    """What the book says while no cycle is running."""

    control: ControlState
    last_session: date | None  # newest session traded
    portfolio: Portfolio
    equity: EquityPoint | None  # after that session
    open_orders: tuple[OpenOrder, ...]
    last_cycle: LastCycle | None = None

    @property
    def cash(self) -> Decimal | None:
        """The cash in dollars; None before the first cycle: no book knows it then, and that is not 0."""
        known = self.last_session or self.equity or self.portfolio.cash
        return self.portfolio.cash if known else None


def standing_as_text(standing: Standing) -> str:
    """Return a few lines for people, the most important first."""
    control, worth = standing.control, standing.equity
    lines = [f"Trading  {_state(control)}"]
    if control.consecutive_errors:
        lines.append(f"Errors   {counted(control.consecutive_errors, 'failed cycle')} in a row{_until(control)}")
    lines.append(f"Session  {standing.last_session or 'none traded yet'}")
    lines += [f"Cycle    {_last_in_words(standing.last_cycle)}"] if standing.last_cycle else []
    cash = "not known before the first cycle" if standing.cash is None else dollars(standing.cash)
    lines.append(f"Cash     {cash}")
    lines += [f"Equity   {dollars(worth.equity)} after {worth.session}"] if worth else []
    for order in standing.open_orders:
        lines.append(f"Order    {_order(order)}: {order.status}")
    for position in standing.portfolio.positions.values():
        price = price_text(position.average_price)
        lines.append(f"Holding  {shares_text(position.quantity)} {position.symbol}, bought at {price} on average")
    return "\n".join(lines)


def _until(control: ControlState) -> str:
    """Say how long failures make the next cycle wait; after a halt no cycle comes by itself."""
    if control.next_allowed_at is None or control.state is TradingState.HALTED:
        return ""
    return f", next cycle not before {control.next_allowed_at:%Y-%m-%d %H:%M:%S} UTC"


def _last_in_words(cycle: LastCycle) -> str:
    ended = f" {cycle.ended_at:%Y-%m-%d %H:%M} UTC" if cycle.ended_at else ""
    return f"{cycle.cycle_id} {cycle.status}{ended}"


def standing_as_json(standing: Standing) -> str:
    """Return the same for machines: money and shares as text that `Decimal` reads, times in ISO 8601."""
    return json.dumps(_document(standing), indent=2)


def standing_rows(standing: Standing) -> list[Row]:
    """Return the same as a table of names and values; what has parts is JSON text."""
    return [row(name, value) for name, value in _document(standing).items()]


def row(name: str, value: Json) -> Row:
    """Return one row of a table of names and values."""
    return {"name": name, "value": value if value is None or isinstance(value, str | int) else json.dumps(value)}


def document_of_rows(rows: Mapping[str, Json]) -> dict[str, Json]:
    """Turn rows back into what `standing_as_json` says. Raises StateError when another version wrote them."""
    try:
        return {name: _parts(value) if name in WITH_PARTS else value for name, value in rows.items()}
    except ValueError as error:
        raise StateError(
            "Another version of the bot wrote the status on the server. The next cycle mends it."
        ) from error


def _parts(value: Json) -> Json:
    return json.loads(value) if isinstance(value, str) else value


def _document(standing: Standing) -> dict[str, Json]:
    control, worth = standing.control, standing.equity
    return {
        "state": control.state,
        "cause": control.cause,
        "changed_by": control.changed_by,
        "changed_at": control.changed_at.isoformat(),
        "consecutive_errors": control.consecutive_errors,
        "next_allowed_at": control.next_allowed_at.isoformat() if control.next_allowed_at else None,
        "last_session": standing.last_session.isoformat() if standing.last_session else None,
        "last_cycle": _cycle(standing.last_cycle),
        "cash": None if standing.cash is None else str(standing.cash),
        "equity": str(worth.equity) if worth else None,
        "open_orders": [_order_parts(order) for order in standing.open_orders],
        "positions": [
            {"symbol": p.symbol, "quantity": str(p.quantity), "average_price": str(p.average_price)}
            for p in standing.portfolio.positions.values()
        ],
    }


def _order_parts(order: OpenOrder) -> dict[str, Json]:
    intent = order.intent
    return {
        "client_order_id": intent.client_order_id,
        "symbol": intent.symbol,
        "side": intent.side,
        "quantity": str(intent.quantity),
        "filled": str(order.filled),
        "status": order.status,
    }


def _cycle(cycle: LastCycle | None) -> dict[str, Json] | None:
    if cycle is None:
        return None
    ended = cycle.ended_at.isoformat() if cycle.ended_at else None
    return {"cycle_id": cycle.cycle_id, "status": str(cycle.status), "ended_at": ended}


def _order(order: OpenOrder) -> str:
    return ordered(order.intent)


def _state(control: ControlState) -> str:
    since = f"since {control.changed_at:%Y-%m-%d %H:%M} UTC by {control.changed_by}: {sentence(control.cause)}"
    helps = {TradingState.HALTED: " To go on: bensbot resume --ack", TradingState.ACTIVE: ""}
    return f"{control.state} {since}{helps.get(control.state, ' To go on: bensbot resume')}"
