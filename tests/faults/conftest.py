from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.cli.test_cli import bensbot, logs_as_before
from tests.unit.core.trading import Desk, open_desk

__all__ = ["bensbot", "logs_as_before"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    with open_desk(folder) as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], None]:
    """Write `config.yaml` where `bensbot` runs."""

    def write(text: str) -> None:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")

    return write
