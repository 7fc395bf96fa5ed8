"""What is printed where it cannot be printed as it is."""

from __future__ import annotations

import errno
import io
import json
import sys

import pytest

from trading_bot.terminal import fold, spell_out_what_cannot_be_shown, what_helps

HEADLINE = "Nestlé 中国 😀"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", r"Nestl\u00e9 \u4e2d\u56fd \ud83d\ude00"),
        ("latin-1", r"Nestlé \u4e2d\u56fd \ud83d\ude00"),
        ("utf-8", HEADLINE),
    ],
)
def test_a_letter_that_the_terminal_lacks_is_spelt_out_as_in_json(
    encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch
):
    paper = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(paper, encoding=encoding))

    spell_out_what_cannot_be_shown()
    sys.stdout.write(json.dumps(HEADLINE, ensure_ascii=False))
    sys.stdout.flush()

    assert paper.getvalue().decode(encoding) == f'"{shown}"'
    assert json.loads(paper.getvalue().decode(encoding)) == HEADLINE


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "Name a place that this user may use."),
        (errno.EROFS, "Name a place that this user may use."),
        (errno.ENOTDIR, "Something else is in the way there: move it, or name another place."),
        (errno.ENOSPC, "Make room, and ask again."),
        (errno.ECONNREFUSED, ""),  # nothing that a person who typed a path can change
    ],
)
def test_what_helps_where_the_system_refuses(number: int, said: str):
    assert what_helps(OSError(number, "no")) == said


def test_what_is_wider_than_the_window_goes_on_below_its_head(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "40")

    assert fold("Result     it went up by one, by two and by three\nCycles     1 completed.", under=11) == (
        "Result     it went up by one, by two and\n           by three\nCycles     1 completed."
    )


def test_what_goes_to_a_file_has_one_line_a_fact(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    assert fold(f"Result     {'up ' * 40}", under=11) == f"Result     {'up ' * 40}"
