"""The end of a trading day: its result as an artifact and a notice, once for each session.

Telling takes no lease and writes nothing to the ledger, so it may run beside a cycle. People are told first, and that
they were told is written down afterwards: a crash in between repeats the notice once and never loses it.
"""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from flows import hooks
from flows.logs import prepared
from flows.this_run import this_run
from tasks.asking import whole
from tasks.end_of_day import clean_up, mark_reported, read_day, tell_people
from trading_bot.config.typed_settings import load_config
from trading_bot.core.bot import open_bot
from trading_bot.core.end_of_day import NotDue, session_due
from trading_bot.domain.secrets import masked_errors
from trading_bot.reporting.day import DayReport


class EndOfDayParams(BaseModel):
    """What a person may say about the report of a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(
        default=None,
        description="Settings file on the machine that runs the bot. Empty: config.yaml there, or the defaults.",
    )
    session: date | None = Field(
        default=None,
        description="Report this session again. Empty: the newest one that is over and was not reported.",
    )


NEWEST_SESSION = EndOfDayParams()


@flow(
    name="end-of-day",
    description="After the close: tell people what the trading day came to.",
    on_failure=[hooks.tell_of_lost_day],
    on_crashed=[hooks.tell_of_lost_day],
    persist_result=False,
)
async def end_of_day(params: EndOfDayParams = NEWEST_SESSION) -> DayReport | State[Any]:
    """Report the session that is due, unless there is none."""
    with masked_errors(), open_bot(prepared(load_config(params.config))) as bot:
        due = session_due(bot, params.session)
        if isinstance(due, NotDue):
            return Completed(name=hooks.SKIPPED, message=due.why)
        report = read_day(whole(bot), due, again=params.session is not None)
        await tell_people(whole(bot), whole(report))
        mark_reported(whole(bot), due, str(this_run().id))
        clean_up(whole(bot))
        return report
