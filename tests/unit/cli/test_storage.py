"""`bensbot archive` and `bensbot backup`: what they print, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot, bensbot, logs_as_before, traded
from trading_bot.state import check_ledger, open_read_only

__all__ = ["bensbot", "logs_as_before", "traded"]  # fixtures


@pytest.fixture
def a_month(traded: Bensbot) -> Bensbot:
    """The command, after two sessions; the newest one always stays in the book."""
    assert traded("run", "--once").code == 0
    return traded


def test_archive_says_what_left_the_book_and_where_it_is(a_month: Bensbot, tmp_path: Path):
    said = a_month("archive", "--before", "2022-02-01")

    assert said.code == 0
    assert said.out.startswith("2022-01  ")
    assert str(Path(".bensbot/archive/2022-01/decisions.parquet")) in said.out
    assert "from before 2022-02-01 left the book (" in said.out
    assert (tmp_path / ".bensbot" / "archive" / "2022-01" / "decisions.parquet").exists()
    assert a_month("doctor").code == 0


def test_archive_dry_only_counts(a_month: Bensbot, tmp_path: Path):
    said = a_month("archive", "--before", "2022-02-01", "--dry-run")

    assert "would leave the book (" in said.out
    assert not (tmp_path / ".bensbot" / "archive").exists()


def test_archive_as_json_names_files_and_bytes(a_month: Bensbot):
    document = a_month("archive", "--before", "2022-02-01", "--folder", "elsewhere", "--json").document

    assert (document["before"], document["dry_run"]) == ("2022-02-01", False)
    assert document["months"][0]["month"] == "2022-01"
    assert document["months"][0]["files"][0] == str(Path("elsewhere/2022-01/decisions.parquet"))
    assert document["bytes_before"] >= document["bytes_after"] > 0


def test_archive_keeps_what_the_settings_keep(a_month: Bensbot):
    assert a_month("archive").out == "Nothing from before 2020-11-01 is left to archive.\n"
    assert a_month("archive", "--keep-days", "0").out == (
        "Everything is kept: nothing is old enough, or state.keep_days is 0.\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--before", "2022-02-01", "--keep-days", "3"), "write one of them"),
        (("--keep-days=-3",), "write 0 (for ever) or more"),
    ],
)
def test_archive_refuses_what_cannot_be_meant(a_month: Bensbot, words: tuple[str, ...], message: str):
    said = a_month("archive", *words)

    assert said.code == 2
    assert message in said.err


def test_archive_leaves_status_as_it_was(a_month: Bensbot):
    before = a_month("status").out

    a_month("archive", "--before", "2022-02-01")

    assert a_month("status").out == before


def test_backup_names_its_copies_and_they_are_sound(a_month: Bensbot, tmp_path: Path):
    said = a_month("backup", "copy.db")

    assert (said.code, said.out) == (0, "copy.db\ncopy-paper.db\n")
    with open_read_only(f"sqlite:///{tmp_path / 'copy.db'}") as book:
        assert check_ledger(book.engine) == ()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("nowhere/copy.db", "bensbot: backup nowhere/copy.db: there is no folder nowhere\n"),
        (".", "bensbot: backup . is a folder; name a file in it.\n"),
    ],
)
def test_backup_says_why_no_copy_can_be_there(bensbot: Bensbot, file: str, message: str):
    said = bensbot("backup", file)

    assert (said.code, said.err) == (2, message)


def test_there_is_nothing_to_copy_before_the_first_cycle(bensbot: Bensbot):
    for words in (("backup", "copy.db"), ("archive",)):
        said = bensbot(*words)

        assert said.code == 1
        assert "holds no book yet" in said.err
