"""One trading cycle: `python flows/cycle.py` trades the next session and says what it did and why.

It needs no key, no network and no running server. `--help` lists the options.
"""

import sys

if __name__ == "__main__":  # Prefect takes seconds to import, and people want to see at once that something happens
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])  # not flows/, whose files would hide modules of that name
    from flows.command import main

    sys.exit(main())

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from pydantic import BaseModel, ConfigDict, Field

from flows import hooks
from flows.ahead import use_the_wait
from flows.logs import prepared
from flows.standstill import BOOK, TRADED_EVENT, refuse_when_paused, show_status, skipped
from flows.this_run import this_run
from tasks.asking import whole
from tasks.execution import execute_signals
from tasks.intelligence import read_the_news
from tasks.market import settle_orders, update_market_data
from tasks.notices import send_status_updates
from tasks.portfolio import update_portfolio_state
from tasks.risk import apply_risk_checks
from tasks.rotation import rotate_before_trading
from tasks.signals import generate_signals
from trading_bot.config.typed_settings import load_config
from trading_bot.core.bot import Bot, open_bot, with_present_team
from trading_bot.core.cycle import admit
from trading_bot.core.rotation.steps import due_before_the_cycle
from trading_bot.domain.cycle import CycleReport, CycleTicket
from trading_bot.domain.errors import CycleSkipped
from trading_bot.domain.secrets import masked_errors


class CycleParams(BaseModel):
    """What a person may say about one cycle. Everything else is in the settings; secrets are in the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(
        default=None,
        description="Settings file on the machine that runs the cycle. Empty: config.yaml there, or the defaults.",
    )
    as_of: date | None = Field(
        default=None,
        description="Trade the session of this date instead of the next one. Only while history is replayed.",
    )


NEXT_SESSION = CycleParams()
use_the_wait()


@flow(
    name="trading-cycle",
    description="Look at the market, form opinions, check them, trade, keep the books, tell people.",
    on_completion=[hooks.say_it_traded],
    on_failure=[hooks.recover],
    on_crashed=[hooks.recover],
    on_cancellation=[hooks.announce_stop],
    persist_result=False,
)
async def trading_cycle(params: CycleParams = NEXT_SESSION) -> CycleReport | State[Any]:
    """Run one cycle with the bot that `params.config` describes, unless it may not trade now."""
    run = this_run()
    scheduled = run.expected_start_time if run.auto_scheduled else None  # None: a person asked for it
    with masked_errors(), open_bot(prepared(load_config(params.config))) as opened:
        bot = opened
        try:
            refuse_when_paused(bot, run)
            bot = await with_its_team(bot, str(run.id))
            ticket = admit(bot, run_id=str(run.id), as_of=params.as_of, scheduled=scheduled)
        except CycleSkipped as skip:
            return skipped(bot, skip)
        report = await run_cycle(bot, ticket)
        emit_event(TRADED_EVENT, resource=BOOK)
        show_status(bot.book, at=bot.clock.now())
        return report


async def with_its_team(bot: Bot, run_id: str) -> Bot:
    """Make up the rotation that has to come before this session of history, and return the bot with its team."""
    due = due_before_the_cycle(bot)
    if due is not None:
        await rotate_before_trading(whole(bot), due, run_id)
    return with_present_team(bot)


async def run_cycle(bot: Bot, ticket: CycleTicket) -> CycleReport:
    """Look, settle, think, check, trade, book, tell. One line is one step and one box in the UI."""
    reads_news, bot, ticket = bot.news is not None, whole(bot), whole(ticket)
    market = whole(update_market_data(bot, ticket))
    settlement = whole(settle_orders(bot, ticket, market))
    if reads_news:
        market = whole(read_the_news(bot, ticket, market))
    signals = whole(generate_signals(bot, ticket, market))
    decisions = whole(apply_risk_checks(bot, ticket, market, signals))
    orders = whole(execute_signals(bot, ticket, market, decisions))
    report = update_portfolio_state(bot, ticket, market, settlement, decisions, orders)
    await send_status_updates(bot, whole(report))
    return report
