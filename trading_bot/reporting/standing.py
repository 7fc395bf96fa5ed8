"""How things stand between two cycles, as `bensbot status` says it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from trading_bot.domain.cycle import ControlState, CycleStatus, TradingState
from trading_bot.domain.orders import OpenOrder
from trading_bot.domain.portfolio import EquityPoint, Portfolio
from trading_bot.domain.words import counted, dollars, one_line, price_text, sentence, shares_text, trade

Row = dict[str, str | None]


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


def standing_as_text(standing: Standing) -> str:
    """Return a few lines for people, the most important first."""
    control, worth = standing.control, standing.equity
    lines = [f"Trading  {_state(control)}"]
    if control.consecutive_errors:
        until = (
            f", next cycle not before {control.next_allowed_at:%Y-%m-%d %H:%M:%S} UTC"
            if control.next_allowed_at
            else ""
        )
        lines.append(f"Errors   {counted(control.consecutive_errors, 'failed cycle')} in a row{until}")
    lines.append(f"Session  {standing.last_session or 'none traded yet'}")
    lines.append(f"Cash     {dollars(standing.portfolio.cash)}")
    lines += [f"Equity   {dollars(worth.equity)} after {worth.session}"] if worth else []
    for order in standing.open_orders:
        lines.append(f"Order    {_order(order)}: {order.status}")
    for position in standing.portfolio.positions.values():
        price = price_text(position.average_price)
        lines.append(f"Holding  {shares_text(position.quantity)} {position.symbol}, bought at {price} on average")
    return "\n".join(lines)


def standing_as_json(standing: Standing) -> str:
    """Return the same for machines: money and shares as text that `Decimal` reads, times in ISO 8601."""
    control, worth = standing.control, standing.equity
    document = {
        "state": control.state,
        "cause": control.cause,
        "changed_by": control.changed_by,
        "changed_at": control.changed_at.isoformat(),
        "consecutive_errors": control.consecutive_errors,
        "next_allowed_at": control.next_allowed_at.isoformat() if control.next_allowed_at else None,
        "last_session": standing.last_session.isoformat() if standing.last_session else None,
        "last_cycle": _cycle(standing.last_cycle),
        "cash": str(standing.portfolio.cash),
        "equity": str(worth.equity) if worth else None,
        "open_orders": [
            {
                "client_order_id": order.intent.client_order_id,
                "symbol": order.intent.symbol,
                "side": order.intent.side,
                "quantity": str(order.intent.quantity),
                "filled": str(order.filled),
                "status": order.status,
            }
            for order in standing.open_orders
        ],
        "positions": [
            {"symbol": p.symbol, "quantity": str(p.quantity), "average_price": str(p.average_price)}
            for p in standing.portfolio.positions.values()
        ],
    }
    return json.dumps(document, indent=2)


def standing_rows(standing: Standing) -> list[Row]:
    """Return the same as a table of names and values, every value as text; None where there is nothing."""
    control, cycle, worth = standing.control, standing.last_cycle, standing.equity
    orders = [f"{_order(order)} ({order.status})" for order in standing.open_orders]
    held = [f"{shares_text(p.quantity)} {p.symbol}" for p in standing.portfolio.positions.values()]
    values: dict[str, object] = {
        "state": control.state,
        "cause": one_line(control.cause),
        "changed_by": one_line(control.changed_by),
        "changed_at": _instant(control.changed_at),
        "consecutive_errors": control.consecutive_errors,
        "next_allowed_at": _instant(control.next_allowed_at),
        "last_session": standing.last_session,
        "last_cycle": cycle.cycle_id if cycle else None,
        "last_cycle_status": cycle.status if cycle else None,
        "last_cycle_ended_at": _instant(cycle.ended_at) if cycle else None,
        "cash": dollars(standing.portfolio.cash),
        "equity": dollars(worth.equity) if worth else None,
        "open_orders": ", ".join(orders) or None,
        "positions": ", ".join(held) or None,
    }
    return [row(name, value) for name, value in values.items()]


def row(name: str, value: object) -> Row:
    """Return one row of a table of names and values."""
    return {"name": name, "value": None if value is None else str(value)}


def _cycle(cycle: LastCycle | None) -> Row | None:
    if cycle is None:
        return None
    ended = cycle.ended_at.isoformat() if cycle.ended_at else None
    return {"cycle_id": cycle.cycle_id, "status": str(cycle.status), "ended_at": ended}


def _order(order: OpenOrder) -> str:
    return trade(order.intent.side, order.intent.quantity, order.intent.symbol)


def _instant(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _state(control: ControlState) -> str:
    since = f"since {control.changed_at:%Y-%m-%d %H:%M} UTC by {control.changed_by}: {sentence(control.cause)}"
    helps = {TradingState.HALTED: " To go on: bensbot resume --ack", TradingState.ACTIVE: ""}
    return f"{control.state} {since}{helps.get(control.state, ' To go on: bensbot resume')}"
