"""A history cut into pieces: what changes, what stays, and that nothing is lost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from trading_bot.domain.market import MarketHistory, Symbol
from trading_bot.domain.snapshot import as_kept, fingerprint, pack, pieces, unpack

SYMBOLS = (Symbol("AAA"), Symbol("BBB"))


def history(first: str = "2022-01-28", sessions: int = 8, *, moods: bool = False) -> MarketHistory:
    """Return sessions in a row from 28 January: four of January, then those of February."""
    days = np.arange(np.datetime64(first), np.datetime64(first) + np.timedelta64(sessions, "D"))
    grid = np.arange(2.0 * sessions).reshape(sessions, 2)
    fields = [grid + number for number in range(5)]
    fields[1][:1, 0] = np.nan
    return MarketHistory(days, SYMBOLS, *fields, sentiment=np.full_like(grid, 0.25) if moods else None)


def bodies(bars: MarketHistory) -> list[bytes]:
    cut = pieces(bars)
    return [pack(bars, piece.rows) for piece in (*cut.months, cut.recent, cut.newest) if piece]


@pytest.mark.parametrize("moods", [False, True])
@pytest.mark.parametrize("sessions", [1, 2, 4, 5, 8])
def test_what_was_packed_comes_back_bit_for_bit(sessions: int, moods: bool):
    bars = history(sessions=sessions, moods=moods)

    again = unpack(SYMBOLS, bodies(bars))

    assert again.sessions.dtype == bars.sessions.dtype
    assert again.sessions.tobytes() == bars.sessions.tobytes()
    assert [again.frame(name).to_numpy().tobytes() for name in ("open", "high", "low", "close", "volume")] == [
        bars.frame(name).to_numpy().tobytes() for name in ("open", "high", "low", "close", "volume")
    ]
    assert (again.sentiment is None) == (not moods)
    assert fingerprint(again) == fingerprint(bars)


@pytest.mark.parametrize("sessions", [1, 2, 4, 5, 8, 40])
def test_how_a_history_was_cut_is_known_from_what_was_kept(sessions: int):
    bars = history(sessions=sessions)
    cut = pieces(bars)
    recent = cut.recent.digest if cut.recent else None

    assert as_kept([piece.digest for piece in cut.months], recent, cut.newest.digest, bodies(bars)) == cut


def test_a_view_of_some_symbols_is_packed_like_a_copy_of_them():
    bars = history()
    one = MarketHistory(
        bars.sessions, SYMBOLS[:1], *(getattr(bars, name)[:, :1] for name in ("open", "high", "low", "close", "volume"))
    )

    assert unpack(SYMBOLS[:1], bodies(one)).close[:, 0].tolist() == bars.close[:, 0].tolist()


def test_rows_are_cut_where_months_end_and_before_the_last_session():
    cut = pieces(history())

    assert [piece.rows for piece in cut.months] == [slice(0, 4)]
    assert cut.recent is not None
    assert (cut.recent.rows, cut.newest.rows) == (slice(4, 7), slice(7, 8))


def test_the_first_session_of_a_month_has_nothing_recent_before_it():
    cut = pieces(history(sessions=5))

    assert (cut.recent, cut.newest.rows) == (None, slice(4, 5))


def test_another_price_today_changes_the_newest_piece_alone():
    bars = history()
    close = bars.close.copy()
    close[-1, 1] += 0.01

    before, after = pieces(bars), pieces(dataclasses.replace(bars, close=close))

    assert (before.months, before.recent) == (after.months, after.recent)
    assert before.newest.digest != after.newest.digest


def test_a_session_more_leaves_the_complete_months_as_they_are():
    assert pieces(history(sessions=7)).months == pieces(history(sessions=8)).months


@pytest.mark.parametrize("place", [(0, 0), (5, 1), (7, 0)])
def test_every_bar_counts_for_the_fingerprint(place: tuple[int, int]):
    bars = history()
    volume = bars.volume.copy()
    volume[place] += 1

    assert fingerprint(dataclasses.replace(bars, volume=volume)) != fingerprint(bars)


def test_names_count_for_the_fingerprint():
    bars = history()

    assert fingerprint(dataclasses.replace(bars, symbols=SYMBOLS[::-1])) != fingerprint(bars)


def test_a_history_without_a_session_cannot_be_cut():
    with pytest.raises(ValueError, match="without a session"):
        pieces(history(sessions=0))


def test_a_piece_of_other_symbols_is_refused():
    with pytest.raises(ValueError, match="are no piece of 8 sessions and 2 symbols, wanted 1"):
        unpack(SYMBOLS[:1], [pack(history(), slice(0, 8))])
