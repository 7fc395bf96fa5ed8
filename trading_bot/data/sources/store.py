"""Daily bars from a local history store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_types import Gt

from trading_bot.data.registry import price_source
from trading_bot.data.store.manifest import NAME
from trading_bot.data.store.reading import HistoryStore, open_store
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import RawBars

Stamp = tuple[int, int, int]  # time of the last change in ns, number and size of the manifest


@price_source("store")
@dataclass(frozen=True, slots=True)
class Store:
    """What `bensbot data import` wrote: the same bars as their source's, but thousands of symbols at once.

    With `last`, only so many sessions up to the one asked for are handed out; a strategy that looks
    back further than that has no opinion. A day that is appended is seen at the next call.
    """

    historical: ClassVar[bool] = True

    folder: Path | None = None
    last: Annotated[int, Gt(0)] | None = None  # sessions; None: all of them

    def bars(self, as_of: date) -> RawBars:
        """Return the bars up to `as_of`: read-only views of the file. Raises DataError when it is damaged."""
        return self._opened().bars(as_of, last=self.last)

    def sessions(self) -> SessionAxis:
        """Return every session in the store."""
        return self._opened().manifest.sessions

    def _opened(self) -> HistoryStore:
        if self.folder is None:
            raise DataError("The price source 'store' needs the option folder: what `bensbot data import` wrote.")
        folder = self.folder.expanduser().resolve()
        return _open(folder, _stamp(folder))


@lru_cache(maxsize=2)
def _open(folder: Path, stamp: Stamp | None) -> HistoryStore:  # noqa: ARG001  # the stamp makes a change seen
    return open_store(folder)


def _stamp(folder: Path) -> Stamp | None:
    try:
        found = (folder / NAME).stat()
    except OSError:
        return None  # opening says what is wrong
    return found.st_mtime_ns, found.st_ino, found.st_size
