"""What happens to the account beside trades: https://docs.alpaca.markets/docs/account-activities ."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from trading_bot.alpaca.executions import Ask, pages
from trading_bot.alpaca.orders import instant, number, text
from trading_bot.domain.cash import CashActivity, CashKind
from trading_bot.domain.errors import BrokerUnavailable
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.symbols import Symbol

log = logging.getLogger(__name__)

CATEGORY = "non_trade_activity"
TAKEN_BACK = "canceled"
# What a type means. One that is not here is OTHER: it counts as profit or loss, as nobody paid it in.
KINDS: Mapping[str, CashKind] = {
    **dict.fromkeys(("FEE", "CFEE", "DIVFEE", "PTC"), CashKind.FEE),
    **dict.fromkeys(
        ("CGD", "DIV", "DIVCGL", "DIVCGS", "DIVFT", "DIVNRA", "DIVROC", "DIVTW", "DIVTXEX"), CashKind.DIVIDEND
    ),
    **dict.fromkeys(("INT", "INTNRA", "INTTW"), CashKind.INTEREST),
    **dict.fromkeys(("ACATC", "CSD", "CSW", "FOPT", "JNL", "JNLC", "OCT", "TRANS"), CashKind.TRANSFER),
}


def cash_activities_of(ask: Ask, after: datetime) -> tuple[CashActivity, ...]:
    """Return what moved cash and was listed after an instant, oldest first. Raises BrokerUnavailable on nonsense."""
    query = {"category": CATEGORY, "after": after.isoformat().replace("+00:00", "Z")}
    return tuple(sorted(_moving_cash(pages(ask, query)), key=lambda activity: activity.created_at))


def _moving_cash(documents: list[dict[str, Any]]) -> Iterator[CashActivity]:
    for fields in documents:
        if fields.get("activity_type") == "FILL" or fields.get("net_amount") is None:
            continue
        if fields.get("currency") not in (None, "", "USD"):
            log.warning("Activity %s is in %s, and not booked", fields.get("id"), fields.get("currency"))
            continue
        yield activity_of(fields)


def activity_of(fields: Mapping[str, Any]) -> CashActivity:
    """Return one activity. One that was taken back has amount 0. Raises BrokerUnavailable when a field is missing."""
    said, detail = text(fields, "activity_type"), fields.get("activity_sub_type")
    amount = ZERO if fields.get("status") == TAKEN_BACK else cents(number(fields, "net_amount"))
    day = _day(fields)
    symbol = fields.get("symbol")
    words = [str(fields[name]) for name in ("description", "status") if fields.get(name) not in (None, "", "executed")]
    return CashActivity(
        activity_id=text(fields, "id"),
        kind=KINDS.get(said, CashKind.OTHER),
        amount=amount,
        day=day,
        created_at=_created(fields, day),
        symbol=Symbol(symbol) if isinstance(symbol, str) and symbol else None,
        note=": ".join([f"{said}/{detail}" if detail else said, *words]),
    )


def _day(fields: Mapping[str, Any]) -> date:
    """Return the date; the document calls it a date and a time, its examples have none."""
    said = text(fields, "date")
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        raise BrokerUnavailable(f"Alpaca's answer has date={said!r}, wanted a date") from None


def _created(fields: Mapping[str, Any], day: date) -> datetime:
    """Return when it was listed; where that is not said, the beginning of its day."""
    if fields.get("created_at") is None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return instant(fields, "created_at")
