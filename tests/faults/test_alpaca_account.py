"""What the account at Alpaca says of itself: blocked, in debt, worth nothing, traded by hand, live without consent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from tests.faults.alpaca_trading import Trading, open_sandbox, trading_at_alpaca
from tests.unit.brokers.sandboxes import KEYS, connect
from tests.unit.core.trading import WallClock, open_desk
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.core.bot import Bot
from trading_bot.core.cycle import run_cycle
from trading_bot.core.hours import TradingHours
from trading_bot.core.reconcile import account_now
from trading_bot.domain.cash import CashKind
from trading_bot.domain.errors import BrokerUnavailable, CycleSkipped, SettingsError, WrongAccount
from trading_bot.domain.ports import BrokerAdapter, BrokerSetup
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.faults import Fault
from trading_bot.sandbox.server import Sandbox

ORDERS = "/v2/orders"


@pytest.fixture
def trading(tmp_path: Path) -> Iterator[Trading]:
    with trading_at_alpaca(tmp_path / "state") as opened:
        yield opened


@pytest.mark.parametrize(
    "broker",
    [
        {"paper": False},
        {"paper": False, "live_confirm": "PASANDBOX2"},
        {"paper": False, "live_confirm": ""},
    ],
    ids=["nobody consents", "to another account", "to nothing"],
)
def test_fault_66_a_live_account_is_traded_with_consent_to_its_own_number_only(tmp_path: Path, broker: dict):
    with open_sandbox(WallClock()) as sandbox:
        chosen = {"name": "alpaca", "trading_url": sandbox.url, "data_url": sandbox.url, **KEYS, **broker}
        sections = {"broker": chosen, "orchestrator": {"market_hours_only": False}}
        refused = pytest.raises(SettingsError, match=r"live_confirm: 'PASANDBOX1'\. Nothing was sent")
        with open_desk(tmp_path / "state", **sections) as desk, refused:
            run_cycle(desk.bot, run_id="live")
        assert sandbox.sent("POST", ORDERS) == 0


@pytest.mark.parametrize(
    ("paper", "url"), [(True, "https://api.alpaca.markets"), (False, "https://paper-api.alpaca.markets")]
)
def test_fault_66_the_address_and_the_kind_of_account_must_agree(tmp_path: Path, paper: bool, url: str):
    settings = {"paper": paper, "trading_url": url, **KEYS}

    with pytest.raises(SettingsError, match=r"set broker\.paper: (true|false)"):
        AlpacaBroker(BrokerSetup(settings=settings, folder=tmp_path, calendar=TradingHours()))


def test_fault_55_the_book_of_another_account_is_refused(trading: Trading, tmp_path: Path):
    trading.cycle()
    other = SandboxExchange(trading.exchange.market, account_number="PASANDBOX2")
    with Sandbox(other, trading.sandbox.clock) as sandbox:
        theirs = trading.bot.broker
        trading.bot = replace_broker(trading, connect(sandbox, calendar=TradingHours()))
        with pytest.raises(WrongAccount, match=r"PASANDBOX1.*PASANDBOX2"):
            trading.cycle()
        trading.bot = replace_broker(trading, theirs)


def replace_broker(trading: Trading, broker: BrokerAdapter) -> Bot:
    return replace(trading.bot, broker=broker)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"cash": "-120.50", "buying_power": "0"}, "the cash of account PASANDBOX1 is $-120.50"),
        ({"equity": "1000", "maintenance_margin": "1500"}, "has less equity than its positions need"),
    ],
    ids=["negative cash", "margin call"],
)
def test_fault_73_an_account_in_debt_lets_exits_through_only(trading: Trading, fields: dict, cause: str):
    trading.wants("AAPL").cycle()
    trading.behave(fields=fields)
    trading.wants("MSFT").cycle()  # wants to sell Apple and to buy Microsoft

    assert trading.state() == "reducing"
    assert cause in trading.notices.told("Account in trouble")[1]
    assert [(order.symbol, order.side) for order in trading.at_broker()] == [("AAPL", "buy"), ("AAPL", "sell")]
    assert trading.notices.titles().count("Account in trouble") == 1
    trading.behave(fields={})


@pytest.mark.parametrize("field", ["account_blocked", "trading_blocked", "trade_suspended_by_user"])
def test_fault_74_a_blocked_account_halts(trading: Trading, field: str):
    trading.wants().cycle()
    trading.behave(fields={field: True})
    with pytest.raises(CycleSkipped, match="blocked account PASANDBOX1"):
        trading.wants("AAPL").cycle()

    assert (trading.state(), trading.at_broker()) == ("halted", ())


@pytest.mark.parametrize("equity", ["0", "-5", "NaN", "a lot"])
def test_fault_76_an_account_that_is_worth_nothing_halts(trading: Trading, equity: str):
    trading.wants().cycle()
    trading.behave(fields={"equity": equity})
    with pytest.raises(CycleSkipped, match="account PASANDBOX1 is worth"):
        trading.wants("AAPL").cycle()

    assert (trading.state(), trading.at_broker()) == ("halted", ())


@pytest.mark.parametrize("value", ["NaN", "Infinity", None, "a lot"])
def test_cash_that_is_no_number_is_no_clear_answer(trading: Trading, value: object):
    trading.behave(fields={"cash": value})
    with pytest.raises(BrokerUnavailable, match="wanted a number"):
        trading.bot.broker.account()


def test_fault_77_what_other_orders_hold_back_cannot_be_spent(trading: Trading):
    trading.exchange.submit(
        {"symbol": "MSFT", "qty": "1000", "side": "buy", "type": "limit", "limit_price": "95", "time_in_force": "gtc"}
    )
    report = trading.wants("AAPL").cycle()

    assert trading.bot.broker.account().buying_power == Decimal("308.82")  # 5,000 less 26 shares
    (decision,) = report.decisions
    assert (decision.quantity, decision.rule) == (26, "buying_power")


BY_HAND = {"side": "buy", "type": "market", "time_in_force": "day"}


def test_fault_75_what_the_owner_buys_by_hand_is_external_counted_and_left_alone(trading: Trading):
    trading.wants().cycle()
    trading.clock.instant += timedelta(seconds=1)
    trading.exchange.submit({"symbol": "MSFT", "qty": "3", "client_order_id": "mine", **BY_HAND})
    trading.exchange.submit({"symbol": "JPM", "qty": "1", **BY_HAND, "type": "limit", "limit_price": "1"})
    report = trading.wants("AAPL", "MSFT").cycle()

    assert (report.warnings, trading.state()) == ((), "active")
    assert [(done.kind, done.shares, done.note) for done in report.cash] == [
        (CashKind.EXTERNAL, 3, "buy 3 MSFT at $330.09, order mine")
    ]
    assert trading.held("AAPL") == 27
    (limited,) = [decision for decision in report.decisions if decision.signal.symbol == "MSFT"]
    assert (limited.quantity, trading.held("MSFT")) == (11, 11)  # five per cent are 14 shares, and three are there
    assert report.equity_curve[-1].paid_in == Decimal("-990.27")

    trading.wants().cycle(after=timedelta(minutes=2))  # sells all that is ours
    assert {symbol: held.quantity for symbol, held in trading.exchange.holdings().items()} == {"MSFT": 3}
    now = account_now(trading.bot)
    assert (now.differences, dict(now.by_hand.shares)) == ((), {"MSFT": 3})
    assert [(order.symbol, order.quantity) for order in now.by_hand.open_orders] == [("JPM", 1)]

    trading.exchange.submit({"symbol": "MSFT", "qty": "3", **BY_HAND, "side": "sell"})
    trading.cycle()
    assert (trading.state(), trading.bot.book.cash.by_hand()) == ("active", {})


def test_fault_75_what_is_bought_by_hand_and_has_no_price_here_is_told_in_each_cycle(trading: Trading):
    trading.wants().cycle()
    trading.clock.instant += timedelta(seconds=1)
    trading.exchange.submit({"symbol": "JPM", "qty": "3", **BY_HAND})
    trading.cycle()
    report = trading.cycle()

    what = "JPM, 3 by hand, counts in no limit: the price source does not know the stock"
    assert (report.warnings, trading.state()) == ((f"{what}. Add it to data.symbols",), "active")


def test_fault_75_positions_that_were_there_before_the_book_are_external(trading: Trading):
    trading.exchange.submit({"symbol": "MSFT", "qty": "3", **BY_HAND})
    trading.exchange.holdings()
    trading.wants().cycle()
    trading.wants("AAPL").cycle()

    assert (trading.state(), trading.bot.book.cash.by_hand(), trading.held("AAPL")) == ("active", {"MSFT": 3}, 27)
    assert trading.bot.book.ledger.portfolio().cash == trading.exchange.cash()


def test_fault_75_who_sells_by_hand_what_the_bot_bought_stops_entries_and_is_told_what_differs(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.exchange.submit({"symbol": "AAPL", "qty": "20", **BY_HAND, "side": "sell"})
    report = trading.wants("AAPL", "MSFT").cycle()

    assert report.warnings[0] == "Our book and the broker's differ. AAPL: 27 shares in our book, 7 at the broker"
    assert (trading.state(), trading.held("MSFT")) == ("reducing", 0)
    trading.exchange.submit({"symbol": "AAPL", "qty": "20", **BY_HAND})  # put right again


def test_fault_75_an_order_that_is_named_as_ours_is_not_taken_for_the_owners(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.exchange.submit({"symbol": "MSFT", "qty": "3", "client_order_id": "bb-lost-MSFT-buy-entry", **BY_HAND})
    report = trading.cycle()

    assert "MSFT: 0 shares in our book, 3 at the broker" in report.warnings[0]
    assert trading.state() == "reducing"
    trading.exchange.submit({"symbol": "MSFT", "qty": "3", **BY_HAND, "side": "sell"})


@pytest.mark.parametrize(
    ("seconds", "state", "warned", "bought"),
    [(1, "active", False, True), (-5, "active", True, True), (31, "reducing", True, False)],
)
def test_fault_45_a_clock_that_is_off_is_warned_of_and_far_off_lets_exits_through_only(
    trading: Trading, seconds: int, state: str, warned: bool, bought: bool
):
    trading.exchange.market.now = lambda: trading.clock.now() + timedelta(seconds=seconds)
    report = trading.wants("AAPL").cycle()

    words = f"Our clock is {abs(seconds)}.0 s from the broker's. Let NTP set this machine's clock"
    assert report.warnings == ((words,) if warned else ())
    assert (trading.state(), trading.held() > 0) == (state, bought)
    assert ("Clock is wrong" in trading.notices.titles()) is (state == "reducing")


def test_fault_46_a_clock_that_jumps_back_renames_no_cycle_doubles_no_order_and_turns_no_duration_back(
    trading: Trading,
):
    tick = trading.clock.now() + timedelta(minutes=1)
    trading.wants("AAPL").cycle(scheduled=tick)
    trading.cycle(after=timedelta(minutes=-4), scheduled=tick + timedelta(minutes=1))
    with pytest.raises(CycleSkipped, match="traded 2022-01-03 already"):
        trading.cycle(scheduled=tick)

    assert trading.desk.rows("SELECT cycle_id FROM cycles ORDER BY 1") == [("20220103T150100Z",), ("20220103T150200Z",)]
    assert [(order.client_order_id, order.status) for order in trading.at_broker()] == [
        ("bb-20220103T150100Z-AAPL-buy-entry", "filled")
    ]
    assert min(trading.bot.stopwatch.seconds.values()) >= 0


def test_fault_45_a_broker_that_does_not_tell_the_time_stops_nothing(trading: Trading):
    trading.sandbox.faults.add(Fault(method="GET", path="/v2/clock", status=503, times=9))
    report = trading.wants("AAPL").cycle()

    assert (report.warnings, trading.state(), trading.held()) == ((), "active", 27)


def test_the_sessions_of_alpaca_are_read_with_their_early_closes(trading: Trading):
    adapter = cast("AlpacaBroker", trading.bot.broker)

    times = adapter.session_times(date(2022, 11, 23), date(2022, 11, 28))

    assert {day: f"{opens:%H:%M} {closes:%H:%M}" for day, (opens, closes) in times.items()} == {
        date(2022, 11, 23): "14:30 21:00",
        date(2022, 11, 25): "14:30 18:00",  # the day after Thanksgiving
        date(2022, 11, 28): "14:30 21:00",
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('[{"date": "2022-11-31", "open": "09:30", "close": "16:00"}]', "session on 2022-11-31 from 09:30 to 16:00"),
        ('[{"date": "2022-11-30", "open": "half past", "close": "16:00"}]', "from half past to 16:00"),
        ('[{"date": "2022-11-30", "open": "09:30"}]', "has no close"),
    ],
)
def test_a_session_of_alpaca_without_proper_times_is_no_answer(trading: Trading, body: str, told: str):
    trading.sandbox.faults.add(Fault(method="GET", path="/v2/calendar", status=200, body=body))

    with pytest.raises(BrokerUnavailable, match=told):
        cast("AlpacaBroker", trading.bot.broker).session_times(date(2022, 11, 30), date(2022, 12, 1))
