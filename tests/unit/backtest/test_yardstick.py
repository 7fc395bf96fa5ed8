"""Without a benchmark a result is compared with its own stocks, bought once and held."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.unit.backtest.pasts import MONDAY, packaged, past
from tests.unit.strategies.markets import letters
from trading_bot.backtest.yardstick import yardstick
from trading_bot.domain.market import Split

NONE = float("nan")


def test_the_benchmark_of_the_source_comes_first():
    closes, name = yardstick(packaged("sample", date(2022, 1, 3), date(2022, 1, 4)))

    assert (None if closes is None else closes.tolist(), name) == ([4796.56, 4793.54], "The S&P 500")


@pytest.mark.parametrize(
    ("rows", "worth", "name"),
    [
        ([[10, 40], [11, 40], [15, 20]], [100, 105, 100], "Holding 2 stocks"),
        ([[10, 40], [NONE, 40], [NONE, 60]], [100, 100, 125], "Holding 2 stocks"),  # at its last close
        ([[10, NONE], [11, 5], [12, 50]], [100, 110, 120], "Holding S000"),  # the other comes too late
    ],
)
def test_equal_dollars_go_into_each_stock_on_the_first_day_and_stay(
    rows: list[list[float]], worth: list[float], name: str
):
    closes, said = yardstick(past(rows, rows))

    assert closes is not None
    assert closes.tolist() == pytest.approx(worth)
    assert said == name


def test_a_split_is_no_loss():
    split = Split(letters(1)[0], MONDAY + timedelta(days=1), Decimal(4))

    closes, _ = yardstick(past([40, 10, 11], [40, 10, 11], splits=(split,)))

    assert closes is not None
    assert closes.tolist() == pytest.approx([100, 100, 110])


def test_nothing_is_compared_where_no_stock_has_a_price_on_the_first_day():
    assert yardstick(past([[NONE], [5.0]], [[NONE], [5.0]])) == (None, "")
