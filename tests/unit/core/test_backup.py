"""A copy that is taken while the bot trades is a sound book, and goes on where it was taken."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import FIRST, SECOND, Desk, WallClock, locked, open_desk, rows, settings_in
from trading_bot.core.backup import back_up
from trading_bot.core.cycle import run_cycle
from trading_bot.domain.errors import StateBusy, StateCorrupt, StateError
from trading_bot.domain.orders import OrderIntent, OrderUpdate
from trading_bot.state import check_ledger, open_read_only


class CopyingBroker:
    """The paper broker. When it has taken the second order, and before the book knows, a backup is made."""

    def __init__(self, desk: Desk, file: Path) -> None:
        self._desk, self._file, self._sent = desk, file, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk.bot.broker, name)

    def submit(self, intent: OrderIntent, *, at: Any) -> OrderUpdate:
        answer = self._desk.bot.broker.submit(intent, at=at)
        self._sent += 1
        if self._sent == 2:
            back_up(self._desk.bot.settings, self._file)
        return answer


def test_a_backup_of_a_trading_bot_is_a_sound_book_that_goes_on(desk: Desk, tmp_path: Path):
    copied = tmp_path / "copy.db"
    run_cycle(replace(desk.bot, broker=CopyingBroker(desk, copied)), run_id="one")
    with open_read_only(f"sqlite:///{copied}") as book:
        assert check_ledger(book.engine) == ()
        assert "unknown" in [order.status for order in book.journal.open_orders()]

    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(copied, restored / "bensbot.db")
    shutil.copy(tmp_path / "copy-paper.db", restored / "paper.db")
    later = WallClock()
    later.sleep(3600)
    with open_desk(restored, clock=later) as again:
        assert [run_cycle(again.bot, run_id=f"again-{n}").session for n in range(2)] == [FIRST, SECOND]
        assert check_ledger(again.bot.book.engine) == ()
    run_cycle(desk.bot, run_id="two")

    orders = "SELECT client_order_id, status, filled FROM orders ORDER BY client_order_id"
    assert rows(restored / "bensbot.db", orders) == desk.rows(orders)
    assert rows(restored / "paper.db", "SELECT * FROM paper_positions") == desk.paper_rows(
        "SELECT * FROM paper_positions"
    )


def test_the_copy_is_one_file_of_its_owner_s_alone(desk: Desk, tmp_path: Path):
    run_cycle(desk.bot, run_id="one")

    made = back_up(desk.bot.settings, tmp_path / "copies.db")

    assert made == (tmp_path / "copies.db", tmp_path / "copies-paper.db")
    assert sorted(path.name for path in tmp_path.glob("copies*")) == ["copies-paper.db", "copies.db"]
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in made} == {0o600}


def test_what_was_written_a_moment_ago_is_in_the_copy(desk: Desk, tmp_path: Path):
    run_cycle(desk.bot, run_id="one")
    desk.bot.book.control.hold_until(desk.clock.now())  # still in the write-ahead log

    back_up(desk.bot.settings, tmp_path / "copy.db")

    with open_read_only(f"sqlite:///{tmp_path / 'copy.db'}") as book:
        assert book.control.read().next_allowed_at == desk.clock.now()


def test_a_backup_is_never_overwritten(desk: Desk, tmp_path: Path):
    (tmp_path / "copy.db").write_text("precious")

    with pytest.raises(StateError, match=r"copy\.db exists, and a backup is never overwritten"):
        back_up(desk.bot.settings, tmp_path / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_backup_waits_for_a_writer_and_then_says_so(desk: Desk, tmp_path: Path):
    with locked(desk.book_file), pytest.raises(StateBusy, match="locked by another process"):
        back_up(desk.bot.settings, tmp_path / "copy.db")

    assert list(tmp_path.glob("copy*")) == []


def test_a_folder_that_is_not_there_is_named(desk: Desk, tmp_path: Path):
    with pytest.raises(StateError, match=r"Cannot write the backup .*nowhere/copy.db.part: No such file"):
        back_up(desk.bot.settings, tmp_path / "nowhere" / "copy.db")


def test_a_damaged_book_makes_no_backup(desk: Desk, tmp_path: Path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "bensbot.db")) as made:
        made.execute("CREATE TABLE t (x TEXT)")
        made.executemany("INSERT INTO t VALUES (?)", [("x" * 900,)] * 500)
        made.execute("CREATE INDEX i ON t (x)")
        made.commit()
    content = bytearray((folder / "bensbot.db").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20_000] = b"\xa5" * 20_000
    (folder / "bensbot.db").write_bytes(content)

    with pytest.raises(StateCorrupt):
        back_up(settings_in(folder), tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()


def test_a_book_on_a_server_is_copied_by_the_server_s_tool(tmp_path: Path):
    settings = settings_in(tmp_path, state={"url": "postgresql://ben:hush-hush@127.0.0.1/book"})

    with pytest.raises(StateError, match=r"pg_dump --format=custom --file=.*copy\.dump") as refused:
        back_up(settings, tmp_path / "copy.dump")

    assert "hush-hush" not in str(refused.value)
