from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from trading_bot.core.bot import open_bot
from trading_bot.domain.cycle import CycleReport, TradingState

Desk = Any  # the fixture's record; see conftest.py
STEPS = [
    "update_market_data",
    "settle_orders",
    "generate_signals",
    "apply_risk_checks",
    "execute_signals",
    "update_portfolio_state",
    "send_status_updates",
]


def report_of(state: Any) -> CycleReport:
    report = asyncio.run(state.aresult())
    assert isinstance(report, CycleReport)
    return report


def run_id(state: Any) -> UUID:
    return state.state_details.flow_run_id


def task_runs_of(state: Any) -> list[Any]:
    """Ask the server, which records the tasks of a run a moment after they ended."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
    from prefect.client.schemas.sorting import TaskRunSort
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=60)

    async def read() -> list[Any]:
        runs: list[Any] = []
        mine = FlowRunFilter(id=FlowRunFilterId(any_=[run_id(state)]))
        async with get_client() as client:
            for _ in range(600):
                runs = await client.read_task_runs(flow_run_filter=mine, sort=TaskRunSort.ID_DESC, limit=50)
                if len(runs) == len(STEPS) and all(run.state and run.state.is_final() for run in runs):
                    break
                await asyncio.sleep(0.1)
            return sorted(runs, key=lambda run: run.start_time)

    return asyncio.run(read())


def artifacts_of(state: Any) -> dict[str, Any]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        ArtifactFilter,
        ArtifactFilterFlowRunId,
        FlowRunFilter,
        TaskRunFilter,
    )
    from prefect.client.schemas.sorting import ArtifactSort

    async def read() -> dict[str, Any]:
        async with get_client() as client:
            mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id(state)]))
            everything = {"flow_run_filter": FlowRunFilter(), "task_run_filter": TaskRunFilter()}
            found = await client.read_artifacts(artifact_filter=mine, **everything, sort=ArtifactSort.ID_DESC, limit=50)
            return {artifact.key or "": artifact for artifact in found}

    return asyncio.run(read())


@contextmanager
def no_room_for_artifacts() -> Generator[None]:
    """Let the server's database refuse every new artifact."""
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL

    path = str(PREFECT_API_DATABASE_CONNECTION_URL.value()).partition(":///")[2]
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON artifact BEGIN SELECT RAISE(ABORT, 'no room'); END")
        try:
            yield
        finally:
            database.execute("DROP TRIGGER full")


def test_a_cycle_trades_the_first_session_and_the_next_one_the_session_after(desk: Callable[..., Desk]):
    mine = desk()
    first, second = mine.trade(), mine.trade()

    assert first.is_completed()
    assert str(report_of(first).session) == "2022-01-03"
    assert str(report_of(second).session) == "2022-01-04"


def test_every_step_is_one_task_and_they_run_in_order(desk: Callable[..., Desk]):
    names = [run.name.rpartition("-")[0] for run in task_runs_of(desk().trade())]

    assert names == STEPS


def test_the_flow_and_the_plain_steps_trade_the_same(desk: Callable[..., Desk], tmp_path: Path):
    from trading_bot.config.typed_settings import StateSettings
    from trading_bot.core.cycle import run_cycle

    mine = desk()
    flowed = [report_of(mine.trade()) for _ in range(2)]
    elsewhere = mine.settings.model_copy(update={"state": StateSettings(folder=tmp_path / "plain")})
    with open_bot(elsewhere) as bot:
        plain = [run_cycle(bot, run_id=str(number)) for number in range(2)]

    assert [report.decisions for report in flowed] == [report.decisions for report in plain]
    assert [report.fills for report in flowed] == [report.fills for report in plain]
    assert flowed[1].fills


@pytest.mark.parametrize(
    ("state", "reason"), [(TradingState.PAUSED, "Trading is paused by Ben"), (TradingState.HALTED, "Trading is halted")]
)
def test_a_cycle_that_may_not_trade_ends_as_skipped(desk: Callable[..., Desk], state: TradingState, reason: str):
    mine = desk()
    with mine.book() as book:
        book.control.set_state(state, cause="a test", who="Ben")

    ended = mine.trade()

    assert (ended.is_completed(), ended.name) == (True, "Skipped")
    assert ended.message.startswith(reason)
    assert asyncio.run(ended.aresult()) == state.value


def test_a_cycle_beside_a_running_one_ends_as_skipped(desk: Callable[..., Desk]):
    mine = desk()
    with mine.book() as book:
        assert book.control.acquire_lease("another-host:1:some-run", ttl_seconds=60)

    ended = mine.trade()

    assert (ended.name, asyncio.run(ended.aresult())) == ("Skipped", "lease_taken")


def test_a_failed_cycle_is_counted_and_the_next_one_waits(troubled_desk: Callable[..., Desk], tmp_path: Path):
    mine = troubled_desk("wrong answer")
    failed, waiting = mine.trade(), mine.trade()

    assert failed.is_failed()
    assert (waiting.name, asyncio.run(waiting.aresult())) == ("Skipped", "backing_off")
    with mine.book() as book:
        assert book.control.read().consecutive_errors == 1
        assert book.control.current_lease() is None
    assert len((tmp_path / "asked").read_text().splitlines()) == 1  # a wrong answer is not asked for again


def test_a_source_that_did_not_answer_is_asked_again(troubled_desk: Callable[..., Desk], tmp_path: Path):
    ended = troubled_desk("no answer", times=1).trade()

    assert ended.is_completed()
    assert len((tmp_path / "asked").read_text().splitlines()) == 2


def test_a_cycle_that_trades_ends_the_count_of_failures(troubled_desk: Callable[..., Desk]):
    mine = troubled_desk("wrong answer", times=1)
    mine.trade()
    mine.stop_waiting()

    assert mine.trade().is_completed()
    with mine.book() as book:
        assert book.control.read().consecutive_errors == 0


def test_five_failures_in_a_row_halt_the_bot_and_raise_the_alarm(
    troubled_desk: Callable[..., Desk], notices: tuple[str, list[dict[str, str]]]
):
    address, arrived = notices
    mine = troubled_desk("wrong answer", notification={"urls": [address], "min_level": "error"})
    for _ in range(5):
        assert mine.trade().is_failed()
        mine.stop_waiting()

    with mine.book() as book:
        control = book.control.read()
    assert (control.state, control.consecutive_errors) == (TradingState.HALTED, 5)
    assert [notice["title"] for notice in arrived] == ["Trading loop error"] * 5 + ["EMERGENCY SHUTDOWN"]
    assert "these are no prices" in arrived[0]["message"]
    assert mine.trade().name == "Skipped"


def test_an_error_that_nobody_foresaw_is_counted_too(troubled_desk: Callable[..., Desk]):
    mine = troubled_desk("bug")

    assert mine.trade().is_failed()
    with mine.book() as book:
        assert book.control.read().consecutive_errors == 1


def test_a_crash_is_counted(troubled_desk: Callable[..., Desk]):
    mine = troubled_desk("exit")
    with pytest.raises(SystemExit):
        mine.trade()

    with mine.book() as book:
        assert book.control.read().consecutive_errors == 1
        assert book.control.current_lease() is None


def test_an_interruption_is_not_counted_and_the_next_run_goes_on_at_once(troubled_desk: Callable[..., Desk]):
    mine = troubled_desk("Ctrl-C", times=1)
    with pytest.raises(KeyboardInterrupt):
        mine.trade()

    with mine.book() as book:
        assert book.control.read().consecutive_errors == 0
        assert book.cycles.unfinished() == ()
    assert str(report_of(mine.trade()).session) == "2022-01-03"


def test_a_mistyped_setting_fails_the_run_but_is_no_failed_cycle(desk: Callable[..., Desk]):
    mine = desk(data={"source": "no_such_source"})

    assert mine.trade().is_failed()
    good = desk()
    with good.book() as book:
        assert book.control.read().consecutive_errors == 0


def test_a_book_that_cannot_be_opened_fails_the_run_and_leaves_the_hook_harmless(
    desk: Callable[..., Desk], tmp_path: Path
):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "bensbot.db").write_text("not a database, but somebody's file")

    assert desk().trade().is_failed()
    assert (tmp_path / "state" / "bensbot.db").read_text() == "not a database, but somebody's file"


def test_a_broker_that_cannot_be_opened_is_counted_and_told(
    desk: Callable[..., Desk], notices: tuple[str, list[dict[str, str]]], tmp_path: Path
):
    address, arrived = notices
    mine = desk(notification={"urls": [address], "min_level": "error"}, orchestrator={"max_consecutive_errors": 2})
    assert mine.trade().is_completed()
    (tmp_path / "state" / "paper.db").write_bytes(b"garbage" * 1000)

    assert mine.trade().is_failed()
    assert asyncio.run(mine.trade().aresult()) == "backing_off"  # the shut door is not even tried
    mine.stop_waiting()
    assert mine.trade().is_failed()

    with mine.book() as book:
        control = book.control.read()
    assert (control.state, control.consecutive_errors) == (TradingState.HALTED, 2)
    assert "paper.db" in control.cause
    assert [notice["title"] for notice in arrived] == ["Trading loop error", "Trading loop error", "EMERGENCY SHUTDOWN"]


def test_the_artifacts_show_decisions_curve_and_positions(desk: Callable[..., Desk]):
    mine = desk()
    mine.trade()
    state = mine.trade()
    report, artifacts = report_of(state), artifacts_of(state)

    summary, positions = artifacts["bensbot-cycle"], artifacts["bensbot-positions"]
    assert all(decision.signal.symbol in summary.data for decision in report.decisions)
    assert "](data:image/svg+xml" in summary.data
    assert "<svg" not in summary.data
    assert all(symbol in positions.data for symbol in report.portfolio.positions)
    assert report.portfolio.positions


def test_no_secret_reaches_the_logs_of_a_failed_run(
    troubled_desk: Callable[..., Desk], caplog: pytest.LogCaptureFixture
):
    mine = troubled_desk("wrong answer", notification={"urls": ["json://user:hunter2hunter2@127.0.0.1:9/"]})
    mine.trade()

    assert "these are no prices" in caplog.text
    assert "hunter2hunter2" not in caplog.text


def test_fault_54_an_artifact_that_cannot_be_stored_fails_nothing(
    desk: Callable[..., Desk], caplog: pytest.LogCaptureFixture
):
    with no_room_for_artifacts(), caplog.at_level(logging.WARNING):
        state = desk().trade()

    assert report_of(state).orders
    assert "The artifacts of session 2022-01-03 were not stored" in caplog.text


DIES_IN_MID_CYCLE = """
import os, sys
from pathlib import Path
from trading_bot.config.typed_settings import load_config
from trading_bot.core.bot import open_bot
from trading_bot.core.cycle import admit
with open_bot(load_config(Path(sys.argv[1]))) as bot:
    admit(bot, run_id="killed-run")
    os._exit(9)
"""


def test_fault_59_a_hook_that_never_ran_is_made_up_for_by_the_next_cycle(desk: Callable[..., Desk]):
    mine = desk()
    died = subprocess.run([sys.executable, "-c", DIES_IN_MID_CYCLE, str(mine.config)], check=False)
    assert died.returncode == 9

    ended = mine.trade()

    assert (ended.name, asyncio.run(ended.aresult())) == ("Skipped", "backing_off")
    with mine.book() as book:
        assert book.control.read().consecutive_errors == 1
        assert book.cycles.unfinished() == ()
    mine.stop_waiting()
    assert str(report_of(mine.trade()).session) == "2022-01-03"


def test_fault_59_a_failure_is_counted_once_however_many_hooks_tell_of_it(troubled_desk: Callable[..., Desk]):
    from prefect.client.orchestration import get_client

    from flows.cycle import trading_cycle
    from flows.hooks import recover

    mine = troubled_desk("wrong answer")
    state = mine.trade()

    async def read() -> Any:
        async with get_client() as client:
            return await client.read_flow_run(run_id(state))

    recover(flow=trading_cycle, flow_run=asyncio.run(read()), state=state)

    with mine.book() as book:
        assert book.control.read().consecutive_errors == 1


def test_fault_61_no_result_of_a_task_is_kept_or_used_again(desk: Callable[..., Desk]):
    mine = desk()
    runs = [run for _ in range(2) for run in task_runs_of(mine.trade())]

    assert [run.state.name for run in runs] == ["Completed"] * 14
    assert [run.run_count for run in runs] == [1] * 14
    assert [run.state.data for run in runs if getattr(run.state.data, "storage_key", None)] == []


@pytest.mark.parametrize("step", STEPS)
def test_fault_61_no_task_has_a_cache(step: str):
    from prefect import Task
    from prefect.cache_policies import NO_CACHE

    from flows import cycle

    task = getattr(cycle, step)
    assert isinstance(task, Task)
    assert task.cache_policy == NO_CACHE
    assert task.persist_result is False
    assert task.retries == (3 if step in {"update_market_data", "settle_orders"} else 0)


def test_the_parameters_of_the_flow_explain_themselves_and_carry_no_secret():
    from flows.cycle import trading_cycle

    schema = trading_cycle.parameters.model_dump()
    params = schema["definitions"]["CycleParams"]["properties"]

    assert set(params) == {"config", "as_of"}
    assert all(field["description"] for field in params.values())


def test_a_finished_cycle_is_completed_in_the_book(desk: Callable[..., Desk]):
    mine = desk()
    report = report_of(mine.trade())

    with mine.book() as book:
        assert book.cycles.last_traded_session() == report.session
        assert book.cycles.unfinished() == ()
