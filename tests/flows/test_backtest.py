"""The flow `backtest` as a Prefect run: the form, the artifact, and the words of a mistake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

pytestmark = pytest.mark.slow

Desk = Any  # the fixture's record; see conftest.py
JANUARY = {"first": "2022-01-03", "last": "2022-01-31"}


def ran(config: Path, **params: Any) -> Any:
    """Run the flow and return its final state."""
    from flows.backtest import BacktestParams, backtest

    async def run() -> Any:
        asked = BacktestParams.model_validate({"config": str(config), **params})
        return await cast("Awaitable[Any]", backtest(asked, return_state=True))

    return asyncio.run(run())


def artifact() -> Any:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
    from prefect.client.schemas.sorting import ArtifactSort

    async def read() -> Any:
        mine = ArtifactFilter(key=ArtifactFilterKey(any_=["bensbot-backtest"]))
        async with get_client() as client:
            found = await client.read_artifacts(artifact_filter=mine, sort=ArtifactSort.CREATED_DESC, limit=1)
        return found[0]

    return asyncio.run(read())


def test_the_state_says_the_result_and_the_artifact_shows_it(desk: Any):
    mine = desk()
    state = ran(mine.config, strategies=["sma_cross:fast=5,slow=20"], **JANUARY)

    assert state.name == "Completed"
    assert state.message.startswith("sma_cross(fast=5, slow=20), 2022-01-03 to 2022-01-31, 20 sessions: ")
    shown = artifact()
    assert shown.description == "sma_cross(fast=5, slow=20)"
    assert "data:image/svg+xml" in shown.data
    assert "## Figures" in shown.data


def test_the_book_of_the_bot_does_not_know_of_it(desk: Any):
    mine = desk()
    before = sorted(mine.settings.state.folder.iterdir()) if mine.settings.state.folder.exists() else []

    ran(mine.config, **JANUARY)

    after = sorted(mine.settings.state.folder.iterdir()) if mine.settings.state.folder.exists() else []
    assert after == before


def test_a_mistake_fails_the_run_in_words_that_say_what_to_write(desk: Any):
    state = ran(desk().config, strategies=["sma_crss"], **JANUARY)

    assert state.name == "Failed"
    assert "Did you mean 'sma_cross'?" in state.message


@pytest.mark.parametrize("wrong", [{"engine": "fast"}, {"cash": -1}, {"first": "yesterday"}, {"strategy": "sma_cross"}])
def test_the_form_refuses_what_makes_no_sense(wrong: dict[str, Any]):
    from flows.backtest import BacktestParams

    with pytest.raises(ValidationError):
        BacktestParams.model_validate(wrong)


def test_the_form_explains_every_field():
    from flows.backtest import BacktestParams

    assert all(field.description for field in BacktestParams.model_fields.values())
