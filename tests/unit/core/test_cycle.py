from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.unit.core.trading import FIRST, SECOND, Desk, change, open_desk
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.core.failures import handle_failure
from trading_bot.domain.cycle import CycleTicket, TradingState
from trading_bot.domain.errors import DataError, StateError
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Decision, OrderStatus, Purpose, Rejected, Side
from trading_bot.state import check_ledger


def decide(desk: Desk, run_id: str = "run") -> tuple[CycleTicket, MarketState, tuple[Decision, ...]]:
    """Take the steps of a cycle up to its decisions."""
    ticket = admit(desk.bot, run_id=run_id)
    market = cycle.update_market_data(desk.bot, ticket)
    cycle.settle_orders(desk.bot, ticket, market)
    signals = cycle.generate_signals(desk.bot, ticket, market)
    return ticket, market, cycle.apply_risk_checks(desk.bot, ticket, market, signals)


def resume(desk: Desk, run_id: str = "again") -> tuple[CycleTicket, MarketState, tuple[Decision, ...]]:
    """Let the cycle fail where it stands, and take the steps again when the wait is over."""
    handle_failure(desk.bot, run_id="run", error="boom")
    desk.clock.sleep(60)
    return decide(desk, run_id)


# ── one cycle, and the next ───────────────────────────────────────────────────────────────────────


def test_a_first_cycle_sends_orders_and_fills_nothing_yet(desk: Desk):
    report = cycle.run_cycle(desk.bot, run_id="run")

    assert report.session == FIRST
    assert {order.status for order in report.orders} == {OrderStatus.ACCEPTED}
    assert report.fills == ()
    assert (report.equity, report.portfolio.cash) == (100_000, 100_000)
    assert report.warnings == ()


def test_its_orders_fill_at_the_open_of_the_next_session(desk: Desk):
    sent = cycle.run_cycle(desk.bot, run_id="one").orders

    report = cycle.run_cycle(desk.bot, run_id="two")

    assert {(fill.symbol, fill.quantity) for fill in report.fills} == {(o.symbol, o.quantity) for o in sent}
    assert {fill.session for fill in report.fills} == {SECOND}
    assert {order.status for order in report.settled} == {OrderStatus.FILLED}
    assert report.portfolio.cash == 100_000 + sum(fill.cash - fill.fee for fill in report.fills)


def test_every_signal_has_one_decision(desk: Desk):
    ticket = admit(desk.bot, run_id="run")
    market = cycle.update_market_data(desk.bot, ticket)
    signals = cycle.generate_signals(desk.bot, ticket, market)

    decisions = cycle.apply_risk_checks(desk.bot, ticket, market, signals)

    assert sorted(decision.signal.symbol for decision in decisions) == sorted(signal.symbol for signal in signals)


def test_intents_are_committed_before_anything_is_sent(desk: Desk):
    _, _, decisions = decide(desk)

    wanted = {decision.signal.symbol for decision in decisions if not isinstance(decision, Rejected)}
    assert {symbol for (symbol,) in desk.rows("SELECT symbol FROM intents")} == wanted != set()
    assert desk.rows("SELECT DISTINCT status FROM orders") == [("intended",)]
    assert desk.paper_rows("SELECT * FROM paper_orders") == []


def test_a_cycle_ends_with_the_lease_free_and_an_equity_mark(desk: Desk):
    cycle.run_cycle(desk.bot, run_id="run")

    assert desk.rows("SELECT status FROM cycles") == [("completed",)]
    assert desk.rows("SELECT owner FROM lease") == [(None,)]
    assert desk.rows("SELECT session, equity FROM equity") == [("2022-01-03", "100000.00")]


def test_a_cycle_tells_people_what_it_did(desk: Desk):
    cycle.run_cycle(desk.bot, run_id="one")
    cycle.run_cycle(desk.bot, run_id="two")

    assert desk.notices.titles().count("Cycle of 2022-01-03") == 1
    assert "Trades executed on 2022-01-04" in desk.notices.titles()


def test_ten_sessions_leave_a_book_that_obeys_every_law(desk: Desk):
    for number in range(10):
        assert cycle.run_cycle(desk.bot, run_id=f"run-{number}").warnings == ()

    assert check_ledger(desk.bot.book.engine) == ()


# ── decisions stand ───────────────────────────────────────────────────────────────────────────────


def test_a_cycle_is_never_decided_twice_the_second_attempt_reads_the_decisions_back(desk: Desk):
    first, _, decisions = decide(desk)

    second, _, again = resume(desk)

    assert (second.cycle_id, second.decided) == (first.cycle_id, True)
    assert again == decisions
    assert desk.rows("SELECT count(*) FROM decisions") == [(len(decisions),)]


def test_decisions_stand_even_when_the_settings_have_changed(folder: Path):
    with open_desk(folder) as desk:
        _, _, decisions = decide(desk)
        handle_failure(desk.bot, run_id="run", error="boom")

    with open_desk(folder, risk={"max_open_trades": 1}, orchestrator={"recovery_backoff_seconds": 1}) as desk:
        desk.clock.sleep(60)
        _, _, again = decide(desk, "again")

    assert again == decisions
    assert len([d for d in again if not isinstance(d, Rejected)]) > 1


def test_the_book_itself_refuses_a_second_decision(desk: Desk):
    ticket, _, _ = decide(desk)

    with pytest.raises(StateError, match="has decided already; its decisions stand"):
        desk.bot.book.journal.commit_decisions(ticket.cycle_id, ticket.lease, decisions=[], intents=[], market_hash="")


def test_executing_twice_sends_each_order_once(desk: Desk):
    ticket, market, decisions = decide(desk)

    first = cycle.execute_signals(desk.bot, ticket, market, decisions)
    second = cycle.execute_signals(desk.bot, ticket, market, decisions)

    assert first == second
    assert desk.paper_rows("SELECT count(*) FROM paper_orders") == [(len(first),)]


def test_a_resumed_cycle_sends_what_the_first_attempt_did_not(desk: Desk):
    _, _, decisions = decide(desk)

    ticket, market, again = resume(desk)
    sent = cycle.execute_signals(desk.bot, ticket, market, again)

    assert len(sent) == len([d for d in decisions if not isinstance(d, Rejected)])
    assert {order.status for order in sent} == {OrderStatus.ACCEPTED}


# ── exits only ────────────────────────────────────────────────────────────────────────────────────


def test_while_reducing_nothing_is_bought(desk: Desk):
    desk.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")

    report = cycle.run_cycle(desk.bot, run_id="run")

    assert report.decisions
    assert all(isinstance(decision, Rejected) for decision in report.decisions)
    assert {decision.rule for decision in report.decisions} == {"trading_state"}
    assert report.orders == ()


def test_while_reducing_exits_are_sent(folder: Path):
    with open_desk(folder) as desk:
        for number in range(2):
            cycle.run_cycle(desk.bot, run_id=f"run-{number}")
        desk.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")

        report = cycle.run_cycle(desk.bot, run_id="reducing")

    assert [(order.side, order.symbol) for order in report.orders] == [(Side.SELL, "AMD")]


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.PAUSED, TradingState.HALTED])
def test_an_entry_decided_just_before_the_state_changed_is_not_sent(desk: Desk, state: TradingState):
    ticket, market, decisions = decide(desk)
    desk.bot.book.control.set_state(state, cause="careful", who="Ben")

    sent = cycle.execute_signals(desk.bot, ticket, market, decisions)

    assert {order.status for order in sent} == {OrderStatus.INTENDED}
    assert desk.paper_rows("SELECT * FROM paper_orders") == []


def test_what_was_not_sent_is_dropped_by_the_next_cycle(desk: Desk):
    ticket, market, decisions = decide(desk)
    desk.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")
    orders = cycle.execute_signals(desk.bot, ticket, market, decisions)
    settlement = cycle.settle_orders(desk.bot, ticket, market)
    cycle.update_portfolio_state(desk.bot, ticket, market, settlement, decisions, orders)

    cycle.run_cycle(desk.bot, run_id="next")

    assert desk.rows("SELECT DISTINCT status FROM orders") == [("expired_unsent",)]
    ((reason,),) = desk.rows("SELECT DISTINCT reason FROM orders")
    assert reason == "never reached the broker, and cycle 20220103T210000Z is over"


# ── stops and prices ──────────────────────────────────────────────────────────────────────────────


def test_a_position_stop_sells_whatever_the_strategies_think(desk: Desk):
    for number in range(2):
        cycle.run_cycle(desk.bot, run_id=f"run-{number}")
    # As if AAPL had been bought at a price from which it has fallen by more than a tenth.
    change(desk.book_file, "UPDATE positions SET average_price = '300' WHERE symbol = 'AAPL'")

    report = cycle.run_cycle(desk.bot, run_id="stopped")

    (stop,) = [d for d in report.decisions if d.signal.symbol == "AAPL"]
    assert (stop.signal.side, stop.signal.purpose) == (Side.SELL, Purpose.STOP)
    assert [o.quantity for o in report.orders if o.symbol == "AAPL"] == [report.portfolio.held(stop.signal.symbol)]


def test_a_holding_without_any_price_stops_the_cycle_and_says_what_to_do(folder: Path):
    with open_desk(folder) as desk:
        for number in range(2):
            cycle.run_cycle(desk.bot, run_id=f"run-{number}")

    with (
        open_desk(folder, data={"symbols": ["AAPL", "HD"]}) as desk,
        pytest.raises(DataError, match=r"AMD is held, but the price source does not know it\. Add it to data\.symbols"),
    ):
        cycle.run_cycle(desk.bot, run_id="fewer")


def test_a_day_that_the_exchange_was_closed_is_not_traded(folder: Path):
    with open_desk(folder, hours={"closed_dates": [date(2022, 1, 4)]}) as desk:
        sessions = [str(cycle.run_cycle(desk.bot, run_id=str(number)).session) for number in range(2)]

    assert sessions == ["2022-01-03", "2022-01-05"]
