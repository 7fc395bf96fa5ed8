"""The day's result for machines. The keys are a promise: they are added to, never renamed.

Money, prices and shares are text that `Decimal` reads, dates are ISO 8601; what is not known is null.

```
format        1
session, state ("active" | "paused" | "reducing" | "halted")
cash, equity, opening_cash, fees
today, since_start   {since, amount, ratio}   or null
cash_moved    [{kind, symbol (or null), amount, day, note, activity_id}]   money that moved without a trade
slippage      {fills, bps}   or null; positive is worse for us
trades        [{side, symbol, shares, average_price, amount, fees, fills}]
positions     [{symbol, quantity, average_price, price, value, unrealised}]   the last three may be null
open_orders   [{client_order_id, symbol, side, quantity, filled, status}]
decisions     {approved, trimmed, refused, refusals {rule: count}}
cycles        {completed, failed, cancelled, running, begun_again, skipped {reason: count}, failures [text]}
earlier       [{session, equity, change {since, amount, ratio} or null, fills}]   days without a report of their own
equity_curve  [{session, cash, equity}]
warnings      [text]
```
"""

from __future__ import annotations

import json
from dataclasses import asdict

from trading_bot.domain.day import DayCycles, DayDecisions
from trading_bot.domain.orders import OpenOrder
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.reporting.as_json import FORMAT, Json, plain, plain_record
from trading_bot.reporting.cash import cash_document
from trading_bot.reporting.day import DayReport, EarlierDay
from trading_bot.reporting.metrics import EquityChange


def day_as_json(report: DayReport) -> str:
    """Return the report as indented JSON with the keys listed above."""
    document: dict[str, Json] = {
        "format": FORMAT,
        "session": report.session.isoformat(),
        "state": str(report.state),
        "cash": plain(report.worth.cash),
        "equity": plain(report.worth.equity),
        "opening_cash": plain(report.booked.opening_cash),
        "fees": plain(report.fees),
        "today": _change(report.today),
        "since_start": _change(report.since_start),
        "cash_moved": [cash_document(activity) for activity in report.booked.cash],
        "slippage": plain_record(asdict(report.slippage)) if report.slippage else None,
        "trades": [plain_record(asdict(done)) for done in report.trades],
        "positions": [plain_record(asdict(held)) for held in report.holdings],
        "open_orders": [_order(order) for order in report.booked.open_orders],
        "decisions": _decisions(report.booked.decisions),
        "cycles": _cycles(report.booked.cycles),
        "earlier": [_earlier(day) for day in report.earlier],
        "equity_curve": [_point(point) for point in report.booked.equity_curve],
        "warnings": list(report.warnings),
    }
    return json.dumps(document, indent=2, allow_nan=False)


def _change(change: EquityChange | None) -> Json:
    return plain_record(asdict(change)) if change else None


def _point(point: EquityPoint) -> Json:
    return plain_record({"session": point.session, "cash": point.cash, "equity": point.equity})


def _order(order: OpenOrder) -> Json:
    intent = order.intent
    return plain_record(
        {
            "client_order_id": intent.client_order_id,
            "symbol": intent.symbol,
            "side": intent.side,
            "quantity": intent.quantity,
            "filled": order.filled,
            "status": order.status,
        }
    )


def _decisions(made: DayDecisions) -> Json:
    counts = {"approved": made.approved, "trimmed": made.trimmed, "refused": made.refused}
    return {**counts, "refusals": dict(made.refusals)}


def _cycles(ran: DayCycles) -> Json:
    return {
        "completed": ran.completed,
        "failed": ran.failed,
        "cancelled": ran.cancelled,
        "running": ran.running,
        "begun_again": ran.begun_again,
        "skipped": dict(ran.skipped),
        "failures": list(ran.failures),
    }


def _earlier(day: EarlierDay) -> Json:
    return {
        "session": day.session.isoformat(),
        "equity": plain(day.equity),
        "change": _change(day.change),
        "fills": day.fills,
    }
