"""A backtest in a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.reporting.backtest_results import many_years, result, small
from trading_bot.domain.backtest import BacktestResult
from trading_bot.reporting.backtest_text import backtest_text


def part(about: BacktestResult, head: str) -> str:
    """Return one part on one line, without its head."""
    (found,) = [text for text in backtest_text(about).split("\n\n") if text.startswith(head)]
    return " ".join(found.split()).removeprefix(head).strip()


def test_the_result_comes_first_and_the_hashes_last():
    heads = [text.split()[0] for text in backtest_text(small()).split("\n\n")]

    assert heads == [
        *("Backtest", "Result", "Benchmark", "Risk", "Drawdown", "Invested", "Trades", "Strategies", "Decisions"),
        *("Notes", "Settings", "Data"),
    ]


def test_a_reader_sees_what_became_of_the_money_and_of_the_benchmark():
    assert part(small(), "Result").startswith("+1.50%: $100,000.00 became $101,497.00 (+$1,497.00)")
    assert "The S&P 500 made +2.00%" in part(small(), "Benchmark")
    assert "0.50 points behind" in part(small(), "Benchmark")
    assert "1,353 points ahead" in part(many_years(), "Benchmark")


def test_the_drawdown_is_told_with_its_dates():
    assert part(many_years(), "Drawdown") == (
        "30.59% from 2018-09-24 to 2018-12-24, recovered on 2019-11-01 (279 sessions)"
    )
    assert part(small(), "Drawdown") == "0.49% from 2022-01-05 to 2022-01-07, not recovered yet (2 sessions)"
    assert part(result(100_000, 100_001), "Drawdown") == "none: equity never fell"
    assert part(result(), "Drawdown") == "unknown"


def test_trades_are_told_per_closed_trade():
    assert part(small(), "Trades") == (
        "1 closed, 100.00% gained; held for 1.0 sessions each a trade brings +$1,998.00: a win +$1,998.00, a loss – "
        "profit factor –, best +$1,998.00, worst +$1,998.00 1 trade still open: -$501.00"
    )
    assert part(result(100_000.0), "Trades") == "none"


def test_each_strategy_is_told_with_what_it_brought():
    assert part(small(), "Strategies") == (
        "sma_cross: +$1,998.00, 1 closed, 0 open momentum+sma_cross: -$501.00, 0 closed, 1 open"
    )


def test_rules_that_rejected_most_are_named():
    assert part(many_years(), "Decisions").endswith(
        "rejected by max_open_trades 1,022, max_position 298, sector_allocation 57"
    )


def test_hashes_are_whole():
    assert part(small(), "Data hash") == f"{'a1' * 32} Code hash {'b2' * 32} Settings hash {'c3' * 32}"


def test_without_a_benchmark_it_says_so():
    assert part(result(100_000, 100_001), "Benchmark") == "none is known"


@pytest.mark.parametrize("about", [small(), many_years(), result(), result(100_000.0)])
def test_no_line_is_longer_than_a_terminal(about: BacktestResult):
    assert max(len(line) for line in backtest_text(about).splitlines()) <= 80


def test_what_comes_from_outside_moves_no_cursor():
    nasty = replace(small(), label="a\x1b[31m\r\nb", notes=("x\x07y",), settings={"k\x1b": "v\nw"})

    assert all(character.isprintable() or character == "\n" for character in backtest_text(nasty))
