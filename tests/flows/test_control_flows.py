"""Halt, resume and flatten as Prefect runs, and what a paused deployment means."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.flows.prefect_side import deploy, events, is_paused, related, run_of, set_paused, versions
from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.orders import Side
from trading_bot.state import check_ledger

pytestmark = pytest.mark.endurance

Desk = Any  # the fixture's record; see conftest.py
FEW = {"symbols": ["AAPL", "AMD", "HD", "LLY", "MSFT", "RRC"]}


@pytest.fixture
def mine(desk: Callable[..., Desk]) -> Desk:
    """A desk whose book has traded one session."""
    made = desk(data=FEW)
    assert made.trade().is_completed()
    return made


@pytest.fixture
def deployment(mine: Desk) -> Iterator[UUID]:
    from prefect.client.orchestration import get_client

    made = deploy(mine.config)
    yield made
    with get_client(sync_client=True) as client:
        client.delete_deployment(made)


def run(flow: Any, params: Any) -> Any:
    """Run a flow and return its final state."""

    async def go() -> Any:
        return await flow(params, return_state=True)

    return asyncio.run(go())


def halt(desk: Desk, **words: Any) -> Any:
    from flows import control

    return run(control.halt, control.HaltParams(config=desk.config, because="a test", **words))


def resume(desk: Desk, **words: Any) -> Any:
    from flows import control

    return run(control.resume, control.ResumeParams(config=desk.config, because="a test", **words))


def flatten(desk: Desk, **words: Any) -> Any:
    from flows import control

    return run(control.flatten, control.FlattenParams(config=desk.config, because="a test", **words))


def control_of(desk: Desk) -> Any:
    with desk.book() as book:
        return book.control.read()


def dump(desk: Desk) -> list[str]:
    with closing(sqlite3.connect(desk.settings.state.folder / "bensbot.db")) as book:
        return list(book.iterdump())


# ── halt and resume ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("state", "stands_still"), [("halted", True), ("paused", True), ("reducing", False)])
def test_halting_writes_the_book_and_pauses_the_deployment_unless_exits_are_to_go_through(
    mine: Desk, deployment: UUID, state: str, stands_still: bool
):
    ended = halt(mine, state=state)

    control = control_of(mine)
    assert ended.is_completed()
    assert (control.state, control.cause) == (TradingState(state), "a test")
    assert control.changed_by.startswith("Prefect run ")
    assert is_paused(deployment) is stands_still


def test_a_halt_is_not_ended_without_an_acknowledgement_and_nothing_counts_as_failed(mine: Desk, deployment: UUID):
    halt(mine)

    refused = resume(mine)

    assert refused.is_failed()
    assert "When you know that it is safe to go on: bensbot resume --ack" in refused.message
    assert (control_of(mine).state, control_of(mine).consecutive_errors) == (TradingState.HALTED, 0)
    assert is_paused(deployment)


def test_an_acknowledged_resume_trades_again(mine: Desk, deployment: UUID):
    halt(mine)

    assert resume(mine, ack=True).is_completed()

    assert not is_paused(deployment)
    assert run_of(deployment, mine.config).name == "Completed"


def test_a_book_that_is_not_there_is_not_made_by_a_halt(desk: Callable[..., Desk], tmp_path: Path):
    ended = halt(desk())

    assert ended.is_failed()
    assert "holds no book yet" in ended.message
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("name", ["HaltParams", "ResumeParams", "FlattenParams"])
def test_the_parameters_explain_themselves_in_the_form(name: str):
    from flows import control

    schema = getattr(control, name).model_json_schema()

    assert schema["additionalProperties"] is False
    assert all(field["description"] for field in schema["properties"].values())


# ── flatten ───────────────────────────────────────────────────────────────────────────────────────


def test_flatten_sells_what_is_held_under_the_rules_and_buys_nothing_again(mine: Desk):
    mine.trade()

    sold = flatten(mine)
    report = asyncio.run(sold.aresult())

    assert isinstance(report, CycleReport)
    assert sold.message.startswith(f"{len(report.portfolio.positions)} orders to close positions: sell ")
    assert (
        {order.symbol for order in report.orders if order.side is Side.SELL} == set(report.portfolio.positions) != set()
    )
    assert control_of(mine).state is TradingState.REDUCING
    mine.trade()
    with mine.book() as book:
        assert book.ledger.portfolio().positions == {}
        assert check_ledger(book.engine) == ()


def test_a_refused_flatten_says_what_to_do_and_is_no_failed_cycle(mine: Desk):
    halt(mine)

    refused = flatten(mine)

    assert refused.is_failed()
    assert "`ack: true` in the parameters of the flow flatten" in refused.message
    assert control_of(mine).consecutive_errors == 0


def test_after_a_pause_flattening_lets_the_deployment_go_on_so_that_the_sales_are_booked(mine: Desk, deployment: UUID):
    mine.trade()
    halt(mine, state="paused")

    flatten(mine)

    assert not is_paused(deployment)


@pytest.mark.parametrize("state", ["active", "reducing"])
def test_flattening_lets_a_deployment_go_on_that_its_owner_stopped(mine: Desk, deployment: UUID, state: str):
    mine.trade()
    with mine.book() as book:
        book.control.set_state(TradingState(state), cause="a test", who="Ben")
    set_paused(deployment, True)

    flatten(mine)

    assert not is_paused(deployment)


def test_a_flatten_that_fails_on_its_way_lets_the_deployment_go_on_as_well(troubled_desk: Callable[..., Desk]):
    from prefect.client.orchestration import get_client

    mine = troubled_desk("wrong answer")
    deployment = deploy(mine.config)
    set_paused(deployment, True)

    assert flatten(mine).is_failed()

    assert control_of(mine).state is TradingState.REDUCING
    assert not is_paused(deployment)
    with get_client(sync_client=True) as client:
        client.delete_deployment(deployment)


# ── a deployment that is paused in the UI ─────────────────────────────────────────────────────────


def test_a_run_of_a_paused_deployment_is_skipped_and_the_book_stays_as_it_is(mine: Desk, deployment: UUID):
    set_paused(deployment, True)
    before = dump(mine)

    ended = run_of(deployment, mine.config)

    assert (ended.name, asyncio.run(ended.aresult())) == ("Skipped", "paused")
    assert ended.message == "The deployment is paused in Prefect; un-pause it there or `bensbot start`."
    assert dump(mine) == before
    set_paused(deployment, False)
    assert run_of(deployment, mine.config).name == "Completed"


def test_a_quiet_skip_is_a_sign_of_life_of_the_deployment(mine: Desk, deployment: UUID):
    set_paused(deployment, True)

    ended = run_of(deployment, mine.config)

    (event,) = events("bensbot.cycle.idle", of_run=ended.state_details.flow_run_id)
    assert event["resource"]["prefect.resource.id"] == "bensbot.book"
    assert event["resource"]["bensbot.reason"] == "paused"
    assert deployment in related(event)


# ── emergency ─────────────────────────────────────────────────────────────────────────────────────


def test_an_emergency_pauses_the_deployment_and_rings_on_prefects_bus(
    troubled_desk: Callable[..., Desk], notices: tuple[str, list[dict[str, str]]]
):
    from prefect.client.orchestration import get_client

    token = "Tk7hQ2vXwZ9pLm4sRb8nYc3d"
    address, arrived = notices
    notification = {"urls": [address, f"json://127.0.0.1:1/{token}"], "min_level": "error"}
    mine = troubled_desk("wrong answer", notification=notification, orchestrator={"max_consecutive_errors": 1})
    deployment = deploy(mine.config)

    assert run_of(deployment, mine.config).is_failed()

    assert is_paused(deployment)
    assert [notice["title"] for notice in arrived] == ["Trading loop error", "EMERGENCY SHUTDOWN"]
    assert "Traceback" in arrived[0]["message"]
    assert events("bensbot.emergency-shutdown", saying="these are no prices")
    with get_client(sync_client=True) as client:
        client.delete_deployment(deployment)


def test_a_halt_that_no_hook_has_told_of_pauses_the_deployment_with_the_next_run(mine: Desk, deployment: UUID):
    with mine.book() as book:
        book.control.set_state(TradingState.HALTED, cause="five kills", who="recovery")

    ended = run_of(deployment, mine.config)

    assert (ended.name, asyncio.run(ended.aresult())) == ("Skipped", "halted")
    assert is_paused(deployment)
    assert events("bensbot.emergency-shutdown", saying="five kills")


# ── status and metrics ────────────────────────────────────────────────────────────────────────────


def test_the_status_is_written_in_place_after_every_run(mine: Desk, deployment: UUID):
    known = len(versions("bensbot-status"))
    halt(mine)
    mine.trade()

    shown = versions("bensbot-status")

    assert len(shown) == known  # of this day
    assert (shown[0]["state"], shown[0]["cause"], shown[0]["deployment_paused"]) == ("halted", "a test", "yes")
    assert (shown[0]["last_session"], shown[0]["cash"]) == ("2022-01-03", "100000.00")
    assert '"status": "completed"' in str(shown[0]["last_cycle"])
    resume(mine, ack=True)
    mine.trade()
    now = versions("bensbot-status")
    assert (len(now), now[0]["state"], now[0]["deployment_paused"]) == (known, "active", "no")
    assert '"symbol": "AAPL"' in str(now[0]["positions"])


def test_the_metrics_are_written_in_place_too(mine: Desk):
    known = len(versions("bensbot-metrics"))
    mine.trade()

    shown = versions("bensbot-metrics")

    assert len(shown) == known
    assert shown[0]["cycles.completed"] == 2


def test_a_failed_cycle_shows_in_the_status(troubled_desk: Callable[..., Desk]):
    troubled_desk("wrong answer").trade()

    assert versions("bensbot-status")[0]["consecutive_errors"] == 1


def test_a_cycle_that_changed_nothing_leaves_no_new_picture(mine: Desk):
    from tests.flows.test_trading_cycle import artifacts_of

    flatten(mine)
    mine.trade()
    with mine.book() as book:
        assert book.journal.open_orders() == ()

    assert artifacts_of(mine.trade()) == {}


def test_both_tables_are_found_again_by_whoever_asks_the_server(mine: Desk):
    from prefect.client.orchestration import get_client

    from deployments.api import PrefectLoop
    from deployments.place import Server

    mine.trade()
    with get_client(sync_client=True) as client:
        prefect = PrefectLoop(client, Server(str(client.api_url), auth=None))
        status, metrics = prefect.table("bensbot-status"), prefect.table("bensbot-metrics")

        assert status is not None
        assert metrics is not None
        assert prefect.table("no-such-table") is None
    assert (status["last_session"], metrics["cycles.completed"]) == ("2022-01-04", 2)
