from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.core.conftest import empty_books, folder
from tests.unit.intelligence.providers import Answering, answering

__all__ = ["empty_books", "folder", "provider", "server"]  # fixtures


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with answering() as provider:
        yield provider


@pytest.fixture
def provider(server: Answering) -> Answering:
    """Give one that was not asked yet."""
    server.asked.clear()
    server.by_path.clear()
    return server
