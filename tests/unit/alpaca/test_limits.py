"""At most so many requests in any minute, and timeouts where alpaca-py has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.brokers.sandboxes import KEYS
from trading_bot.alpaca.connect import Keys, Line, data_wire, trading_wire
from trading_bot.alpaca.limits import Patience, RateLimit, spread
from trading_bot.alpaca.session import TimedAdapter, tame
from trading_bot.domain.errors import PluginError


class Time:
    """Goes on by sleeping only."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def limit(time: Time, most: int) -> RateLimit:
    return RateLimit(most, 60, monotonic=time.monotonic, sleep=time.sleep)


def test_the_first_requests_pass_at_once_and_the_next_one_waits_for_the_oldest():
    time = Time()
    three = limit(time, 3)
    for _ in range(3):
        three.wait()
        time.now += 10
    assert time.slept == []

    three.wait()
    assert time.slept == [30]


def test_way_is_made_for_several_when_the_oldest_that_are_in_the_way_are_a_minute_old_and_no_place_is_taken():
    time = Time()
    three = limit(time, 3)
    for _ in range(3):
        three.wait()
        time.now += 10

    three.make_way(2)
    assert time.slept == [40]  # the second one left at 10 seconds, and it is 30 now
    three.wait()
    three.wait()
    three.make_way(9)  # more than will ever pass at once: it waits until nothing is in the way
    assert time.slept == [40, 60]


@given(pauses=st.lists(st.floats(0, 90), min_size=1, max_size=60), most=st.integers(1, 5))
def test_no_minute_ever_holds_more_than_the_limit(pauses: list[float], most: int):
    time = Time()
    limited, sent = limit(time, most), list[float]()
    for pause in pauses:
        time.now += pause
        limited.wait()
        sent.append(time.now)

    for first, after in zip(sent, sent[most:], strict=False):
        assert after - first >= 60 - 1e-6


def test_a_wait_is_lengthened_by_less_than_a_quarter_and_by_another_part_for_everybody():
    waits = {spread(4, f"order {number}") for number in range(50)}

    assert len(waits) == 50
    assert all(4 <= wait < 5 for wait in waits)


@pytest.mark.parametrize("wire", [trading_wire, data_wire])
def test_every_request_has_timeouts_a_limit_and_one_try(wire):
    line = Line(Patience(connect_seconds=5, read_seconds=15))
    client = wire(Keys(**KEYS), "https://paper-api.alpaca.markets", line)._client
    adapter = client._session.get_adapter("https://paper-api.alpaca.markets/v2/account")

    assert isinstance(adapter, TimedAdapter)
    assert (adapter.timeouts, adapter.limit) == ((5, 15), line.limit)
    assert (adapter.max_retries.total, client._retry) == (0, 0)


def test_a_client_without_a_session_is_refused():
    with pytest.raises(PluginError, match=r"Install alpaca-py 0\.44"):
        tame(object(), Patience(), RateLimit(), ours=False)
