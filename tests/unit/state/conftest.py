from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.state.books import Desk, TurnedClock, open_desk
from trading_bot.state import StateManager


@pytest.fixture(scope="session")
def empty_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book that was just created; copying it is faster than migrating again."""
    path = tmp_path_factory.mktemp("template") / "book.db"
    StateManager.open(f"sqlite:///{path}", clock=TurnedClock()).close()
    return path


@pytest.fixture
def path(empty_book: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "book.db"
    shutil.copy(empty_book, copied)
    return copied


@pytest.fixture
def desk(path: Path) -> Iterator[Desk]:
    with open_desk(path) as opened:
        yield opened
