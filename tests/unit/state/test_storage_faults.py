from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.unit.state.books import Desk, TurnedClock, approved, open_desk, signal
from trading_bot.domain.errors import SchemaMismatch, StateBusy, StateCorrupt, StateError, StateFull
from trading_bot.state import StateManager, open_read_only


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_fault_50_a_locked_book_gives_no_intent_and_no_order(desk: Desk):
    desk.begin()
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateBusy, match="locked by another process"):
            desk.decide(approved())

    assert [desk.rows(f"SELECT * FROM {table}") for table in ("decisions", "intents", "orders")] == [[], [], []]
    assert StateBusy.may_be_tried_again
    desk.decide(approved())


def test_fault_50_a_locked_book_lets_no_order_be_sent(desk: Desk):
    desk.begin()
    (wanted,) = desk.decide(approved())
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateBusy):
            desk.book.journal.mark_sending(wanted.client_order_id, desk.lease)

    assert desk.rows("SELECT status FROM orders") == [("intended",)]


def test_a_reader_sees_the_book_while_another_writes(desk: Desk):
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert desk.book.ledger.portfolio().cash == 10_000


def test_fault_51_a_full_disk_is_said_clearly_and_nothing_is_written(desk: Desk):
    desk.begin()
    with desk.book.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    many = [approved("1", signal(f"S{number:03d}")) for number in range(200)]

    with pytest.raises(StateFull, match=r"No room to write the book .* nothing is traded until then"):
        desk.decide(*many)

    assert desk.rows("SELECT * FROM signals") == []


def test_fault_51_a_read_only_book_says_who_must_own_it(desk: Desk):
    with desk.book.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    with pytest.raises(StateError, match="Check that this user owns it"):
        desk.book.control.forget_failures()


def test_fault_51_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StateError, match=r"Cannot make room for the book at .*file/book\.db"):
        StateManager.open(url(tmp_path / "file" / "book.db"), clock=TurnedClock())


@pytest.mark.parametrize(
    "content", [b"This is a letter, not a database. " * 99, b"SQLite format 3\x00" + b"\xff" * 9999]
)
def test_fault_52_a_file_that_is_no_book_is_refused_and_kept(tmp_path: Path, content: bytes):
    path = tmp_path / "book.db"
    path.write_bytes(content)

    with pytest.raises(StateCorrupt, match=r"kept as it is. To restore: stop the bot, move .* copy a backup"):
        StateManager.open(url(path), clock=TurnedClock())

    assert path.read_bytes() == content


def test_fault_52_a_book_damaged_in_the_middle_is_refused_and_kept(path: Path):
    with open_desk(path) as desk:
        desk.begin()
        desk.decide(*[approved("1", signal(f"S{number:03d}")) for number in range(200)])
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half : half + 20_000] = b"\xa5" * 20_000
    path.write_bytes(content)

    for opening in (lambda: StateManager.open(url(path), clock=TurnedClock()), lambda: open_read_only(url(path))):
        with pytest.raises(StateCorrupt, match="is damaged"):
            opening()

    assert path.read_bytes() == content


def test_fault_53_a_newer_schema_is_refused_with_both_versions(desk: Desk):
    desk.break_with("UPDATE bensbot_version SET version_num = '0099'")

    for opening in (
        lambda: StateManager.open(url(desk.path), clock=TurnedClock()),
        lambda: open_read_only(url(desk.path)),
    ):
        with pytest.raises(SchemaMismatch, match="has schema 0099; this version of the bot knows 0010"):
            opening()


def test_there_is_nothing_to_look_at_before_the_first_cycle(tmp_path: Path):
    with pytest.raises(StateError, match="Cannot open"):
        open_read_only(url(tmp_path / "none.db"))

    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_no_book_to_look_at(tmp_path: Path):
    (tmp_path / "book.db").touch()

    with pytest.raises(StateError, match="There is no book at"):
        open_read_only(url(tmp_path / "book.db"))


def test_a_book_opened_for_reading_cannot_be_written(path: Path):
    with open_read_only(url(path)) as book:
        assert book.ledger.portfolio().cash == 0
        with pytest.raises(StateError, match="readonly database"):
            book.control.forget_failures()
        with pytest.raises(StateError, match="reading only"):
            book.control.record_failure("run", error="boom")


@contextmanager
def somebody_without_rights() -> Iterator[None]:
    """Be a user whom modes of files concern, for a moment: root may write anywhere."""
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)


def test_a_book_is_read_where_nothing_can_be_written_beside_it(path: Path):
    open_read_only(url(path)).close()  # imports what it takes
    with TemporaryDirectory() as name:
        folder = Path(name)
        book = Path(shutil.copy(path, folder))
        book.chmod(0o444)
        folder.chmod(0o555)
        try:
            with somebody_without_rights(), open_read_only(url(book)) as opened:
                assert opened.control.read().state == "active"
            assert [each.name for each in folder.iterdir()] == ["book.db"]
        finally:
            folder.chmod(0o755)


def test_a_new_book_is_its_owner_s_alone(tmp_path: Path):
    path = tmp_path / "folder" / "book.db"
    with StateManager.open(url(path), clock=TurnedClock()) as book:
        book.control.forget_failures()
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert set(modes.values()) == {0o600}
    assert "book.db" in modes
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_commit_is_durable_when_it_returns(desk: Desk):
    with desk.book.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("address", ["not a url", "", "mysql+nothing://x/y"])
def test_an_address_that_is_none_is_refused(address: str):
    with pytest.raises(StateError):
        StateManager.open(address, clock=TurnedClock())


def test_a_password_in_the_address_is_never_shown():
    with pytest.raises(StateError) as refused:
        StateManager.open("postgresql+nothing://ben:hunter2@127.0.0.1/bot", clock=TurnedClock())

    assert "hunter2" not in str(refused.value)


def test_a_book_in_memory_works_as_one_in_a_file():
    with StateManager.open("sqlite://", clock=TurnedClock()) as book:
        assert book.control.acquire_lease("us", ttl_seconds=1) is not None


def test_an_up_to_date_book_opens_without_alembic_and_pandas(path: Path):
    code = (
        "import sys\n"
        "from trading_bot.state import open_read_only, StateManager\n"
        "import datetime\n"
        "class Clock:\n"
        "    def now(self): return datetime.datetime.now(datetime.UTC)\n"
        f"StateManager.open({url(path)!r}, clock=Clock()).close()\n"
        "print([name for name in ('alembic', 'pandas', 'prefect', 'pydantic') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)

    assert done.stdout.strip() == "[]"
