"""The report on the console, as it stands there."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.unit.reporting.cycle_reports import (
    SESSION,
    approved,
    busy_report,
    curve,
    cycle_report,
    market,
    order,
    portfolio,
    refused,
)
from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import OrderStatus
from trading_bot.domain.tournament import Candidate, Seat, Team
from trading_bot.reporting.console import print_report, print_run

NEXT = [("bensbot run", "trade the next session"), ("bensbot explain AAPL", "say why AAPL was or was not traded")]


def written(write: Callable[[Console], None], *, width: int = 80, terminal: bool = False) -> str:
    """Return what stands on the console, without the blanks at the end of its lines."""
    stream = io.StringIO()
    write(Console(file=stream, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None))
    return "\n".join(text.rstrip() for text in stream.getvalue().splitlines())


def told(report: CycleReport, *, width: int = 80, terminal: bool = False) -> str:
    return written(lambda console: print_report(report, console, next_commands=NEXT), width=width, terminal=terminal)


BUSY = """\
Session 2012-01-04, Wednesday   cycle 2012-01-04
Market   The market is rising and calm. 19 of 20 symbols priced.

Decisions
  approved  buy 53 IBM         sma_cross: 20-day mean 411.20 is above the 50-day
                               mean 390.15.
  trimmed   buy 49 of 98 AAPL  sma_cross: 20-day mean 411.20 is above the 50-day
                               mean 390.15. Trimmed by max_position: at most 10
                               % of equity in one stock.
  approved  sell 120 GE        sma_cross: the close 18.01 fell below the 50-day
                               mean 18.64.
  refused   buy 60 XOM         sma_cross: 20-day mean 411.20 is above the 50-day
                               mean 390.15. Refused by max_sector: Energy would
                               be 34 % of equity, at most 30 %.
  5 more refused by max_open_trades: 5 of 5 positions are taken: MSFT, JNJ, PG,
  KO, WMT.

Orders
  buy 53 IBM   fills at the next session's price
  buy 49 AAPL  fills at the next session's price
  sell 120 GE  fills at the next session's price

Earlier orders
  buy 900 F  expired

Fills
  buy 80 CVX     at $109.23   $8,738.40  fee $1.00
  sell 1,200 GE   at $18.50  $22,200.00  fee $0.48

Positions
  Symbol  Shares  Average     Last      Value  Unrealised
  CVX         80  $109.23  $110.00  $8,800.00     +$61.60
  GE         120   $18.80   $18.01  $2,161.20     -$95.10
  ZZ          -3    $5.00  unknown    unknown     unknown

Cash     $61,234.50
Equity   $100,195.70   -$104.30 (-0.10%) since 2012-01-03
                       +$195.70 (+0.20%) since the start on 2012-01-02

Warnings
  The close of T moved by 61 % in one session.
  T is not traded: price jump without a split.

Next
  bensbot run           trade the next session
  bensbot explain AAPL  say why AAPL was or was not traded"""

QUIET = """\
Session 2012-01-04, Wednesday   cycle 2012-01-04
Market   The market is rising and calm. 19 of 20 symbols priced.

No trade was wanted.

No positions.

Cash     $100,000.00
Equity   $100,000.00

Next
  bensbot run           trade the next session
  bensbot explain AAPL  say why AAPL was or was not traded"""

RUN = """\
2 sessions, 2012-01-04 to 2012-01-05

Session     Signals  Orders  Fills  Positions       Equity    Change
2012-01-04        0       0      0          0  $100,000.00
2012-01-05        1       1      0          1   $99,875.00  -$125.00

Positions
  Symbol  Shares  Average    Last      Value  Unrealised
  KO         100   $70.00  $68.75  $6,875.00    -$125.00

Cash     $93,000.00
Equity   $99,875.00   -$125.00 (-0.12%) since 2012-01-04

Next
  bensbot run           trade the next session
  bensbot explain AAPL  say why AAPL was or was not traded"""


def test_a_busy_session_reads_like_this_at_80_columns():
    assert told(busy_report()) == BUSY


def test_a_quiet_session_reads_like_this():
    assert told(cycle_report()) == QUIET


def test_several_sessions_read_like_this():
    first = cycle_report()
    day = timedelta(days=1)
    second = cycle_report(
        session=SESSION + day,
        decisions=(approved("KO", 100),),
        orders=(order("KO", 100),),
        portfolio=portfolio("93000.00", KO=(100, "70.00")),
        prices={Symbol("KO"): Decimal("68.75")},
        equity=Decimal("99875.00"),
        equity_curve=curve("100000.00"),
    )

    assert written(lambda console: print_run([first, second], console, next_commands=NEXT)) == RUN


def test_a_wide_console_is_used():
    text = told(busy_report(), width=120)

    assert "  approved  buy 53 IBM         sma_cross: 20-day mean 411.20 is above the 50-day mean 390.15.\n" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_longer_than_the_console(width: int):
    assert max(map(len, told(busy_report(), width=width).splitlines())) <= width


def test_nothing_is_coloured_without_a_terminal():
    assert "\x1b" not in told(busy_report())


def test_a_terminal_gets_colours():
    assert "\x1b[" in told(busy_report(), terminal=True)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TradingState.REDUCING, "Trading  reducing: positions are closed, none are opened."),
        (TradingState.PAUSED, "Trading  paused: nothing is done until it is resumed."),
        (TradingState.HALTED, "Trading  HALTED: nothing is done until it is resumed with an acknowledgement."),
    ],
)
def test_a_state_other_than_active_is_told(state: TradingState, words: str):
    assert words in told(cycle_report(state=state))


@pytest.mark.parametrize(
    ("since", "words"),
    [(None, "from the settings (strategy.team)."), (SESSION, "chosen by the rotation after 2012-01-04.")],
)
def test_who_decided_is_told(since: date | None, words: str):
    team = Team((Seat(Candidate("sma_cross", {"fast": 5}), 0.75), Seat(Candidate("momentum", {}), 0.25)), since)

    assert f"Team     sma_cross(fast=5) 75%, momentum 25%; {words}" in told(cycle_report(team=team), width=120)


def test_too_little_coverage_is_told():
    assert "19 of 20 symbols priced. Too few to buy: exits only." in told(
        cycle_report(market=market(below_minimum_coverage=True)), width=120
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (OrderStatus.ACCEPTED, "fills at the next session's price"),
        (OrderStatus.PARTIALLY_FILLED, "2 of 5 filled, the rest waits"),
        (OrderStatus.FILLED, "filled: noted."),
        (OrderStatus.REJECTED, "rejected: noted."),
        (OrderStatus.UNKNOWN, "no clear answer; the broker is asked again, nothing is sent twice: noted."),
        (OrderStatus.EXPIRED_UNSENT, "never sent, and its time is over: noted."),
    ],
)
def test_an_order_tells_where_it_stands(status: OrderStatus, words: str):
    report = cycle_report(orders=(order("IBM", 5, status=status, filled=2, reason="noted"),))

    assert f"  buy 5 IBM  {words}" in told(report, width=100)


def test_a_limit_order_tells_its_price():
    report = cycle_report(orders=(order("IBM", 5, limit="180.5"),))

    assert "buy 5 IBM at $180.50 or better  waits for its price" in told(report)


def test_what_an_order_waits_for_can_be_said_otherwise():
    report = cycle_report(orders=(order("IBM", 5),))

    text = written(lambda console: print_report(report, console, next_commands=(), waits_for="fills at once"))

    assert "buy 5 IBM  fills at once" in text
    assert "Next" not in text


def test_notes_on_the_data_are_told_once_and_a_long_list_is_cut():
    notes = ("Rows sorted", *(f"No bar of day {day}" for day in range(8)))

    text = told(cycle_report(warnings=("Rows sorted",), market=market(notes=notes)))

    assert text.count("Rows sorted.") == 1
    assert "  No bar of day 4.\n  3 more are in the full report.\n" in text


def test_refusals_alone_are_told_in_one_line():
    report = cycle_report(decisions=tuple(refused(symbol) for symbol in ("KO", "PG", "T")))

    assert "Decisions\n  3 refused by max_open_trades: 5 of 5 positions are taken: KO, PG, T.\n" in told(report)


def test_a_long_run_shows_its_newest_sessions():
    reports = [cycle_report(session=SESSION + timedelta(days=i)) for i in range(32)]

    text = written(lambda console: print_run(reports, console, next_commands=NEXT))

    assert text.startswith("32 sessions, 2012-01-04 to 2012-02-04\n\nThe first 2 sessions not shown.\n")
    assert "\n2012-01-05" not in text
    assert "\n2012-01-06" in text


def test_a_run_without_sessions_says_so():
    assert written(lambda console: print_run([], console, next_commands=())) == "No session was traded.\n"


@given(st.text(), st.text())
def test_foreign_text_can_neither_colour_nor_move_the_terminal(symbol: str, reason: str):
    report = cycle_report(
        decisions=(approved(symbol, 5, reason=f"[red]{reason}\x1b[2J"),), warnings=(f"{reason}[/]\x1b[0m",)
    )

    assert "\x1b" not in told(report)
