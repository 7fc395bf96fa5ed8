"""`bensbot positions` shows what the next cycle would sell, and how far away that is."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.core.trading import open_desk
from tests.unit.strategies.markets import NO_VALUE, history, market
from trading_bot.core.cycle import run_cycle
from trading_bot.core.positions import positions_now, protected
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import Symbol
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.reporting.positions import positions_as_json, positions_as_text
from trading_bot.risk.protection import ProtectiveStop

EVERY = ProtectiveStop(trailing=Decimal("0.08"), take_profit=Decimal("0.2"), sessions=5)


def book() -> Portfolio:
    positions = (
        Position(Symbol("AAA"), Decimal(10), Decimal(100), date(2020, 1, 7)),
        Position(Symbol("BBB"), Decimal("2.5"), Decimal(40)),
    )
    return Portfolio(Decimal(500), {position.symbol: position for position in positions})


PRICES = market(history([[90.0, 40.0], [100.0, 41.0], [110.0, 41.0], [105.0, NO_VALUE]], ["AAA", "BBB"]))


def test_each_position_is_told_with_its_exits_and_how_far_away_they_are():
    assert positions_as_text(protected(book(), PRICES, EVERY)).splitlines() == [
        "After 2020-01-09: 2 positions, cash $500.00, equity $1,652.50",
        "",
        "AAA  10 at $100.00 since 2020-01-07, now $105.00: +$50.00 (+5.00%)",
        "  stop-loss      $90.00, -14.29% from here",
        "  trailing stop  $101.20, -3.62% from here",
        "  take-profit    $120.00, +14.29% from here",
        "  time stop      in 3 sessions",
        "",
        "BBB  2.5 at $40.00, now $41.00 (an older price): +$2.50 (+2.50%)",
        "  stop-loss      $36.00, -12.20% from here",
        "  take-profit    $48.00, +17.07% from here",
    ]


def test_an_exit_that_is_hit_says_why_and_none_at_all_says_so():
    fallen = market(history([[100.0, 40.0], [89.0, 40.0]], ["AAA", "BBB"]))
    text = positions_as_text(protected(book(), fallen, ProtectiveStop()))

    assert "  stop-loss      hit: $89.00 is at or below the stop of $90.00, -11.0% from the $100.00 paid" in text
    assert "  no exit protects it" in positions_as_text(protected(book(), fallen, ProtectiveStop(enabled=False)))


def test_machines_read_the_same():
    document = json.loads(positions_as_json(protected(book(), PRICES, EVERY)))

    first = document["positions"][0]
    assert (document["session"], document["equity"]) == ("2020-01-09", "1652.50")
    assert (first["symbol"], first["opened"]) == ("AAA", "2020-01-07")
    assert (first["price"], first["profit"]) == ("105.00", "50.00")
    trailing = first["exits"][1]
    assert (trailing["exit"], trailing["price"], trailing["distance"]) == ("trailing_stop", "101.2000", "-0.036190")
    assert (trailing["is_hit"], trailing["sessions_left"], first["exits"][3]["sessions_left"]) == (False, None, 3)


def test_the_book_and_the_newest_close_are_shown_and_nothing_is_changed(tmp_path: Path):
    with open_desk(tmp_path) as desk:
        with pytest.raises(StateError, match="has traded no session yet"):
            positions_now(desk.bot.settings, desk.bot.book, desk.clock)
        run_cycle(desk.bot, run_id="one")
        report = run_cycle(desk.bot, run_id="two")
        shown = positions_now(desk.bot.settings, desk.bot.book, desk.clock)

    assert shown.session == report.session
    assert {each.position.symbol: each.price for each in shown.positions} == report.prices
    assert shown.equity == report.equity
    assert [each.position.opened for each in shown.positions] == [report.session] * len(report.portfolio.positions)


def test_what_the_cycle_sells_is_what_is_shown_as_hit(tmp_path: Path):
    with open_desk(tmp_path, risk={"time_stop_sessions": 2}) as desk:
        for number in range(4):
            run_cycle(desk.bot, run_id=str(number))
        shown = positions_now(desk.bot.settings, desk.bot.book, desk.clock)
        sold = desk.rows("SELECT symbol FROM signals WHERE strategy = 'time_stop'")

    hit = {each.position.symbol for each in shown.positions if any(level.is_hit for level in each.levels)}
    assert hit == {symbol for (symbol,) in sold} != set()
