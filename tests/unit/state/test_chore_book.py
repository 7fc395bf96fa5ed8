from __future__ import annotations

from pathlib import Path

from tests.unit.state.books import FRIDAY, MONDAY, NOON, TUESDAY, Desk, open_desk


def test_a_chore_that_was_never_done_has_no_newest_session(desk: Desk):
    desk.book.chores.record("backup", MONDAY, run_id="run")

    assert desk.book.chores.newest("end-of-day") is None


def test_the_newest_session_counts_in_whatever_order_they_were_done(desk: Desk):
    for session in (MONDAY, TUESDAY, FRIDAY):
        desk.book.chores.record("end-of-day", session, run_id="run")

    assert desk.book.chores.newest("end-of-day") == TUESDAY


def test_a_chore_is_done_once_a_session_and_the_first_run_stays_on_record(desk: Desk):
    assert desk.book.chores.record("end-of-day", MONDAY, run_id="first") is True
    desk.clock.sleep(60)
    assert desk.book.chores.record("end-of-day", MONDAY, run_id="second") is False

    assert desk.rows("SELECT chore, session, run_id, done_at FROM chores") == [
        ("end-of-day", "2024-01-08", "first", NOON.isoformat(timespec="microseconds"))
    ]


def test_another_process_sees_that_a_chore_is_done(desk: Desk, path: Path):
    desk.book.chores.record("end-of-day", MONDAY, run_id="ours")

    with open_desk(path) as other:
        assert other.book.chores.record("end-of-day", MONDAY, run_id="theirs") is False
        assert other.book.chores.record("end-of-day", TUESDAY, run_id="theirs") is True
