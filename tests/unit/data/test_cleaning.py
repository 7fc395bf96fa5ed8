"""What `clean` lets through, what it refuses, and why it says so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trading_bot.data.bars import known_by, take_rows
from trading_bot.data.cleaning import Cleaned, clean
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.ports import RawBars
from trading_bot.domain.snapshot import fingerprint

WEEK = ("2022-02-21", "2022-02-22", "2022-02-23", "2022-02-24", "2022-02-25", "2022-02-28", "2022-03-01")
TRADING_DAYS = np.array(WEEK, dtype="datetime64[D]")
LAST = date(2022, 3, 1)
ABC = Symbol("ABC")


def bars_of(close, *, days=WEEK, symbols=("ABC",), splits=(), **fields) -> RawBars:
    """Return bars from a list of closes (one symbol) or an array (T, N); other fields default to the close."""
    close = np.array(close, dtype=float).reshape(len(days), len(symbols))
    given = {name: np.array(values, dtype=float).reshape(close.shape) for name, values in fields.items()}
    volume = given.get("volume", np.full(close.shape, 1000.0))
    names = tuple(Symbol(symbol) for symbol in symbols)
    axis = np.array(days, dtype="datetime64[D]")
    opened, high, low = (given.get(name, close.copy()) for name in ("open", "high", "low"))
    return RawBars(axis, names, opened, high, low, close, volume, tuple(splits))


def cleaned(raw: RawBars, as_of: date = LAST) -> Cleaned:
    return clean(raw, as_of=as_of, trading_days=TRADING_DAYS)


def closes(result: Cleaned) -> list[float]:
    return result.history.close[:, 0].tolist()


# ── fault 32: prices that are no prices ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("price", [np.nan, np.inf, -np.inf, 0.0, -3.0, 0.00004, 1e300])
@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_fault_32_a_bar_with_an_unusable_price_is_refused_as_a_whole(field, price):
    raw = bars_of([10.0] * 7)
    getattr(raw, field)[3, 0] = price

    history = cleaned(raw).history

    refused = [float(array[3, 0]) for array in (history.open, history.high, history.low, history.close, history.volume)]
    assert np.isnan(refused).all()
    assert np.isfinite(np.delete(history.close[:, 0], 3)).all()


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        (np.nan, "bar of 2022-03-01 refused: close nan"),
        (np.inf, "bar of 2022-03-01 refused: close inf"),
        (0.0, "bar of 2022-03-01 refused: close 0"),
        (-3.0, "bar of 2022-03-01 refused: close -3"),
    ],
)
def test_fault_32_an_unusable_last_price_quarantines_the_symbol_with_a_sentence(price, sentence):
    raw = bars_of([10.0] * 7)
    raw.close[-1, 0] = price

    assert cleaned(raw).quarantined == {ABC: sentence}


def test_fault_32_an_unusable_price_long_ago_does_not_quarantine():
    result = cleaned(bars_of([10, -1, 10, 10, 10, 10, 10]))

    assert result.quarantined == {}
    assert result.notes == (
        "1 bar refused, a price is missing, infinite, zero, negative or absurd: ABC on 2022-02-22.",
    )


@pytest.mark.parametrize(
    ("high", "low", "close", "opened", "sentence"),
    [
        (10.0, 11.0, 10.5, 10.5, "bar of 2022-03-01 refused: high 10 is below low 11"),
        (11.0, 10.0, 12.0, 10.5, "bar of 2022-03-01 refused: close 12 is not between low 10 and high 11"),
        (11.0, 10.0, 9.0, 10.5, "bar of 2022-03-01 refused: close 9 is not between low 10 and high 11"),
        (11.0, 10.0, 10.5, 1.05, "bar of 2022-03-01 refused: open 1.05 is not between low 10 and high 11"),
    ],
)
def test_fault_32_a_bar_that_contradicts_itself_is_refused(high, low, close, opened, sentence):
    raw = bars_of([10.5] * 7)
    raw.high[-1, 0], raw.low[-1, 0], raw.close[-1, 0], raw.open[-1, 0] = high, low, close, opened

    result = cleaned(raw)

    assert result.quarantined == {ABC: sentence}
    assert np.isnan(result.history.close[-1, 0])


def test_fault_32_rounding_errors_of_adjusted_prices_are_no_contradiction():
    raw = bars_of([10.0] * 7)
    raw.high[-1, 0] = 10.0 - 1e-12

    assert cleaned(raw).quarantined == {}


def test_fault_32_the_good_neighbour_of_a_bad_symbol_stays_tradable():
    prices = np.full((7, 2), 10.0)
    prices[-1, 0] = np.nan
    raw = bars_of(prices, symbols=("BAD", "GOOD"), open=np.full((7, 2), 10.0))

    result = cleaned(raw)

    assert list(result.quarantined) == ["BAD"]
    assert result.history.close[-1, 1] == 10.0


@pytest.mark.parametrize("volume", [-1.0, np.inf, 1e300])
def test_fault_32_an_impossible_volume_is_unknown_and_the_prices_stay(volume):
    raw = bars_of([10.0] * 7)
    raw.volume[-1, 0] = volume

    result = cleaned(raw)

    assert np.isnan(result.history.volume[-1, 0])
    assert result.history.close[-1, 0] == 10.0
    assert result.notes == ("1 volume refused, it is negative, infinite or absurd: ABC on 2022-03-01.",)


def test_a_volume_of_zero_is_a_volume():
    assert cleaned(bars_of([10.0] * 7, volume=[0.0] * 7)).history.volume[-1, 0] == 0.0


# ── fault 39: rows that are missing, doubled, unsorted or late ────────────────────────────────────


def test_fault_39_a_missing_last_bar_quarantines_and_names_the_last_one_there_was():
    nan = np.nan

    assert cleaned(bars_of([10, 10, 10, 10, 10, nan, nan])).quarantined == {
        ABC: "no bar for 2022-03-01; last one 2022-02-25"
    }


def test_fault_39_a_symbol_not_yet_listed_is_quarantined():
    assert cleaned(bars_of([np.nan] * 7)).quarantined == {ABC: "no bar for 2022-03-01; none before either"}


def test_fault_39_when_the_source_ends_early_its_last_bar_does_not_pass_for_todays():
    result = cleaned(bars_of([10.0] * 5, days=WEEK[:5]))

    assert result.history.last_session == LAST
    assert np.isnan(result.history.close[-1, 0])
    assert result.quarantined == {ABC: "no bar for 2022-03-01; last one 2022-02-25"}


def test_fault_39_a_missing_day_in_the_middle_is_noted_and_not_filled_in():
    raw = take_rows(bars_of([1, 2, 3, 4, 5, 6, 7]), np.array([0, 1, 3, 4, 5, 6]))

    result = cleaned(raw)

    assert closes(result) == [1, 2, 4, 5, 6, 7]
    assert result.notes == ("The source has no row at all for 1 trading day: 2022-02-23.",)


def test_fault_39_identical_rows_of_one_day_become_one():
    raw = bars_of([1, 2, 3, 4, 5, 6, 7, 7], days=(*WEEK, WEEK[-1]))

    result = cleaned(raw)

    assert closes(result) == [1, 2, 3, 4, 5, 6, 7]
    assert result.quarantined == {}
    assert result.notes == ("1 day had several rows, merged: 2022-03-01.",)


def test_fault_39_contradicting_rows_of_one_day_are_refused():
    raw = bars_of([1, 2, 3, 4, 5, 6, 7, 8], days=(*WEEK, WEEK[-1]))

    result = cleaned(raw)

    assert np.isnan(result.history.close[-1, 0])
    assert result.quarantined == {
        ABC: "bar of 2022-03-01 refused: several rows of the day contradict each other",
    }


def test_fault_39_rows_of_one_day_that_complete_each_other_are_merged():
    prices = np.full((8, 2), 10.0)
    prices[6] = (10.0, np.nan)
    prices[7] = (np.nan, 20.0)
    volume = np.where(np.isnan(prices), np.nan, 5.0)
    raw = bars_of(prices, days=(*WEEK, WEEK[-1]), symbols=("A", "B"), volume=volume)

    result = cleaned(raw)

    assert result.history.close[-1].tolist() == [10.0, 20.0]
    assert result.quarantined == {}


def test_fault_39_unsorted_rows_are_sorted():
    backwards = bars_of([7, 6, 5, 4, 3, 2, 1], days=WEEK[::-1])

    result = cleaned(backwards)

    assert closes(result) == [1, 2, 3, 4, 5, 6, 7]
    assert result.notes == ("The rows were not in the order of their dates and have been sorted.",)


def test_fault_39_rows_after_as_of_are_dropped_and_the_last_bar_is_never_later():
    result = cleaned(bars_of([1, 2, 3, 4, 5, 6, 7]), as_of=date(2022, 2, 25))

    assert result.history.last_session == date(2022, 2, 25)
    assert closes(result) == [1, 2, 3, 4, 5]
    assert result.notes == ("2 rows dropped, later than 2022-02-25: 2022-02-28, 2022-03-01.",)


def test_fault_39_as_of_a_saturday_is_the_friday_before():
    assert cleaned(bars_of([1, 2, 3, 4, 5, 6, 7]), as_of=date(2022, 2, 26)).history.last_session == date(2022, 2, 25)


def test_fault_39_a_row_on_a_saturday_is_dropped():
    days = (*WEEK[:5], "2022-02-26", *WEEK[5:])

    result = cleaned(bars_of([1, 2, 3, 4, 5, 99, 6, 7], days=days))

    assert closes(result) == [1, 2, 3, 4, 5, 6, 7]
    assert result.notes == ("1 row dropped, on a day the exchange was closed: 2022-02-26.",)


def test_fault_39_a_row_without_a_date_is_dropped():
    result = cleaned(bars_of([1, 2, 3, 4, 5, 6, 7, 8], days=(*WEEK, "NaT")))

    assert closes(result) == [1, 2, 3, 4, 5, 6, 7]
    assert result.notes == ("1 row dropped, without a date.",)


def test_fault_39_naive_timestamps_count_as_the_day_they_name():
    raw = bars_of([1, 2, 3, 4, 5, 6, 7])
    stamped = take_rows(raw, slice(None))
    object.__setattr__(stamped, "sessions", raw.sessions.astype("datetime64[s]") + np.timedelta64(16, "h"))

    assert cleaned(stamped).history.last_session == LAST


def test_fault_39_no_bar_at_all_is_an_error_that_says_when_they_begin():
    with pytest.raises(DataError, match="2022-02-18 or earlier"):
        cleaned(bars_of([1, 2, 3, 4, 5, 6, 7]), as_of=date(2022, 2, 18))


# ── fault 40: half of the universe ────────────────────────────────────────────────────────────────


def test_fault_40_with_half_of_the_universe_missing_the_rest_is_traded_and_coverage_says_half():
    prices = np.full((7, 4), 10.0)
    prices[-1, :2] = np.nan

    result = cleaned(bars_of(prices, symbols=("A", "B", "C", "D")))

    assert result.coverage.share == 0.5
    assert sorted(result.quarantined) == ["A", "B"]
    assert result.history.close[-1, 2:].tolist() == [10.0, 10.0]


# ── splits ────────────────────────────────────────────────────────────────────────────────────────


def split(day: str, ratio: str, symbol: str = "ABC") -> Split:
    return Split(Symbol(symbol), date.fromisoformat(day), Decimal(ratio))


def test_a_split_halves_the_prices_before_it_and_doubles_the_volume():
    result = cleaned(bars_of([100, 102, 104, 52, 53, 54, 55], splits=[split("2022-02-24", "2")]))

    assert closes(result) == [50, 51, 52, 52, 53, 54, 55]
    assert result.history.volume[:, 0].tolist() == [2000, 2000, 2000, 1000, 1000, 1000, 1000]


def test_a_reverse_split_raises_the_prices_before_it():
    result = cleaned(bars_of([1, 1, 1, 10, 10, 10, 10], splits=[split("2022-02-24", "0.1")]))

    assert closes(result) == pytest.approx([10, 10, 10, 10, 10, 10, 10])


def test_two_splits_multiply():
    splits = [split("2022-02-28", "3"), split("2022-02-23", "2")]

    result = cleaned(bars_of([60, 60, 30, 30, 30, 10, 10], splits=splits))

    assert closes(result) == [10, 10, 10, 10, 10, 10, 10]
    assert [item.session.isoformat() for item in result.splits] == ["2022-02-23", "2022-02-28"]


def test_the_last_row_is_always_the_price_that_was_paid():
    result = cleaned(bars_of([100, 100, 100, 100, 100, 100, 50], splits=[split("2022-03-01", "2")]))

    assert closes(result) == [50] * 7


def test_a_split_after_as_of_is_not_known_yet():
    raw = bars_of([100, 100, 100, 100, 100, 100, 50], splits=[split("2022-03-01", "2")])

    result = cleaned(raw, as_of=date(2022, 2, 28))

    assert closes(result) == [100] * 6
    assert result.splits == ()


def test_a_split_of_another_symbol_changes_nothing():
    prices = np.tile([[10.0, 20.0]], (7, 1))

    result = cleaned(bars_of(prices, symbols=("A", "B"), splits=[split("2022-02-24", "2", "B")]))

    assert result.history.close[0].tolist() == [10.0, 10.0]


def test_a_split_listed_twice_happens_once():
    twice = [split("2022-02-24", "2"), split("2022-02-24", "2")]

    assert closes(cleaned(bars_of([20, 20, 20, 10, 10, 10, 10], splits=twice)))[0] == 10


@pytest.mark.parametrize("ratios", [("0",), ("-2",), ("NaN",), ("2", "3")])
def test_an_impossible_split_is_an_error(ratios):
    with pytest.raises(DataError, match="2022-02-24"):
        cleaned(bars_of([10] * 7, splits=[split("2022-02-24", ratio) for ratio in ratios]))


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────

ANY_FLOATS = arrays.arrays(np.float64, (5, 7, 3), elements=st.floats(width=64) | st.sampled_from([10.0, 10.5, 11.0]))
ANY_DAYS = st.lists(st.sampled_from([*WEEK, "2022-02-26", "2022-03-02", "NaT"]), min_size=7, max_size=7)


@settings(deadline=None)
@given(ANY_FLOATS, ANY_DAYS, st.sampled_from(WEEK))
def test_whatever_comes_in_only_positive_finite_prices_up_to_as_of_come_out(fields, days, as_of):
    opened, high, low, close, volume = fields
    symbols = (Symbol("A"), Symbol("B"), Symbol("C"))
    splits = (split("2022-02-23", "7", "A"), split("2022-02-24", "0.01", "B"))
    raw = RawBars(np.array(days, dtype="datetime64[D]"), symbols, opened, high, low, close, volume, splits)
    if not any(day <= as_of for day in days if day not in ("NaT", "2022-02-26")):
        return

    history = cleaned(raw, as_of=date.fromisoformat(as_of)).history

    assert history.last_session == date.fromisoformat(as_of)
    assert (np.diff(history.sessions) > np.timedelta64(0, "D")).all()
    for field in (history.open, history.high, history.low, history.close):
        known = field[~np.isnan(field)]
        assert np.isfinite(known).all()
        assert (known > 0).all()
    volumes = history.volume[~np.isnan(history.volume)]
    assert np.isfinite(volumes).all()
    assert (volumes >= 0).all()


@settings(deadline=None)
@given(
    arrays.arrays(np.float64, (7, 3), elements=st.sampled_from([9.0, 10.0, np.nan, -1.0, np.inf])), st.integers(0, 6)
)
def test_without_a_split_in_between_what_was_known_then_is_what_is_known_later(close, row):
    raw = bars_of(close, symbols=("A", "B", "C"), splits=[split(WEEK[0], "2", "A")])
    as_of = date.fromisoformat(WEEK[row])

    then = cleaned(known_by(raw, as_of), as_of).history
    later = cleaned(raw).history.until(as_of)

    assert fingerprint(then) == fingerprint(later)


@settings(deadline=None)
@given(arrays.arrays(np.float64, (7, 3), elements=st.floats(width=64)))
def test_cleaning_changes_nothing_that_was_handed_in(close):
    raw = bars_of(close, symbols=("A", "B", "C"), splits=[split("2022-02-24", "2", "A")])
    before = [array.tobytes() for array in (raw.sessions, raw.open, raw.high, raw.low, raw.close, raw.volume)]

    cleaned(raw)

    after = [array.tobytes() for array in (raw.sessions, raw.open, raw.high, raw.low, raw.close, raw.volume)]
    assert before == after
