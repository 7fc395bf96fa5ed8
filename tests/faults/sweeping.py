"""One process of the sweep: it trades on packaged prices and is struck at its N-th boundary call.

Boundary calls are every write transaction, of the book and of the paper broker, before and after its
commit, and every call of the broker, before and after. A server process imports this module once and
forks the traders, so that one costs milliseconds; nothing is opened before the fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
from sqlalchemy import Connection, Engine, event

from tests.unit.core.trading import settings_in
from trading_bot.brokers.paper import PaperBroker
from trading_bot.brokers.registry import BROKERS
from trading_bot.core.bot import check_plugins
from trading_bot.core.hours import TradingHours
from trading_bot.core.main_orchestrator import MainOrchestrator
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.errors import BensBotError, BrokerUnavailable, StateBusy
from trading_bot.domain.market import MarketState, SessionAxis
from trading_bot.domain.orders import ClientOrderId, Fill, OrderIntent, OrderUpdate
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import BrokerAccount, BrokerSetup, RawBars
from trading_bot.storage.dialects import WRITES

BROKER, SOURCE = "struck", "recent"
SINCE = np.datetime64("2020-01-01")
STRUCK = "struck.json"  # what was struck, for the test that looks on
MOST_PASSES = 12
GUARDED = "guarded"  # a file in the folder: positions have stop orders at the broker
AT_BROKER = {"protective_orders": "broker", "position_stop_pct": "0.03", "trailing_stop_pct": "0.03"}
SERVER = multiprocessing.get_context("forkserver")


def prepare_server() -> None:
    """Load what every trader needs into the server that forks them; opens nothing."""
    check_plugins(settings_in(Path("nowhere")))
    BROKERS.names()
    PRICE_SOURCES.names()
    Recent().bars(date(2022, 12, 28))
    for module in ("sqlalchemy.dialects.sqlite", "trading_bot.state.upgrade", "alembic.command"):
        importlib.import_module(module)
    for year in (2022, 2023):  # calendars are kept by the year of the newest day
        TradingHours().close_of(date(year, 1, 3))
    gc.freeze()  # a collection in a fork would copy every page it shares with the server


@dataclass
class Boundary:
    """Counts the calls that a kind of fault can hit, and strikes at one of them."""

    folder: Path
    strike_at: int
    strike: Callable[[str], NoReturn]
    counts: Callable[[str], bool]
    seen: list[str] = field(default_factory=list)
    _one: threading.Lock = field(default_factory=threading.Lock)  # several requests may be on their way at once

    def __call__(self, place: str) -> None:
        if not self.counts(place):
            return
        with self._one:
            self.seen.append(place)
            if len(self.seen) == self.strike_at:
                (self.folder / STRUCK).write_text(json.dumps({"number": self.strike_at, "place": place}))
                self.strike(place)


class StruckBroker:
    """The paper broker with a boundary before and after each of its calls."""

    boundary: Boundary
    holds_stops: ClassVar[bool] = True

    def __init__(self, setup: BrokerSetup) -> None:
        self._real = PaperBroker(setup)

    def _call(self, name: str, *args: Any, **named: Any) -> Any:
        self.boundary(f"before broker.{name}")
        answer = getattr(self._real, name)(*args, **named)
        self.boundary(f"after broker.{name}")
        return answer

    def account(self) -> BrokerAccount:
        return self._call("account")

    def get_portfolio(self) -> Portfolio:
        return self._call("get_portfolio")

    def advance(self, market: MarketState) -> None:
        self._call("advance", market)

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        return self._call("submit", intent, at=at)

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        return self._call("find", order_id)

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        return self._call("cancel", order_id, at=at)

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        return self._call("open_orders")

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        return self._call("fills", order_ids)

    def close(self) -> None:
        self._real.close()


@dataclass(frozen=True, slots=True)
class Recent:
    """The packaged prices of the last three years: a hundred times over, thirty would be computed for nothing."""

    historical: ClassVar[bool] = True

    def bars(self, as_of: date) -> RawBars:
        raw = Sample().bars(as_of)
        recent = slice(int(np.searchsorted(raw.sessions, SINCE)), None)
        arrays = {name: getattr(raw, name)[recent] for name in ("sessions", "open", "high", "low", "close", "volume")}
        return replace(raw, **arrays, benchmark=None if raw.benchmark is None else raw.benchmark[recent])

    def sessions(self) -> SessionAxis:
        sessions = Sample().sessions()
        return sessions[sessions >= SINCE]


def watch_transactions(boundary: Boundary) -> None:
    """Put boundaries around every write transaction of this process."""

    def writes(connection: Connection) -> bool:
        return bool(connection.get_execution_options().get(WRITES))

    def place(connection: Connection) -> str:
        return Path(str(connection.engine.url.database)).name

    def on_begin(connection: Connection) -> None:
        if writes(connection):
            boundary(f"begin {place(connection)}")

    def on_commit(connection: Connection) -> None:
        if writes(connection):
            boundary(f"before commit {place(connection)}")
            connection.info["committed"] = place(connection)

    def on_return(_raw: object, record: Any) -> None:
        committed = record.info.pop("committed", None)
        if committed is not None:
            boundary(f"after commit {committed}")

    event.listen(Engine, "begin", on_begin)
    event.listen(Engine, "commit", on_commit)
    event.listen(Engine, "checkin", on_return)


def killed(_place: str) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


def unavailable(place: str) -> NoReturn:
    raise BrokerUnavailable(f"no clear answer {place}")


def busy(place: str) -> NoReturn:
    raise StateBusy(f"locked by another process at {place}")


def changes_something(place: str) -> bool:
    """Tell boundaries apart at which the disk differs from the one before; a kill elsewhere is the same kill."""
    return "commit" in place or place.endswith(("submit", "advance"))


# kind of fault → what happens, and at which boundaries it can
FAULTS: dict[str, tuple[Callable[[str], NoReturn], Callable[[str], bool]]] = {
    "killed": (killed, changes_something),
    "killed anywhere": (killed, lambda place: not place.startswith("begin")),
    "killed at an order": (killed, lambda place: place.endswith(("broker.submit", "broker.cancel"))),
    "broker unavailable": (unavailable, lambda place: "broker." in place),
    "database busy": (busy, lambda place: place.startswith("begin")),
}


def trade(folder: Path, until: date, kind: str, strike_at: int) -> None:
    """Trade session by session up to `until`, whatever happens; this is the whole life of a forked process."""
    strike, counts = FAULTS[kind]
    boundary = Boundary(folder, strike_at, strike, counts)
    StruckBroker.boundary = boundary
    BROKERS.register(BROKER)(StruckBroker)
    PRICE_SOURCES.register(SOURCE)(Recent)
    watch_transactions(boundary)
    settings = settings_in(
        folder,
        broker={"name": BROKER},
        data={"source": SOURCE},
        orchestrator={"recovery_backoff_seconds": 0},
        risk=AT_BROKER if (folder / GUARDED).exists() else {},
        state={"folder": folder, "busy_timeout_seconds": 5},
    )
    passes = 0
    while last_traded(folder) != until.isoformat():
        passes += 1
        assert passes <= MOST_PASSES, f"{until} was not reached in {MOST_PASSES} passes"
        with suppress(BensBotError):  # it could not even be opened: a person or a service starts it again
            MainOrchestrator(settings).run(cycles=1)


def trade_in_processes(*folders: Path, until: date, kind: str = "killed", strikes: Sequence[int] = ()) -> list[int]:
    """Let one forked process per folder trade, all at once; return their exit codes: 0, or -9 for a killed one."""
    SERVER.set_forkserver_preload(["tests.faults.sweep_server"])
    traders = [
        SERVER.Process(target=trade, args=(folder, until, kind, number))
        for folder, number in zip(folders, strikes or [0] * len(folders), strict=True)
    ]
    for trader in traders:
        trader.start()
    for trader in traders:
        trader.join(300)
    codes = [trader.exitcode for trader in traders]
    assert None not in codes, "a trader hangs"
    return [code for code in codes if code is not None]


@dataclass(frozen=True)
class Outcome:
    """What must be the same however often a trader was struck."""

    fills: list[tuple[Any, ...]]
    equity: list[tuple[Any, ...]]
    positions: list[tuple[Any, ...]]
    cash: list[tuple[Any, ...]]
    orders: list[tuple[Any, ...]]


def outcome_of(folder: Path) -> Outcome:
    """Read the book with the standard library alone."""
    return Outcome(
        fills=read(
            folder / "bensbot.db", "SELECT symbol, side, quantity, price, fee, session FROM fills ORDER BY 6, 1"
        ),
        equity=read(folder / "bensbot.db", "SELECT session, cash, equity FROM equity ORDER BY 1"),
        positions=read(folder / "bensbot.db", "SELECT symbol, quantity, average_price FROM positions ORDER BY 1"),
        cash=read(folder / "paper.db", "SELECT cash, session FROM paper_account"),
        orders=read(folder / "bensbot.db", "SELECT client_order_id, status FROM orders ORDER BY 1"),
    )


def last_traded(folder: Path) -> str | None:
    """Return the newest session of a completed cycle, as text; None before there is a book."""
    if not read_if_there(folder / "bensbot.db", "SELECT 1 FROM sqlite_master WHERE name = 'cycles'"):
        return None
    return read(folder / "bensbot.db", "SELECT max(session) FROM cycles WHERE status = 'completed'")[0][0]


def read_if_there(file: Path, query: str) -> list[tuple[Any, ...]]:
    return read(file, query) if file.exists() else []


def read(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()
