"""Close positions now: a cycle of its own, whose only signals are the owner's.

It takes the steps of every other cycle, with the same journal, rules, lease and order names. First of all the
state becomes REDUCING, so that a cycle which is running buys nothing any more, and none buys the shares back.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from trading_bot.core import cycle
from trading_bot.core.admission import bury_dead_cycles, current_control, let_in, next_tick, take_lease
from trading_bot.core.settlement import ON_ITS_WAY, book_answers, settle
from trading_bot.core.switch import require_acknowledgement
from trading_bot.domain.cycle import CycleReport, CycleTicket, Lease, Settlement, SkipReason, TradingState
from trading_bot.domain.errors import BrokerUnavailable, CycleSkipped, NotSent
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import OpenOrder, OrderStatus, OrderUpdate, Purpose, Side, Signal
from trading_bot.domain.words import listed, one_line, sentence, trade

if TYPE_CHECKING:
    from trading_bot.core.bot import Bot

log = logging.getLogger(__name__)

SUFFIX = "-flatten"  # its cycle has the name of the tick and this; see `_suffix`
OWNER = "owner"  # the strategy of its signals
ACKNOWLEDGE = "`ack: true` in the parameters of the flow flatten, or `bensbot flatten --ack`"
LEASE_WAIT_SECONDS = 30  # a running cycle takes a few seconds
POLL_SECONDS = 1.0
MOST_NAMED = 12
PATIENCE = f"{ON_ITS_WAY.total_seconds() / 60:.0f} minutes"  # until an order that was sent is not on its way any more


@dataclass(frozen=True, slots=True)
class FlattenRequest:
    """What the owner wants closed, and why."""

    because: str
    who: str
    symbols: tuple[Symbol, ...] = ()  # empty: everything that is held
    ack: bool = False  # I have seen why trading is halted


def flatten(bot: Bot, request: FlattenRequest, *, run_id: str) -> CycleReport:
    """Close positions without a scheduler.

    Raises:
        SettingsError: trading is halted and the request does not acknowledge it.
        CycleSkipped: another cycle is running for too long, or the market is closed. Nothing is bought any more.
        BensBotError: a step failed; see `failures.handle_failure`.
    """
    ticket = admit_flatten(bot, request, run_id=run_id)
    market = cycle.update_market_data(bot, ticket)
    settlement = cancel_and_settle(bot, ticket, market, request)
    signals = closing_signals(bot, request)
    decisions = cycle.apply_risk_checks(bot, ticket, market, signals)
    orders = cycle.execute_signals(bot, ticket, market, decisions)
    report = cycle.update_portfolio_state(bot, ticket, market, settlement, decisions, orders)
    cycle.send_status_updates(bot, report)
    return report


def admit_flatten(bot: Bot, request: FlattenRequest, *, run_id: str) -> CycleTicket:
    """Let exits through only, wait a little for a running cycle, and begin. The errors are those of `flatten`."""
    _reduce(bot, request, admitted=False)
    lease = _lease_within_a_while(bot, run_id)
    with ExitStack() as undo:
        undo.callback(bot.book.control.release_lease, lease)
        bury_dead_cycles(bot)
        _reduce(bot, request, admitted=False)
        tick = replace(next_tick(bot, None, None), suffix=_suffix(request))
        if bot.settings.orchestrator.market_hours_only and not bot.hours.is_trading_time(tick.at):
            message = f"The market is closed for us at {tick.at:%Y-%m-%d %H:%M} UTC."
            raise CycleSkipped(SkipReason.MARKET_CLOSED, f"{message} {_nothing_sold(bot)}")
        ticket = let_in(bot, lease, tick, run_id=run_id, state=TradingState.REDUCING)
        ticket = replace(ticket, by_owner=True)
        _reduce(bot, request, admitted=True)
        undo.pop_all()
    _tell(bot, request)
    return ticket


def cancel_and_settle(bot: Bot, ticket: CycleTicket, market: MarketState, request: FlattenRequest) -> Settlement:
    """Cancel every open order that would buy, then book what became of all others. Doing it twice changes nothing.

    The cancelling comes first, because settling lets a simulated exchange trade the session.
    """
    answers, warnings = _cancel_entries(bot, ticket)
    fills, updates = book_answers(bot, ticket, answers)
    rest = settle(bot, ticket, market)
    held = bot.book.ledger.portfolio()
    missing = [symbol for symbol in request.symbols if not held.held(symbol)]
    if missing:
        warnings = (*warnings, f"Nothing to close, because it is not held: {listed(missing, most=MOST_NAMED)}")
    warnings = (*warnings, *_perhaps_sold(bot, ticket, request))
    return Settlement((*updates, *rest.updates), (*fills, *rest.fills), (*warnings, *rest.warnings))


def closing_signals(bot: Bot, request: FlattenRequest) -> tuple[Signal, ...]:
    """Return one signal for every position that is to be closed; what is being sold already gets none."""
    portfolio = bot.book.ledger.portfolio()
    leaving = dict.fromkeys(portfolio.positions, ZERO)
    for order in bot.book.journal.open_orders():
        if not order.intent.purpose.is_entry and order.intent.symbol in leaving and not order.rests:
            leaving[order.intent.symbol] += order.remaining
    wanted = request.symbols or tuple(portfolio.positions)
    held = sorted(symbol for symbol in set(wanted) if abs(portfolio.held(symbol)) > leaving.get(symbol, ZERO))
    return tuple(_closing(symbol, Side.SELL if portfolio.held(symbol) > 0 else Side.BUY, request) for symbol in held)


def _closing(symbol: Symbol, side: Side, request: FlattenRequest) -> Signal:
    return Signal(
        symbol=symbol,
        side=side,
        purpose=Purpose.EXIT,
        wanted_weight=0.0,
        strength=1.0,
        strategy=OWNER,
        reason=f"{request.who} wants the position closed, because {one_line(request.because)}",
    )


def _suffix(request: FlattenRequest) -> str:
    """Name what is asked: after a kill the same request goes on with its orders, and another one decides anew."""
    if not request.symbols:
        return SUFFIX
    named = " ".join(sorted(set(request.symbols)))
    return f"{SUFFIX}-{sha256(named.encode()).hexdigest()[:8]}"


def _nothing_sold(bot: Bot) -> str:
    state = bot.book.control.read().state
    return f"Nothing was sold yet. Trading is {state}: nothing is bought. To close the positions, flatten again later."


def _reduce(bot: Bot, request: FlattenRequest, *, admitted: bool) -> None:
    """Let exits through only. What is paused or halted stays so until we are let in, and halted without `ack`."""
    control = current_control(bot)
    require_acknowledgement(control, ack=request.ack, command=ACKNOWLEDGE)
    if control.state is TradingState.REDUCING or (control.state is not TradingState.ACTIVE and not admitted):
        return
    halted = control.state is TradingState.HALTED
    cause = f"flatten, because {request.because}"
    bot.book.control.set_state(TradingState.REDUCING, cause=cause, who=request.who, acknowledged=halted)


def _lease_within_a_while(bot: Bot, run_id: str) -> Lease:
    for _ in range(int(LEASE_WAIT_SECONDS / POLL_SECONDS)):
        try:
            return take_lease(bot, run_id)
        except CycleSkipped as taken:
            log.info("%s", taken)
            bot.clock.sleep(POLL_SECONDS)
    try:
        return take_lease(bot, run_id)
    except CycleSkipped as taken:
        raise CycleSkipped(taken.code, f"{sentence(str(taken))} {_nothing_sold(bot)}") from taken


def _cancel_entries(bot: Bot, ticket: CycleTicket) -> tuple[list[OrderUpdate], tuple[str, ...]]:
    answers: list[OrderUpdate] = []
    warnings: list[str] = []
    for order in bot.book.journal.open_orders():
        if not order.intent.purpose.is_entry or not order.remaining:
            continue
        match _withdraw(bot, ticket, order):
            case OrderUpdate() as answer:
                answers.append(answer)
            case str() as doubt:
                wanted = trade(order.intent.side, order.remaining, order.intent.symbol)
                warnings.append(f"The order to {wanted} may still fill: {doubt}")
            case None:
                pass
    return answers, tuple(warnings)


def _withdraw(bot: Bot, ticket: CycleTicket, order: OpenOrder) -> OrderUpdate | str | None:
    """Cancel the order, or give it up when it is not there: should it come late, the next cycle cancels it.

    Returns:
        The broker's answer, or why it may still fill, or None for an order that was never sent.
    """
    order_id = order.intent.client_order_id
    try:
        if bot.broker.find(order_id) is not None:
            return bot.broker.cancel(order_id, at=ticket.at)
    except (BrokerUnavailable, NotSent) as error:
        log.warning("No clear answer to cancelling order %s: %s", order_id, error)
        return "that it was cancelled is not confirmed"
    bot.book.journal.expire_unsent(order_id, ticket.lease, f"not at the broker when {ticket.cycle_id} cancelled it")
    if order.status is not OrderStatus.UNKNOWN:
        return None
    unknown = "it was sent, and the broker does not know it yet. Should it arrive, the next cycle cancels it"
    return f"{unknown}; resume no sooner than {PATIENCE} from now"


def _perhaps_sold(bot: Bot, ticket: CycleTicket, request: FlattenRequest) -> tuple[str, ...]:
    """Name the sales of other cycles that may be on their way: a second one could sell what is not held."""
    unclear = [
        trade(order.intent.side, order.remaining, order.intent.symbol)
        for order in bot.book.journal.open_orders()
        if order.status is OrderStatus.UNKNOWN and not order.intent.purpose.is_entry
        if order.intent.cycle_id != ticket.cycle_id
        and order.intent.symbol in (request.symbols or [order.intent.symbol])
    ]
    return tuple(
        f"The order to {wanted} had no clear answer, and is not sent again. Flatten again in {PATIENCE}"
        for wanted in unclear
    )


def _tell(bot: Bot, request: FlattenRequest) -> None:
    what = listed(request.symbols, most=MOST_NAMED) if request.symbols else "every position"
    message = (
        f"{request.who} closes {what}, because {sentence(request.because)} Nothing is bought until: bensbot resume"
    )
    log.warning("%s", message)
    bot.notifier.send_alert(level="warning", title="Flatten", message=message)
