"""How things stand, as two artifacts that Prefect's UI and its API show: `bensbot-status` and `bensbot-metrics`.

They are written in place, one version for each day in New York, so that the server does not grow with every cycle.
The book is what counts: a picture that cannot be stored is logged, and costs nothing else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.objects import ArtifactCollection
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException

from trading_bot import __version__
from trading_bot.core.hours import TradingHours
from trading_bot.core.metrics import read_metrics
from trading_bot.core.standing import read_standing
from trading_bot.domain.errors import StateError
from trading_bot.domain.secrets import OF_THIS_PROCESS
from trading_bot.reporting.metrics_document import MetricValue, metrics_rows
from trading_bot.reporting.standing import row, standing_rows
from trading_bot.state.manager import StateManager

STATUS_ARTIFACT = "bensbot-status"
METRICS_ARTIFACT = "bensbot-metrics"

log = logging.getLogger(__name__)


def publish_status(book: StateManager, *, at: datetime, deployment_paused: str) -> None:
    """Show trading state, last cycle, money, orders and positions as of `at`. Logs what keeps it from doing so."""
    try:
        rows = standing_rows(read_standing(book))
    except StateError as error:
        log.warning("The artifact %s was not written: %s", STATUS_ARTIFACT, error)
        return
    rows += [
        row("deployment_paused", deployment_paused),
        row("version", __version__),
        row("updated_at", at.isoformat(timespec="seconds")),
    ]
    _publish(STATUS_ARTIFACT, "How things stand", rows, TradingHours().day_of(at))


def publish_metrics(book: StateManager, *, at: datetime) -> None:
    """Show what the whole book comes to, as of `at`. Logs what keeps it from doing so."""
    try:
        found = metrics_rows(read_metrics(book))
    except StateError as error:
        log.warning("The artifact %s was not written: %s", METRICS_ARTIFACT, error)
        return
    rows = [{"name": name, "value": value} for name, value in found]
    _publish(METRICS_ARTIFACT, "What the book comes to", rows, TradingHours().day_of(at))


def _publish(key: str, description: str, rows: Sequence[Mapping[str, MetricValue]], day: date) -> None:
    try:
        with get_client(sync_client=True) as client:
            _store(client, key, f"{description}, {day}", OF_THIS_PROCESS.mask(json.dumps(rows)))
    except (PrefectException, httpx.HTTPError) as error:
        log.warning("The artifact %s was not written: %s", key, error)


def _store(client: SyncPrefectClient, key: str, description: str, data: str) -> None:
    """Write over the newest version when it has the same description, else add one."""
    # Asked by hand: the client's own method also asks for the runs, and then finds only what a task has written.
    asked = {"artifacts": {"key": {"any_": [key]}}, "limit": 1}
    answer = client.request("POST", "/artifacts/latest/filter", json=asked)
    newest = ArtifactCollection.model_validate_list(answer.json())
    if newest and newest[0].description == description:
        client.update_artifact(newest[0].latest_id, ArtifactUpdate(data=data))
        return
    context = FlowRunContext.get()
    run_id = context.flow_run.id if context and context.flow_run else None
    client.create_artifact(
        ArtifactCreate(key=key, type="table", description=description, data=data, flow_run_id=run_id)
    )
