"""The local history store: what is put in comes out, and what is damaged does not."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.stored import AT, ORIGIN, days_of, make, same, some_bars, with_benchmark
from trading_bot.data.bars import take_rows, take_symbols
from trading_bot.data.store.appending import append_bars
from trading_bot.data.store.manifest import FIELDS, read_manifest
from trading_bot.data.store.reading import open_store
from trading_bot.data.store.writing import import_bars
from trading_bot.domain.errors import DataError, SettingsError, SourceUnavailable
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.ports import RawBars
from trading_bot.storage.durable import held

DAYS = ("2022-02-28", "2022-03-01", "2022-03-02", "2022-03-03")
LATER = datetime(2022, 3, 7, 21, tzinfo=UTC)
AAA, BBB = Symbol("AAA"), Symbol("BBB")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "prices"


def stored(folder: Path) -> RawBars:
    return open_store(folder).bars()


def append(folder: Path, raw: RawBars, *, corrections: bool = False):
    return append_bars(folder, raw, at=LATER, corrections=corrections)


# ── in and out ────────────────────────────────────────────────────────────────────────────────────


def test_what_is_imported_comes_out_again(folder: Path):
    raw = replace(
        with_benchmark(some_bars(DAYS)),
        splits=(Split(AAA, date(2022, 3, 2), Decimal("0.1")),),
        sectors={AAA: "Health Care", BBB: "Énergie"},
        notes=("AAA.csv has an adjusted close only.",),
    )

    make(folder, raw)

    assert same(stored(folder), raw)


def test_the_manifest_says_from_where_and_when(folder: Path):
    make(folder, some_bars(DAYS))

    manifest = read_manifest(folder)

    assert (manifest.origin, manifest.changed_at) == (ORIGIN, AT)


def test_the_file_is_rows_of_fields_of_symbols_and_a_benchmark(folder: Path):
    raw = with_benchmark(some_bars(DAYS))
    make(folder, raw)

    row = np.fromfile(folder / "bars-1.f64", dtype="<f8").reshape(len(DAYS), 5 * 2 + 1)[1]

    assert raw.benchmark is not None
    wanted = [*raw.open[1], *raw.high[1], *raw.low[1], *raw.close[1], *raw.volume[1], raw.benchmark[1]]
    assert np.array_equal(row, wanted, equal_nan=True)


def test_bars_end_with_the_day_asked_for_and_know_no_later_split(folder: Path):
    raw = replace(some_bars(DAYS), splits=(Split(AAA, date(2022, 3, 2), Decimal(2)),))
    make(folder, raw)

    found = open_store(folder).bars(date(2022, 3, 1))

    assert days_of(found) == ["2022-02-28", "2022-03-01"]
    assert found.splits == ()


def test_only_the_last_sessions_are_handed_out_when_so_many_are_asked_for(folder: Path):
    make(folder, some_bars(DAYS))
    store = open_store(folder)

    assert days_of(store.bars(date(2022, 3, 2), last=2)) == ["2022-03-01", "2022-03-02"]
    assert days_of(store.bars(date(2022, 3, 2), last=9)) == ["2022-02-28", "2022-03-01", "2022-03-02"]


def test_bars_are_the_file_itself_and_cannot_be_written_to(folder: Path):
    make(
        folder,
        some_bars(
            [str(day) for day in np.arange("2020-01-01", "2021-05-15", dtype="datetime64[D]")],
            [f"S{n}" for n in range(9)],
        ),
    )

    tracemalloc.start()
    raw = stored(folder)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(getattr(raw, name).nbytes for name in FIELDS) == 500 * 9 * 5 * 8
    assert most < 500 * 9 * 5 * 8
    with pytest.raises(ValueError, match="read-only"):
        raw.close[0, 0] = 1.0


# ── growing ───────────────────────────────────────────────────────────────────────────────────────


def test_a_new_day_is_written_behind_the_others(folder: Path):
    make(folder, some_bars(DAYS[:3]))

    change = append(folder, some_bars(DAYS[3:]))

    assert (change.added.astype(str).tolist(), change.rewritten) == (["2022-03-03"], False)
    assert read_manifest(folder).bars == "bars-1.f64"
    assert read_manifest(folder).changed_at == LATER
    assert same(stored(folder), some_bars(DAYS))


def test_a_source_that_says_it_all_again_adds_what_is_new_only(folder: Path):
    make(folder, some_bars(DAYS[:2]))

    change = append(folder, some_bars(DAYS))

    assert (len(change.added), change.rewritten) == (2, False)
    assert same(stored(folder), some_bars(DAYS))


def test_nothing_new_writes_nothing(folder: Path):
    make(folder, some_bars(DAYS))
    before = (folder / "manifest.json").stat()

    assert not append(folder, some_bars(DAYS)).changed
    assert (folder / "manifest.json").stat().st_mtime_ns == before.st_mtime_ns


def test_a_symbol_that_is_new_has_no_bars_before(folder: Path):
    make(folder, some_bars(DAYS[:3]))

    change = append(folder, some_bars(DAYS[3:], ("AAA", "BBB", "NEW")))

    raw = stored(folder)
    assert (change.newcomers, change.rewritten) == (("NEW",), True)
    assert raw.symbols == ("AAA", "BBB", "NEW")
    assert np.isnan(raw.close[:3, 2]).all()
    assert same(take_symbols(raw, (AAA, BBB)), some_bars(DAYS))


def test_a_symbol_that_is_new_brings_the_history_its_source_has(folder: Path):
    make(folder, some_bars(DAYS[:3]))

    append(folder, some_bars(DAYS, ("AAA", "ABC", "BBB")))

    assert same(stored(folder), some_bars(DAYS, ("AAA", "ABC", "BBB")))  # in the source's order, too


def test_a_symbol_that_vanished_has_no_bars_from_then_on(folder: Path):
    make(folder, some_bars(DAYS[:3]))

    append(folder, some_bars(DAYS[3:], ("BBB",)))

    raw = stored(folder)
    assert raw.symbols == ("AAA", "BBB")
    assert np.isnan(raw.close[3, 0])
    assert np.array_equal(raw.close[:, 1], some_bars(DAYS).close[:, 1], equal_nan=True)


def test_splits_and_sectors_that_are_new_are_added_without_a_new_day(folder: Path):
    raw, split = some_bars(DAYS), Split(AAA, date(2022, 3, 2), Decimal(2))
    make(folder, replace(raw, sectors={AAA: "Energy"}))

    assert append(folder, replace(raw, sectors={BBB: "Materials"}, splits=(split,))).changed
    assert stored(folder).splits == (split,)
    assert stored(folder).sectors == {AAA: "Energy", BBB: "Materials"}


def test_a_benchmark_that_is_new_comes_with_its_history(folder: Path):
    make(folder, some_bars(DAYS[:3]))

    append(folder, with_benchmark(some_bars(DAYS)))

    assert same(stored(folder), with_benchmark(some_bars(DAYS)))


# ── contradictions ────────────────────────────────────────────────────────────────────────────────


def corrected(raw: RawBars, row: int, value: float) -> RawBars:
    close = raw.close.copy()
    close[row, 0] = value
    return replace(raw, close=close)


@pytest.mark.parametrize("row", [1, 3])
def test_a_day_that_is_said_otherwise_is_refused_and_nothing_changes(folder: Path, row: int):
    make(folder, corrected(some_bars(DAYS), row, 11.5))

    with pytest.raises(DataError, match=f"about 1 day, for example close of AAA on {DAYS[row]}: 11.5 here, 12 there"):
        append(folder, corrected(some_bars(DAYS), row, 12.0))

    assert same(stored(folder), corrected(some_bars(DAYS), row, 11.5))


@pytest.mark.parametrize("row", [1, 3])
def test_a_corrected_day_replaces_the_stored_one(folder: Path, row: int):
    make(folder, corrected(some_bars(DAYS), row, 11.5))

    change = append(folder, take_rows(corrected(some_bars(DAYS), row, 12.0), slice(row, row + 1)), corrections=True)

    assert (change.corrected.astype(str).tolist(), change.rewritten) == ([DAYS[row]], True)
    assert same(stored(folder), corrected(some_bars(DAYS), row, 12.0))
    assert [path.name for path in folder.glob("bars-*")] == ["bars-2.f64"]


def test_a_corrected_day_leaves_other_symbols_as_they_were(folder: Path):
    make(folder, corrected(some_bars(DAYS), 1, 11.5))

    append(folder, take_symbols(corrected(some_bars(DAYS), 1, 12.0), (AAA,)), corrections=True)

    assert same(stored(folder), corrected(some_bars(DAYS), 1, 12.0))


def test_a_day_between_stored_ones_is_refused_or_put_in_by_rewriting(folder: Path):
    make(folder, take_rows(some_bars(DAYS), np.array([0, 2, 3])))

    with pytest.raises(DataError, match="the store has no 2022-03-01"):
        append(folder, some_bars(DAYS[1:2]))

    assert append(folder, some_bars(DAYS[1:2]), corrections=True).rewritten
    assert same(stored(folder), some_bars(DAYS))


def test_a_benchmark_said_otherwise_is_a_contradiction(folder: Path):
    make(folder, with_benchmark(some_bars(DAYS)))
    other = with_benchmark(some_bars(DAYS))
    assert other.benchmark is not None

    with pytest.raises(DataError, match="benchmark on 2022-02-28"):
        append(folder, replace(other, benchmark=other.benchmark + 1))


def test_a_split_with_another_ratio_is_a_contradiction(folder: Path):
    one, other = (Split(AAA, date(2022, 3, 2), Decimal(ratio)) for ratio in ("2", "3"))
    make(folder, replace(some_bars(DAYS), splits=(one,)))

    with pytest.raises(DataError, match="is 2 in the store and 3 at the source"):
        append(folder, replace(some_bars(DAYS), splits=(other,)))

    append(folder, replace(some_bars(DAYS), splits=(other,)), corrections=True)
    assert stored(folder).splits == (other,)


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (take_rows(some_bars(DAYS), slice(0, 0)), "no bars"),
        (some_bars(DAYS, ()), "no bars"),
        (some_bars(DAYS[::-1]), "not in ascending order"),
        (some_bars(DAYS, ("AAA", "AAA")), "twice"),
        (some_bars(DAYS, ("A|B", "C")), "has '|' in it"),
        (some_bars(DAYS, ("A", "")), "empty"),
    ],
)
def test_bars_that_cannot_be_stored_leave_no_store(folder: Path, raw: RawBars, why: str):
    with pytest.raises(DataError) as refused:
        make(folder, raw)

    assert why in str(refused.value)
    assert not folder.exists()


def test_a_store_is_not_replaced_by_accident(folder: Path):
    make(folder, some_bars(DAYS))

    with pytest.raises(SettingsError, match="--replace"):
        make(folder, some_bars(DAYS[:1]))

    make(folder, some_bars(DAYS[:1]), replacing=True)
    assert same(stored(folder), some_bars(DAYS[:1]))
    assert [path.name for path in folder.glob("bars-*")] == ["bars-2.f64"]


def test_a_folder_without_a_store_says_how_to_make_one(folder: Path):
    for use in (open_store, lambda place: append(place, some_bars(DAYS))):
        with pytest.raises(SettingsError, match=r"holds no history store\. To make one: bensbot data import"):
            use(folder)
    assert not folder.exists()


def test_there_is_one_writer_at_a_time(folder: Path):
    make(folder, some_bars(DAYS[:3]))

    with held(folder / "lock"), pytest.raises(SourceUnavailable, match="Another process writes"):
        append(folder, some_bars(DAYS[3:]))

    assert same(stored(folder), some_bars(DAYS[:3]))


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DataError, match="Cannot write the history store"):
        import_bars(tmp_path / "file" / "prices", some_bars(DAYS), origin=ORIGIN, at=AT)


# ── damage ────────────────────────────────────────────────────────────────────────────────────────


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_any_changed_byte_of_the_bars_is_noticed(folder: Path):
    manifest = make(folder, some_bars(DAYS))
    whole = (folder / "bars-1.f64").read_bytes()

    for at in range(len(whole)):
        flip(folder / "bars-1.f64", at)
        store = open_store(folder)
        with pytest.raises(DataError, match=f"the bars of {DAYS[at // manifest.row_bytes]} do not match"):
            store.bars()
        assert store.damaged_sessions().astype(str).tolist() == [DAYS[at // manifest.row_bytes]]
        (folder / "bars-1.f64").write_bytes(whole)


def test_any_changed_byte_of_the_manifest_is_noticed(folder: Path):
    make(folder, some_bars(DAYS))
    whole = (folder / "manifest.json").read_bytes()

    for at in range(len(whole)):
        flip(folder / "manifest.json", at)
        with pytest.raises(DataError, match=r"manifest.json does not match its checksum"):
            open_store(folder)
        (folder / "manifest.json").write_bytes(whole)


def test_damage_says_how_to_make_the_store_anew(folder: Path):
    make(folder, some_bars(DAYS))
    flip(folder / "bars-1.f64", 0)

    with pytest.raises(DataError) as refused:
        stored(folder)

    assert str(refused.value).endswith(f"bensbot data import {folder} --from files --folder /srv/prices --replace")


def test_damage_outside_of_what_is_asked_for_does_not_matter(folder: Path):
    make(folder, some_bars(DAYS))
    flip(folder / "bars-1.f64", 0)

    assert days_of(open_store(folder).bars(last=3)) == list(DAYS[1:])


@pytest.mark.parametrize("left", [0, 1, 351])
def test_a_file_of_bars_that_was_cut_is_refused(folder: Path, left: int):
    make(folder, some_bars(DAYS))
    (folder / "bars-1.f64").write_bytes((folder / "bars-1.f64").read_bytes()[:left])

    with pytest.raises(DataError, match=f"bars-1.f64 has {left} bytes of 352"):
        open_store(folder)


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_manifest_that_was_cut_is_refused(folder: Path, left: int):
    make(folder, some_bars(DAYS))
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes()[:left])

    with pytest.raises(DataError, match="does not match its checksum"):
        open_store(folder)


def test_bars_that_are_lost_are_missed(folder: Path):
    make(folder, some_bars(DAYS))
    (folder / "bars-1.f64").unlink()

    with pytest.raises(DataError, match=r"bars-1\.f64 is missing"):
        open_store(folder)


def test_a_damaged_store_is_not_appended_to_where_it_must_be_read(folder: Path):
    make(folder, some_bars(DAYS[:3]))
    flip(folder / "bars-1.f64", 0)

    with pytest.raises(DataError, match="is damaged"):
        append(folder, some_bars(DAYS, ("AAA", "BBB", "NEW")))


def test_a_damaged_store_can_be_replaced(folder: Path):
    make(folder, some_bars(DAYS[:3]))
    (folder / "manifest.json").write_text("no manifest")

    make(folder, some_bars(DAYS), replacing=True)

    assert same(stored(folder), some_bars(DAYS))


def test_what_a_killed_writer_left_behind_the_last_row_is_written_over(folder: Path):
    make(folder, some_bars(DAYS[:3]))
    with (folder / "bars-1.f64").open("ab") as file:
        file.write(b"half a row")

    assert same(stored(folder), some_bars(DAYS[:3]))
    append(folder, some_bars(DAYS[3:]))
    assert same(stored(folder), some_bars(DAYS))


# ── readers ───────────────────────────────────────────────────────────────────────────────────────


def test_who_opened_the_store_before_keeps_what_was_there(folder: Path):
    make(folder, corrected(some_bars(DAYS[:3]), 1, 11.5))
    before = open_store(folder)

    append(folder, some_bars(DAYS[3:]))
    append(folder, corrected(some_bars(DAYS), 1, 12.0), corrections=True)

    assert same(before.bars(), corrected(some_bars(DAYS[:3]), 1, 11.5))


# ── the law ───────────────────────────────────────────────────────────────────────────────────────

NAMES = ("AAA", "BBB", "CCC", "DDD")
Steps = list[tuple[int, list[str]]]  # so many days, of these symbols


@given(
    steps=st.lists(
        st.tuples(st.integers(1, 3), st.lists(st.sampled_from(NAMES), min_size=1, unique=True)), min_size=1, max_size=6
    )
)
def test_however_a_store_has_grown_it_is_what_was_put_in(tmp_path_factory, steps: Steps):
    folder: Path = tmp_path_factory.mktemp("grown") / "prices"
    wanted: dict[tuple[str, str], list[float]] = {}
    day = date(2022, 1, 1)
    for number, symbols in steps:
        raw = some_bars([str(day + timedelta(offset)) for offset in range(number)], symbols)
        day += timedelta(number)
        for row, session in enumerate(days_of(raw)):
            for column, symbol in enumerate(symbols):
                wanted[session, symbol] = [float(getattr(raw, name)[row, column]) for name in FIELDS]
        if (folder / "manifest.json").exists():
            append(folder, raw)
        else:
            make(folder, raw)

    raw = stored(folder)

    assert len(raw.sessions) == sum(number for number, _ in steps)
    for row, session in enumerate(days_of(raw)):
        for column, symbol in enumerate(raw.symbols):
            found = [float(getattr(raw, name)[row, column]) for name in FIELDS]
            assert np.array_equal(found, wanted.get((session, symbol), [np.nan] * 5), equal_nan=True)
