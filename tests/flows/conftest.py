"""One real Prefect server for all tests of this folder, a real book for each test."""

from __future__ import annotations

import asyncio
import gc
import http.server
import json
import os
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from trading_bot.config.typed_settings import TradingBotSettings, load_config
from trading_bot.core.book import open_book
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.errors import DataError, SourceUnavailable
from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import RawBars
from trading_bot.state.manager import StateManager

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_LOGGING_EXTRA_LOGGERS"] = "trading_bot,tasks,flows"
os.environ["PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW"] = "ignore"

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
TROUBLES: dict[str, Callable[[], BaseException]] = {
    "no answer": lambda: SourceUnavailable("the source did not answer"),
    "wrong answer": lambda: DataError("these are no prices"),
    "bug": lambda: ZeroDivisionError("a bug in a plug-in"),
    "exit": lambda: SystemExit(3),
    "Ctrl-C": KeyboardInterrupt,
}
# Prefect leaves the sockets of its event client to the garbage collector, which finds them in any later test.
LEFT_BY_PREFECT = (
    "ignore:unclosed <socket:ResourceWarning",
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Forgive Prefect its sockets, in this folder only."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for forgiven in LEFT_BY_PREFECT:
                item.add_marker(pytest.mark.filterwarnings(forgiven))


@dataclass(frozen=True, slots=True)
class Troubled:
    """The packaged prices, once the first `times` questions have ended in trouble. Writes a line per question."""

    trouble: str
    asked: Path
    times: int = 1000

    historical: ClassVar[bool] = True

    def bars(self, as_of: date) -> RawBars:
        with self.asked.open("a") as file:
            file.write(f"{as_of}\n")
        if len(self.asked.read_text().splitlines()) <= self.times:
            raise TROUBLES[self.trouble]()
        return Sample().bars(as_of)

    def sessions(self) -> SessionAxis:
        return Sample().sessions()


@pytest.fixture(scope="session")
def _server() -> Generator[None]:
    """A Prefect server with an empty database in a temporary folder, started by the first test that needs it."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=300):
        yield


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a config.yaml nor a .env nor a variable of the machine takes part."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BENSBOT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _nothing_left_for_other_tests() -> Generator[None]:
    yield
    gc.collect()


@dataclass(frozen=True)
class Desk:
    """A settings file with a book of its own, and what can be done with them."""

    config: Path

    @property
    def settings(self) -> TradingBotSettings:
        return load_config(self.config)

    def book(self) -> StateManager:
        return open_book(self.settings)

    def trade(self) -> State[Any]:
        """Run the flow and return its final state."""
        from collections.abc import Awaitable

        from flows.cycle import CycleParams, trading_cycle

        async def run() -> State[Any]:
            return await cast(
                "Awaitable[State[Any]]", trading_cycle(CycleParams(config=self.config), return_state=True)
            )

        return asyncio.run(run())

    def stop_waiting(self) -> None:
        """Let the time of the backoff pass."""
        with self.book() as book:
            book.control.hold_until(LONG_AGO)


@pytest.fixture
def desk(tmp_path: Path, _server: None) -> Callable[..., Desk]:
    """Make a desk from sections of settings. Its team stays as it is, unless a test lets it rotate."""

    def make(**sections: dict[str, Any]) -> Desk:
        config = tmp_path / "settings.json"
        policy = {"enable_strategy_rotation": False, **sections.get("orchestrator", {})}
        state = {"folder": str(tmp_path / "state")}
        config.write_text(json.dumps({"state": state, **sections, "orchestrator": policy}))
        return Desk(config)

    return make


@pytest.fixture
def troubled_desk(desk: Callable[..., Desk], tmp_path: Path) -> Generator[Callable[..., Desk]]:
    """Make a desk whose price source makes trouble. The questions it was asked are lines of `asked`."""
    PRICE_SOURCES.register("troubled")(Troubled)
    options = {"asked": str(tmp_path / "asked")}

    def make(trouble: str, *, times: int = 1000, **sections: dict[str, Any]) -> Desk:
        return desk(data={"source": "troubled", "options": {**options, "trouble": trouble, "times": times}}, **sections)

    yield make
    PRICE_SOURCES._classes.pop("troubled")


@pytest.fixture
def notices() -> Generator[tuple[str, list[dict[str, str]]]]:
    """A channel's address, and the notices that arrive there."""
    arrived: list[dict[str, str]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}/", arrived
        server.shutdown()
        thread.join()
