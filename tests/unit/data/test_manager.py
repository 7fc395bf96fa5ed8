"""What the manager says about the market, and what it refuses to say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import ClassVar

import numpy as np
import pytest

from trading_bot.data.bars import known_by
from trading_bot.data.manager import DataManager
from trading_bot.data.sources.sample import Sample
from trading_bot.data.sources.sample_ohlcv import SampleOhlcv
from trading_bot.domain.errors import DataError, NoMoreSessions, SettingsError
from trading_bot.domain.market import Symbol, Trend
from trading_bot.domain.ports import RawBars
from trading_bot.domain.snapshot import fingerprint

DAYS = np.array(["2022-02-24", "2022-02-25", "2022-02-26", "2022-02-28", "2022-03-01"], dtype="datetime64[D]")
LAST = date(2022, 3, 1)
AT = datetime(2022, 3, 1, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Prices:
    """A source of four stocks over four sessions, with a row on a Saturday that should not be there."""

    historical: ClassVar[bool] = True

    raw: RawBars = field(
        default_factory=lambda: RawBars(
            DAYS,
            tuple(Symbol(name) for name in ("AAA", "BBB", "CCC", "DDD")),
            open=np.full((5, 4), 10.0),
            high=np.full((5, 4), 11.0),
            low=np.full((5, 4), 9.0),
            close=np.full((5, 4), 10.0),
            volume=np.full((5, 4), 500.0),
            sectors={Symbol("AAA"): "Energy", Symbol("BBB"): "Financials"},
        )
    )

    def bars(self, as_of: date) -> RawBars:
        return known_by(self.raw, as_of)

    def sessions(self):
        return self.raw.sessions


class Live(Prices):
    """The same prices from a source that lives by the wall clock."""

    historical: ClassVar[bool] = False


def lacking(*symbols: str) -> Prices:
    """Return the prices without the last bar of some symbols."""
    raw = Prices().raw
    columns = [raw.symbols.index(Symbol(symbol)) for symbol in symbols]
    for array in (raw.open, raw.high, raw.low, raw.close, raw.volume):
        array[-1, columns] = np.nan
    return Prices(raw=raw)


@pytest.fixture
def manager(weekdays) -> DataManager:
    return DataManager(Prices(), symbols=(), min_coverage=0.5, start=date(2022, 2, 25), calendar=weekdays)


def test_the_first_session_is_the_first_one_from_start_on(manager):
    assert manager.next_session(None) == date(2022, 2, 25)


def test_a_start_on_a_holiday_begins_on_the_session_after(manager):
    assert replace(manager, start=date(2022, 2, 26)).next_session(None) == date(2022, 2, 28)


def test_the_next_session_skips_the_row_of_a_saturday(manager):
    assert manager.next_session(date(2022, 2, 25)) == date(2022, 2, 28)


def test_a_session_before_start_is_never_next(manager):
    assert manager.next_session(date(2022, 1, 3)) == date(2022, 2, 25)


def test_after_the_last_session_there_is_none_and_the_message_says_what_to_do(manager):
    with pytest.raises(NoMoreSessions) as caught:
        manager.next_session(LAST)

    assert str(caught.value) == (
        "There is no session after 2022-03-01: the prices run from 2022-02-24 to 2022-03-01. To trade them again, set "
        "an earlier start or another price source, and begin with a fresh state folder."
    )


def test_a_start_after_the_last_session_is_said_so(manager):
    with pytest.raises(NoMoreSessions, match="no session from 2023-01-01 on"):
        replace(manager, start=date(2023, 1, 1)).next_session(None)


def test_a_required_session_is_itself(manager):
    assert manager.require_session(LAST) == LAST


@pytest.mark.parametrize(
    ("day", "nearest"),
    [
        (date(2022, 2, 26), "2022-02-25 or 2022-02-28"),
        (date(2021, 1, 1), "2022-02-24"),
        (date(2030, 1, 1), "2022-03-01"),
    ],
)
def test_a_day_that_is_no_session_is_an_error_that_names_the_nearest(manager, day, nearest):
    with pytest.raises(DataError, match=f"{day} is no session of the price source. The nearest: {nearest}."):
        manager.require_session(day)


def test_the_state_ends_on_the_session_asked_for(manager):
    state = manager.get_market_state(AT, date(2022, 2, 28))

    assert state.session == state.history.last_session == date(2022, 2, 28)
    assert state.at == AT


def test_only_the_wanted_symbols_are_in_the_state_in_the_order_wanted(manager):
    state = replace(manager, symbols=("BBB", "AAA")).get_market_state(AT, LAST)

    assert state.history.symbols == ("BBB", "AAA")
    assert state.sectors == {"AAA": "Energy", "BBB": "Financials"}
    assert state.coverage.wanted == 2


def test_a_symbol_wanted_twice_is_there_once(manager):
    assert replace(manager, symbols=("AAA", "AAA")).get_market_state(AT, LAST).history.symbols == ("AAA",)


@pytest.mark.parametrize(("typed", "guess"), [("AAAA", "AAA"), ("bbb", "BBB")])
def test_a_misspelt_symbol_is_an_error_that_names_the_nearest_and_what_exists(manager, typed, guess):
    with pytest.raises(SettingsError) as caught:
        replace(manager, symbols=(typed,)).get_market_state(AT, LAST)

    assert str(caught.value) == (
        f"data.symbols: the source has no symbol {typed!r}. Did you mean {guess!r}? There are: AAA, BBB, CCC, DDD."
    )


@pytest.mark.parametrize(("missing", "below"), [("A", False), ("AB", False), ("ABC", True), ("ABCD", True)])
def test_fault_40_below_the_minimum_coverage_the_state_says_so(manager, missing, below):
    source = lacking(*(letter * 3 for letter in missing))

    state = replace(manager, source=source).get_market_state(AT, LAST)

    assert state.coverage.usable == 4 - len(missing)
    assert state.below_minimum_coverage is below


def test_fault_39_a_quarantined_symbol_has_no_price_today_but_a_last_known_one(manager):
    state = replace(manager, source=lacking("AAA")).get_market_state(AT, LAST)

    assert state.quarantined == {"AAA": "no bar for 2022-03-01; last one 2022-02-28"}
    assert state.price(Symbol("AAA")) is None
    assert state.last_known_price(Symbol("AAA")) == 10


def test_what_was_repaired_is_told(manager):
    notes = manager.get_market_state(AT, LAST).notes

    assert notes == ("1 row dropped, on a day the exchange was closed: 2022-02-26.",)


def test_the_same_question_has_the_same_answer(manager):
    one, other = (manager.get_market_state(AT, LAST) for _ in range(2))

    assert fingerprint(one.history) == fingerprint(other.history)
    assert (one.regime, one.coverage, one.quarantined) == (other.regime, other.coverage, other.quarantined)


def test_a_day_before_the_first_bar_is_an_error(manager):
    with pytest.raises(DataError, match="no bar of 2022-02-23 or earlier"):
        manager.get_market_state(AT, date(2022, 2, 23))


def test_a_day_the_exchange_is_closed_is_an_error(manager):
    with pytest.raises(DataError, match="2022-02-27 is no session; the last one before is 2022-02-25"):
        manager.get_market_state(AT, date(2022, 2, 27))


def test_an_instant_without_a_timezone_is_refused(manager):
    with pytest.raises(ValueError, match="no timezone"):
        manager.get_market_state(datetime(2022, 3, 1, 21), LAST)  # noqa: DTZ001


def test_the_source_says_whether_the_bot_lives_in_the_past(manager):
    assert manager.historical is True
    assert replace(manager, source=Live()).historical is False


def test_without_a_benchmark_the_mean_of_the_universe_stands_in(weekdays):
    manager = DataManager(SampleOhlcv(), symbols=(), min_coverage=0.5, start=date(2000, 3, 1), calendar=weekdays)

    assert manager.get_market_state(AT, date(2008, 10, 10)).regime.sentence == (
        "The universe's mean closed 29.6% below its 200-session mean and moves wildly (63% a year)."
    )


@pytest.mark.parametrize(
    ("session", "trend", "sentence"),
    [
        # 4796.56 against a mean of 4387.04 over the 200 sessions that end on the day; 899.22 against 1314.74.
        ("2022-01-03", Trend.RISING, "The S&P 500 closed 9.3% above its 200-session mean"),
        ("2008-10-10", Trend.FALLING, "The S&P 500 closed 31.6% below its 200-session mean"),
    ],
)
def test_the_regime_of_the_packaged_market_is_that_of_the_index(weekdays, session, trend, sentence):
    manager = DataManager(Sample(), symbols=("AAPL",), min_coverage=0.5, start=date(2000, 1, 3), calendar=weekdays)

    regime = manager.get_market_state(AT, date.fromisoformat(session)).regime

    assert regime.trend is trend
    assert regime.sentence.startswith(sentence)
