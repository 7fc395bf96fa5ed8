"""The flow run that we are in."""

from __future__ import annotations

from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext


def this_run() -> FlowRun:
    """Return the run, as it stood when it began. Raises RuntimeError outside of a flow."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("There is no flow run: call the flow, not its function.")
    return context.flow_run
