"""What a backtest has to say against itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.unit.reporting.backtest_results import fill, many_years, result, small, weekdays
from trading_bot.domain.backtest import BacktestResult, Execution
from trading_bot.domain.figures import figures
from trading_bot.domain.honesty import notes_about, wilson


def notes(about: BacktestResult) -> tuple[str, ...]:
    return notes_about(about, figures(about))


def said(about: BacktestResult, words: str) -> bool:
    return any(words in note for note in notes(about))


def round_trips(gains: list[int], size: int) -> tuple[Execution, ...]:
    """One trade of a single share each, bought at 1,000 on a session and sold on the next."""
    days: list[date] = weekdays(size).tolist()
    made: list[Execution] = []
    for number, gain in enumerate(gains):
        made.append(fill(days[number], "buy", "1", "AAPL", "1000", fee="0"))
        made.append(fill(days[number + 1], "sell", "1", "AAPL", str(1_000 + gain), fee="0"))
    return tuple(made)


def steady(sessions: int, drift: float, noise: float, **changes: object) -> BacktestResult:
    """Equity of a mean return and a standard deviation a session, the same on every run."""
    chance = np.random.default_rng(7).normal(size=sessions)
    moves = drift + noise * (chance - chance.mean()) / chance.std()
    worth = 100_000 * np.cumprod(1 + moves)
    return result(*worth.round(2), **{"executions": round_trips([10, -5] * 20, sessions), **changes})


def test_less_than_a_year_is_said_to_be_little():
    assert said(steady(251, 0.001, 0.01), "Only 251 sessions, less than a year of 252")
    assert not said(steady(252, 0.001, 0.01), "less than a year")


def test_a_sharpe_ratio_that_may_be_chance_is_said_with_its_interval():
    # 0.0002 / 0.01 × √252 = 0.32; over 1,000 sessions ± 1.96 × 0.50; and (1.96 / 0.317)² = 38.2 years would be enough
    (note,) = [note for note in notes(steady(1_000, 0.0002, 0.01)) if "cannot be told from 0" in note]

    assert note == (
        "The Sharpe ratio of 0.32 cannot be told from 0: these sessions only say that it is between -0.67 and 1.30 "
        "(95 %, Lo 2002). It would take about 39 years at this ratio to be sure of it."
    )


def test_a_sharpe_ratio_that_is_no_chance_needs_no_interval():
    assert not said(steady(2_000, 0.001, 0.01), "cannot be told from 0")


def test_few_closed_trades_are_said_to_be_few():
    found = notes(steady(300, 0.001, 0.01, executions=round_trips([10, 10, 10, -5, -5], 300)))

    assert (
        "Only 5 closed trades, fewer than 30: a hit rate of 60% may as well be 23% or 88% (95 %, Wilson 1927)." in found
    )


def test_thirty_trades_are_enough():
    assert not said(steady(300, 0.001, 0.01, executions=round_trips([10, -5] * 15, 300)), "closed trade")


def test_the_interval_of_wilson_is_the_one_in_the_tables():
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


@pytest.mark.parametrize(("drift", "sign"), [(0.0021, "a Sharpe ratio of 3.3"), (0.001, "")])
def test_what_is_too_good_is_doubted(drift: float, sign: str):
    found = [note for note in notes(steady(1_000, drift, 0.01)) if note.startswith("Too good")]

    assert [sign in note for note in found] == ([True] if sign else [])


def test_trades_that_nearly_all_gained_are_doubted():
    assert said(steady(300, 0.001, 0.01, executions=round_trips([1] * 29 + [-1], 300)), "97% of 30 trades gained")


def test_equity_that_never_fell_is_doubted():
    days: list[date] = weekdays(3).tolist()
    rising = result(100_000, 100_010, 100_030, executions=(fill(days[0], "buy", "1", "AAPL", "1"),))

    assert said(rising, "equity that never fell")
    assert not said(result(100_000, 100_010), "never fell")  # cash with interest, nothing traded


def test_one_trade_that_made_it_all_is_named():
    assert said(
        steady(300, 0.001, 0.01, executions=round_trips([900, 50, 50, -10], 300)),
        "One trade brought +$900.00; all 4 closed trades together +$990.00. Without it +$90.00 are left.",
    )
    assert not said(steady(300, 0.001, 0.01, executions=round_trips([50, 50, 50], 300)), "One trade brought")


def test_a_benchmark_that_did_no_worse_is_named():
    assert said(
        small(),
        "Buying and holding did no worse: The S&P 500 made +2.0%, this +1.5%, at Sharpe ratios of 4.21 and 4.92.",
    )
    assert not said(many_years(), "Buying and holding")


def test_more_gain_for_more_risk_is_said():
    closes = np.linspace(100, 120, 400) + np.tile([0.1, -0.1], 200)
    risky = steady(400, 0.001, 0.02, benchmark=closes, benchmark_name="The market")

    assert said(risky, "It gained more than The market by taking more risk: their Sharpe ratios are ")


def test_packaged_prices_are_said_to_be_of_survivors():
    assert said(many_years(), "survivorship")
    assert said(many_years(), "hold their dividends, those of The S&P 500 do not")
    assert said(result(1.0, settings={"data.source": "sample-ohlcv"}), "survivorship")
    assert not said(result(1.0, settings={"data.source": "sample-ohlcv"}), "dividends")
    assert not said(small(), "survivorship")


def test_many_trials_raise_what_luck_would_show():
    # 100 trials over 252 sessions: the error of one is 1, the expected best of them 2.53
    assert said(steady(252, 0.001, 0.01, trials=100), "100 variants were tried. The best of as many without any skill")
    assert said(
        steady(252, 0.001, 0.01, trials=100), "about 2.53 (Bailey & López de Prado 2014). This one shows no more."
    )
    assert said(steady(252, 0.002, 0.01, trials=100), "This one shows 3.1")
    assert not said(steady(252, 0.001, 0.01, trials=1), "variants")


def test_fills_that_nobody_gets_are_named():
    assert said(result(1.0, settings={"fill": "same-close"}), "Nobody can trade so")
    assert not said(small(), "Nobody can trade so")


def test_trading_without_costs_is_named():
    free = steady(300, 0.001, 0.01, settings={"terms.slippage_bps": "0"})

    assert said(free, "Trading costs nothing here")
    assert not said(steady(300, 0.001, 0.01), "Trading costs nothing")  # 5 basis points


@pytest.mark.parametrize(
    ("equity", "changes", "why"),
    [
        ([100_000.0] * 2, {}, "cash. No strategy wanted anything."),
        ([100_000.0], {"decisions": {"approved": 3}}, "decides fills in the next one, and there is none."),
        (
            [100_000.0] * 2,
            {"decisions": {"rejected": 1_003}, "rejections": {"cooldown": 3, "whole_shares": 1_000}},
            "cash. Most that was wanted was refused by whole_shares (1,000 of 1,003).",
        ),
        ([100_000.0] * 2, {"decisions": {"approved": 3}}, "holding cash."),
    ],
)
def test_who_traded_nothing_is_told_why(equity: list[float], changes: dict[str, Any], why: str):
    assert notes(result(*equity, **changes))[0].endswith(why)


def test_nothing_traded_and_everything_lost_come_first():
    assert notes(result(100_000.0, 100_000.0))[0].startswith(
        "Nothing was traded: these are the numbers of holding cash."
    )
    assert notes(result(50.0, -1.0, executions=round_trips([1], 2)))[0] == "The account was lost."


def test_the_notes_of_the_engine_are_last_and_nothing_is_said_twice():
    found = notes(result(1.0, settings={"source": "sample"}, notes=("AMD is not traded.", "AMD is not traded.")))

    assert found[-1] == "AMD is not traded."
    assert len(set(found)) == len(found)
