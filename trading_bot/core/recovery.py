"""What to do after a failed cycle: a pure decision. `failures.py` carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RecoveryPolicy:
    """When to wait and when to stop, as in the settings of the orchestrator."""

    backoff: timedelta  # after the first failure in a row
    max_consecutive_errors: int
    emergency_shutdown: bool


@dataclass(frozen=True, slots=True)
class WaitThenRetry:
    """Let no cycle trade for `delay`."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """Halt until the owner resumes, after `failures` failed cycles in a row."""

    failures: int


def after_failure(failures: int, policy: RecoveryPolicy) -> WaitThenRetry | EmergencyStop:
    """Return what follows on the n-th failure in a row: backoff x 2^(n-1), an hour at most, or the stop.

    Raises:
        ValueError: `failures` is below 1.
    """
    if failures < 1:
        raise ValueError(f"failures={failures}: there is nothing to recover from")
    if policy.emergency_shutdown and failures >= policy.max_consecutive_errors:
        return EmergencyStop(failures)
    doublings = min(failures - 1, 32)  # beyond that the wait is capped anyway
    return WaitThenRetry(min(min(policy.backoff, LONGEST_WAIT) * 2**doublings, LONGEST_WAIT))
