"""A plug-in that the flow runs of a soak load: a broker and a price source that fail now and then, and ambushes.

An ambush is a file that the soak lays: the first flow run that comes by its place takes it away, says so, and waits
there, with everything it holds, until it is killed or let go. So a process can be killed inside a transaction.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, event

from scripts.soaking.names import AMBUSH, BOOK_COMMIT, BOOK_COMMITTED, CAUGHT, NAME, PAPER_COMMIT, SOFT_FAULTS
from trading_bot.brokers.paper import PaperBroker
from trading_bot.brokers.registry import broker
from trading_bot.data.registry import price_source
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.errors import BrokerUnavailable, SourceUnavailable
from trading_bot.domain.market import MarketState, SessionAxis
from trading_bot.domain.orders import ClientOrderId, Fill, OrderIntent, OrderUpdate
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import BrokerAccount, BrokerSetup, RawBars
from trading_bot.storage.dialects import WRITES

LONGEST_WAIT = 120.0  # seconds in an ambush that nobody looks after

FOLDER = Path(os.environ.get("SOAK_FOLDER", ""))
CHANCE = float(os.environ.get("SOAK_SOFT_FAULTS", "0"))  # of each call of broker and price source
RANDOM = Random(f"{os.environ.get('SOAK_SEED', '')}:{os.getpid()}")  # faults, not secrets
PASSED: Counter[str] = Counter()  # how often this process has come by each place
IS_A_RUN = "PREFECT__FLOW_RUN_ID" in os.environ  # hooks open the bot in the runner, which is not ambushed


def passing(place: str) -> None:
    """Come by a place: fall into the ambush that is laid there."""
    if not IS_A_RUN:
        return
    PASSED[place] += 1
    try:
        wanted = json.loads((FOLDER / AMBUSH).read_text())
        if wanted["place"] != place or PASSED[place] < wanted["time"]:
            return
        caught = FOLDER / f"{CAUGHT}-{os.getpid()}"
        (FOLDER / AMBUSH).rename(caught)  # one process only can take it away
    except OSError:
        return
    deadline = time.monotonic() + LONGEST_WAIT
    while caught.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def fails(place: str, error: Callable[[str], Exception]) -> None:
    """Raise, now and then, and write it down."""
    if IS_A_RUN and RANDOM.random() < CHANCE:
        with (FOLDER / SOFT_FAULTS).open("a") as file:
            file.write(f"{place}\n")
        raise error(f"no clear answer {place}")


@broker(NAME)
class SoakBroker:
    """The paper broker, whose answers get lost now and then before or after the call."""

    def __init__(self, setup: BrokerSetup) -> None:
        """Open the paper account."""
        self._real = PaperBroker(setup)

    def _call(self, name: str, *args: Any, **named: Any) -> Any:
        passing(f"before broker.{name}")
        fails(f"before broker.{name}", BrokerUnavailable)
        answer = getattr(self._real, name)(*args, **named)
        passing(f"after broker.{name}")
        fails(f"after broker.{name}", BrokerUnavailable)
        return answer

    def account(self) -> BrokerAccount:
        """Ask the paper broker."""
        return self._call("account")

    def get_portfolio(self) -> Portfolio:
        """Ask the paper broker."""
        return self._call("get_portfolio")

    def advance(self, market: MarketState) -> None:
        """Let the paper broker trade."""
        self._call("advance", market)

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        """Send to the paper broker."""
        return self._call("submit", intent, at=at)

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Ask the paper broker."""
        return self._call("find", order_id)

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        """Ask the paper broker."""
        return self._call("cancel", order_id, at=at)

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Ask the paper broker."""
        return self._call("open_orders")

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Ask the paper broker."""
        return self._call("fills", order_ids)

    def close(self) -> None:
        """Let go of the account."""
        self._real.close()


@price_source(NAME)
@dataclass(frozen=True, slots=True)
class SoakPrices:
    """The packaged prices, which do not answer now and then."""

    historical: ClassVar[bool] = True

    def bars(self, as_of: date) -> RawBars:
        """Ask the packaged prices."""
        passing("before prices")
        fails("prices", SourceUnavailable)
        return Sample().bars(as_of)

    def sessions(self) -> SessionAxis:
        """Ask the packaged prices."""
        return Sample().sessions()


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(WRITES))


def _on_commit(connection: Connection) -> None:
    if _writes(connection):
        is_paper = str(connection.engine.url.database).endswith("paper.db")
        passing(PAPER_COMMIT if is_paper else BOOK_COMMIT)
        connection.info["book committed"] = not is_paper


def _on_return(_raw: object, record: Any) -> None:
    if record.info.pop("book committed", False):
        passing(BOOK_COMMITTED)


if IS_A_RUN:
    event.listen(Engine, "commit", _on_commit)
    event.listen(Engine, "checkin", _on_return)
