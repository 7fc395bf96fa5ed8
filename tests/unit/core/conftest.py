from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.core.trading import Desk, WallClock, copy_empty_books, open_desk
from trading_bot.state.manager import StateManager


@pytest.fixture(scope="session")
def empty_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    template = tmp_path_factory.mktemp("books")
    StateManager.open(f"sqlite:///{template / 'bensbot.db'}", clock=WallClock()).close()
    return template


@pytest.fixture
def folder(empty_books: Path, tmp_path: Path) -> Path:
    """A state folder with a new book."""
    return copy_empty_books(empty_books, tmp_path / "state")


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    with open_desk(folder) as opened:
        yield opened
