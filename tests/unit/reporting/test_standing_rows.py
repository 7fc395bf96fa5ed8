from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from trading_bot.domain.cycle import ControlState, CycleStatus, TradingState
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, OpenOrder, OrderIntent, OrderStatus, Purpose, Side
from trading_bot.domain.portfolio import EquityPoint, Portfolio, Position
from trading_bot.reporting.standing import LastCycle, Standing, document_of_rows, standing_as_json, standing_rows

AMD = Symbol("AMD")
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
ORDER = OrderIntent(ClientOrderId("bb-1"), "20220105T210000Z", AMD, Side.SELL, Purpose.EXIT, Decimal(22))
STANDING = Standing(
    control=ControlState(TradingState.HALTED, "odd\nprices", "Ben", NOON, 5, NOON),
    last_session=date(2022, 1, 5),
    portfolio=Portfolio(Decimal("85419.13"), {AMD: Position(AMD, Decimal(22), Decimal("144.50"))}),
    equity=EquityPoint(date(2022, 1, 5), Decimal("85419.13"), Decimal("99992.30")),
    open_orders=(OpenOrder(ORDER, OrderStatus.ACCEPTED, Decimal(0)),),
    last_cycle=LastCycle("20220105T210000Z", CycleStatus.COMPLETED, NOON),
)
EMPTY = Standing(
    control=ControlState(TradingState.ACTIVE, "a new book", "bensbot", NOON, 0, None),
    last_session=None,
    portfolio=Portfolio(Decimal(0)),
    equity=None,
    open_orders=(),
)


def test_every_fact_has_a_row_with_the_value_that_machines_read():
    assert {row["name"]: row["value"] for row in standing_rows(STANDING)} == {
        "state": "halted",
        "cause": "odd\nprices",
        "changed_by": "Ben",
        "changed_at": "2026-11-23T17:00:00+00:00",
        "consecutive_errors": 5,
        "next_allowed_at": "2026-11-23T17:00:00+00:00",
        "last_session": "2022-01-05",
        "last_cycle": '{"cycle_id": "20220105T210000Z", "status": "completed", '
        '"ended_at": "2026-11-23T17:00:00+00:00"}',
        "cash": "85419.13",
        "equity": "99992.30",
        "open_orders": '[{"client_order_id": "bb-1", "symbol": "AMD", "side": "sell", "quantity": "22", "filled": "0", '
        '"status": "accepted"}]',
        "positions": '[{"symbol": "AMD", "quantity": "22", "average_price": "144.50"}]',
    }


def test_what_is_not_there_is_null_or_an_empty_list():
    rows = {row["name"]: row["value"] for row in standing_rows(EMPTY)}

    empty = ("next_allowed_at", "last_session", "last_cycle", "cash", "equity")
    assert [rows[name] for name in empty] == [None] * 5
    assert (rows["open_orders"], rows["positions"]) == ("[]", "[]")


@pytest.mark.parametrize("standing", [STANDING, EMPTY])
def test_rows_turn_back_into_the_document_that_they_came_from(standing: Standing):
    rows = {str(row["name"]): row["value"] for row in standing_rows(standing)}

    assert document_of_rows(rows) == json.loads(standing_as_json(standing))


def test_rows_of_another_version_are_refused_in_a_sentence():
    with pytest.raises(StateError, match="Another version of the bot wrote the status"):
        document_of_rows({"positions": "9 AAPL, 22 AMD"})


def test_the_last_cycle_is_told_to_machines():
    assert json.loads(standing_as_json(STANDING))["last_cycle"] == {
        "cycle_id": "20220105T210000Z",
        "status": "completed",
        "ended_at": "2026-11-23T17:00:00+00:00",
    }
    assert json.loads(standing_as_json(EMPTY))["last_cycle"] is None
