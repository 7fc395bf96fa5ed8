"""The stream of order updates: it rings, and nothing but speed depends on it."""

from __future__ import annotations

import logging
import logging.config
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.faults.alpaca_trading import MORNING, Trading, open_sandbox, trading_at_alpaca
from tests.unit.core.trading import WallClock
from trading_bot.alpaca.connect import Keys
from trading_bot.alpaca.doorbell import Doorbell
from trading_bot.core.asking import looks
from trading_bot.core.following import follow
from trading_bot.domain.orders import OrderStatus
from trading_bot.reporting.broker import moved_order
from trading_bot.sandbox.server import API_KEY, SECRET_KEY, Sandbox
from trading_bot.sandbox.stream import Stream

LONG, SHORT = 30.0, 0.05  # seconds: of a wait that ends by itself, and of one that is to end with nothing
ORDER = {"symbol": "AAPL", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}
KEYS = Keys(SecretStr(API_KEY), SecretStr(SECRET_KEY))
GUARD = {"protective_orders": "broker", "position_stop_pct": "0.03", "cooldown_sessions": 0}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(WallClock(MORNING), stream=True) as opened:
        opened.exchange.behaviour = replace(opened.exchange.behaviour, hold_fills=True)
        yield opened


def stream_of(sandbox: Sandbox) -> Stream:
    assert sandbox.stream is not None
    return sandbox.stream


@contextmanager
def listening(sandbox: Sandbox) -> Iterator[Doorbell]:
    """Give a doorbell that listens, and that has rung for its beginning."""
    stream = stream_of(sandbox)
    with closing(Doorbell(stream.url, KEYS, waits=(SHORT,))) as bell:
        assert bell.wait(LONG)
        assert stream.heard.wait(LONG)
        yield bell


def test_alpacas_own_client_hears_of_every_event_of_an_order(sandbox: Sandbox):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from alpaca.trading.stream import TradingStream

    told: list[Any] = []
    done = threading.Event()

    async def hear(update: Any) -> None:
        told.append((update.event, update.order.client_order_id, update.qty, update.price))
        if len(told) == 3:
            done.set()

    client = TradingStream(API_KEY, SECRET_KEY, url_override=stream_of(sandbox).url)
    client.subscribe_trade_updates(hear)
    thread = threading.Thread(target=client.run, daemon=True)
    thread.start()
    assert stream_of(sandbox).heard.wait(LONG)
    sandbox.exchange.submit({**ORDER, "client_order_id": "mine"})
    sandbox.exchange.fill("mine", Decimal(1), Decimal(180))
    sandbox.exchange.fill("mine", Decimal(2), Decimal(181))

    assert done.wait(LONG)
    threading.Timer(0.1, stream_of(sandbox).send, [b"{}"]).start()  # it looks whether to stop at the next message
    client.stop()
    thread.join(LONG)
    assert told == [("new", "mine", None, None), ("partial_fill", "mine", 1, 180), ("fill", "mine", 2, 181)]


def test_it_rings_for_an_order_and_is_silent_after_that(sandbox: Sandbox):
    with listening(sandbox) as bell:
        sandbox.exchange.submit(ORDER)
        assert bell.wait(LONG)
        assert not bell.wait(SHORT)


@pytest.mark.parametrize(
    "message", [b"<html>", b"[]", b'{"stream":"listening","data":{}}', b'"trade_updates"', b"\xff"]
)
def test_what_is_no_update_rings_nothing_and_ends_nothing(sandbox: Sandbox, message: bytes):
    with listening(sandbox) as bell:
        stream_of(sandbox).send(message)
        assert not bell.wait(SHORT)
        sandbox.exchange.submit(ORDER)
        assert bell.wait(LONG)


def test_a_stream_that_was_cut_is_opened_again_and_rings_for_what_nobody_was_told(sandbox: Sandbox):
    with listening(sandbox) as bell:
        stream_of(sandbox).cut()
        assert bell.wait(LONG)


def test_keys_that_it_refuses_are_told_once_without_the_keys_and_never_tried_again(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    wrong = Keys(SecretStr("wrong-key"), SecretStr("wrong-secret"))
    # As Prefect does at each start: it enables loggers that somebody has disabled.
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    with caplog.at_level(logging.DEBUG), closing(Doorbell(stream_of(sandbox).url, wrong, waits=(0.0,))) as bell:
        assert not bell.wait(0.5)

    refused = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert refused == ["Alpaca's stream of order updates refuses our keys. Orders are asked for as without a stream"]
    assert "wrong-" not in caplog.text


def test_where_nobody_listens_the_bell_waits_as_a_clock_does():
    with closing(Doorbell("ws://127.0.0.1:1/stream", KEYS, waits=(SHORT,))) as bell:
        assert not bell.wait(SHORT)


@dataclass
class Liar:
    """A broker that always has something to tell."""

    says: bool | None = True

    def wait_for_order(self, seconds: float) -> bool | None:
        del seconds
        return self.says


def test_fault_22_a_stream_that_lies_adds_moments_to_ask_and_takes_none_away():
    slept: list[float] = []
    lied_to = sum(1 for _ in looks(Liar(), slept.append, (0.2, 0.5)))  # pyright: ignore[reportArgumentType]

    assert lied_to == 4  # two that were rung for, and both that there are without a stream
    assert [round(seconds, 1) for seconds in slept] == [0.2, 0.5]
    slept.clear()
    assert sum(1 for _ in looks(Liar(says=None), slept.append, (0.2, 0.5))) == 2  # pyright: ignore[reportArgumentType]
    assert slept == [0.2, 0.5]


@contextmanager
def hearing(folder: Path, **terms: Any) -> Iterator[Trading]:
    """Open the bot with a stream in its settings."""
    with open_sandbox(WallClock(MORNING), stream=True) as sandbox:
        url = stream_of(sandbox).url
        with trading_at_alpaca(folder / "state", sandbox, stream_url=url, **terms) as trading:
            sandbox.exchange.market.now = trading.clock.now
            yield trading


@contextmanager
def guarded(folder: Path, stream: str) -> Iterator[Trading]:
    """Hold 27 shares of Apple with a stop order at the broker, and a stream that behaves so."""
    with hearing(folder, risk=GUARD) as trading:
        for _ in range(2):
            trading.wants("AAPL").cycle()
        trading.behave(slow_cancel=True, stream=stream)
        yield trading


@pytest.mark.parametrize("stream", ["", "twice", "mute"])
def test_fault_22_a_cancel_that_takes_a_while_is_seen_whatever_the_stream_tells(tmp_path: Path, stream: str):
    with guarded(tmp_path, stream) as trading:
        trading.clock.sleep = lambda _seconds: trading.exchange.finish_cancelling()  # type: ignore[method-assign]
        trading.wants().cycle()

        sold = [(o.type, o.status) for o in trading.at_broker() if o.side.value == "sell"]
        assert sold == [("stop", "canceled"), ("market", "filled")]
        assert trading.held() == 0


def test_orders_are_followed_as_they_move(tmp_path: Path):
    with hearing(tmp_path) as trading:
        trading.behave(hold_fills=True)
        trading.wants("AAPL").cycle()
        (name,) = [order.client_order_id for order in trading.at_broker()]
        seen = follow(trading.bot)
        moved = [next(seen)]
        trading.exchange.fill(name, Decimal(7))
        moved.append(next(seen))
        trading.exchange.fill(name)
        moved.append(next(seen))

        assert [(order.client_order_id, order.status, order.filled) for order in moved] == [
            (name, OrderStatus.ACCEPTED, 0),
            (name, OrderStatus.PARTIALLY_FILLED, 7),
            (name, OrderStatus.FILLED, 27),
        ]
        assert moved_order(moved[1]) == (f"2022-01-03 15:01:00 UTC  partially filled  buy 27 AAPL, 7 filled  ({name})")
        assert trading.desk.rows("SELECT count(*) FROM fills") == [(0,)]  # only cycles book
        trading.cycle()
