"""A real bot on packaged prices in a folder of its own, with a clock that a test turns."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import Bot, open_bot
from trading_bot.core.main_orchestrator import MainOrchestrator
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import RawBars

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # the wall clock; the packaged prices have their own time
FIRST, SECOND, THIRD = date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 5)
FEW = ["AAPL", "AMD", "HD", "LLY", "MSFT", "RRC"]


class WallClock:
    """Stands still; sleeping moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.instant = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.instant

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.instant += timedelta(seconds=seconds)


class EventfulClock(WallClock):
    """Something may happen whenever somebody looks at it."""

    happens: Callable[[], object] = staticmethod(lambda: None)

    def now(self) -> datetime:
        self.happens()
        return super().now()


@dataclass
class Notices:
    """Keeps what people would be told."""

    sent: list[tuple[str, str, str, str]] = field(default_factory=list)

    def send_alert(self, *, level: str, title: str, message: str, details: str = "") -> None:
        self.sent.append((level, title, message, details))

    def titles(self) -> list[str]:
        return [title for _, title, _, _ in self.sent]

    def told(self, title: str) -> tuple[str, str]:
        """Return level and message of the one notice with that title."""
        ((level, message),) = [(level, message) for level, found, message, _ in self.sent if found == title]
        return level, message


class LiveSample:
    """The packaged prices as if they came in today."""

    historical: ClassVar[bool] = False

    def bars(self, as_of: date) -> RawBars:
        return Sample().bars(as_of)

    def sessions(self) -> SessionAxis:
        return Sample().sessions()


def settings_in(folder: Path, **sections: dict[str, Any]) -> TradingBotSettings:
    """Return settings for a few symbols and one team for good; a section given replaces the keys it names."""
    wanted: dict[str, dict[str, Any]] = {
        "orchestrator": {"enable_strategy_rotation": False},
        "state": {"folder": folder, "busy_timeout_seconds": 0.1},
        "data": {"symbols": FEW},
    }
    return TradingBotSettings.model_validate(
        wanted | {name: wanted.get(name, {}) | values for name, values in sections.items()}
    )


@dataclass
class Desk:
    """An open bot and what surrounds it."""

    bot: Bot
    clock: WallClock
    notices: Notices

    @property
    def book_file(self) -> Path:
        return self.bot.settings.state.folder / "bensbot.db"

    @property
    def paper_file(self) -> Path:
        return self.bot.settings.state.folder / "paper.db"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.book_file, query)

    def paper_rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self.paper_file, query)

    def live(self) -> Bot:
        """Return the bot with the packaged prices as a live source: the wall clock says what is traded."""
        return replace(self.bot, data=replace(self.bot.data, source=LiveSample()))


@contextmanager
def open_desk(folder: Path, clock: WallClock | None = None, **sections: dict[str, Any]) -> Iterator[Desk]:
    """Open a bot whose notices are kept and whose clock can be turned."""
    wall, notices = clock or WallClock(), Notices()
    with open_bot(settings_in(folder, **sections), clock=wall) as bot:
        yield Desk(replace(bot, notifier=notices), wall, notices)


class WatchedOrchestrator(MainOrchestrator):
    """The orchestrator, with its notices kept instead of sent."""

    def __init__(self, settings: TradingBotSettings, *, clock: WallClock | None = None) -> None:
        self.wall = clock or WallClock()
        super().__init__(settings, clock=self.wall)
        self.notices = Notices()

    def initialize(self) -> None:
        super().initialize()
        self._bot = replace(self._bot, notifier=self.notices)
        self.notifier = self.notices


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    """Read a database with the standard library alone."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def change(file: Path, *statements: str) -> None:
    """Change rows behind the bot's back."""
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the write lock, as another program would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def finished_process() -> int:
    """Return the id of a process that has lived and died."""
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        child.wait()
    return child.pid


def owner(pid: int, run_id: str = "other") -> str:
    return f"{platform.node()}:{pid}:{run_id}"


def copy_empty_books(template: Path, folder: Path) -> Path:
    """Put a new book into `folder`; copying it is faster than migrating again."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in template.iterdir():
        shutil.copy(file, folder / file.name)
    return folder
