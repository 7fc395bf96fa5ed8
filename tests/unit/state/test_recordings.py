"""What a cycle knew, kept in the book: complete, once, and never half."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

from tests.unit.state.books import Desk, approved, intent
from trading_bot.domain.cycle import ControlState, TradingState
from trading_bot.domain.errors import LeaseLost, StateCorrupt, StateError
from trading_bot.domain.inputs import Conditions, CycleRecord, Inputs
from trading_bot.domain.market import (
    Coverage,
    MarketHistory,
    MarketState,
    Regime,
    Split,
    Symbol,
    Trend,
    Volatility,
)
from trading_bot.domain.orders import OpenOrder, OrderStatus
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.snapshot import pieces
from trading_bot.domain.tournament import Candidate, Seat, Team
from trading_bot.state.archive import Archive
from trading_bot.storage.database import Database

AAA, BBB = Symbol("AAA"), Symbol("BBB")
SEATS = Seat(Candidate("sma_cross", {"fast": 2, "ratio": 0.1}), 0.7), Seat(Candidate("pairs"), 0.3)
TEAM = Team(SEATS, date(2022, 3, 1))
SETTINGS = '{"risk":{"max_risk_pct":"0.010"}}'


def record(*, last_close: float = 54.3) -> CycleRecord:
    """Return what was known on 28 February, with bars from 20 January on."""
    days = np.arange(np.datetime64("2022-01-20"), np.datetime64("2022-03-01"))
    grid = 50 + np.arange(80.0).reshape(40, 2) / 10
    close = grid.copy()
    close[-1] = [last_close, np.nan]
    history = MarketHistory(days, (AAA, BBB), grid, grid + 1, grid - 1, close, grid * 1000)
    market = MarketState(
        at=datetime(2022, 3, 1, 21, 0, tzinfo=UTC),
        session=history.last_session,
        history=history,
        regime=Regime(Trend.RISING, Volatility.CALM, "All is well: “calm”."),
        coverage=Coverage(2, 1),
        sectors={AAA: "Energy"},
        quarantined={BBB: "no bar"},
        splits=(Split(AAA, date(2022, 2, 1), Decimal("0.10")),),
        below_minimum_coverage=True,
        notes=("BBB: no bar on 2022-02-28",),
    )
    wanted, held = intent(approved("12"), "earlier"), Position(AAA, Decimal("3.000"), Decimal("51.12345678901234567"))
    inputs = Inputs(
        portfolio=Portfolio(Decimal("1000.50"), {AAA: held}),
        pending=(OpenOrder(wanted, OrderStatus.PARTIALLY_FILLED, Decimal("2.5")),),
        high_water=Decimal("1200.00"),
        control=ControlState(TradingState.REDUCING, "a test", "Ben", datetime(2022, 2, 1, tzinfo=UTC), 2, None),
        buying_power=None,
    )
    conditions = Conditions(SETTINGS, TEAM, "0.1.0 abc")
    return CycleRecord(
        market, inputs, conditions, pieces(market.history), "lunch", ("pairs",), exits_only=True, by_owner=True
    )


def commit(desk: Desk, wanted: CycleRecord, cycle_id: str = "monday") -> None:
    desk.begin(cycle_id)
    desk.book.journal.commit_decisions(
        cycle_id, desk.lease, decisions=[], intents=[], market_hash=wanted.market_hash, record=wanted
    )


def every_value(known: CycleRecord) -> dict[str, object]:
    """Return each fact by name, the history as bytes, and whatever a later version adds."""
    market = {field.name: getattr(known.market, field.name) for field in dataclasses.fields(MarketState) if field.init}
    history: MarketHistory = market.pop("history")
    bars = [history.sessions, history.open, history.high, history.low, history.close, history.volume]
    rest = {
        field.name: getattr(known, field.name) for field in dataclasses.fields(CycleRecord) if field.name != "market"
    }
    return market | rest | {"bars": b"".join(array.tobytes() for array in bars), "symbols": history.symbols}


def test_all_that_a_cycle_knew_comes_back_to_the_last_digit(desk: Desk):
    commit(desk, record())

    known = desk.book.recordings.read("monday")

    assert every_value(known) == every_value(record())
    assert str(known.inputs.portfolio.positions[AAA].quantity) == "3.000"
    assert known.market.price(AAA) == Decimal("54.3")


def test_what_cycles_share_is_kept_once(desk: Desk):
    commit(desk, record(), "monday")
    before = desk.rows("SELECT digest FROM chunks")
    commit(desk, record(last_close=55.0), "tuesday")
    after = desk.rows("SELECT digest FROM chunks")

    assert len(before) == 6  # settings, universe, the list of months, January, February up to the 27th, the 28th
    assert len(after) == 7
    assert desk.book.recordings.read("monday").market.history.close[-1, 0] == 54.3
    assert desk.book.recordings.read("tuesday").market.history.close[-1, 0] == 55.0


def test_without_its_decisions_nothing_is_kept(desk: Desk):
    desk.begin("monday")
    old = dataclasses.replace(desk.lease, token=desk.lease.token - 1)

    with pytest.raises(LeaseLost):
        desk.book.journal.commit_decisions("monday", old, decisions=[], intents=[], market_hash="", record=record())

    assert desk.rows("SELECT COUNT(*) FROM chunks") == [(0,)]
    assert desk.rows("SELECT COUNT(*) FROM cycle_inputs") == [(0,)]


def test_a_cycle_of_which_nothing_was_kept_is_named(desk: Desk):
    desk.begin("monday")
    desk.decide()

    with pytest.raises(StateError, match="does not have what cycle monday knew"):
        desk.book.recordings.read("monday")


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM chunks WHERE digest = (SELECT newest FROM cycle_inputs)",
        "UPDATE chunks SET body = (SELECT body FROM chunks ORDER BY digest LIMIT 1)",
        "UPDATE chunks SET body = x'00' WHERE digest = (SELECT newest FROM cycle_inputs)",
        "UPDATE cycle_inputs SET body = x'00'",
    ],
)
def test_damage_is_found_out(desk: Desk, damage: str):
    commit(desk, record())
    desk.break_with(damage)

    with pytest.raises(StateCorrupt, match="is missing from the book, or damaged"):
        desk.book.recordings.read("monday")


def test_what_an_archived_month_knew_is_forgotten_and_what_others_share_stays(desk: Desk):
    commit(desk, record(last_close=53.0), "monday")
    desk.complete("monday")
    desk.begin("march", session=date(2024, 3, 4))
    known = record(last_close=55.0)
    desk.book.journal.commit_decisions(
        "march", desk.lease, decisions=[], intents=[], market_hash=known.market_hash, record=known
    )
    desk.complete("march")
    archive = Archive(Database(desk.book.engine, "the book"), desk.clock)

    archive.remove(desk.lease, archive.read("2024-01", date(2024, 2, 1)))

    assert desk.rows("SELECT cycle_id FROM cycle_inputs") == [("march",)]
    assert desk.rows("SELECT COUNT(*) FROM chunks") == [(6,)]
    assert every_value(desk.book.recordings.read("march")) == every_value(known)
