"""The steps of a backtest: trade the past, and show what came of it."""

from __future__ import annotations

import logging

import httpx
from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectException

from tasks.asking import asked_again
from trading_bot.backtest import run
from trading_bot.backtest.run import Wanted
from trading_bot.domain.backtest import BacktestResult
from trading_bot.reporting.backtest_markdown import backtest_markdown

ARTIFACT = "bensbot-backtest"

log = logging.getLogger(__name__)


@asked_again
def trade_the_past(wanted: Wanted) -> BacktestResult:
    """Trade it. Nothing outside of this process changes, so asking again is safe."""
    return run.backtest(wanted)


@task(cache_policy=NO_CACHE, persist_result=False)
async def publish(result: BacktestResult) -> None:
    """Store numbers and pictures as a version of the artifact. One that cannot be stored is logged."""
    try:
        await acreate_markdown_artifact(backtest_markdown(result), key=ARTIFACT, description=result.label)
    except (PrefectException, httpx.HTTPError) as error:
        log.warning("The artifact of the backtest was not stored: %s", error)
