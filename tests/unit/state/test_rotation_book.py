from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.state.books import FAST, FRIDAY, MONDAY, NOON, STRONG, TUESDAY, Desk, a_rotation, open_desk
from trading_bot.domain.errors import StateBusy
from trading_bot.domain.tournament import Rotation, Seat, Team


def record(desk: Desk, rotation: Rotation) -> bool:
    return desk.book.rotations.record(rotation, run_id="run", settings_hash="settings", market_hash="market")


def test_a_book_that_was_never_rotated_has_no_team(desk: Desk):
    assert desk.book.rotations.team() is None
    assert desk.book.rotations.newest_session() is None
    assert desk.book.rotations.last(5) == ()
    assert desk.book.rotations.read(MONDAY) is None


def test_a_rotation_is_read_back_as_it_was_written_bit_for_bit(desk: Desk):
    assert record(desk, a_rotation(MONDAY)) is True

    assert desk.book.rotations.read(MONDAY) == a_rotation(MONDAY)
    assert desk.book.rotations.team() == Team((Seat(STRONG, 1.0),), since=MONDAY)


def test_fault_49_a_second_rotation_of_a_session_changes_nothing(desk: Desk):
    record(desk, a_rotation(MONDAY))
    desk.clock.sleep(60)

    assert record(desk, a_rotation(MONDAY, new=(), reason="cash")) is False

    assert desk.book.rotations.read(MONDAY) == a_rotation(MONDAY)
    assert desk.rows("SELECT session, decided_at FROM rotations") == [
        ("2024-01-08", NOON.isoformat(timespec="microseconds"))
    ]


def test_a_rotation_that_comes_after_a_later_one_changes_nothing(desk: Desk):
    record(desk, a_rotation(TUESDAY))

    assert record(desk, a_rotation(MONDAY, new=())) is False
    assert desk.book.rotations.newest_session() == TUESDAY


def test_a_rotation_that_began_with_another_team_is_refused(desk: Desk):
    record(desk, a_rotation(MONDAY))

    with pytest.raises(StateBusy, match="The team has changed while the rotation of 2024-01-09 was worked out"):
        record(desk, a_rotation(TUESDAY, old=(Seat(FAST, 1.0),)))

    assert desk.book.rotations.newest_session() == MONDAY


def test_the_newest_rotations_come_first_and_without_scores(desk: Desk):
    record(desk, a_rotation(FRIDAY))
    record(desk, a_rotation(MONDAY, old=(Seat(STRONG, 1.0),), new=(), reason="cash"))
    record(desk, a_rotation(TUESDAY, old=(), new=(Seat(FAST, 0.25), Seat(STRONG, 0.75))))

    newest, before = desk.book.rotations.last(2)

    assert (newest.session, newest.new) == (TUESDAY, (Seat(FAST, 0.25), Seat(STRONG, 0.75)))
    assert (before.session, before.new, before.scores) == (MONDAY, (), ())


def test_cash_is_a_team_of_nobody(desk: Desk):
    record(desk, a_rotation(MONDAY, new=()))

    assert desk.book.rotations.team() == Team((), since=MONDAY)
    assert desk.rows("SELECT * FROM v_team") == []
    assert desk.rows("SELECT session, changed, members FROM v_rotations") == [("2024-01-08", "yes", 0)]


def test_another_process_sees_the_team(desk: Desk, path: Path):
    record(desk, a_rotation(MONDAY))

    with open_desk(path) as other:
        assert other.book.rotations.team() == Team((Seat(STRONG, 1.0),), since=MONDAY)
        assert record(other, a_rotation(MONDAY)) is False
