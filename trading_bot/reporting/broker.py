"""Orders, the account and a reconciliation, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trading_bot.domain.cash import ByHand, CashActivity
from trading_bot.domain.cycle import Settlement, TradingState
from trading_bot.domain.orders import Fill, OrderUpdate
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.stories import Entry
from trading_bot.domain.words import dollars, one_line, ordered, price_text, sentence, shares_text, trade
from trading_bot.reporting.cash import cash_document, cash_line
from trading_bot.reporting.story import entry_document

if TYPE_CHECKING:
    from trading_bot.domain.ports import BrokerAccount

AGREE = "Our book and the broker's agree, to the share and to the cent."


def external_as_text(traded: Sequence[CashActivity]) -> str:
    """Return a line for each trade in the account that is not ours, the newest first."""
    return "".join(f"{done.day}  EXTERNAL  {one_line(done.note)}\n" for done in reversed(traded))


def orders_as_text(entries: Sequence[Entry], *, open_only: bool, symbol: str | None = None) -> str:
    """Return a line for each order, the newest first; `symbol` was asked for."""
    if not entries:
        order = f"No order in {one_line(symbol)}" if symbol else "No order"
        return f"{order} is open." if open_only else f"{order} was sent yet."
    return "\n".join(_order_line(entry) for entry in entries)


def moved_order(order: OrderUpdate) -> str:
    """Return where an order stands now, in one line."""
    said = order.status.replace("_", " ")
    part = f", {shares_text(order.filled)} filled" if order.filled and order.filled != order.quantity else ""
    why = f": {one_line(order.reason)}" if order.reason else ""
    what = trade(order.side, order.quantity, order.symbol)
    return f"{order.updated_at:%Y-%m-%d %H:%M:%S} UTC  {said:<16}  {what}{part}{why}  ({order.client_order_id})"


def orders_as_json(entries: Sequence[Entry]) -> str:
    """Return each order with the decision behind it."""
    return json.dumps([entry_document(entry) for entry in entries], indent=2)


def account_as_text(
    account: BrokerAccount, theirs: Portfolio, ours: Portfolio | None, found: Sequence[str], others: ByHand
) -> str:
    """Return who we are at the broker, what is there, and whether the book says the same."""
    blocked = ", blocked" if account.blocked else ""
    lines = [
        f"{account.mode} account {account.account_id}{blocked}",
        f"  cash          {dollars(account.cash)}",
        f"  buying power  {dollars(account.buying_power)}",
        *(
            f"  {one_line(symbol):<12}  {shares_text(held.quantity)} shares, paid {price_text(held.average_price)}"
            for symbol, held in sorted(theirs.positions.items())
        ),
    ]
    return "\n".join([*lines, *_by_hand_lines(others), *_compared(ours, found)])


def account_as_json(
    account: BrokerAccount, theirs: Portfolio, ours: Portfolio | None, found: Sequence[str], others: ByHand
) -> str:
    """Return the same for machines; money and shares are text."""
    document = {
        "account_id": account.account_id,
        "mode": account.mode,
        "blocked": account.blocked,
        "cash": format(account.cash, "f"),
        "buying_power": format(account.buying_power, "f"),
        "positions": _positions(theirs),
        "external": _by_hand_document(others),
        "agrees_with_book": None if ours is None else not found,
        "differences": list(found),
    }
    return json.dumps(document, indent=2)


def reconciled_as_text(settlement: Settlement, found: Sequence[str], state: TradingState, others: ByHand) -> str:
    """Return what was booked, and whether both sides agree now."""
    lines = [f"booked  {_fill_words(fill)}" for fill in settlement.fills]
    lines += [f"cash    {cash_line(activity)}" for activity in settlement.cash]
    lines += [f"now     {_update_words(update)}" for update in settlement.updates]
    lines += [f"note    {sentence(warning)}" for warning in settlement.warnings]  # what differs is among them
    lines += _by_hand_lines(others)
    lines += [] if found else [AGREE]
    if state is TradingState.REDUCING:
        lines.append("Only exits are let through until: bensbot resume")
    return "\n".join(lines)


def reconciled_as_json(settlement: Settlement, found: Sequence[str], state: TradingState, others: ByHand) -> str:
    """Return the same for machines."""
    document: dict[str, Any] = {
        "agrees": not found,
        "differences": list(found),
        "fills": [
            {
                "symbol": fill.symbol,
                "side": str(fill.side),
                "quantity": format(fill.quantity, "f"),
                "price": format(fill.price, "f"),
                "fee": format(fill.fee, "f"),
            }
            for fill in settlement.fills
        ],
        "orders": [
            {"client_order_id": update.client_order_id, "status": str(update.status)} for update in settlement.updates
        ],
        "cash_moved": [cash_document(activity) for activity in settlement.cash],
        "warnings": list(settlement.warnings),
        "external": _by_hand_document(others),
        "state": str(state),
    }
    return json.dumps(document, indent=2)


def _compared(ours: Portfolio | None, found: Sequence[str]) -> list[str]:
    if ours is None:
        return ["There is no book of this account yet."]
    return [f"Our book and the broker's differ. {sentence(difference)}" for difference in found] or [AGREE]


def _by_hand_lines(others: ByHand) -> list[str]:
    held = [f"EXTERNAL  {shares_text(shares)} {one_line(name)}" for name, shares in others.shares.items()]
    return [*held, *(f"EXTERNAL  {_update_words(order)}" for order in others.open_orders)]


def _by_hand_document(others: ByHand) -> dict[str, Any]:
    return {
        "shares": {symbol: format(shares, "f") for symbol, shares in others.shares.items()},
        "open_orders": [
            {
                "broker_order_id": order.broker_order_id,
                "symbol": order.symbol,
                "side": str(order.side),
                "quantity": format(order.quantity, "f"),
                "filled": format(order.filled, "f"),
                "status": str(order.status),
            }
            for order in others.open_orders
        ],
    }


def _positions(portfolio: Portfolio) -> list[dict[str, str]]:
    return [
        {
            "symbol": held.symbol,
            "quantity": format(held.quantity, "f"),
            "average_price": format(held.average_price, "f"),
        }
        for _, held in sorted(portfolio.positions.items())
    ]


def _order_line(entry: Entry) -> str:
    order = entry.order
    if order is None:
        return f"{entry.session}  {trade(entry.decision.signal.side, entry.decision.quantity, entry.symbol)}"
    price = entry.average_price
    filled = "" if price is None else f" at {price_text(price)}"
    reason = f": {one_line(order.reason)}" if order.reason else ""
    wanted = ordered(order)
    return f"{entry.session}  {wanted:<19}  {order.status.value.replace('_', ' ')}{filled}{reason}"


def _fill_words(fill: Fill) -> str:
    return f"{trade(fill.side, fill.quantity, fill.symbol)} at {price_text(fill.price)}, fee {dollars(fill.fee)}"


def _update_words(update: OrderUpdate) -> str:
    return f"{ordered(update)} is {update.status.value.replace('_', ' ')}"
