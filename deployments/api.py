"""The loop as Prefect's server knows it: looked at and switched with Prefect's own client.

A few typed functions. The client brings authentication and the CSRF header along; whatever goes wrong is said in one
sentence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, cast
from uuid import UUID

os.environ.setdefault("DO_NOT_TRACK", "1")  # Prefect reads it once, when it is imported

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import ArtifactSort, FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Cancelling

from deployments.loop import BEGUN, NEWEST_RUNS, Loop, Run
from deployments.place import Server
from deployments.plan import NAME, TRADING_CYCLE
from flows.server import ServerUnavailable, without_proxy
from trading_bot.domain.errors import BensBotError
from trading_bot.reporting.as_json import Json

TIMEOUT_SECONDS = 30.0
POLLED_WITHIN = timedelta(seconds=60)  # whoever serves asks for due runs every few seconds
LATE = "Late"
UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]


class NotDeployed(BensBotError):
    """The server does not know the deployment. The message says how it gets there."""


class PrefectLoop:
    """An open connection to the server that runs the loop."""

    def __init__(self, client: SyncPrefectClient, server: Server) -> None:
        """Take what `connected` made."""
        self._client = client
        self._server = server

    def loop(self, now: datetime | None = None) -> Loop:
        """Return how the loop stands. Raises NotDeployed."""
        deployment = self._deployment(TRADING_CYCLE)
        scheduled = self._runs(deployment, [StateType.SCHEDULED], FlowRunSort.EXPECTED_START_TIME_ASC, 1, but=[LATE])
        polled = deployment.last_polled
        return Loop(
            paused=deployment.paused,
            served=polled is not None and (now or datetime.now(UTC)) - polled < POLLED_WITHIN,
            last_polled=polled,
            next_run=scheduled[0].due if scheduled else None,
            late=len(self._runs(deployment, [StateType.SCHEDULED], FlowRunSort.EXPECTED_START_TIME_ASC, 200, [LATE])),
            under_way=self.under_way(),
            newest=self._runs(deployment, ENDED, FlowRunSort.END_TIME_DESC, NEWEST_RUNS),
        )

    def set_paused(self, paused: bool) -> None:
        """Pause the loop's schedule, or let it go on. Doing it twice changes nothing. Raises NotDeployed."""
        deployment = self._deployment(TRADING_CYCLE)
        (self._client.pause_deployment if paused else self._client.resume_deployment)(deployment.id)

    def under_way(self) -> tuple[Run, ...]:
        """Return the cycles that have begun and not ended, oldest first."""
        return self._runs(self._deployment(TRADING_CYCLE), UNDER_WAY, FlowRunSort.EXPECTED_START_TIME_ASC, 200)

    def cancel(self, run: Run) -> None:
        """Ask whoever runs it to end the run; one that has not begun ends at once."""
        begun = run.state in BEGUN
        state = Cancelling() if begun else Cancelled(message="cancelled by its owner before it began")
        self._client.set_flow_run_state(run.id, state)

    def ask_for(self, flow: str, params: Mapping[str, Json]) -> Run:
        """Create a run of a deployed flow, with the deployment's own settings file. Raises NotDeployed."""
        deployment = self._deployment(flow)
        defaults: dict[str, Any] = deployment.parameters.get("params") or {}
        created = self._client.create_flow_run_from_deployment(
            deployment.id, parameters={"params": {**defaults, **params}}
        )
        return _run(created)

    def run(self, run_id: UUID) -> Run:
        """Return a run as it is now."""
        return _run(self._client.read_flow_run(run_id))

    def table(self, key: str) -> dict[str, Json] | None:
        """Return the rows (name, value) of the newest version of a table artifact, None when there is none."""
        found = self._client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])), sort=ArtifactSort.CREATED_DESC, limit=1
        )
        return rows_of(found[0].data) if found else None

    def last_sign_of_life(self) -> datetime | None:
        """Return when a cycle last traded, or had a quiet reason not to; None when the server knows of none."""
        from deployments.watchdog import IDLE, TRADED

        asked = {"filter": {"event": {"name": [TRADED, IDLE]}, "order": "DESC"}, "limit": 1}
        found = self._client.request("POST", "/events/filter", json=asked).json()["events"]
        return datetime.fromisoformat(found[0]["occurred"]) if found else None

    def next_runs(self, flow: str, count: int) -> tuple[datetime, ...]:
        """Return when the next runs of a deployed flow are due. Raises NotDeployed."""
        order = FlowRunSort.EXPECTED_START_TIME_ASC
        runs = self._runs(self._deployment(flow), [StateType.SCHEDULED], order, count, but=[LATE])
        return tuple(run.due for run in runs if run.due is not None)

    def _deployment(self, flow: str) -> DeploymentResponse:
        path = f"{flow}/{NAME}"
        try:
            return self._client.read_deployment_by_name(path)
        except ObjectNotFound as error:
            raise NotDeployed(
                f"The Prefect server {self._server.address} has no deployment {path}. `bensbot serve` makes it, and "
                "`bensbot up` does so, too."
            ) from error

    def _runs(
        self,
        deployment: DeploymentResponse,
        types: list[StateType],
        sort: FlowRunSort,
        most: int,
        only: list[str] | None = None,
        but: list[str] | None = None,
    ) -> tuple[Run, ...]:
        names = FlowRunFilterStateName(any_=only, not_any_=but) if only or but else None
        found = self._client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types), name=names),
            ),
            sort=sort,
            limit=most,
        )
        return tuple(_run(flow_run) for flow_run in found)


@contextmanager
def connected(server: Server) -> Generator[PrefectLoop]:
    """Talk to a server about the loop. Raises what `client_of` raises, and NotDeployed from the methods."""
    with client_of(server) as client:
        yield PrefectLoop(client, server)


@contextmanager
def client_of(server: Server) -> Generator[SyncPrefectClient]:
    """Give Prefect's own client of a server.

    Raises:
        ServerUnavailable: it does not answer, does not let us in, or refuses what was asked.
    """
    without_proxy(server.address)
    chosen: dict[Any, Any] = {PREFECT_API_URL: server.address}
    if server.auth:
        chosen[PREFECT_API_AUTH_STRING] = server.auth
    try:
        with (
            temporary_settings(chosen),
            get_client(httpx_settings={"timeout": TIMEOUT_SECONDS}, sync_client=True) as client,
        ):
            yield client
    except httpx.HTTPStatusError as error:
        _refused(server, error)
    except (httpx.HTTPError, PrefectException) as error:
        raise ServerUnavailable(f"The Prefect server {server.address} does not answer: {_reason(error)}") from error


def rows_of(data: object) -> dict[str, Json]:
    """Return a table artifact's rows as name → value. Raises ServerUnavailable when it is no such table."""
    try:
        rows = cast("list[dict[str, Json]]", json.loads(data) if isinstance(data, str) else data)
        return {str(row["name"]): row["value"] for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise ServerUnavailable("The table on the Prefect server is not one that BensBot wrote.") from error


def _run(flow_run: FlowRun) -> Run:
    state = flow_run.state
    return Run(
        id=flow_run.id,
        name=flow_run.name,
        state=(state.name if state else None) or "Unknown",
        message=(state.message if state else None) or "",
        due=flow_run.expected_start_time,
        ended_at=flow_run.end_time,
        has_ended=bool(state and state.is_final()),
        went_well=bool(state and state.is_completed()),
    )


def _refused(server: Server, error: httpx.HTTPStatusError) -> NoReturn:
    status = error.response.status_code
    if status in (401, 403):
        raise ServerUnavailable(
            f"The Prefect server {server.address} does not let us in. Set PREFECT_API_AUTH_STRING to its "
            "user:password; `bensbot up --show-password` prints that where the server was started."
        ) from error
    raise ServerUnavailable(
        f"The Prefect server {server.address} refuses what was asked ({status}): {error.response.text[:200]}"
    ) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
