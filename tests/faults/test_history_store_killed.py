"""A history store after its writer was killed anywhere, and while it writes: the old one or the new one, whole."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.faults.storing import DAYS, DEEDS, NEXT, TRACE, do, grow, in_a_process
from tests.unit.data.stored import AT, days_of, make, same, some_bars
from trading_bot.data.store.appending import append_bars
from trading_bot.data.store.reading import open_store
from trading_bot.domain.ports import RawBars

KILLED = -9
AT_ONCE = 4
EVERY_DAY = "a day is appended"


@pytest.fixture
def start(tmp_path: Path) -> Path:
    make(tmp_path / "start", some_bars(DAYS))
    return tmp_path / "start"


def strike(start: Path, deed: str, numbers: range) -> list[tuple[Path, int]]:
    """Do the deed once for each number in a store of its own, killed at that call; return how each process ended."""
    folders = [start.with_name(f"struck-{number}") for number in numbers]
    for folder in folders:
        shutil.copytree(start, folder)
    started = [in_a_process(do, folder, deed, number) for folder, number in zip(folders, numbers, strict=True)]
    for process in started:
        process.join(60)
    return [(folder, process.exitcode) for folder, process in zip(folders, started, strict=True)]


@pytest.mark.parametrize(
    "deed", [pytest.param(deed, marks=[] if deed == EVERY_DAY else [pytest.mark.slow]) for deed in DEEDS]
)
def test_a_writer_killed_at_any_call_leaves_the_old_store_or_the_new_one(start: Path, deed: str):
    old, (again, new) = open_store(start).bars(), DEEDS[deed]
    if deed == "a day is corrected":
        again(shutil.copytree(start, start.with_name("whole")))
        new = open_store(start.with_name("whole")).bars()
        assert not same(new, old)
    ends: list[str] = []

    for first in itertools.count(1, AT_ONCE):
        strokes = strike(start, deed, range(first, first + AT_ONCE))
        for folder, code in strokes:
            assert code in (0, KILLED)
            ends.append(look_at(folder, old, new))
        if strokes[-1][1] == 0:  # there were no more calls to be killed at
            break

    assert ends == sorted(ends, key=["old", "new"].index)  # committed at one call, and never taken back
    assert set(ends) == {"old", "new"}
    assert len(ends) > 20


def look_at(folder: Path, old: RawBars, new: RawBars) -> str:
    """Say which store it is, and see that it can be written to as if nothing had been."""
    store = open_store(folder)
    assert not store.damaged_sessions().size
    found = store.bars()
    state = "new" if same(found, new) else "old"
    assert same(found, new if state == "new" else old)
    append_bars(folder, some_bars(["2022-03-04"], found.symbols), at=AT)
    grown = open_store(folder).bars()
    assert days_of(grown) == [*days_of(found), "2022-03-04"]
    assert np.array_equal(grown.close[:-1], found.close, equal_nan=True)
    return state


def test_a_row_is_on_the_disk_before_the_manifest_names_it(start: Path):
    ((folder, code),) = strike(start, EVERY_DAY, range(10**6, 10**6 + 1))
    assert code == 0

    done = [word for word in start.with_name(f"{folder.name}-{TRACE}").read_text().splitlines() if "call" in word]
    changes = [word.split()[1] for word in done if word.split()[1] in ("write", "fsync", "replace", "rename")]

    # the row, its sync; the manifest, its sync; its name, the folder's sync
    assert changes == ["write", "fsync", "write", "fsync", "replace", "fsync"]
    assert days_of(open_store(folder).bars()) == [*DAYS, NEXT]


def test_a_reader_beside_a_writer_sees_the_days_one_after_the_other(start: Path):
    days = [str(day) for day in np.arange("2022-03-03", "2022-03-27", dtype="datetime64[D]")]
    seen = [len(DAYS)]

    writer = in_a_process(grow, start, days)
    while writer.is_alive() or seen[-1] < len(DAYS) + len(days):
        found = open_store(start).bars()
        wanted = some_bars([*DAYS, *days][: len(found.sessions)], ("AAA", "BBB"))
        assert same_closes(found, wanted)
        seen.append(len(found.sessions))
        assert writer.exitcode in (None, 0)
    writer.join(60)

    assert seen == sorted(seen)
    assert len(set(seen)) > 2


def same_closes(found: RawBars, wanted: RawBars) -> bool:
    """Whether the first symbols, which were there from the beginning, have the bars that were written."""
    return np.array_equal(found.sessions, wanted.sessions) and np.array_equal(
        found.close[:, : len(wanted.symbols)], wanted.close, equal_nan=True
    )
