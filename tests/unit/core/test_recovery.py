from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.core.recovery import EmergencyStop, RecoveryPolicy, WaitThenRetry, after_failure

MINUTE = timedelta(seconds=60)
NEVER_STOPS = RecoveryPolicy(backoff=MINUTE, max_consecutive_errors=5, emergency_shutdown=False)
STOPS_AT_FIVE = RecoveryPolicy(backoff=MINUTE, max_consecutive_errors=5, emergency_shutdown=True)

backoffs = st.integers(min_value=0, max_value=10**9).map(lambda seconds: timedelta(seconds=seconds))
counts = st.integers(min_value=1, max_value=10**6)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 60), (2, 120), (3, 240), (4, 480), (5, 960), (6, 1920), (7, 3600), (8, 3600), (100, 3600), (10**6, 3600)],
)
def test_the_wait_doubles_up_to_an_hour(failures: int, seconds: int):
    assert after_failure(failures, NEVER_STOPS) == WaitThenRetry(timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("failures", "wanted"),
    [
        (4, WaitThenRetry(timedelta(seconds=480))),
        (5, EmergencyStop(5)),
        (6, EmergencyStop(6)),  # the switch was turned on late, or the limit was lowered
    ],
)
def test_the_fifth_failure_in_a_row_stops_trading(failures: int, wanted: WaitThenRetry | EmergencyStop):
    assert after_failure(failures, STOPS_AT_FIVE) == wanted


def test_a_limit_of_one_stops_at_the_first_failure():
    assert after_failure(1, RecoveryPolicy(MINUTE, 1, emergency_shutdown=True)) == EmergencyStop(1)


@pytest.mark.parametrize("failures", [0, -1])
def test_without_a_failure_there_is_nothing_to_recover_from(failures: int):
    with pytest.raises(ValueError, match=f"failures={failures}"):
        after_failure(failures, STOPS_AT_FIVE)


@given(backoffs, counts)
def test_the_wait_never_exceeds_an_hour_and_never_shrinks(backoff: timedelta, failures: int):
    policy = RecoveryPolicy(backoff, 5, emergency_shutdown=False)

    now, then = after_failure(failures, policy), after_failure(failures + 1, policy)

    assert isinstance(now, WaitThenRetry)
    assert isinstance(then, WaitThenRetry)
    assert timedelta() <= now.delay <= then.delay <= timedelta(hours=1)


@given(backoffs, counts, st.integers(min_value=1, max_value=100))
def test_the_emergency_comes_at_the_limit_and_not_before(backoff: timedelta, failures: int, limit: int):
    stops = isinstance(after_failure(failures, RecoveryPolicy(backoff, limit, emergency_shutdown=True)), EmergencyStop)

    assert stops is (failures >= limit)
