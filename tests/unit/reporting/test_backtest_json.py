"""A backtest for machines."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from tests.unit.reporting.backtest_results import many_years, result, small
from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import figures
from trading_bot.reporting import backtest_json
from trading_bot.reporting.backtest_json import backtest_as_json
from trading_bot.reporting.backtest_rows import figure_rows


def document(about: BacktestResult) -> dict[str, Any]:
    return json.loads(backtest_as_json(about), parse_constant=_nothing_like_it)


def _nothing_like_it(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def test_its_keys_are_those_that_are_promised():
    promised = re.search(r"```\n(.*?)```", backtest_json.__doc__ or "", re.DOTALL)

    assert promised
    names = [line.split("  ")[0] for line in promised[1].splitlines() if not line.startswith(" ")]
    assert list(document(small())) == [
        name.strip() for line in names for name in re.sub(r" \([^)]*\)", "", line).split(", ")
    ]


def test_every_figure_is_there_under_its_name():
    found = document(small())["figures"]

    assert list(found) == [row.name for row in figure_rows(figures(small()))]
    assert (found["equity.closing"], found["period.first"]) == ("101497.00", "2022-01-03")
    assert (found["trades.profit_factor"], found["trades.closed"]) == (None, 1)
    assert math.isclose(found["return.total"], 0.01497)


def test_equity_is_there_for_each_session():
    found = document(small())["equity"]

    assert len(found) == 5
    assert found[1] == {
        "session": "2022-01-04",
        "equity": "99999.00",
        "cash": "89999.00",
        "gross": "10000.00",
        "benchmark": 4040.0,
    }


def test_executions_and_trades_are_there_with_their_reasons():
    found = document(small())

    assert found["executions"][0] == {
        "session": "2022-01-04",
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "100",
        "price": "100",
        "fee": "1",
        "strategy": "sma_cross",
        "reason": "The mean of the last 10 closes crossed that of the last 30.",
    }
    (trade,) = found["trades"]
    assert (trade["profit"], trade["closed"], trade["ended_by"]) == ("1998.00", "2022-01-05", "position_stop")
    assert found["open_trades"][0]["profit"] == "-501.00"


def test_settings_hashes_and_counts_are_there():
    found = document(small())

    assert found["fingerprints"] == {"data": "a1" * 32, "code": "b2" * 32, "settings": "c3" * 32}
    assert found["settings"] == {"source": "files", "fill": "next-open", "slippage_bps": "5"}
    assert (found["decisions"], found["rejections"]) == (
        {"approved": 3, "resized": 1, "rejected": 2},
        {"max_position": 2},
    )


def test_what_is_not_known_is_null():
    gap = document(result(100_000, 100_000, benchmark=np.array([math.nan, 4000.0]), benchmark_name="The S&P 500"))

    assert [row["benchmark"] for row in gap["equity"]] == [None, 4000.0]
    assert document(result())["benchmark"] is None
    assert document(result())["figures"]["return.total"] is None


def test_averages_have_a_readable_number_of_digits():
    trades = document(many_years())["trades"]

    assert max(len(trade["entry_price"].partition(".")[2]) for trade in trades) <= 8
