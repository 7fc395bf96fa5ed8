"""What the owner may do to a running bot from Prefect's UI: halt it, let it go on, close its positions.

The book decides and is written first. Pausing the deployments of the trading cycle follows, so that Prefect's UI
shows the same; when Prefect cannot do that, the next cycle is skipped all the same.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from flows import hooks
from flows.deployed import let_cycles_go_on, pause_cycles
from flows.logs import prepared
from flows.standstill import show_status
from flows.this_run import this_run
from tasks.asking import whole
from tasks.execution import execute_signals
from tasks.flattening import cancel_and_settle, closing_signals
from tasks.market import update_market_data
from tasks.notices import send_status_updates
from tasks.portfolio import update_portfolio_state
from tasks.risk import apply_risk_checks
from trading_bot.config.typed_settings import load_config
from trading_bot.core import switch
from trading_bot.core.bot import Bot, open_bot
from trading_bot.core.clock import SystemClock
from trading_bot.core.flatten import FlattenRequest, admit_flatten
from trading_bot.core.tickers import as_held
from trading_bot.domain.cycle import CycleReport, CycleTicket, TradingState
from trading_bot.domain.errors import StateError
from trading_bot.domain.secrets import masked_errors
from trading_bot.reporting.closing import closing_in_words
from trading_bot.state.manager import StateManager

log = logging.getLogger(__name__)

CONFIG = "Settings file on the machine that runs the bot. Empty: config.yaml there, or the defaults."


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(default=None, description=CONFIG)
    because: str = Field(description="Why, for the journal. It is readable by everybody: no secrets.", min_length=1)


class HaltParams(_Params):
    """What to say about stopping."""

    state: Literal["halted", "paused", "reducing"] = Field(
        default="halted",
        description="halted: stop as in an emergency, until an acknowledged resume. paused: keep everything, do "
        "nothing. reducing: sell only.",
    )


class ResumeParams(_Params):
    """What to say about going on."""

    ack: bool = Field(default=False, description="I have seen why trading was halted. Needed after a halt only.")


class FlattenParams(_Params):
    """What to say about closing positions."""

    symbols: list[str] = Field(default=[], description="Close these only, e.g. AAPL. Empty: everything that is held.")
    ack: bool = Field(default=False, description="I have seen why trading was halted. Needed after a halt only.")


@flow(name="halt", description="Stop trading: halted, paused or reducing.", persist_result=False)
async def halt(params: HaltParams) -> str:
    """Set the trading state, and pause the deployments unless exits are still to be traded."""
    with masked_errors(), _book(params.config) as book:
        before = book.control.read().state
        control = book.control.set_state(TradingState(params.state), cause=params.because, who=_who())
        _show_in_prefect(book, before, control.state)
    return f"Trading is {control.state}."


@flow(name="resume", description="Trade again after a pause, a halt (acknowledged) or failures.", persist_result=False)
async def resume(params: ResumeParams) -> str:
    """Set the trading state to active and let the deployments go on."""
    with masked_errors(), _book(params.config) as book:
        control = switch.resume(book, because=params.because, who=_who(), ack=params.ack)
        _show_in_prefect(book, TradingState.HALTED, control.state)
    return f"Trading is {control.state}. Failures are forgotten, and drawdown counts from here."


@flow(
    name="flatten",
    description="Cancel what would buy, and close positions. Nothing is bought until a resume.",
    on_failure=[hooks.recover],
    on_crashed=[hooks.recover],
    on_cancellation=[hooks.announce_stop],
    persist_result=False,
)
async def flatten(params: FlattenParams) -> State[Any]:
    """Run the cycle that closes positions. The final state's message says what came of it."""
    with masked_errors(), open_bot(prepared(load_config(params.config))) as bot, _loop_settles(bot.book):
        symbols = as_held(params.symbols, bot.book.ledger.portfolio().positions)
        request = FlattenRequest(params.because, _who(), symbols, ack=params.ack)
        ticket = admit_flatten(bot, request, run_id=str(this_run().id))
        _let_the_loop_settle(bot.book)  # now already: whoever kills this run leaves a loop that goes on
        report = await run_flatten(bot, ticket, request)
        return Completed(message=bot.secrets.mask(closing_in_words(report)), data=report)


async def run_flatten(bot: Bot, ticket: CycleTicket, request: FlattenRequest) -> CycleReport:
    """Look, cancel and settle, check, trade, book, tell. One line is one step and one box in the UI."""
    bot, ticket, request = whole(bot), whole(ticket), whole(request)
    market = whole(update_market_data(bot, ticket))
    settlement = whole(cancel_and_settle(bot, ticket, market, request))
    signals = whole(closing_signals(bot, request))
    decisions = whole(apply_risk_checks(bot, ticket, market, signals))
    orders = whole(execute_signals(bot, ticket, market, decisions))
    report = update_portfolio_state(bot, ticket, market, settlement, decisions, orders)
    await send_status_updates(bot, whole(report))
    return report


def _book(config: Path | None) -> StateManager:
    return switch.open_book_to_switch(prepared(load_config(config)))


def _show_in_prefect(book: StateManager, before: TradingState, now: TradingState) -> None:
    """Pause the deployments where nothing is to run, let them go on where something is again, and say so."""
    standstill = (TradingState.HALTED, TradingState.PAUSED)
    if now in standstill:
        pause_cycles()
    elif before in standstill:
        let_cycles_go_on()
    show_status(book, at=SystemClock().now())


@contextmanager
def _loop_settles(book: StateManager) -> Generator[None]:
    """Look after the loop once the block has ended, well or not: part of it may be sold."""
    try:
        yield
    finally:
        with suppress(StateError):  # a book that is shut keeps the loop from settling, too
            _let_the_loop_settle(book)
            show_status(book, at=SystemClock().now())


def _let_the_loop_settle(book: StateManager) -> None:
    """End any pause of the deployments while the book is reducing: what is sold has to be booked by the next cycles."""
    if book.control.read().state is TradingState.REDUCING and let_cycles_go_on():
        log.warning("The loop was stopped or paused. It goes on, so that the sales are booked; it buys nothing.")


def _who() -> str:
    return f"Prefect run {this_run().name}"
