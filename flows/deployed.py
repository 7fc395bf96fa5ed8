"""The deployments of the trading cycle on the Prefect server: are they paused, pause them, let them go on.

Our own book decides whether the bot trades; a paused deployment saves the runs that would find it halted, and shows
in the UI how things stand. So every call here is made once and its failure is logged, unless it is a question.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort
from prefect.exceptions import ObjectNotFound, PrefectException

CYCLE_FLOW = "trading-cycle"
MOST_DEPLOYMENTS = 200  # in one answer
SERVER_TROUBLE = (httpx.HTTPError, PrefectException)

log = logging.getLogger(__name__)


def is_paused(deployment_id: UUID | None) -> bool:
    """Say whether a run's deployment is paused. A run without one, or whose deployment is gone, is not."""
    if deployment_id is None:
        return False
    with get_client(sync_client=True) as client:
        try:
            return client.read_deployment(deployment_id).paused
        except ObjectNotFound:
            return False


def cycle_deployments() -> list[DeploymentResponse]:
    """Return every deployment of the trading cycle; it may have several, of several books."""
    with get_client(sync_client=True) as client:
        # The server refuses a question that leaves limit or order open.
        only = FlowFilter(name=FlowFilterName(any_=[CYCLE_FLOW]))
        return client.read_deployments(flow_filter=only, limit=MOST_DEPLOYMENTS, sort=DeploymentSort.NAME_ASC)


def pause_in_words() -> str:
    """Say whether the deployments of the trading cycle are paused: yes, no, partly, not deployed, unknown."""
    try:
        paused = {found.paused for found in cycle_deployments()}
    except SERVER_TROUBLE as error:
        log.warning("Whether %s is paused is not known: %s", CYCLE_FLOW, error)
        return "unknown"
    if not paused:
        return "not deployed"
    return "partly" if len(paused) > 1 else "yes" if True in paused else "no"


def pause_cycles() -> int:
    """Pause every deployment of the trading cycle; return how many were not paused before."""
    return _switched("paused", lambda client, found: client.pause_deployment(found.id), to_paused=True)


def let_cycles_go_on() -> int:
    """End the pause of every deployment of the trading cycle; return how many were paused."""
    return _switched("un-paused", lambda client, found: client.resume_deployment(found.id), to_paused=False)


def _switched(word: str, switch: Callable[[SyncPrefectClient, DeploymentResponse], None], *, to_paused: bool) -> int:
    try:
        others = [found for found in cycle_deployments() if found.paused is not to_paused]
        with get_client(sync_client=True) as client:
            for deployment in others:
                switch(client, deployment)
                log.warning("The deployment %s/%s was %s", CYCLE_FLOW, deployment.name, word)
    except SERVER_TROUBLE as error:
        log.error("The deployments of %s could not be %s; the book counts: %s", CYCLE_FLOW, word, error)
        return 0
    return len(others)
