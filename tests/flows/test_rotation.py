"""The rotation as a Prefect run: team, artifact, notice, and the same scores whoever works them out."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, cast

import pytest

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.tournament import Rotation

pytestmark = pytest.mark.slow

Desk = Any  # the fixture's record; see conftest.py
Notices = tuple[str, list[dict[str, str]]]
FIRST, SECOND = date(2022, 1, 3), date(2022, 1, 4)
ON = {"enable_strategy_rotation": True}
FEW = {"windows": [60], "candidates": ["momentum", {"name": "sma_cross", "grid": {"fast": [5, 10]}}]}


def rotate(mine: Desk, session: date | None = None, *, dry_run: bool = False) -> Any:
    """Run the flow and return its final state."""
    from flows.rotation import RotationParams, strategy_rotation

    async def run() -> Any:
        params = RotationParams(config=mine.config, session=session, dry_run=dry_run)
        return await cast("Awaitable[Any]", strategy_rotation(params, return_state=True))

    return asyncio.run(run())


def rotation_of(state: Any) -> Rotation:
    rotation = asyncio.run(state.aresult())
    assert isinstance(rotation, Rotation)
    return rotation


def artifact_of(state: Any) -> str:
    """Return the text of the run's artifact."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        ArtifactFilter,
        ArtifactFilterKey,
        FlowRunFilter,
        FlowRunFilterId,
        TaskRunFilter,
    )
    from prefect.client.schemas.sorting import ArtifactSort

    async def read() -> list[Any]:
        async with get_client() as client:
            return await client.read_artifacts(
                artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["bensbot-rotation"])),
                flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id])),
                task_run_filter=TaskRunFilter(),
                sort=ArtifactSort.CREATED_DESC,
            )

    (found,) = asyncio.run(read())
    return found.data


def titles(arrived: list[dict[str, str]]) -> list[str]:
    return [notice["title"] for notice in arrived]


def test_a_rotation_is_told_once_recorded_once_and_shown_as_a_table(desk: Callable[..., Desk], notices: Notices):
    address, arrived = notices
    mine = desk(orchestrator=ON, rotation=FEW, notification={"urls": [address]})
    mine.trade()
    arrived.clear()

    first, second, again = rotate(mine), rotate(mine), rotate(mine, FIRST)

    rotation = rotation_of(first)
    assert (rotation.session, rotation.changed) == (FIRST, True)
    assert titles(arrived)[0] == "New team after 2022-01-03"
    assert (second.name, second.message.split(".")[0]) == ("Skipped", "The newest rotation is that of 2022-01-03")
    assert rotation_of(again) == rotation
    text = artifact_of(first)
    assert text.startswith("# Rotation after 2022-01-03\n\nThe team is now ")
    assert "| Candidate | Sharpe ratio | 60 sessions: Sharpe | 60 sessions: return |" in text
    with mine.book() as book:
        assert book.rotations.read(FIRST) == rotation


def test_the_cycle_that_replays_history_rotates_before_the_next_session(desk: Callable[..., Desk]):
    mine = desk(orchestrator=ON, rotation=FEW)

    assert [mine.trade().name, mine.trade().name] == ["Completed", "Completed"]

    with mine.book() as book:
        assert book.rotations.newest_session() == FIRST
    assert rotation_of(rotate(mine)).session == SECOND


def test_a_dry_run_shows_and_changes_nothing(desk: Callable[..., Desk]):
    mine = desk(orchestrator=ON, rotation=FEW)
    mine.trade()

    state = rotate(mine, dry_run=True)

    assert rotation_of(state).changed
    assert "**Dry run: nothing was changed.**" in artifact_of(state)
    with mine.book() as book:
        assert book.rotations.newest_session() is None


def test_a_book_that_is_paused_is_not_rotated(desk: Callable[..., Desk]):
    mine = desk(orchestrator=ON, rotation=FEW)
    mine.trade()
    with mine.book() as book:
        book.control.set_state(TradingState.PAUSED, cause="on holiday", who="owner")

    state = rotate(mine)

    assert (state.name, state.message) == (
        "Skipped",
        "Trading is paused: on holiday. The rotation is made up for later.",
    )


def test_a_failure_is_told_not_counted_and_leaves_the_rotation_due(
    troubled_desk: Callable[..., Desk], notices: Notices
):
    address, arrived = notices
    mine = troubled_desk(
        "wrong answer",
        times=0,
        orchestrator={**ON, "max_consecutive_errors": 1},
        rotation=FEW,
        notification={"urls": [address]},
    )
    mine.trade()
    arrived.clear()
    (mine.config.parent / "asked").unlink()
    broken = mine.config.read_text()
    mine.config.write_text(broken.replace('"times": 0', '"times": 1'))

    state = rotate(mine)

    assert state.is_failed()
    assert titles(arrived) == ["Strategy rotation failed"]
    assert "these are no prices" in arrived[0]["message"]
    with mine.book() as book:
        control = book.control.read()
    assert (control.state, control.consecutive_errors) == (TradingState.ACTIVE, 0)
    mine.config.write_text(broken)
    assert rotation_of(rotate(mine)).session == FIRST


OF_RAY = os.environ.get("RAY_ADDRESS", "")  # a cluster that runs already: this bot starts none


@pytest.mark.parametrize(
    ("runner", "address"),
    [
        ("dask", None),
        pytest.param("ray", OF_RAY, marks=pytest.mark.skipif(not OF_RAY, reason="RAY_ADDRESS names no cluster")),
    ],
)
def test_the_processes_of_a_cluster_give_the_same_scores_as_threads(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, runner: str, address: str | None
):
    monkeypatch.setattr("trading_bot.tournament.grid.CELLS_A_SECOND", 60_000)  # several portions of these few stocks
    grid = {"fast": [5, 10, 20], "slow": [50, 100]}
    rotation = {"windows": [90, 504], "candidates": ["momentum", {"name": "sma_cross", "grid": grid}]}
    mine = desk(orchestrator=ON, rotation=rotation)
    mine.trade()
    by_threads = rotation_of(rotate(mine, dry_run=True))

    written = json.loads(mine.config.read_text())
    written["rotation"] |= {"runner": runner, "runner_address": address}
    mine.config.write_text(json.dumps(written))
    by_processes = rotation_of(rotate(mine, dry_run=True))

    assert len(by_threads.scores) == 2 * 8  # the team of three, and five of the grid that it does not have
    assert by_processes == by_threads


def test_a_runner_whose_package_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    from tasks import rotation as tasks
    from trading_bot.config.typed_settings import RotationSettings

    monkeypatch.setattr(tasks, "find_spec", lambda name: None)

    with pytest.raises(SettingsError, match=r"pip install 'bensbot\[ray\]'"):
        tasks.runner_of(RotationSettings(runner="ray", runner_address="ray://cluster:10001"))
