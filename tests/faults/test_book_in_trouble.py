"""The book is locked, full, damaged or of another version: no order without a journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot
from tests.unit.core.trading import (
    Desk,
    WatchedOrchestrator,
    change,
    finished_process,
    locked,
    open_desk,
    owner,
    rows,
    settings_in,
)
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.core.bot import open_bot
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import SchemaMismatch, StateBusy, StateCorrupt, StateFull
from trading_bot.domain.orders import Decision


def nothing_was_sent(folder: Path) -> bool:
    return rows(folder / "paper.db", "SELECT * FROM paper_orders") == []


# ── 50: locked ────────────────────────────────────────────────────────────────────────────────────


def test_fault_50_a_book_locked_while_deciding_gives_no_intent_and_no_order(desk: Desk, folder: Path):
    ticket = admit(desk.bot, run_id="run")
    market = cycle.update_market_data(desk.bot, ticket)
    signals = cycle.generate_signals(desk.bot, ticket, market)

    with locked(desk.book_file), pytest.raises(StateBusy, match="locked by another process"):
        cycle.apply_risk_checks(desk.bot, ticket, market, signals)

    assert desk.rows("SELECT * FROM intents") == []
    assert nothing_was_sent(folder)


def test_fault_50_a_book_locked_before_sending_lets_no_order_out(desk: Desk, folder: Path):
    ticket = admit(desk.bot, run_id="run")
    market = cycle.update_market_data(desk.bot, ticket)
    decisions = cycle.apply_risk_checks(desk.bot, ticket, market, cycle.generate_signals(desk.bot, ticket, market))

    with locked(desk.book_file), pytest.raises(StateBusy):
        cycle.execute_signals(desk.bot, ticket, market, decisions)

    assert nothing_was_sent(folder)
    assert desk.rows("SELECT DISTINCT status FROM orders") == [("intended",)]


def test_fault_50_a_bot_cannot_be_opened_past_a_lock_for_ever(folder: Path):
    with open_desk(folder):
        pass

    with (
        locked(folder / "paper.db"),
        pytest.raises(StateBusy, match=r"paper\.db is locked"),
        open_desk(folder) as desk,
    ):
        desk.bot.broker.account()


def test_fault_50_the_loop_trades_the_session_when_the_lock_is_gone(folder: Path):
    class Locked(WatchedOrchestrator):
        locks = 2

        def apply_risk_checks(self, signals: object) -> tuple[Decision, ...]:
            if self.locks:
                self.locks -= 1
                with locked(folder / "bensbot.db"):
                    return super().apply_risk_checks(signals)  # pyright: ignore[reportArgumentType]
            return super().apply_risk_checks(signals)  # pyright: ignore[reportArgumentType]

        def send_status_updates(self) -> None:
            super().send_status_updates()
            self.should_stop = True

    orchestrator = Locked(settings_in(folder))
    orchestrator.run()

    assert [str(report.session) for report in orchestrator.reports] == ["2022-01-03"]
    assert orchestrator.wall.slept == [60, 120]
    assert len(rows(folder / "paper.db", "SELECT * FROM paper_orders")) == len(orchestrator.reports[0].orders)


# ── 51: full ──────────────────────────────────────────────────────────────────────────────────────


class NoRoom(WatchedOrchestrator):
    """The disk is full from the moment the market has been read."""

    def update_market_data(self) -> None:
        super().update_market_data()
        with self._bot.book.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_fault_51_without_room_for_the_journal_nothing_is_sent(folder: Path):
    orchestrator = NoRoom(settings_in(folder, data={"symbols": []}))

    orchestrator.run()

    assert isinstance(orchestrator.last_error, StateFull)
    assert "nothing is traded until then" in str(orchestrator.last_error)
    assert nothing_was_sent(folder)
    assert rows(folder / "bensbot.db", "SELECT * FROM intents") == []


def test_fault_51_people_are_told_at_once_and_the_loop_ends(folder: Path):
    orchestrator = NoRoom(settings_in(folder, data={"symbols": []}))

    orchestrator.run()

    assert orchestrator.should_stop
    assert orchestrator.notices.told("EMERGENCY SHUTDOWN")[0] == "critical"
    (details,) = [details for _, title, _, details in orchestrator.notices.sent if title == "EMERGENCY SHUTDOWN"]
    assert "No room to write the book" in details


def test_fault_51_a_full_disk_that_still_takes_a_word_is_a_halt(desk: Desk):
    orchestrator = WatchedOrchestrator(desk.bot.settings)
    orchestrator.initialize()
    try:
        assert orchestrator.is_trading_time()
        orchestrator.handle_loop_error(StateFull("No room to write the book"))
    finally:
        orchestrator.shutdown()

    assert desk.bot.book.control.read().state is TradingState.HALTED


# ── 52, 53: damaged, or of another version ────────────────────────────────────────────────────────


@pytest.mark.parametrize("file", ["bensbot.db", "paper.db"])
def test_fault_52_a_damaged_database_keeps_the_bot_shut_and_is_kept(folder: Path, file: str):
    with open_desk(folder) as desk:
        cycle.run_cycle(desk.bot, run_id="run")
    damaged = b"This is a letter, not a database. " * 500
    (folder / file).write_bytes(damaged)

    with (
        pytest.raises(StateCorrupt, match=rf"{file} is damaged .* To restore: stop the bot"),
        open_bot(settings_in(folder)) as bot,
    ):
        cycle.run_cycle(bot, run_id="again")

    assert (folder / file).read_bytes() == damaged


def test_fault_52_the_command_says_how_to_restore(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / ".bensbot").mkdir()
    (tmp_path / ".bensbot" / "bensbot.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 9999)

    said = bensbot("run", "--once")

    assert said.code == 1
    assert said.is_one_paragraph
    assert "copy a backup to" in said.err


def test_fault_53_a_newer_book_is_refused_with_both_versions(folder: Path):
    with open_desk(folder):
        pass
    change(folder / "bensbot.db", "UPDATE bensbot_version SET version_num = '0099'")

    with (
        pytest.raises(SchemaMismatch, match="has schema 0099; this version of the bot knows 0010"),
        open_bot(settings_in(folder)),
    ):
        pass


def test_fault_53_a_newer_book_is_left_as_it_is(folder: Path):
    with open_desk(folder):
        pass
    change(folder / "bensbot.db", "UPDATE bensbot_version SET version_num = '0099'")
    before = rows(folder / "bensbot.db", "SELECT * FROM sqlite_master")

    with pytest.raises(SchemaMismatch), open_bot(settings_in(folder)):
        pass

    assert rows(folder / "bensbot.db", "SELECT * FROM sqlite_master") == before


# ── 59, 62: nothing depends on a hook or on memory ────────────────────────────────────────────────


def test_fault_59_what_no_hook_did_the_next_cycle_does(folder: Path):
    with open_desk(folder) as desk:
        dead = admit(desk.bot, run_id="killed")
        change(desk.book_file, f"UPDATE lease SET owner = '{owner(finished_process(), 'killed')}'")

    with open_desk(folder) as desk:
        desk.clock.sleep(120)
        report = cycle.run_cycle(desk.bot, run_id="next")

        assert report.cycle_id == dead.cycle_id
        assert desk.rows("SELECT run_id FROM failures") == [("killed",)]
        assert desk.notices.told("Trading loop error") == (
            "error",
            f"Error in main trading loop: cycle {dead.cycle_id} was killed or its process died",
        )


def test_fault_59_a_failure_the_hook_did_count_is_not_counted_again(folder: Path):
    with open_desk(folder) as desk:
        admit(desk.bot, run_id="killed")
        desk.bot.book.control.record_failure("killed", error="boom")
        change(desk.book_file, f"UPDATE lease SET owner = '{owner(finished_process(), 'killed')}'")

    with open_desk(folder) as desk:
        admit(desk.bot, run_id="next")

        assert desk.bot.book.control.read().consecutive_errors == 1


def test_fault_62_an_emergency_survives_restarts_until_it_is_acknowledged(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "AAA.csv").write_text("date,colour\n2022-01-03,green\n")
    (tmp_path / "config.yaml").write_text(
        "data: {source: files, folder: prices}\n"
        "orchestrator: {max_consecutive_errors: 2, recovery_backoff_seconds: 0}\n"
    )
    assert [bensbot("run", "--once").code for _ in range(2)] == [1, 1]
    (tmp_path / "config.yaml").write_text("data: {symbols: [AAPL]}\n")  # mended, but nobody has said so

    for _ in range(2):
        said = bensbot("run", "--once")
        assert "Trading is halted since" in said.err
        assert said.out == ""
    assert bensbot("resume").code == 2
    assert bensbot("resume", "--ack").code == 0
    assert "2022-01-03" in bensbot("run", "--once").out


def test_fault_62_the_state_is_a_row_that_other_programs_can_read(bensbot: Bensbot, tmp_path: Path):
    bensbot("run", "--once")
    bensbot("halt", "--because", "smoke")

    with closing(sqlite3.connect(tmp_path / ".bensbot" / "bensbot.db")) as connection:
        assert connection.execute("SELECT state, cause FROM control").fetchall() == [("halted", "smoke")]
