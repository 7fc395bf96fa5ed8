"""What came of closing positions, in one line: for a run's message and for whoever asked from elsewhere."""

from __future__ import annotations

from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.orders import OrderStatus, OrderUpdate, Rejected
from trading_bot.domain.words import counted, listed, sentence, trade

MOST_NAMED = 12
NOT_WANTED = frozenset({OrderStatus.REJECTED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.EXPIRED_UNSENT})


def closing_in_words(report: CycleReport) -> str:
    """Say what was sent, what was refused by the rules or the broker, and what a person should know."""
    sent = [order for order in report.orders if order.status not in NOT_WANTED]
    refused = [_refused(order) for order in report.orders if order.status in NOT_WANTED]
    refused += [f"{d.signal.symbol} ({d.reason})" for d in report.decisions if isinstance(d, Rejected)]
    lines = [f"{counted(len(sent), 'order')} to close positions: {_named(sent)}" if sent else "No order was sent"]
    lines += [f"Refused: {listed(refused, most=MOST_NAMED)}"] if refused else []
    return " ".join(sentence(line) for line in (*lines, *report.warnings))


def _named(orders: list[OrderUpdate]) -> str:
    return listed((trade(order.side, order.quantity, order.symbol) for order in orders), most=MOST_NAMED)


def _refused(order: OrderUpdate) -> str:
    return f"{trade(order.side, order.quantity, order.symbol)} ({order.reason or order.status})"
