from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from trading_bot.domain.cycle import CycleStatus
from trading_bot.domain.orders import OrderStatus
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.statistics import Slippage, Statistics, StepDuration
from trading_bot.reporting.metrics_document import Metrics, metrics_as_json, metrics_as_text, metrics_rows
from trading_bot.reporting.performance import Drawdown, Exposure, Performance

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")

BUSY = Metrics(
    Statistics(
        since=date(2024, 1, 8),
        cycles=dict.fromkeys(CycleStatus, 0) | {CycleStatus.COMPLETED: 1200, CycleStatus.SKIPPED: 3},
        skips={"paused": 1, "backing_off": 2},
        failures=1,
        orders=dict.fromkeys(OrderStatus, 0) | {OrderStatus.FILLED: 4, OrderStatus.UNKNOWN: 1},
        decisions={"approved": 4, "resized": 1, "rejected": 14},
        rejections={"max_open_trades": 11, "coverage": 3},
        steps=(
            StepDuration("settle_orders", 1200, median=0.0125, p95=0.05),
            StepDuration("update_market_data", 1200, median=1.5, p95=2.25),
        ),
        fills=5,
        fees=Decimal("1.5"),
        slippage=Slippage(fills=4, bps=5.25),
        coverage=0.975,
        first=EquityPoint(date(2024, 1, 8), Decimal("60000.00"), Decimal("100100.00")),
        newest=EquityPoint(date(2024, 1, 10), Decimal("50000.00"), Decimal("99992.30")),
    ),
    Performance(
        sessions=3,
        profit=Decimal("-7.70"),
        total_return=-0.000077,
        volatility=0.123,
        sharpe=-0.55,
        drawdown=Drawdown(0.032, sessions=12, current=0.011),
        exposure=Exposure(gross=0.5, net=0.4),
    ),
)
EMPTY = Metrics(
    Statistics(
        since=None,
        cycles=dict.fromkeys(CycleStatus, 0),
        skips={},
        failures=0,
        orders=dict.fromkeys(OrderStatus, 0),
        decisions={"approved": 0, "resized": 0, "rejected": 0},
        rejections={},
        steps=(),
        fills=0,
        fees=Decimal(0),
        slippage=None,
        coverage=None,
        first=None,
        newest=None,
    ),
    Performance(0, None, None, None, None, None, None),
)


def test_every_number_has_its_name():
    named = dict(metrics_rows(BUSY))

    assert (named["since"], named["sessions.first"], named["sessions.newest"], named["sessions.total"]) == (
        "2024-01-08",
        "2024-01-08",
        "2024-01-10",
        3,
    )
    assert (named["cycles.total"], named["cycles.completed"], named["skips.backing_off"]) == (1203, 1200, 2)
    assert (named["steps.update_market_data.median_seconds"], named["steps.settle_orders.p95_seconds"]) == (1.5, 0.05)
    assert (named["rejections.max_open_trades"], named["decisions.rejected"], named["decisions.total"]) == (11, 14, 19)
    assert (named["orders.unknown"], named["orders.total"], named["fills.total"]) == (1, 5, 5)
    assert (named["slippage.mean_bps"], named["slippage.fills"], named["coverage.mean"]) == (5.25, 4, 0.975)
    assert (named["pnl.return"], named["volatility"], named["sharpe"]) == (-0.000077, 0.123, -0.55)
    assert (named["drawdown.max"], named["drawdown.sessions"], named["drawdown.current"]) == (0.032, 12, 0.011)
    assert (named["exposure.gross"], named["exposure.net"]) == (0.5, 0.4)


def test_money_is_text_to_the_cent():
    named = dict(metrics_rows(BUSY))

    assert (named["fees.total"], named["pnl.total"], named["equity.newest"]) == ("1.50", "-7.70", "99992.30")


def test_a_new_book_has_counts_of_nought_and_nothing_else():
    named = dict(metrics_rows(EMPTY))

    assert {value for value in named.values() if value is not None} == {0, "0.00"}
    assert (named["sharpe"], named["slippage.mean_bps"], named["coverage.mean"]) == (None, None, None)


def test_no_name_comes_twice():
    names = [name for name, _ in metrics_rows(BUSY)]

    assert len(names) == len(set(names))


def test_the_page_explains_every_name_and_no_other():
    explained = re.findall(r"^\| `([^`]+)` \|", PAGE, flags=re.MULTILINE)

    assert sorted(explained) == sorted({family(name) for name, _ in metrics_rows(BUSY)})


def family(name: str) -> str:
    """Return the name as the page has it: what differs from book to book is a word in angle brackets."""
    kind, _, word = name.partition(".")
    if kind == "steps":
        return "steps.<step>." + name.rsplit(".", 1)[1]
    families = {
        "cycles": "<status>",
        "skips": "<reason>",
        "decisions": "<outcome>",
        "rejections": "<rule>",
        "orders": "<status>",
    }
    return f"{kind}.{families[kind]}" if kind in families and word != "total" else name


def test_the_page_lists_every_word_of_a_family():
    for name, _ in metrics_rows(EMPTY):
        kind, _, word = name.partition(".")
        if kind in ("cycles", "skips", "decisions", "orders") and word != "total":
            (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind}.<")]
            assert f"`{word}`" in line


def test_machines_read_the_same_rows_as_json():
    document = json.loads(metrics_as_json(BUSY))

    assert document == {"format": 1, "metrics": dict(metrics_rows(BUSY))}


def test_people_read_one_line_for_each_question():
    assert metrics_as_text(BUSY).splitlines() == [
        "Sessions   3, 2024-01-08 to 2024-01-10",
        "Profit     -$7.70 (-0.01%)",
        "Risk       volatility 12.30% a year, Sharpe ratio -0.55",
        "Drawdown   3.20% over 12 sessions; now 1.10% below the highest",
        "Invested   40.00% of equity, long and short added up 50.00%",
        "Cycles     1,200 completed, 3 skipped; 1 failed run",
        "Skipped    2 backing_off, 1 paused",
        "Decisions  14 rejected, 4 approved, 1 resized",
        "Refused by 11 max_open_trades, 3 coverage",
        "Orders     4 filled, 1 unknown",
        "Fills      5, fees $1.50, slippage +5.2 bps",
        "Coverage   97.50%",
        "Steps      settle_orders           median 12.5 ms, 95% within 50.0 ms, 1,200 cycles",
        "           update_market_data      median 1,500.0 ms, 95% within 2,250.0 ms, 1,200 cycles",
    ]


def test_people_are_told_what_is_not_known_yet():
    assert metrics_as_text(EMPTY).splitlines() == [
        "Sessions   none was traded yet",
        "Profit     unknown",
        "Risk       volatility unknown a year, Sharpe ratio unknown",
        "Drawdown   unknown",
        "Invested   unknown",
        "Cycles     none; 0 failed runs",
        "Skipped    none",
        "Decisions  none",
        "Refused by none",
        "Orders     none",
        "Fills      0, fees $0.00",
        "Coverage   unknown",
    ]


def test_the_age_of_the_news_is_told_where_some_were_read():
    read = Metrics(replace(EMPTY.statistics, news_lag=5400.0), EMPTY.performance)

    assert dict(metrics_rows(read))["news.lag_seconds"] == 5400.0
    assert "News       read 5,400 s after they were published" in metrics_as_text(read).splitlines()


def test_the_first_session_asked_for_is_named_when_nothing_was_traded_since():
    later = Metrics(replace(EMPTY.statistics, since=date(2024, 1, 8)), EMPTY.performance)

    assert metrics_as_text(later).startswith("Sessions   none was traded since 2024-01-08\n")
