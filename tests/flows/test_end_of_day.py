"""The end of a trading day as a Prefect run: artifact, notice, and what a failure does not do."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from trading_bot.core.end_of_day import CHORE
from trading_bot.domain.cycle import TradingState
from trading_bot.reporting.day import DayReport

pytestmark = pytest.mark.slow

Desk = Any  # the fixture's record; see conftest.py
Notices = tuple[str, list[dict[str, str]]]
FIRST, SECOND = date(2022, 1, 3), date(2022, 1, 4)


def close(mine: Desk, session: date | None = None) -> Any:
    """Run the flow and return its final state."""
    from flows.end_of_day import EndOfDayParams, end_of_day

    async def run() -> Any:
        params = EndOfDayParams(config=mine.config, session=session)
        return await cast("Awaitable[Any]", end_of_day(params, return_state=True))

    return asyncio.run(run())


def report_of(state: Any) -> DayReport:
    report = asyncio.run(state.aresult())
    assert isinstance(report, DayReport)
    return report


def versions() -> list[Any]:
    """Return every version of the artifact that this server has, newest first."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, TaskRunFilter
    from prefect.client.schemas.sorting import ArtifactSort

    async def read() -> list[Any]:
        mine = ArtifactFilter(key=ArtifactFilterKey(any_=["bensbot-day"]))
        async with get_client() as client:
            return await client.read_artifacts(
                artifact_filter=mine,
                flow_run_filter=FlowRunFilter(),
                task_run_filter=TaskRunFilter(),
                sort=ArtifactSort.CREATED_DESC,
                limit=200,
            )

    return asyncio.run(read())


def versions_of(session: date) -> list[Any]:
    return [version for version in versions() if version.description == f"What session {session} came to"]


def titles(arrived: list[dict[str, str]]) -> list[str]:
    return [notice["title"] for notice in arrived]


def test_the_day_is_told_once_by_a_notice_and_an_artifact(desk: Callable[..., Desk], notices: Notices):
    address, arrived = notices
    mine = desk(notification={"urls": [address]})
    mine.trade()
    arrived.clear()

    first, second = close(mine), close(mine)

    assert report_of(first).session == FIRST
    assert (second.name, second.message) == ("Skipped", "The newest one that traded, 2022-01-03, was reported.")
    assert titles(arrived) == ["Day of 2022-01-03"]
    assert "# Day of 2022-01-03\n\nEquity **$100,000.00**" in versions_of(FIRST)[0].data


def test_that_people_were_told_is_in_the_book(desk: Callable[..., Desk]):
    mine = desk()
    mine.trade()

    state = close(mine)

    with mine.book() as book:
        assert book.chores.newest(CHORE) == FIRST
        assert not book.chores.record(CHORE, FIRST, run_id=str(state.state_details.flow_run_id))


def test_a_day_reported_again_updates_its_version_of_the_artifact(desk: Callable[..., Desk], notices: Notices):
    address, arrived = notices
    mine = desk(notification={"urls": [address]})
    mine.trade()
    mine.trade()
    close(mine)
    before = len(versions_of(SECOND))
    arrived.clear()

    again = close(mine, SECOND)

    assert report_of(again).session == SECOND
    assert titles(arrived) == ["Day of 2022-01-04"]
    assert len(versions_of(SECOND)) == before


def test_nothing_traded_is_nothing_to_tell(desk: Callable[..., Desk], notices: Notices):
    address, arrived = notices
    state = close(desk(notification={"urls": [address]}))

    assert state.is_completed()
    assert (state.name, state.message) == ("Skipped", "No session was traded yet.")
    assert arrived == []


def test_a_day_that_never_traded_fails_the_run_and_tells_nobody(desk: Callable[..., Desk], notices: Notices):
    address, arrived = notices
    mine = desk(notification={"urls": [address]})
    mine.trade()
    arrived.clear()

    state = close(mine, date(2022, 1, 8))

    assert state.is_failed()
    assert "No cycle of session 2022-01-08 completed" in state.message
    assert arrived == []


def test_a_failure_is_told_but_not_counted_and_halts_nothing(desk: Callable[..., Desk], notices: Notices):
    address, arrived = notices
    mine = desk(notification={"urls": [address]}, orchestrator={"max_consecutive_errors": 1})
    mine.trade()
    arrived.clear()
    lose_equity(mine)

    state = close(mine)

    assert state.is_failed()
    assert titles(arrived) == ["End of day failed"]
    assert "Trading goes on; `bensbot report` shows the day." in arrived[0]["message"]
    with mine.book() as book:
        control = book.control.read()
    assert (control.state, control.consecutive_errors) == (TradingState.ACTIVE, 0)


def test_a_run_that_failed_leaves_the_day_for_the_next_one(desk: Callable[..., Desk], notices: Notices):
    address, arrived = notices
    mine = desk(notification={"urls": [address]})
    mine.trade()
    lose_equity(mine)
    close(mine)
    mine.trade()
    arrived.clear()

    close(mine)

    assert titles(arrived) == ["Day of 2022-01-04"]


def test_no_secret_leaves_with_a_failure(desk: Callable[..., Desk], notices: Notices, tmp_path: Path):
    address, arrived = notices
    token = "plantedsecret0123456789"  # part of the channel's address, and of a path that the error names
    mine = desk(notification={"urls": [f"{address}{token}"]}, state={"folder": str(tmp_path / token)})
    mine.trade()
    arrived.clear()
    change(mine, "DROP TABLE equity")

    state = close(mine)

    assert state.is_failed()
    assert titles(arrived) == ["End of day failed"]
    assert "****/bensbot.db" in arrived[0]["message"]
    assert token not in f"{state.message}{arrived}"


def lose_equity(mine: Desk) -> None:
    """Take the day's equity out of the book, so that there is nothing to report from."""
    change(mine, "DELETE FROM equity")


def change(mine: Desk, statement: str) -> None:
    with closing(sqlite3.connect(mine.settings.state.folder / "bensbot.db")) as book:
        book.execute(statement)
        book.commit()
