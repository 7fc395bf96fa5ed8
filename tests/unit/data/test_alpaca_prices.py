"""Prices from Alpaca, by real requests to a sandbox: how many there are, what today is, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from tests.unit.brokers.sandboxes import KEYS, flat_bars, patient, sandbox_of
from tests.unit.core.trading import settings_in
from trading_bot.alpaca.connect import Keys, data_wire
from trading_bot.alpaca.prices import AlpacaPrices
from trading_bot.core.bot import data_manager
from trading_bot.core.hours import TradingHours
from trading_bot.data.sources.alpaca import Alpaca
from trading_bot.domain.errors import CredentialsRefused, DataError, SettingsError, SourceUnavailable
from trading_bot.domain.market import Split, Symbol
from trading_bot.sandbox.faults import Fault, html_page, refused
from trading_bot.sandbox.market import SandboxClock
from trading_bot.sandbox.server import Sandbox

NOON = datetime(2024, 3, 6, 17, 0, tzinfo=UTC)  # a Wednesday
TODAY = NOON.date()
DAYS = [day for number in range(40, -1, -1) if (day := TODAY - timedelta(days=number)).weekday() < 5]
MANY = tuple(f"S{number:03d}" for number in range(500))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    bars = flat_bars("AAA", "BBB", *MANY, days=DAYS)
    split = Split(Symbol("AAA"), TODAY, Decimal(2))
    with time_machine.travel(NOON), sandbox_of(replace(bars, splits=(split,)), SandboxClock()) as opened:
        yield opened


def source(sandbox: Sandbox, *symbols: str, **options: Any) -> Alpaca:
    return Alpaca(symbols=symbols or ("AAA", "BBB"), data_url=sandbox.url, **{"since": DAYS[0], **KEYS, **options})


def test_five_hundred_symbols_take_as_few_requests_as_pages_hold(sandbox: Sandbox):
    raw = source(sandbox, *MANY).bars(TODAY)

    assert raw.close.shape == (29, 500)
    assert sandbox.sent("GET", "/v2/stocks/bars") == 2  # 28 finished days of 500 symbols are 14,000 bars
    assert sandbox.sent("GET", "/v2/stocks/snapshots") == 1
    assert sandbox.sent("GET", "/v1/corporate-actions") == 1


def test_finished_sessions_are_asked_for_once(sandbox: Sandbox):
    for _ in range(3):
        source(sandbox, "AAA").bars(TODAY)

    assert sandbox.sent("GET", "/v2/stocks/bars") == 1
    assert sandbox.sent("GET", "/v2/stocks/snapshots") == 3


def test_the_session_that_runs_is_the_last_row(sandbox: Sandbox):
    raw = source(sandbox).bars(TODAY)

    assert (raw.sessions[-1].item(), raw.close[-1].tolist()) == (TODAY, [10.0, 10.0])
    assert source(sandbox).bars(DAYS[-2]).sessions[-1].item() == DAYS[-2]


def test_a_split_is_known_from_its_first_day_on_and_bars_are_as_they_were_traded(sandbox: Sandbox):
    raw = source(sandbox).bars(TODAY)

    assert raw.splits == (Split(Symbol("AAA"), TODAY, Decimal(2)),)
    assert source(sandbox).bars(DAYS[-2]).splits == ()
    assert "adjustment=raw" in next(request for request in sandbox.requests if "/bars" in request)


def test_a_symbol_without_bars_stays_in_its_place_and_is_named(sandbox: Sandbox):
    raw = source(sandbox, "AAA", "ZZZZ").bars(TODAY)

    assert raw.symbols == ("AAA", "ZZZZ")
    assert raw.notes == ("Alpaca has no bars of ZZZZ",)


def test_settings_choose_symbols_feed_and_keys(sandbox: Sandbox, tmp_path):
    settings = settings_in(
        tmp_path,
        data={"source": "alpaca", "symbols": ["AAA"], "feed": "iex", "options": {"since": str(DAYS[0])}},
        broker={"data_url": sandbox.url, **KEYS},
    )
    market = data_manager(settings, TradingHours()).get_market_state(NOON, TODAY)

    assert market.history.symbols == ("AAA",)
    assert "feed=iex" in next(request for request in sandbox.requests if "/bars" in request)


def test_without_symbols_or_keys_it_says_what_to_write(sandbox: Sandbox):
    with pytest.raises(SettingsError, match=r"data\.source: alpaca needs data\.symbols"):
        Alpaca(data_url=sandbox.url, **KEYS).bars(TODAY)
    with pytest.raises(SettingsError, match="BENSBOT_BROKER__API_KEY"):
        Alpaca(symbols=("AAA",), data_url=sandbox.url).bars(TODAY)


def test_fault_11_refused_keys_are_no_matter_of_asking_again(sandbox: Sandbox):
    sandbox.faults.add(refused(401, 40110000, "request is not authorized"))
    with pytest.raises(CredentialsRefused):
        source(sandbox, "AAA", since=date(2024, 2, 1)).bars(TODAY)


def test_a_plan_without_the_feed_is_told_what_to_set(sandbox: Sandbox):
    sandbox.faults.add(refused(403, 42210000, "subscription does not permit querying recent SIP data"))
    with pytest.raises(DataError, match=r"set data\.feed: iex"):
        source(sandbox, "AAA", since=date(2024, 2, 2)).bars(TODAY)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (html_page(200, times=9), SourceUnavailable),
        (Fault(status=503, times=9), SourceUnavailable),
        (Fault(status=200, body='{"bars": {"BBB": [{"t": "noon"}]}, "next_page_token": null}'), DataError),
        (Fault(status=200, body='{"bars": {"AAA": []}, "next_page_token": null}'), DataError),
        (Fault(status=200, body="[]"), DataError),
    ],
    ids=["html", "503", "a bar that is none", "another symbol", "a list"],
)
def test_fault_41_an_answer_that_is_no_prices_is_no_price(sandbox: Sandbox, fault: Fault, error: type[Exception]):
    sandbox.faults.add(fault)
    wire = data_wire(Keys(**KEYS), sandbox.url, patient())
    with pytest.raises(error):
        AlpacaPrices(wire, (Symbol("BBB"),), None).past(DAYS[0], TODAY)


def test_fault_41_a_snapshot_of_another_symbol_is_no_price(sandbox: Sandbox):
    sandbox.faults.add(Fault(status=200, body='{"AAA": {}}'))
    wire = data_wire(Keys(**KEYS), sandbox.url, patient())
    with pytest.raises(DataError, match="answers with AAA, which nobody asked for"):
        AlpacaPrices(wire, (Symbol("BBB"),), None).today()
