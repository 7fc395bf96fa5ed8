from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.core.trading import Desk, EventfulClock, settings_in
from trading_bot.core import switch
from trading_bot.core.book import open_book
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import SettingsError, StateError


def test_a_pause_is_ended_without_an_acknowledgement(desk: Desk):
    desk.bot.book.control.set_state(TradingState.PAUSED, cause="holiday", who="Ben")

    assert switch.resume(desk.bot.book, because="back", who="Ben", ack=False).state is TradingState.ACTIVE


def test_a_halt_is_ended_with_an_acknowledgement_only(desk: Desk):
    desk.bot.book.control.set_state(TradingState.HALTED, cause="smoke", who="alarm")

    with pytest.raises(SettingsError, match="bensbot resume --ack"):
        switch.resume(desk.bot.book, because="back", who="Ben", ack=False)

    assert switch.resume(desk.bot.book, because="no fire", who="Ben", ack=True).state is TradingState.ACTIVE


def test_a_resume_does_not_end_a_halt_that_comes_while_it_is_at_work(desk: Desk, folder: Path):
    desk.bot.book.control.set_state(TradingState.PAUSED, cause="holiday", who="Ben")
    clock = EventfulClock()

    with open_book(settings_in(folder), clock=clock) as book:
        clock.happens = lambda: desk.bot.book.control.set_state(TradingState.HALTED, cause="smoke", who="alarm")
        with pytest.raises(StateError, match="smoke"):
            switch.resume(book, because="back", who="Ben", ack=False)

    assert desk.bot.book.control.read().state is TradingState.HALTED
