"""The rotation at 16:30: who decides from the next session on.

It takes no lease and sends no order, so it may run beside a cycle. What it writes is one record, all or nothing, once
for each session. A run that comes late rotates after the newest session only.
"""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from flows import hooks
from flows.logs import prepared
from flows.this_run import this_run
from tasks.asking import whole
from tasks.rotation import (
    decide_rotation,
    read_contest,
    record_rotation,
    runner_of,
    score_portion,
    tell_of_rotation,
)
from trading_bot.config.typed_settings import load_config
from trading_bot.core.bot import Bot, open_bot
from trading_bot.core.end_of_day import NotDue
from trading_bot.core.rotation.steps import Contest, portions, session_due
from trading_bot.domain.secrets import masked_errors
from trading_bot.domain.tournament import Rotation, Score


class RotationParams(BaseModel):
    """What a person may say about a rotation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(
        default=None,
        description="Settings file on the machine that runs the bot. Empty: config.yaml there, or the defaults.",
    )
    session: date | None = Field(
        default=None,
        description="Rotate after this session, due or not; one that was rotated is shown again. Empty: the one due.",
    )
    dry_run: bool = Field(default=False, description="Decide and show, but change nothing.")


THE_ONE_DUE = RotationParams()


@flow(
    name="strategy-rotation",
    description="After the close: choose the team of strategies for the sessions to come.",
    on_failure=[hooks.tell_of_lost_rotation],
    on_crashed=[hooks.tell_of_lost_rotation],
    persist_result=False,
)
async def strategy_rotation(params: RotationParams = THE_ONE_DUE) -> Rotation | State[Any]:
    """Rotate after the session that is due, unless there is none."""
    with masked_errors(), open_bot(prepared(load_config(params.config))) as bot:
        dry_run = params.dry_run or bot.settings.rotation.dry_run
        due = session_due(bot, params.session, dry_run=dry_run)
        if isinstance(due, NotDue):
            return Completed(name=hooks.SKIPPED, message=due.why)
        shown = bot.book.rotations.read(due)
        if shown is not None and not dry_run:
            await tell_of_rotation(whole(bot), whole(shown), dry_run=False)
            return shown
        contest = read_contest(whole(bot), due)
        if isinstance(contest, NotDue):
            return Completed(name=hooks.SKIPPED, message=contest.why)
        return await run_rotation(bot, contest, run_id=str(this_run().id), dry_run=dry_run)


async def run_rotation(bot: Bot, contest: Contest, *, run_id: str, dry_run: bool) -> Rotation:
    """Score, decide, write down, tell. One line is one step and one box in the UI."""
    settings = bot.settings.rotation
    bot, contest = whole(bot), whole(contest)
    scores = whole(await tournament.with_options(task_runner=runner_of(settings))(contest))
    rotation = decide_rotation(bot, contest, scores)
    if dry_run or record_rotation(bot, contest, whole(rotation), run_id):
        await tell_of_rotation(bot, whole(rotation), dry_run=dry_run)
    return rotation


@flow(
    name="tournament",
    description="Score every candidate of a rotation, in portions of seconds.",
    validate_parameters=False,
    persist_result=False,
)
async def tournament(contest: Contest) -> tuple[Score, ...]:
    """Hand the portions to whatever works them out, and return the scores in the order of the candidates."""
    hand_out: Any = score_portion  # what `submit` gives back, its stubs do not know
    # Not `whole`: what travels to another process is unpacked there by Dask and Ray, which do not know our wrapping.
    handed_out: list[PrefectFuture[tuple[Score, ...]]] = [hand_out.submit(contest, some) for some in portions(contest)]
    return tuple(score for portion in handed_out for score in portion.result())
