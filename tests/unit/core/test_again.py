"""A recorded cycle is decided again from the book alone, and comes out the same to the last bit."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.core.trading import Desk, WallClock, change, open_desk
from trading_bot.core import cycle
from trading_bot.core.again import changes, decide_again, first_difference, other_settings
from trading_bot.core.flatten import FlattenRequest, flatten
from trading_bot.core.main_orchestrator import MainOrchestrator
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.orders import Approved, Decision, Rejected, Resized

ONE = datetime(2022, 3, 16, 17, 0, tzinfo=UTC)  # 13:00 in New York


def cycles(desk: Desk) -> list[str]:
    return [name for (name,) in desk.rows("SELECT cycle_id FROM cycles WHERE decided_at IS NOT NULL ORDER BY cycle_id")]


def differences(desk: Desk) -> dict[str, str]:
    """Return what is not the same again, by cycle."""
    book = desk.bot.book
    told: dict[str, str] = {}
    for name in cycles(desk):
        then = book.journal.decisions(name)
        told[name] = first_difference(then, decide_again(book.recordings.read(name), then))
    return {name: difference for name, difference in told.items() if difference}


def newest(desk: Desk) -> tuple[Decision, ...]:
    return desk.bot.book.journal.decisions(cycles(desk)[-1])


def test_sessions_with_purchases_sales_cuts_and_refusals_are_the_same_again(folder: Path):
    limits = {"max_open_trades": 3, "max_position_pct": "0.030", "position_stop_pct": "0.03"}
    with open_desk(folder, risk=limits) as desk:
        reports = [cycle.run_cycle(desk.bot, run_id=f"run-{number}") for number in range(25)]

        assert differences(desk) == {}
    decided = [decision for report in reports for decision in report.decisions]
    assert {type(decision) for decision in decided} == {Approved, Resized, Rejected}
    assert {str(decision.signal.purpose) for decision in decided} == {"entry", "exit", "stop"}


def test_so_is_a_cycle_in_which_nothing_was_to_be_decided(folder: Path):
    with open_desk(folder, data={"symbols": ["AAPL"]}, strategy={"team": ["rsi_reversion"]}) as desk:
        report = cycle.run_cycle(desk.bot, run_id="run")

        assert report.decisions == ()
        assert len(cycles(desk)) == 1
        assert differences(desk) == {}


def test_so_is_one_in_a_window_for_exits(folder: Path):
    windows = {
        "windows": [{"name": "lunch", "from": "12:00", "to": "13:01", "exits_only": True, "strategies": ["momentum"]}]
    }
    with open_desk(folder, WallClock(ONE), hours=windows) as desk:
        report = cycle.run_cycle(desk.live(), run_id="lunch", scheduled=ONE)

        assert {decision.reason for decision in report.decisions} == {"the window lunch lets exits through only"}
        assert differences(desk) == {}


def test_so_is_what_the_owner_wanted_sold(desk: Desk):
    for number in range(2):
        cycle.run_cycle(desk.bot, run_id=f"run-{number}")
    flatten(desk.bot, FlattenRequest(because="the house burns", who="Ben"), run_id="flat")

    assert cycles(desk)[-1].endswith("-flatten")
    assert differences(desk) == {}


def test_so_is_a_command_to_sell_when_nothing_is_left_to_be_sold(desk: Desk):
    cycle.run_cycle(desk.bot, run_id="bought")
    report = flatten(desk.bot, FlattenRequest(because="the house burns", who="Ben"), run_id="flat")

    assert report.decisions == ()  # the orders of the first session have not filled: they were cancelled
    assert differences(desk) == {}


def test_so_are_decisions_while_only_exits_are_let_through(desk: Desk):
    cycle.run_cycle(desk.bot, run_id="before")
    desk.bot.book.control.set_state(TradingState.REDUCING, cause="a test", who="Ben")
    cycle.run_cycle(desk.bot, run_id="reducing")

    assert differences(desk) == {}


def test_the_team_of_a_rotation_decides_again_and_not_that_of_the_settings(folder: Path):
    with open_desk(folder, orchestrator={"enable_strategy_rotation": True}) as desk:
        MainOrchestrator(desk.bot.settings, clock=desk.clock).run(cycles=3)

        teams = [desk.bot.book.recordings.read(name).conditions.team.since for name in cycles(desk)]
        assert [str(since) for since in teams] == ["None", "2022-01-03", "2022-01-04"]
        assert differences(desk) == {}


def test_a_decision_that_was_changed_in_the_book_is_found_out(desk: Desk):
    report = cycle.run_cycle(desk.bot, run_id="run")
    change(desk.book_file, "UPDATE decisions SET requested = '1' WHERE number = 0")

    (told,) = differences(desk).values()

    bought = report.decisions[0]
    assert told == f"decision 1, {bought.signal.symbol}: requested is 1 then, and {bought.requested} now"


@pytest.mark.parametrize(
    ("then", "now", "said"), [(0.0, -0.0, "0.0 then, and -0.0"), (0.1, math.nan, "0.1 then, and nan")]
)
def test_every_bit_of_the_evidence_counts(desk: Desk, then: float, now: float, said: str):
    decided = cycle.run_cycle(desk.bot, run_id="run").decisions[:1]
    one, other = (
        dataclasses.replace(decided[0], signal=dataclasses.replace(decided[0].signal, evidence={"seen": value}))
        for value in (then, now)
    )

    assert said in first_difference([one], [other])
    assert first_difference([other], [other]) == ""


def test_a_decision_more_or_less_is_named(desk: Desk):
    decided = cycle.run_cycle(desk.bot, run_id="run").decisions
    last = decided[-1].signal.symbol

    assert first_difference(decided, decided[:-1]).startswith(f"decision {len(decided)}, {last}: outcome is ")


# ── with other settings ───────────────────────────────────────────────────────────────────────────


def test_more_room_lets_more_in_and_leaves_the_rest_as_it_was(folder: Path):
    with open_desk(folder, risk={"max_open_trades": 1}) as desk:
        then = cycle.run_cycle(desk.bot, run_id="run").decisions
        record = desk.bot.book.recordings.read(cycles(desk)[0])

        now = decide_again(record, then, other_settings(record, {"risk.max_open_trades": "9"}))

    refused = {decision.signal.symbol for decision in then if decision.rule == "max_open_trades"}
    assert refused
    assert {each.symbol for each in changes(then, now)} == refused
    assert all(each.now and each.now.rule != "max_open_trades" for each in changes(then, now))


def test_the_same_settings_change_nothing(desk: Desk):
    then = cycle.run_cycle(desk.bot, run_id="run").decisions
    record = desk.bot.book.recordings.read(cycles(desk)[0])

    now = decide_again(record, then, other_settings(record, {"risk.max_open_trades": "5"}))

    assert changes(then, now) == ()


def test_another_team_wants_something_else(desk: Desk):
    then = cycle.run_cycle(desk.bot, run_id="run").decisions
    record = desk.bot.book.recordings.read(cycles(desk)[0])

    now = decide_again(record, then, other_settings(record, {"strategy.team": ["rsi_reversion"]}))

    assert {decision.signal.strategy for decision in now} <= {"rsi_reversion"}
    assert changes(then, now)


def test_a_stop_order_is_a_change_of_its_own_beside_what_is_decided_about_its_stock(desk: Desk):
    (decision, *_) = cycle.run_cycle(desk.bot, run_id="run").decisions

    def guarded_at(price: str) -> Decision:
        return dataclasses.replace(decision, signal=dataclasses.replace(decision.signal, stop_price=Decimal(price)))

    low, high = guarded_at("90.00"), guarded_at("95.00")
    (change,) = changes([decision, low], [decision, high])

    assert (change.then, change.now) == (low, high)
    assert changes([decision, low], [decision, low]) == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("data.source", "data.source does not change what is made of a market that is on record"),
        ("max_open_trades", "Did you mean risk.max_open_trades"),
        ("risk.max_open_trade", "Did you mean risk.max_open_trades"),
    ],
)
def test_a_setting_that_cannot_matter_is_refused(desk: Desk, name: str, said: str):
    cycle.run_cycle(desk.bot, run_id="run")
    record = desk.bot.book.recordings.read(cycles(desk)[0])

    with pytest.raises(SettingsError, match=said):
        other_settings(record, {name: "1"})
