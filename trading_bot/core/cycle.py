"""The steps of a trading cycle as plain functions, in the order in which they happen.

The flow calls them as tasks, `MainOrchestrator` in a loop: one body, two ways to run it.
"""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import TYPE_CHECKING

from trading_bot.core.admission import admit
from trading_bot.core.deciding import decide, gather, valuation, wishes, working
from trading_bot.core.news import with_news
from trading_bot.core.portfolio_stop import heed_portfolio_stop
from trading_bot.core.sending import send
from trading_bot.core.settlement import book_answers, settle, where_they_stand
from trading_bot.core.stopwatch import timed
from trading_bot.core.withdrawing import make_way
from trading_bot.domain.cycle import CycleReport, CycleTicket, Settlement
from trading_bot.domain.errors import StateError
from trading_bot.domain.inputs import CycleRecord
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import (
    Decision,
    OrderIntent,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Rejected,
    Signal,
    TimeInForce,
    client_order_id,
)
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.snapshot import pieces
from trading_bot.notifications.texts import cycle_alerts

if TYPE_CHECKING:
    from trading_bot.core.bot import Bot
    from trading_bot.core.desk import Desk

log = logging.getLogger(__name__)

_NOT_SENT_YET = frozenset({OrderStatus.INTENDED, OrderStatus.UNKNOWN})
_NOTHING_FILLED = frozenset({OrderStatus.REJECTED, OrderStatus.EXPIRED_UNSENT})


def run_cycle(bot: Bot, *, run_id: str, as_of: date | None = None, scheduled: datetime | None = None) -> CycleReport:
    """Look, settle, think, check, trade, book, tell: one cycle without a scheduler.

    Raises:
        CycleSkipped: the cycle may not trade now.
        BensBotError: a step failed; see `failures.handle_failure`.
    """
    report = trade(bot, admit(bot, run_id=run_id, as_of=as_of, scheduled=scheduled))
    send_status_updates(bot, report)
    return report


def trade(desk: Desk, ticket: CycleTicket) -> CycleReport:
    """Take the steps of a cycle that was let in, at a bot's desk or at that of a backtest. Raises BensBotError."""
    market = update_market_data(desk, ticket)
    settlement = settle_orders(desk, ticket, market)
    if desk.news is not None:
        market = read_the_news(desk, ticket, market)
    signals = generate_signals(desk, ticket, market)
    decisions = apply_risk_checks(desk, ticket, market, signals)
    orders = execute_signals(desk, ticket, market, decisions)
    return update_portfolio_state(desk, ticket, market, settlement, decisions, orders)


@timed
def update_market_data(desk: Desk, ticket: CycleTicket) -> MarketState:
    """Read the market as of the cycle's instant. Reading twice changes nothing."""
    if desk.stopwatch is not None:
        desk.stopwatch.begin(ticket.lease.token)
    return desk.data.get_market_state(ticket.at, ticket.session)


@timed
def settle_orders(desk: Desk, ticket: CycleTicket, market: MarketState) -> Settlement:
    """Book what became of earlier orders, before anything new is decided. Settling twice changes nothing."""
    settlement = settle(desk, ticket, market)
    heed_portfolio_stop(desk, ticket, market)
    return settlement


@timed
def read_the_news(desk: Desk, ticket: CycleTicket, market: MarketState) -> MarketState:
    """Return the market with the sentiment of its news. Reading twice changes nothing; a source may fail."""
    return market if desk.news is None else with_news(desk.news, ticket, market, historical=desk.data.historical)


@timed
def generate_signals(desk: Desk, ticket: CycleTicket, market: MarketState) -> tuple[Signal, ...]:
    """Ask the strategies what should change, and the stops what must. A stop overrules an opinion."""
    return wishes(desk.strategies, desk.risk, market, working(desk), desk.book.control.read(), ticket.strategies)


@timed
def apply_risk_checks(
    desk: Desk, ticket: CycleTicket, market: MarketState, signals: tuple[Signal, ...]
) -> tuple[Decision, ...]:
    """Decide about every signal and commit decisions and order intents in one transaction.

    A cycle that has decided in an earlier attempt keeps its decisions: they are read back.
    """
    if ticket.decided:
        return desk.book.journal.decisions(ticket.cycle_id)
    decisions, record = _decided(desk, ticket, market, signals)
    intents = [_intent(ticket, market, decision) for decision in decisions if not isinstance(decision, Rejected)]
    desk.book.journal.commit_decisions(
        ticket.cycle_id,
        ticket.lease,
        decisions=decisions,
        intents=intents,
        market_hash=record.market_hash if record else "",
        record=record,
    )
    return decisions


@timed
def execute_signals(
    desk: Desk, ticket: CycleTicket, market: MarketState, decisions: tuple[Decision, ...]
) -> tuple[OrderUpdate, ...]:
    """Send the cycle's committed intents, each at most once, and return where its orders stand.

    Never retried by a scheduler: whether an order may be sent again is decided by the order's own
    state. An answer that is not clear leaves the order UNKNOWN; the next cycle asks the broker for it.
    """
    del decisions, market  # the intents in the book are what is sent, and nothing else
    intents = desk.book.journal.intents(ticket.cycle_id)
    if not intents:
        return ()
    standing = {update.client_order_id: update.status for update in desk.book.journal.order_updates(ticket.cycle_id)}
    wanted = [intent for intent in intents if standing[intent.client_order_id] in _NOT_SENT_YET]
    send(desk, ticket, make_way(desk, ticket, wanted))
    return desk.book.journal.order_updates(ticket.cycle_id)


@timed
def update_portfolio_state(
    desk: Desk,
    ticket: CycleTicket,
    market: MarketState,
    settlement: Settlement,
    decisions: tuple[Decision, ...],
    orders: tuple[OrderUpdate, ...],
) -> CycleReport:
    """Book what filled at once, mark the equity, end the cycle and give the lease back."""
    fills, _ = book_answers(desk, ticket, _where_orders_stand_now(desk, orders))
    portfolio = desk.book.ledger.portfolio()
    prices = valuation(portfolio, market)
    equity, gross = portfolio.worth(prices)
    point = EquityPoint(ticket.session, portfolio.cash, equity, gross)
    desk.book.ledger.mark_equity(ticket.lease, point, ticket.cycle_id)
    desk.book.cycles.complete(ticket.cycle_id, ticket.lease, market.regime, market.coverage)
    desk.book.control.forget_failures(ticket.lease)
    desk.book.control.release_lease(ticket.lease)
    return CycleReport(
        cycle_id=ticket.cycle_id,
        session=ticket.session,
        market=market,
        decisions=decisions,
        orders=desk.book.journal.order_updates(ticket.cycle_id),
        settled=settlement.updates,
        fills=(*settlement.fills, *fills),
        portfolio=portfolio,
        prices=prices,
        equity=equity,
        equity_curve=desk.book.ledger.equity_curve(),
        state=desk.book.control.read().state,
        warnings=(*settlement.warnings, *market.warnings),
        cash=settlement.cash,
        team=desk.team,
    )


def send_status_updates(bot: Bot, report: CycleReport) -> None:
    """Tell people, and note how long the steps took. The book is committed: what fails here takes nothing back."""
    with bot.stopwatch.measuring("send_status_updates"):
        for alert in cycle_alerts(report):
            bot.notifier.send_alert(level=alert.level, title=alert.title, message=alert.message, details=alert.details)
    try:
        bot.book.cycles.record_steps(report.cycle_id, bot.stopwatch.seconds)
    except StateError as error:  # statistics only: the cycle has ended well
        log.warning("The durations of cycle %s were not kept: %s", report.cycle_id, error)


def _where_orders_stand_now(desk: Desk, orders: tuple[OrderUpdate, ...]) -> list[OrderUpdate]:
    """Return the orders that something may have come of: how they ended, or what the broker says by now."""
    ended = [order for order in orders if order.status.is_final and order.status not in _NOTHING_FILLED]
    working = [order.client_order_id for order in orders if not order.status.is_final]
    return [*ended, *(answer for answer in where_they_stand(desk.broker, working) if answer is not None)]


def _decided(
    desk: Desk, ticket: CycleTicket, market: MarketState, signals: tuple[Signal, ...]
) -> tuple[tuple[Decision, ...], CycleRecord | None]:
    """Return a decision about every signal, and what they rest on where that is kept."""
    conditions = desk.conditions
    if conditions is None and not signals:
        return (), None
    inputs = gather(desk, ticket, market, signals)
    decisions = decide(desk.risk, market, inputs, signals, window=ticket.window if ticket.exits_only else "")
    if conditions is None:
        return decisions, None
    return decisions, CycleRecord(
        market=market,
        inputs=inputs,
        conditions=conditions,
        cut=pieces(market.history),
        window=ticket.window,
        strategies=ticket.strategies,
        exits_only=ticket.exits_only,
        by_owner=ticket.by_owner,
    )


def _intent(ticket: CycleTicket, market: MarketState, decision: Decision) -> OrderIntent:
    signal = decision.signal
    return OrderIntent(
        client_order_id=client_order_id(ticket.cycle_id, signal.symbol, signal.side, signal.purpose),
        cycle_id=ticket.cycle_id,
        symbol=signal.symbol,
        side=signal.side,
        purpose=signal.purpose,
        quantity=decision.quantity,
        type=OrderType.MARKET if signal.stop_price is None else OrderType.STOP,
        time_in_force=TimeInForce.DAY if signal.stop_price is None else TimeInForce.GTC,
        reference_price=market.price(signal.symbol) if signal.stop_price is None else signal.stop_price,
        stop_price=signal.stop_price,
    )


__all__ = [
    "admit",
    "apply_risk_checks",
    "execute_signals",
    "generate_signals",
    "read_the_news",
    "run_cycle",
    "send_status_updates",
    "settle_orders",
    "trade",
    "update_market_data",
    "update_portfolio_state",
]
