"""The report for machines. The keys are a promise: they are added to, never renamed.

Every number of money or shares is a string (a Decimal, never a float, never in scientific notation),
every date is ISO 8601, every instant is UTC. Statistics are numbers; what is not finite is null.

```
format        1
status        "completed" | "skipped"
cycle_id, session, state ("active" | "paused" | "reducing" | "halted")
market        {at, regime {trend, volatility, sentence}, coverage {wanted, usable},
               below_minimum_coverage, quarantined {symbol: why}, notes [text]}
decisions     [{symbol, side, purpose, verdict ("approved" | "trimmed" | "refused"), requested, quantity, rule,
               reason, strategy, wanted_weight, strength, signal_reason, evidence {name: number},
               stop_price (or null: it trades now),
               rulings [{rule, code, asked, allowed, observed, limit, unit, message}]}]
orders        [{client_order_id, broker_order_id, symbol, side, type, quantity, filled, status, reason,
               limit_price, stop_price (or null), updated_at}]  sent by this cycle
settled       the same, for orders of earlier cycles that changed since
fills         [{execution_id, client_order_id, symbol, side, quantity, price, fee, session, filled_at}]
cash, equity
positions     [{symbol, quantity, average_price, price, value, unrealised}]   the last three may be null
equity_curve  [{session, cash, equity, gross (or null), paid_in}]
cash_moved    [{kind, symbol (or null), amount, day, note, activity_id}]   money that moved without a trade
warnings      [text]
```

A cycle that did not trade has `format`, `status`, `code` and `message` only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from trading_bot.domain.words import verdict

if TYPE_CHECKING:
    from trading_bot.domain.cycle import CycleReport
    from trading_bot.domain.market import MarketState
    from trading_bot.domain.orders import Decision, Fill, OrderUpdate

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

FORMAT = 1


def report_as_json(report: CycleReport) -> str:
    """Return the report as indented JSON with the keys listed above."""
    from trading_bot.reporting.cash import cash_document  # a single decision needs neither
    from trading_bot.reporting.metrics import holdings

    document: dict[str, Json] = {
        "format": FORMAT,
        "status": "completed",
        "cycle_id": report.cycle_id,
        "session": report.session.isoformat(),
        "state": str(report.state),
        "market": _market(report.market),
        "decisions": [decision_document(decision) for decision in report.decisions],
        "orders": [_order(update) for update in report.orders],
        "settled": [_order(update) for update in report.settled],
        "fills": [_fill(fill) for fill in report.fills],
        "cash": plain(report.portfolio.cash),
        "equity": plain(report.equity),
        "positions": [plain_record(asdict(holding)) for holding in holdings(report)],
        "equity_curve": [plain_record(asdict(point)) for point in report.equity_curve],
        "cash_moved": [cash_document(activity) for activity in report.cash],
        "warnings": list(report.warnings),
    }
    return json.dumps(document, indent=2, allow_nan=False)


def skip_as_json(code: str, message: str) -> str:
    """Return why a cycle did not trade. `code` is one of `domain.cycle.SkipReason`."""
    return json.dumps({"format": FORMAT, "status": "skipped", "code": code, "message": message}, indent=2)


def plain_record(fields: Mapping[str, object]) -> dict[str, Json]:
    """Return a record's fields as JSON knows them."""
    return {name: plain(value) for name, value in fields.items()}


def plain(value: object) -> Json:
    """Return a leaf as JSON knows it. Raises TypeError on anything a record's field should not hold."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return float(value) if math.isfinite(value) else None  # numpy's float64 becomes a plain one
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case str():
            return str(value)  # an enumeration's value, too
        case _:
            raise TypeError(f"{type(value).__name__} has no place in the report: {value!r}")


def _market(market: MarketState) -> Json:
    return {
        "at": plain(market.at),
        "regime": plain_record(asdict(market.regime)),
        "coverage": plain_record(asdict(market.coverage)),
        "below_minimum_coverage": market.below_minimum_coverage,
        "quarantined": dict(market.quarantined.items()),
        "notes": list(market.notes),
    }


def decision_document(decision: Decision) -> dict[str, Json]:
    """Return one decision with every rule's numbers."""
    signal = decision.signal
    return {
        "symbol": signal.symbol,
        "side": str(signal.side),
        "purpose": str(signal.purpose),
        "verdict": verdict(decision),
        "requested": plain(decision.requested),
        "quantity": plain(decision.quantity),
        "rule": decision.rule,
        "reason": decision.reason,
        "strategy": signal.strategy,
        "wanted_weight": plain(signal.wanted_weight),
        "strength": plain(signal.strength),
        "signal_reason": signal.reason,
        "evidence": plain_record(signal.evidence),
        "stop_price": plain(signal.stop_price),
        "rulings": [plain_record(ruling._asdict()) for ruling in decision.rulings],
    }


def _order(update: OrderUpdate) -> Json:
    return plain_record(asdict(update))


def _fill(fill: Fill) -> Json:
    return plain_record(asdict(fill))
