"""One process of the sweep at Alpaca: it trades one cycle at a sandbox, and is killed at its N-th boundary call.

Boundary calls are every request, before it leaves, once it is on its way, and once its answer is there; and every
write transaction of the book, before and after its commit.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection
from urllib3.response import HTTPResponse

from tests.faults.alpaca_trading import MORNING, SECTIONS, Wants, bot_of, open_sandbox, trading_at_alpaca
from tests.faults.sweeping import FAULTS, SERVER, STRUCK, Boundary, watch_transactions
from tests.unit.brokers.sandboxes import connect
from tests.unit.core.trading import WallClock, open_desk
from trading_bot.alpaca.limits import Patience, RateLimit
from trading_bot.alpaca.session import TimedAdapter
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.core.cycle import run_cycle
from trading_bot.core.hours import TradingHours
from trading_bot.domain.cycle import SkipReason
from trading_bot.domain.errors import CycleSkipped
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.server import Sandbox

BEFORE = MORNING + timedelta(minutes=1)  # Apple is bought
TICK = MORNING + timedelta(minutes=3)  # Apple is sold, and two others are bought
WANTED = ("HD", "MSFT")
GUARDED = {"protective_orders": "broker", "position_stop_pct": "0.03", "cooldown_sessions": 0}
PLAIN: dict[str, Any] = {"cooldown_sessions": 0}


class StruckConnection(HTTPConnection):
    """A connection with a boundary between a request and its answer."""

    boundary: ClassVar[Boundary]
    _asked = ""

    def request(self, method: str, url: str, *args: Any, **named: Any) -> None:
        self._asked = f"{method} {urlsplit(url).path}"
        super().request(method, url, *args, **named)

    def getresponse(self) -> HTTPResponse:
        self.boundary(f"sent {self._asked}")
        return super().getresponse()


class StruckPool(HTTPConnectionPool):
    ConnectionCls = StruckConnection  # pyright: ignore[reportAssignmentType]  # its own class is declared so, too


class StruckAdapter(TimedAdapter):
    """The adapter's transport with a boundary before each request and after each answer."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        pools: PoolManager = self.poolmanager
        pools.pool_classes_by_scheme = {"http": StruckPool}  # pyright: ignore[reportAttributeAccessIssue]

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        asked = f"{request.method} {urlsplit(request.url or '').path}"
        StruckConnection.boundary(f"before {asked}")
        answer = super().send(request, *args, **options)
        StruckConnection.boundary(f"after {asked}")
        return answer


def struck_at(url: str, boundary: Boundary) -> AlpacaBroker:
    """Return the adapter before a sandbox, every request of it with its boundaries."""
    broker = connect(url, calendar=TradingHours(), queue_for_open=False)
    StruckConnection.boundary = boundary
    session: Session = vars(vars(vars(broker)["_wire"])["_client"])[
        "_session"
    ]  # what lies under the client of alpaca-py
    session.mount("http://", StruckAdapter(Patience(), RateLimit()))
    return broker


def trade(folder: Path, url: str, strike_at: int, risk: dict[str, Any]) -> None:
    """Run the cycle of the tick, and die on the way; this is the whole life of a forked process."""
    strike, counts = FAULTS["killed anywhere"]
    boundary = Boundary(folder, strike_at, strike, counts)
    watch_transactions(boundary)
    broker = struck_at(url, boundary)
    with open_desk(folder / "state", WallClock(TICK), risk=risk, **SECTIONS) as desk:
        run_cycle(bot_of(desk, broker, Wants(frozenset(WANTED))), run_id="child", scheduled=TICK)


@dataclass(frozen=True)
class Outcome:
    """What must be the same wherever a process was killed."""

    held: dict[str, Decimal]  # at the broker
    cash: Decimal
    filled: list[tuple[str, str, Decimal]]  # symbol, side and shares of every order that filled
    waiting: list[tuple[str, str, Decimal, Decimal | None]]


def outcome_of(exchange: SandboxExchange) -> Outcome:
    orders = exchange.orders()
    return Outcome(
        held={symbol: held.quantity for symbol, held in exchange.holdings().items()},
        cash=exchange.cash(),
        filled=sorted((o.symbol, o.side.value, o.filled) for o in orders if o.filled),
        waiting=sorted((o.symbol, o.side.value, o.quantity, o.stop_price) for o in orders if o.is_open),
    )


@dataclass
class Trial:
    """One account, one book, and one process that is killed."""

    folder: Path
    number: int
    risk: dict[str, Any]
    clock: WallClock = field(default_factory=lambda: WallClock(BEFORE))
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = open_sandbox(self.clock)

    @property
    def place(self) -> str:
        """Where it was killed, "" where nothing was left to be killed at."""
        struck = self.folder / STRUCK
        return json.loads(struck.read_text())["place"] if struck.exists() else ""

    def cycle(self, *wanted: str, after: timedelta, again: bool = False) -> None:
        """Run a cycle in this process; at its end every law holds, and both sides agree."""
        self.clock.instant += after
        with trading_at_alpaca(self.folder / "state", self.sandbox, risk=self.risk) as trading:
            trading.clock.instant = self.clock.instant
            try:
                trading.wants(*wanted).cycle(after=timedelta(0), scheduled=TICK if again else None)
            except CycleSkipped as skipped:
                if skipped.code is not SkipReason.ALREADY_TRADED:  # it was killed after its end
                    raise
            named = {name for (name,) in trading.desk.rows("SELECT client_order_id FROM intents")}
        sent = [order.client_order_id for order in self.sandbox.exchange.orders()]
        assert len(sent) == len(set(sent)), f"an intent has two orders: {sent}"
        assert set(sent) <= named, f"orders without an intent: {set(sent) - named}"


def begin(trial: Trial) -> Trial:
    """Trade up to the eve of the struck cycle: Apple is held, and guarded where the settings say so."""
    with trial.sandbox:
        trial.cycle("AAPL", after=timedelta(0))
        trial.cycle("AAPL", after=timedelta(minutes=1))
    return trial


def begun_like(first: Trial, number: int, room: Path) -> Trial:
    """Return another trial that has come as far: the book is copied, and the account gets the same orders."""
    trial = Trial(room / f"trial-{number}", number, first.risk)
    shutil.copytree(first.folder / "state", trial.folder / "state")
    for order in first.sandbox.exchange.orders():
        trial.clock.instant = order.submitted_at
        terms = {"type": order.type, "time_in_force": order.time_in_force, "client_order_id": order.client_order_id}
        stop = {} if order.stop_price is None else {"stop_price": str(order.stop_price)}
        trial.sandbox.exchange.submit(
            {"symbol": order.symbol, "qty": str(order.quantity), "side": order.side.value, **terms, **stop}
        )
        trial.sandbox.exchange.orders()
    trial.clock.instant = TICK
    return trial


def run_processes(trials: Sequence[Trial]) -> list[int]:
    """Let one forked process for each trial trade, all at once; return their exit codes: 0, or -9 for a killed one."""
    SERVER.set_forkserver_preload(["tests.faults.sweep_server_alpaca"])
    children = [SERVER.Process(target=trade, args=(t.folder, t.sandbox.url, t.number, t.risk)) for t in trials]
    for child in children:
        child.start()
    for child in children:
        child.join(300)
    codes = [child.exitcode for child in children]
    assert None not in codes, "a trader hangs"
    return [code for code in codes if code is not None]


def sweep(first: Trial, room: Path, check: Callable[[Trial], None], *, at_once: int = 4, step: int = 1) -> list[str]:
    """Kill at each `step`-th place until nothing is left to be killed at, check every trial, and return the places."""
    places: list[str] = []
    for begins in itertools.count(1, at_once * step):
        trials = [begun_like(first, number, room) for number in range(begins, begins + at_once * step, step)]
        with ExitStack() as open_now:
            for trial in trials:
                open_now.enter_context(trial.sandbox)
            codes = run_processes(trials)
            struck = [trial for trial in trials if trial.place]
            for trial, code in zip(trials, codes, strict=True):
                assert code == (-9 if trial.place else 0), f"process {trial.number} ended with {code}"
            for trial in struck:
                check(trial)
                places.append(trial.place)
        for trial in trials:
            shutil.rmtree(trial.folder)
        if len(struck) < at_once:
            return places
    raise AssertionError("the sweep has no end")
