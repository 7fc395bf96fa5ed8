"""`bensbot flatten` where the book is, and the loop that has to book its sales."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import pytest

from deployments.flattening import flatten_here
from deployments.place import Server
from deployments.standing import Desk
from tests.flows.fake_prefect import FakePrefect, fake_prefect
from tests.unit.core.trading import settings_in
from trading_bot.core.book import open_book
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import SettingsError, SourceUnavailable
from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import RawBars

GOES_ON = "The loop was stopped or paused. It goes on, so that the sales are booked; it buys nothing.\n"


@dataclass(frozen=True, slots=True)
class Silent:
    """A price source that has sessions, and no prices."""

    historical: ClassVar[bool] = True

    def bars(self, as_of: date) -> RawBars:
        raise SourceUnavailable(f"no prices of {as_of}")

    def sessions(self) -> SessionAxis:
        return Sample().sessions()


@pytest.fixture
def silent() -> Iterator[str]:
    PRICE_SOURCES.names()
    PRICE_SOURCES.register("silent")(Silent)
    yield "silent"
    del PRICE_SOURCES._classes["silent"]


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePrefect]:
    """A server whose loop is paused."""
    monkeypatch.setattr("deployments.switching.PATIENCE_SECONDS", 0.0)
    with fake_prefect() as known:
        known.paused = True
        yield known


@pytest.fixture
def desk(tmp_path: Path, prefect: FakePrefect) -> Callable[..., Desk]:
    """Make a desk with a book that stands at a state."""

    def make(state: TradingState, source: str = "sample") -> Desk:
        settings = settings_in(tmp_path / "state", data={"source": source})
        with open_book(settings) as book:
            book.control.set_state(state, cause="a test", who="Ben")
        return Desk(settings, Server(prefect.address, None))

    return make


@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.PAUSED, TradingState.REDUCING])
def test_flattening_lets_a_stopped_loop_go_on_and_says_so(
    desk: Callable[..., Desk], prefect: FakePrefect, capsys: pytest.CaptureFixture[str], state: TradingState
):
    flatten_here(desk(state), (), "a test", "Ben", ack=False)

    assert not prefect.paused
    assert GOES_ON in capsys.readouterr().err


def test_nothing_is_said_of_a_loop_that_was_not_stopped(
    desk: Callable[..., Desk], prefect: FakePrefect, capsys: pytest.CaptureFixture[str]
):
    prefect.paused = False

    flatten_here(desk(TradingState.ACTIVE), (), "a test", "Ben", ack=False)

    assert GOES_ON not in capsys.readouterr().err


def test_a_flatten_that_fails_on_its_way_lets_the_loop_go_on_as_well(
    desk: Callable[..., Desk], prefect: FakePrefect, silent: str
):
    with pytest.raises(SourceUnavailable):
        flatten_here(desk(TradingState.PAUSED, silent), (), "a test", "Ben", ack=False)

    assert not prefect.paused


def test_a_flatten_that_is_refused_leaves_a_halted_loop_as_it_is(desk: Callable[..., Desk], prefect: FakePrefect):
    with pytest.raises(SettingsError, match="bensbot flatten --ack"):
        flatten_here(desk(TradingState.HALTED), (), "a test", "Ben", ack=False)

    assert prefect.paused
