"""`bensbot report` as a user meets it. Called in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot, bensbot, logs_as_before, traded

__all__ = ["bensbot", "logs_as_before", "traded"]  # fixtures


def test_report_prints_the_newest_day(traded: Bensbot):
    assert traded("run", "--once").code == 0

    said = traded("report")

    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Day        2022-01-04\nResult     Equity $99,993.96, -$6.04 (-0.01%) since 2022-01-03")
    assert "Trade      buy 22 AMD at $144.50: $3,179.00, fees $0.00\n" in said.out


def test_report_prints_an_earlier_day(traded: Bensbot):
    assert traded("run", "--once").code == 0

    assert traded("report", "--session", "2022-01-03").out.startswith("Day        2022-01-03\n")


def test_report_as_json(traded: Bensbot):
    document = traded("report", "--json").document

    assert (document["session"], document["equity"]) == ("2022-01-03", "100000.00")
    assert document["cycles"]["completed"] == 1


def test_a_day_that_never_traded_is_one_paragraph_and_exit_2(traded: Bensbot):
    said = traded("report", "--session", "2022-01-08")

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "bensbot: No cycle of session 2022-01-08 completed, so the book has no result of it. "
        "It traded 1 session from 2022-01-03 to 2022-01-03.\n"
    )


def test_reporting_changes_nothing(traded: Bensbot, tmp_path: Path):
    before = (tmp_path / ".bensbot" / "bensbot.db").read_bytes()

    traded("report")

    assert (tmp_path / ".bensbot" / "bensbot.db").read_bytes() == before


def test_without_a_book_there_is_no_report(bensbot: Bensbot):
    said = bensbot("report")

    assert said.code == 1
    assert said.err == "bensbot: .bensbot holds no book yet. The first cycle makes one: bensbot run --once\n"


@pytest.mark.parametrize("day", ["yesterday", "2022-13-01"])
def test_what_is_no_date_is_refused(traded: Bensbot, day: str):
    assert traded("report", "--session", day).code != 0
