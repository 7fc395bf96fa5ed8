"""A replay trades as the bot does: the same orders, fills, refusals and dollars, session by session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from trading_bot.backtest.memory_book import MemoryBook
from trading_bot.backtest.replay import BacktestDesk, Question, _Tally, open_desk, replay, steps
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.hours import TradingHours
from trading_bot.core.main_orchestrator import MainOrchestrator
from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.errors import DataError, LooksAhead
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.orders import Decision
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.registry import STRATEGIES

NERVOUS = {
    "team": [
        {"name": "sma_cross", "options": {"fast": 2, "slow": 5}},
        {"name": "rsi_reversion", "options": {"period": 5}},
        "momentum",
    ],
    "min_score": 0.2,
    "rebalance_threshold": 0.005,
}
COSTS = {"commission_per_share": "0.005", "commission_minimum": "1", "slippage_bps": "7"}


def asked(first: date, last: date, **sections: Any) -> Question:
    one_team = {"enable_strategy_rotation": False, **sections.pop("orchestrator", {})}
    settings = TradingBotSettings.model_validate({"data": {"start": first}, "orchestrator": one_team, **sections})
    return Question(settings, first, last, "the team", {"from": str(first)})


def by_the_bot(question: Question, folder: Path) -> MainOrchestrator:
    """Trade the sessions with the bot itself, book and account in databases."""
    state = {"folder": folder}
    settings = TradingBotSettings.model_validate({**question.settings.model_dump(), "state": state})
    bot = MainOrchestrator(settings)
    bot.run(cycles=len(open_desk(question, TradingHours()).data.days))
    assert bot.outcome.error is None
    return bot


@pytest.mark.parametrize(
    ("first", "last", "sections"),
    [
        (date(2022, 1, 3), date(2022, 2, 4), {"strategy": NERVOUS, "broker": COSTS}),
        (
            date(2005, 2, 14),  # Apple splits 2 for 1 on 28 February
            date(2005, 3, 11),
            {
                "data": {"source": "sample-ohlcv", "start": date(2005, 2, 14)},
                "strategy": NERVOUS | {"position_weight": 0.2},
                "risk": {
                    "max_position_pct": 0.2,
                    "max_risk_pct": 1,
                    "max_sector_allocation": 1,
                    "position_stop": False,
                },
                "broker": COSTS | {"starting_cash": 20_000},
            },
        ),
    ],
    ids=["twenty stocks", "a split"],
)
def test_the_bot_and_the_replay_come_to_the_same_cent(
    first: date, last: date, sections: dict[str, Any], tmp_path: Path
):
    question = asked(first, last, **sections)
    bot = by_the_bot(question, tmp_path / "state")
    decided: list[Decision] = []

    result = replay(question, tell=lambda report: decided.extend(report.decisions))

    curve = bot.reports[-1].equity_curve
    assert [str(day) for day in result.sessions] == [str(report.session) for report in bot.reports]
    assert [Decimal(str(value)) for value in result.equity] == [report.equity for report in bot.reports]
    assert float(curve[-1].cash) == result.cash[-1]
    fills = [fill for report in bot.reports for fill in report.fills]
    assert len(fills) > 10
    assert [(e.session, e.symbol, e.side, e.quantity, e.price, e.fee) for e in result.executions] == [
        (f.session, f.symbol, f.side, f.quantity, f.price, f.fee) for f in fills
    ]
    decisions = [decision for report in bot.reports for decision in report.decisions]
    assert list(map(repr, decided)) == list(map(repr, decisions))  # as text, for an unknown number equals no other


def short(**sections: Any) -> BacktestResult:
    return replay(asked(date(2022, 1, 3), date(2022, 1, 20), **sections))


def test_the_same_question_has_the_same_answer_and_the_same_hashes():
    one, other = short(), short()

    assert one.equity.tolist() == other.equity.tolist()
    assert one.executions == other.executions
    assert one.fingerprints == other.fingerprints


def test_another_setting_other_sessions_and_other_symbols_change_their_hash_alone():
    base = short().fingerprints
    costlier = short(broker={"slippage_bps": 9}).fingerprints
    fewer = short(data={"symbols": ["AAPL", "XOM"], "start": date(2022, 1, 3)}).fingerprints

    assert (costlier.data == base.data, costlier.settings == base.settings) == (True, False)
    assert fewer.data != base.data
    assert costlier.code == base.code == fewer.code


def test_every_refusal_is_counted_by_its_rule():
    result = short(risk={"max_open_trades": 1})

    assert result.decisions["rejected"] == sum(result.rejections.values()) > 0
    assert result.rejections["max_open_trades"] > 0
    assert result.decisions["approved"] + result.decisions["resized"] >= len({e.symbol for e in result.executions})


def test_each_execution_says_who_wanted_it_and_why():
    result = short()

    assert result.executions
    for execution in result.executions:
        assert execution.strategy
        assert execution.strategy == "position_stop" or execution.strategy.split("+")[0] in execution.reason


def test_a_portfolio_stop_that_nobody_ends_is_told():
    (note,) = short(risk={"portfolio_stop_loss_pct": 0.001}).notes

    assert note.startswith("The portfolio stop (a fall of 0.1% from the highest equity) refused entries on ")
    assert "first on 2022-01-0" in note
    assert not any("portfolio stop" in note for note in short(risk={"portfolio_stop_loss_pct": 1}).notes)


def test_a_bot_that_reads_news_is_told_that_the_past_has_none():
    assert short().notes == ()
    assert short(news={"source": "alpaca"}).notes == (
        "The bot reads news (alpaca), the past has none: neither news_risk nor news_sentiment had anything to go by.",
    )


def test_the_benchmark_is_that_of_the_sessions():
    result = short()

    assert result.benchmark_name == "The S&P 500"
    assert result.benchmark is not None
    assert len(result.benchmark) == len(result.sessions) == 13


def test_a_span_without_sessions_is_refused():
    with pytest.raises(DataError, match="no session from 2031-01-01 to 2031-02-01"):
        replay(asked(date(2031, 1, 1), date(2031, 2, 1)))


@dataclass(frozen=True, slots=True)
class Prophet:
    """Buys today what will have risen tomorrow."""

    def opinion(self, history: MarketHistory) -> Opinion:
        exposure = np.zeros(history.close.shape)
        exposure[:-1] = history.close[1:] > history.close[:-1]
        return Opinion(exposure)


def test_a_strategy_that_looks_ahead_is_refused(monkeypatch: pytest.MonkeyPatch):
    STRATEGIES.names()  # scanned before anything is put in
    monkeypatch.setitem(STRATEGIES._classes, "prophet", Prophet)

    with pytest.raises(
        LooksAhead, match=r"prophet looks ahead: on 2022-01-03 it wants .* once later sessions are known"
    ):
        short(strategy={"team": ["prophet"]})


@dataclass(frozen=True, slots=True)
class WantsAll:
    """Wants every stock, in one kind of number or another."""

    kind: ClassVar[type] = np.float64

    def opinion(self, history: MarketHistory) -> Opinion:
        return Opinion(np.ones(history.close.shape, dtype=self.kind))


@pytest.mark.parametrize("kind", [np.int8, np.bool_, np.float32])
def test_exposures_of_any_kind_of_number_are_traded_alike(kind: type, monkeypatch: pytest.MonkeyPatch):
    STRATEGIES.names()  # scanned before anything is put in
    monkeypatch.setitem(STRATEGIES._classes, "wants_all", WantsAll)
    floats = short(strategy={"team": ["wants_all"]})

    monkeypatch.setattr(WantsAll, "kind", kind)

    assert short(strategy={"team": ["wants_all"]}).equity.tolist() == floats.equity.tolist()
    assert floats.executions


def test_the_equity_curve_of_a_report_stays_as_it_was_that_day():
    curves: list[Sequence[EquityPoint]] = []

    result = replay(asked(date(2022, 1, 3), date(2022, 1, 7)), tell=lambda report: curves.append(report.equity_curve))

    assert [len(curve) for curve in curves] == [1, 2, 3, 4, 5]
    assert [curve[-1].session for curve in curves] == result.sessions.tolist()
    assert list(curves[2]) == list(curves[4][:3]) == [*curves[4][:-2]]
    assert [point.session for point in reversed(curves[1])] == result.sessions[1::-1].tolist()
    with pytest.raises(IndexError):
        curves[0][1]


def test_books_that_differ_stop_entries_and_are_told():
    desk = open_desk(asked(date(2022, 1, 3), date(2022, 1, 12)), TradingHours())
    richer = BacktestDesk(desk.data, desk.strategies, desk.risk, desk.broker, MemoryBook(Decimal(200_000)))
    tally = _Tally(richer)

    for report in steps(richer, TradingHours()):
        tally.add(report)

    result = tally.result(asked(date(2022, 1, 3), date(2022, 1, 12)))
    assert not result.executions
    assert "Books differ: Exits only: the books differ: cash: $200,000.00 in our book" in result.notes[0]
