"""What is old leaves the book whole, once, and with nothing lost on the way."""

from __future__ import annotations

import os
import signal as signal_module
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import event

from tests.unit.state.books import (
    NOON,
    Desk,
    TurnedClock,
    approved,
    fill_a_book,
    open_desk,
    rejected,
    signal,
    story,
)
from trading_bot.config.sections import StateSettings
from trading_bot.core.archive import archive_old, first_day_kept
from trading_bot.domain.archive import ArchiveResult
from trading_bot.domain.cycle import SkipReason
from trading_bot.domain.errors import StateBusy, StateCorrupt, StateError
from trading_bot.domain.news import NewsItem
from trading_bot.state import StateManager, check_ledger, open_read_only

FEBRUARY, MARCH = date(2024, 2, 1), date(2024, 3, 1)
JANUARY_15, FEBRUARY_15, MARCH_15 = date(2024, 1, 15), date(2024, 2, 15), date(2024, 3, 15)


@dataclass
class Archivist:
    """A book with three months in it, and its archive."""

    path: Path
    folder: Path
    clock: TurnedClock

    def archive(self, before: date | None, *, dry_run: bool = False) -> ArchiveResult:
        with StateManager.open(f"sqlite:///{self.path}", clock=self.clock, busy_timeout_seconds=0.1) as book:
            settings = StateSettings(folder=self.folder)
            return archive_old(settings, book, before=before, clock=self.clock, dry_run=dry_run)

    def read(self, month: str, name: str) -> list[dict[str, Any]]:
        table = pd.read_parquet(self.folder / "archive" / month / f"{name}.parquet")
        return [{str(column): cell for column, cell in row.items()} for row in table.to_dict("records")]

    def archived(self, month: str, name: str) -> list[str]:
        """Return the cycles that the rows of a file are about."""
        return [row["cycle_id"] for row in self.read(month, name)]

    def left(self, query: str) -> list[tuple[object, ...]]:
        with open_read_only(f"sqlite:///{self.path}") as book, book.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


def fill_three_months(desk: Desk) -> None:
    """A few January days of everything, and then one quiet cycle and one skip in the middle of each month."""
    fill_a_book(desk)
    for session in (JANUARY_15, FEBRUARY_15, MARCH_15):
        name = session.isoformat()
        desk.begin(name, session=session)
        desk.decide(rejected("20"), approved("0", signal("IBM")), cycle_id=name)
        desk.complete(name)
        desk.book.cycles.record_steps(name, {"generate_signals": 0.1 + 0.2})
        skip(desk, f"{name}-late", session)
    desk.book.control.release_lease(desk.lease)


def skip(desk: Desk, name: str, session: date) -> None:
    because = {"reason": SkipReason.STALE_TICK, "message": "Too late."}
    desk.book.cycles.skip(name, session=session, scheduled_at=NOON, **because)


@pytest.fixture
def archivist(path: Path, tmp_path: Path) -> Archivist:
    with open_desk(path) as desk:
        fill_three_months(desk)
    return Archivist(path, tmp_path / "state", TurnedClock())


@pytest.fixture(scope="session")
def empty_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "book.db"
    StateManager.open(f"sqlite:///{path}", clock=TurnedClock()).close()
    return path


@pytest.fixture
def path(empty_book: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "book.db"
    copied.write_bytes(empty_book.read_bytes())
    return copied


# ── what goes and what stays ──────────────────────────────────────────────────────────────────────


def test_old_decisions_without_an_order_and_skipped_cycles_leave(archivist: Archivist):
    result = archivist.archive(FEBRUARY)

    assert [(month.month, month.decisions, month.skipped) for month in result.months] == [("2024-01", 3, 2)]
    assert archivist.left("SELECT cycle_id FROM cycles WHERE status = 'skipped' ORDER BY cycle_id") == [
        ("2024-02-15-late",),
        ("2024-03-15-late",),
    ]
    assert archivist.left("SELECT COUNT(*) FROM signals") == archivist.left("SELECT COUNT(*) FROM decisions") == [(7,)]


def test_the_decisions_behind_orders_stay(archivist: Archivist):
    archivist.archive(MARCH)

    assert archivist.left("SELECT symbol, outcome FROM v_decisions WHERE cycle_id = 'monday' ORDER BY symbol") == [
        ("AAPL", "approved"),
        ("IBM", "resized"),
    ]


def read_stories(archivist: Archivist, session: date, *stories: NewsItem) -> None:
    with StateManager.open(f"sqlite:///{archivist.path}", clock=archivist.clock) as book:
        lease = book.control.acquire_lease("reader", ttl_seconds=60, owner_is_dead=lambda _: False)
        assert lease is not None
        book.news.keep(lease, session, NOON, stories)
        book.control.release_lease(lease)


def test_old_stories_leave_and_the_sentiment_of_their_session_stays(archivist: Archivist):
    read_stories(archivist, JANUARY_15, story("c", 0.25, symbols=("MSFT", "XOM")), story("d", symbols=("MSFT",)))
    moods = archivist.left("SELECT * FROM news_moods ORDER BY session")

    result = archivist.archive(MARCH)

    assert [(month.month, month.stories) for month in result.months] == [("2024-01", 2), ("2024-02", 0)]
    assert [(row["story_id"], row["score"], row["headline"]) for row in archivist.read("2024-01", "news")] == [
        ("c", 0.25, "Story c"),
        ("d", 0.5, "Story d"),
    ]
    about = [(row["story_id"], row["symbol"]) for row in archivist.read("2024-01", "news_symbols")]
    assert about == [("c", "MSFT"), ("c", "XOM"), ("d", "MSFT")]
    assert archivist.left("SELECT * FROM news_moods ORDER BY session") == moods
    assert archivist.archive(MARCH).months == ()


def test_the_stories_behind_orders_stay(archivist: Archivist):
    archivist.archive(MARCH)  # on the day of a and b, AAPL was bought

    assert archivist.left("SELECT story_id FROM news ORDER BY story_id") == [("a",), ("b",)]


@pytest.mark.parametrize(("session", "goes"), [(date(2024, 1, 26), True), (date(2024, 1, 29), False)])
def test_a_story_that_may_still_be_told_again_stays(archivist: Archivist, session: date, *, goes: bool):
    read_stories(archivist, session, story("c", symbols=("MSFT",)))  # 33 days before March are 28 January

    archivist.archive(MARCH)

    assert archivist.left("SELECT COUNT(*) FROM news WHERE story_id = 'c'") == [(0 if goes else 1,)]


def test_the_ledger_is_as_it_was(archivist: Archivist):
    untouched = ("intents", "orders", "fills", "cash_ledger", "positions", "equity", "state_changes", "failures")
    before = {table: archivist.left(f"SELECT * FROM {table}") for table in untouched}

    archivist.archive(MARCH)

    assert {table: archivist.left(f"SELECT * FROM {table}") for table in untouched} == before
    with open_read_only(f"sqlite:///{archivist.path}") as book:
        assert check_ledger(book.engine) == ()
        assert book.cycles.last_traded_session() == MARCH_15
        assert book.ledger.portfolio().positions.keys() == {"IBM"}


def test_every_cell_comes_back_as_it_was_decided(archivist: Archivist):
    archivist.archive(FEBRUARY)

    *_, row = archivist.read("2024-01", "decisions")
    assert (row["cycle_id"], row["number"]) == ("monday", 2)
    assert row["session"] == date(2024, 1, 8)
    assert (row["symbol"], row["side"], row["outcome"], row["rule"]) == ("MSFT", "buy", "rejected", "max_position")
    assert (Decimal(row["requested"]), Decimal(row["approved"])) == (Decimal(5), Decimal(0))
    assert (row["wanted_weight"], row["strength"]) == (0.1, 0.3333333333333333)
    assert row["evidence"] == '{"mean":0.30000000000000004,"close":1e-300,"zero":-0.0}'
    assert row["signal_reason"] == "12 % above its mean — “strong”"
    assert '"limit":"0.10"' in row["rulings"]


def test_a_skipped_cycle_keeps_its_instants(archivist: Archivist):
    archivist.archive(FEBRUARY)

    *_, row = archivist.read("2024-01", "skipped")
    assert (row["cycle_id"], row["message"]) == ("thursday", "The exchange is closed.")
    assert row["started_at"] == pd.Timestamp("2024-01-05 17:00", tz="UTC")


def test_durations_leave_as_the_same_floats(archivist: Archivist):
    archivist.archive(FEBRUARY)

    assert archivist.read("2024-01", "steps")[0] == {
        "cycle_id": "2024-01-15",
        "step": "generate_signals",
        "session": JANUARY_15,
        "seconds": 0.30000000000000004,
    }
    assert archivist.left("SELECT cycle_id FROM cycle_steps") == [("2024-02-15",), ("2024-03-15",)]


def test_what_may_still_go_on_stays(archivist: Archivist):
    with open_desk(archivist.path) as desk:
        desk.begin("running", session=JANUARY_15)
        desk.decide(rejected("7"), cycle_id="running")
        desk.book.control.release_lease(desk.lease)

    archivist.archive(date(2030, 1, 1))

    assert archivist.left("SELECT cycle_id FROM decisions WHERE cycle_id = 'running'") == [("running",)]
    assert archivist.left("SELECT DISTINCT cycle_id FROM decisions WHERE cycle_id LIKE '2024%'") == [
        (name,) for name in DAYS_TRADED_WITH_ORDERS
    ] + [("2024-03-15",)]


DAYS_TRADED_WITH_ORDERS = ("2024-01-10-sell-10-70",)


def test_a_book_that_never_traded_keeps_everything(path: Path, tmp_path: Path):
    with open_desk(path) as desk:
        skip(desk, "late", JANUARY_15)
        desk.book.control.release_lease(desk.lease)

    assert Archivist(path, tmp_path, TurnedClock()).archive(MARCH).months == ()


# ── again, and after a crash ──────────────────────────────────────────────────────────────────────


def test_archiving_again_changes_nothing(archivist: Archivist):
    archivist.archive(MARCH)
    files = {path: path.read_bytes() for path in archivist.folder.rglob("*.parquet")}

    again = archivist.archive(MARCH)

    assert again.months == ()
    assert {path: path.read_bytes() for path in archivist.folder.rglob("*.parquet")} == files


def test_a_month_that_was_half_old_is_completed_later(archivist: Archivist):
    archivist.archive(date(2024, 1, 10))
    assert archivist.archived("2024-01", "decisions") == ["monday"]

    archivist.archive(FEBRUARY)

    assert archivist.archived("2024-01", "decisions") == ["2024-01-15", "2024-01-15", "monday"]


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("moment", ["DELETE FROM decisions", "DELETE FROM signals", "DELETE FROM cycles"])
def test_a_crash_between_writing_and_removing_loses_and_doubles_nothing(archivist: Archivist, moment: str):
    settings = StateSettings(folder=archivist.folder)
    with StateManager.open(f"sqlite:///{archivist.path}", clock=archivist.clock) as book:

        @event.listens_for(book.engine, "after_cursor_execute")
        def _(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.startswith(moment):
                raise PowerCut

        with pytest.raises(PowerCut):
            archive_old(settings, book, before=FEBRUARY, clock=archivist.clock)
    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(10,)]

    archivist.archive(FEBRUARY)

    assert archivist.archived("2024-01", "decisions") == ["2024-01-15", "2024-01-15", "monday"]
    assert archivist.archived("2024-01", "skipped") == ["2024-01-15-late", "thursday"]
    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(7,)]


CHILD = """
import os, signal, sys
from datetime import date
from pathlib import Path
from sqlalchemy import event
from tests.unit.state.books import TurnedClock
from trading_bot.config.sections import StateSettings
from trading_bot.core.archive import archive_old
from trading_bot.state import StateManager

moment, seen = sys.argv[3], []

def die_at(place):
    if place.startswith(moment):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(lambda name, _: die_at(name))
clock = TurnedClock()
with StateManager.open(f"sqlite:///{sys.argv[1]}", clock=clock) as book:
    event.listen(book.engine, "after_cursor_execute", lambda *given: die_at(given[2]))
    event.listen(book.engine, "commit", lambda _: die_at("COMMIT") if Path(sys.argv[2], "archive").exists() else None)
    archive_old(StateSettings(folder=Path(sys.argv[2])), book, before=date(2024, 2, 1), clock=clock)
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["os.rename", "DELETE FROM decisions", "DELETE FROM cycles", "COMMIT"])
def test_a_killed_archivist_loses_and_doubles_nothing(archivist: Archivist, moment: str):
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", CHILD, str(archivist.path), str(archivist.folder), moment]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=300, check=False)
    assert done.returncode == -signal_module.SIGKILL, done.stderr.decode()
    archivist.clock.sleep(301)  # the lease of the dead ends by itself

    archivist.archive(FEBRUARY)

    assert archivist.archived("2024-01", "decisions") == ["2024-01-15", "2024-01-15", "monday"]
    assert archivist.archived("2024-01", "skipped") == ["2024-01-15-late", "thursday"]
    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(7,)]
    with open_read_only(f"sqlite:///{archivist.path}") as book:
        assert check_ledger(book.engine) == ()


def test_a_file_of_another_book_is_left_alone_and_nothing_is_removed(archivist: Archivist):
    archivist.archive(date(2024, 1, 10))
    with open_desk(archivist.path) as desk:
        desk.break_with(
            "INSERT INTO signals SELECT cycle_id, 2, symbol, side, purpose, wanted_weight, strength, strategy, "
            "'another reason', evidence, stop_price FROM signals WHERE cycle_id = 'monday' AND number = 0",
            "INSERT INTO decisions SELECT cycle_id, 2, 'rejected', requested, '0', rule, reason, rulings "
            "FROM decisions WHERE cycle_id = 'monday' AND number = 0",
        )
        desk.book.control.release_lease(desk.lease)

    with pytest.raises(StateCorrupt, match="belongs to another book"):
        archivist.archive(FEBRUARY)

    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(10,)]


def test_a_file_that_is_no_parquet_is_named(archivist: Archivist):
    place = archivist.folder / "archive" / "2024-01"
    place.mkdir(parents=True)
    (place / "decisions.parquet").write_text("a letter")

    with pytest.raises(StateCorrupt, match=r"decisions\.parquet is no Parquet file"):
        archivist.archive(FEBRUARY)

    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(10,)]


def test_a_folder_that_cannot_be_made_is_named_and_nothing_is_removed(archivist: Archivist):
    archivist.folder.write_text("in the way")

    with pytest.raises(StateError, match=r"Cannot write the archive .*Nothing was removed"):
        archivist.archive(FEBRUARY)

    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(10,)]
    assert archivist.left("SELECT owner FROM lease") == [(None,)]


# ── beside a cycle ────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_archived_while_a_cycle_trades(archivist: Archivist):
    with open_desk(archivist.path) as trading:
        with pytest.raises(StateBusy, match="A cycle is running"):
            archivist.archive(FEBRUARY)

        assert trading.book.control.current_lease() == trading.lease
    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(10,)]


def test_an_archivist_who_slept_through_the_lease_removes_nothing(archivist: Archivist):
    with StateManager.open(f"sqlite:///{archivist.path}", clock=archivist.clock) as book:

        @event.listens_for(book.engine, "before_cursor_execute")
        def _(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if "FROM signals" in statement or "FROM decisions" in statement:
                archivist.clock.sleep(301)

        with pytest.raises(StateBusy, match=r"took longer than state\.lease_seconds"):
            archive_old(StateSettings(folder=archivist.folder), book, before=FEBRUARY, clock=archivist.clock)

    assert archivist.left("SELECT COUNT(*) FROM decisions") == [(10,)]


def test_where_nothing_is_old_the_right_to_trade_is_not_taken(archivist: Archivist):
    with open_desk(archivist.path) as trading:
        assert archivist.archive(date(2023, 1, 1)).months == ()

        assert trading.book.control.current_lease() == trading.lease


def test_the_right_to_trade_is_given_back(archivist: Archivist):
    archivist.archive(MARCH)

    assert archivist.left("SELECT owner FROM lease") == [(None,)]


# ── how much ──────────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_only_counts(archivist: Archivist):
    content = archivist.left("SELECT COUNT(*) FROM decisions"), archivist.left("SELECT COUNT(*) FROM cycles")

    result = archivist.archive(MARCH, dry_run=True)

    assert [(month.month, month.decisions, month.skipped) for month in result.months] == [
        ("2024-01", 3, 2),
        ("2024-02", 2, 1),
    ]
    assert (archivist.left("SELECT COUNT(*) FROM decisions"), archivist.left("SELECT COUNT(*) FROM cycles")) == content
    assert not archivist.folder.exists()


def test_the_file_becomes_smaller(archivist: Archivist):
    with open_desk(archivist.path) as desk:
        for number in range(300):
            skip(desk, f"skip-{number}", JANUARY_15)
        desk.book.control.release_lease(desk.lease)
    before = archivist.path.stat().st_size

    result = archivist.archive(FEBRUARY)

    assert archivist.path.stat().st_size == result.bytes_after < result.bytes_before == before


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_the_archive_is_its_owner_s_alone(archivist: Archivist):
    archivist.archive(FEBRUARY)

    assert {path.stat().st_mode & 0o777 for path in archivist.folder.rglob("*.parquet")} == {0o600}


@pytest.mark.parametrize(
    ("keep_days", "first"),
    [
        (0, None),
        (14, date(2024, 3, 1)),
        (15, date(2024, 2, 1)),
        (43, date(2024, 2, 1)),
        (44, date(2024, 1, 1)),
        (400, date(2023, 2, 1)),
    ],
)
def test_whole_months_are_kept_counting_from_the_newest_session(
    archivist: Archivist, keep_days: int, first: date | None
):
    with open_read_only(f"sqlite:///{archivist.path}") as book:
        assert first_day_kept(book, keep_days) == first


def test_no_day_means_that_everything_is_kept(archivist: Archivist):
    assert archivist.archive(None).months == ()
