"""What the tests look up or do on the Prefect server: deployments, runs of theirs, events, artifacts."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID


def deploy(config: Path) -> UUID:
    """Create a deployment of the trading cycle, as `serve` would."""
    from prefect.client.orchestration import get_client

    from flows.cycle import trading_cycle

    with get_client(sync_client=True) as client:
        flow_id = client.create_flow(trading_cycle)
        return client.create_deployment(
            flow_id=flow_id, name="bensbot", parameters={"params": {"config": str(config)}}, paused=False
        )


def is_paused(deployment: UUID) -> bool:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return client.read_deployment(deployment).paused


def set_paused(deployment: UUID, paused: bool) -> None:
    """Do what the switch in Prefect's UI does."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        client.pause_deployment(deployment) if paused else client.resume_deployment(deployment)


def run_of(deployment: UUID, config: Path) -> Any:
    """Run the cycle in this process as a person's run of the deployment, and return its final state."""
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow_async

    from flows.cycle import CycleParams, trading_cycle

    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(deployment)
    parameters = {"params": CycleParams(config=config)}
    return asyncio.run(run_flow_async(trading_cycle, flow_run=run, parameters=parameters, return_type="state"))


def events(name: str, *, saying: str = "", of_run: UUID | None = None) -> list[dict[str, Any]]:
    """Return the events of a name that hold some words, of one run, once the server has stored at least one."""
    from prefect.client.orchestration import get_client
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=60)
    with get_client(sync_client=True) as client:
        for _ in range(600):
            answer = client.request("POST", "/events/filter", json={"filter": {"event": {"name": [name]}}, "limit": 50})
            said = [event for event in answer.json()["events"] if saying in json.dumps(event)]
            found = [event for event in said if of_run is None or of_run in related(event)]
            if found:
                return found
            time.sleep(0.1)
    return []


def related(event: dict[str, Any]) -> set[UUID]:
    """Return the ids of the runs, flows and deployments that an event belongs to."""
    return {UUID(resource["prefect.resource.id"].rpartition(".")[2]) for resource in event["related"]}


def versions(key: str) -> list[dict[str, str | None]]:
    """Return every version of a table of names and values that was written from one moment of the test on."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        body = {"artifacts": {"key": {"any_": [key]}}, "limit": 200, "sort": "CREATED_DESC"}
        found = client.request("POST", "/artifacts/filter", json=body).json()
        return [{row["name"]: row["value"] for row in json.loads(artifact["data"])} for artifact in found]
