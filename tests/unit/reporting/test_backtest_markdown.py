"""A backtest as an artifact."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tests.unit.reporting.backtest_results import many_years, result, small
from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import figures
from trading_bot.reporting.backtest_markdown import MOST_TRADES, backtest_markdown
from trading_bot.reporting.backtest_rows import figure_rows


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def rows_below(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    part = text.split(f"## {heading}", 1)[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_its_parts_come_in_the_order_of_the_page():
    assert headings(backtest_markdown(small())) == [
        "sma_cross(fast=10, slow=30)",
        *("Before you believe it", "Equity", "Drawdown", "Exposure", "Months, per cent", "Who brought it", "Figures"),
        *("Closed trades", "What was asked", "Hashes"),
    ]


def test_pictures_are_drawings_with_their_bytes_in_the_address():
    pictures = re.findall(r"!\[.*?\]\(data:image/svg\+xml;base64,(.*?)\)", backtest_markdown(many_years()))

    assert [ET.fromstring(base64.b64decode(each))[0].text for each in pictures] == [
        *("Equity", "Drawdown", "Exposure", "Rolling Sharpe ratio")
    ]


def test_every_figure_is_in_its_table():
    rows = rows_below(backtest_markdown(small()), "Figures")

    assert [row[1:] for row in rows] == [[row.label, row.text] for row in figure_rows(figures(small()))]


def test_months_strategies_and_trades_have_rows():
    text = backtest_markdown(many_years())

    assert [row[0] for row in rows_below(text, "Months, per cent")] == [str(year) for year in range(2010, 2023)]
    assert len(rows_below(text, "Who brought it")) == 3
    assert len(rows_below(text, f"Closed trades (the newest {MOST_TRADES} of 74)")) == MOST_TRADES


def test_it_begins_with_the_result_against_the_benchmark():
    assert (
        "**+1.50%**: $100,000.00 became $101,497.00. The S&amp;P 500 made +2.00%: 0.50 points behind."
        in backtest_markdown(small())
    )


@pytest.mark.parametrize("about", [result(), result(100_000.0)])
def test_little_or_nothing_traded_gives_a_report_too(about: BacktestResult):
    assert headings(backtest_markdown(about))[0] == "sma_cross(fast=10, slow=30)"


def test_what_comes_from_outside_adds_no_markup():
    nasty = "x | y [link](http://example.org) <b>"
    text = backtest_markdown(
        replace(small(), label=nasty, benchmark_name=nasty, notes=(nasty,), settings={nasty: nasty})
    )

    assert "[link](" not in text
    assert "<b>" not in text
    assert len(rows_below(text, "What was asked")[0]) == 2
