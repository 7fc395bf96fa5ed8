"""Which earlier alarm speaks for a later one, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

from flows.alarm import tells

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


def alarm(kind: StateType, name: str) -> FlowRun:
    """An alarm that was due at noon."""
    state = State[None](type=kind, name=name)
    return FlowRun.model_validate({"flow_id": UUID(int=1), "expected_start_time": NOON, "state": state})


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        (StateType.COMPLETED, "Completed", True),
        (StateType.COMPLETED, "Skipped", False),
        (StateType.FAILED, "Failed", False),
        (StateType.CRASHED, "Crashed", False),
        (StateType.CANCELLED, "Cancelled", False),
        (StateType.RUNNING, "Running", True),
        (StateType.PENDING, "Pending", True),
        (StateType.SCHEDULED, "Late", True),
    ],
)
def test_an_alarm_speaks_for_the_hour_once_it_has_told_people_or_is_about_to(kind: StateType, name: str, told: bool):
    assert tells(alarm(kind, name), NOON + 5 * MINUTES) is told


def test_an_alarm_that_comes_too_late_to_be_sent_silences_no_other():
    assert not tells(alarm(StateType.SCHEDULED, "Late"), NOON + 61 * MINUTES)
    assert tells(alarm(StateType.COMPLETED, "Completed"), NOON + 61 * MINUTES)
