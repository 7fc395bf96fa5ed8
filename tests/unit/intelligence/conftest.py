from __future__ import annotations

from tests.unit.core.conftest import empty_books, folder

__all__ = ["empty_books", "folder"]  # fixtures
