"""Every figure by its name, and the page that explains them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.reporting.backtest_results import result, small
from trading_bot.domain.figures import figures
from trading_bot.reporting.backtest_rows import UNKNOWN, figure_rows, percent, points, ratio, signed

PAGE = Path(__file__).resolve().parents[3] / "docs" / "backtest-report.md"


def test_every_figure_is_explained_in_the_order_it_is_shown_in():
    explained = re.findall(r"^\| `([a-z_.]+)` \| \S", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert explained == [row.name for row in figure_rows(figures(small()))]


def test_a_figure_that_cannot_be_computed_is_a_dash():
    rows = {row.name: row for row in figure_rows(figures(result()))}

    assert (rows["risk.sharpe"].value, rows["risk.sharpe"].text) == (None, UNKNOWN)
    assert (rows["benchmark.beta"].text, rows["drawdown.max"].text) == (UNKNOWN, UNKNOWN)


def test_words_have_units():
    words = {row.name: row.text for row in figure_rows(figures(small()))}

    assert words["return.total"] == "+1.50%"
    assert words["equity.closing"] == "$101,497.00"
    assert words["exposure.turnover"] == "7.98×"
    assert words["drawdown.began"] == "2022-01-05"


@pytest.mark.parametrize(
    ("ahead", "words"), [(0.005, "0.50 points ahead"), (-0.02, "2.00 points behind"), (13.5277, "1,353 points ahead")]
)
def test_a_difference_of_returns_is_told_in_points(ahead: float, words: str):
    assert points(ahead) == words


def test_what_is_nothing_after_rounding_has_no_minus():
    assert (percent(-0.00001), signed(-0.00001), ratio(-0.001)) == ("0.00%", "+0.00%", "0.00")
