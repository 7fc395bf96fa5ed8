"""Two engines, one equity: the ledger against the steps, the book and the paper broker of the bot itself.

The bot always asks its risk rules, so they are set so wide that none of them binds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.backtest.pasts import HOURS, NO_HASHES, Wanting, packaged, past
from trading_bot.backtest.ledger import run_ledger
from trading_bot.backtest.memory_book import MemoryBook
from trading_bot.backtest.question import LedgerQuestion
from trading_bot.brokers.paper import PaperBroker
from trading_bot.brokers.paper_books import MemoryStore
from trading_bot.core.cycle import trade
from trading_bot.data.past import Past
from trading_bot.domain.backtest import Terms
from trading_bot.domain.cycle import CycleTicket, Lease, TradingState
from trading_bot.domain.market import Split
from trading_bot.domain.ports import BrokerSetup
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import build_rules
from trading_bot.strategies.manager import StrategyManager, Targets
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.strategies.voting import Member

WIDE: dict[str, Any] = {
    "max_position_pct": Decimal(1),
    "max_risk_pct": Decimal(1),
    "max_portfolio_risk": Decimal(1),
    "max_correlated_positions": 500,
    "max_sector_allocation": Decimal(1),
    "max_open_trades": 500,
    "portfolio_stop_loss_pct": Decimal(1),
    "daily_loss_pct": Decimal(1),
    "weekly_loss_pct": Decimal(1),
    "monthly_loss_pct": Decimal(1),
    "stop_guard_stops": 0,
    "cooldown_sessions": 0,
    "low_profit_trades": 0,
    "max_orders_per_day": 500,
    "max_orders_per_cycle": 500,
    "max_volume_share": Decimal(1),
    "max_jump_pct": Decimal(100),
    "min_price": Decimal(0),
    "min_order_value": Decimal(0),
    "position_stop": False,
}
TEAM = (
    Member("sma_cross", 1.0, STRATEGIES.build("sma_cross", {"fast": 3, "slow": 8})),
    Member("rsi_reversion", 2.0, STRATEGIES.build("rsi_reversion", {})),
    Member("momentum", 1.0, STRATEGIES.build("momentum", {"lookback": 30, "skip": 3})),
)


class Quiet:
    def send_alert(self, **_: str) -> None:
        raise AssertionError("nothing is to be told")


@dataclass
class Then:
    instant: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing is waited for")


@dataclass
class Desk:
    data: Past
    strategies: StrategyManager
    risk: RiskManager
    broker: PaperBroker
    book: MemoryBook
    conditions: None = None
    team: None = None
    news: None = None
    clock: Then = field(default_factory=Then)
    notifier: Quiet = field(default_factory=Quiet)
    stopwatch: None = None


def as_the_bot_trades(sessions: Past, question: LedgerQuestion) -> list[tuple[float, float]]:
    """Return equity and cash after each session, and make sure that no rule but rounding had a say."""
    terms, opening = question.terms, question.opening
    names = ("slippage_bps", "commission_per_share", "commission_minimum", "volume_share")
    costs = {name: getattr(terms, name) for name in names}
    rules = build_rules({**WIDE, "fractional_shares": terms.fractional_shares}, {"buying_power": {"reserve": 0}})
    desk = Desk(
        sessions,
        StrategyManager(question.team, question.targets),
        RiskManager(rules, stop=ProtectiveStop(enabled=False), fractional=terms.fractional_shares),
        PaperBroker(BrokerSetup({"starting_cash": opening, **costs}, Path(), HOURS), MemoryStore()),
        MemoryBook(opening),
    )
    points: list[tuple[float, float]] = []
    for number, day in enumerate(sessions.days.tolist(), start=1):
        desk.clock.instant = HOURS.close_of(day)
        lease = Lease(token=number, owner="test", expires_at=desk.clock.instant)
        report = trade(desk, CycleTicket(f"{day:%Y%m%d}", desk.clock.instant, day, lease, TradingState.ACTIVE))
        assert {decision.rule for decision in report.decisions} <= {"", "whole_shares"}
        points.append((float(report.equity), float(report.portfolio.cash)))
    return points


def assert_agreement(read: Any, team: tuple[Member, ...], targets: Targets, terms: Terms, opening: str) -> int:
    """Trade the same past both ways; return how many executions there were."""
    question = LedgerQuestion(read(), team, targets, terms, Decimal(opening), "", NO_HASHES)
    result = run_ledger(question)
    both = as_the_bot_trades(read(), question)
    assert list(zip(result.equity.tolist(), result.cash.tolist(), strict=True)) == both
    return len(result.executions)


def targets(position: str, gross: str, candidates: int, threshold: str) -> Targets:
    return Targets(Decimal(position), Decimal(gross), candidates, 0.1, Decimal(threshold))


@pytest.mark.parametrize(
    ("source", "first", "last", "wanted", "terms", "opening", "least"),
    [
        ("sample", date(2008, 10, 1), date(2008, 10, 17), targets("0.05", "0.45", 20, "0.001"), Terms(), "100000", 40),
        (  # dear, and few candidates
            "sample",
            date(1990, 10, 1),
            date(1990, 11, 2),
            targets("0.2", "0.5", 3, "0.02"),
            Terms(slippage_bps=Decimal(17), commission_per_share=Decimal("0.0035"), commission_minimum=Decimal("1.25")),
            "12345.67",
            20,
        ),
        (  # a split of Apple, and so little volume that orders are cut
            "sample-ohlcv",
            date(2000, 6, 1),
            date(2000, 7, 14),
            targets("0.3", "0.45", 3, "0.01"),
            Terms(volume_share=Decimal("0.00001")),
            "50000",
            20,
        ),
        (  # another split, parts of shares
            "sample-ohlcv",
            date(2005, 2, 14),
            date(2005, 3, 18),
            targets("0.3", "0.9", 5, "0.01"),
            Terms(fractional_shares=True, commission_per_share=Decimal("0.005"), commission_minimum=Decimal(1)),
            "500000",
            20,
        ),
    ],
)
def test_packaged_prices_come_to_the_same_cents_on_every_session(source, first, last, wanted, terms, opening, least):
    executions = assert_agreement(lambda: packaged(source, first, last), TEAM, wanted, terms, opening)

    assert executions >= least


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    missing=st.sampled_from([0.0, 0.15]),
    volume=st.sampled_from([1e6, 3000.0, float("nan")]),
    candidates=st.integers(1, 4),
    threshold=st.sampled_from(["0", "0.01", "0.05"]),
    slippage=st.integers(0, 200),
    minimum=st.sampled_from(["0", "0.99"]),
)
def test_any_prices_come_to_the_same_cents_on_every_session(
    seed, missing, volume, candidates, threshold, slippage, minimum
):
    rng = np.random.default_rng(seed)
    closes = 30 * np.exp(np.cumsum(rng.normal(0, 0.04, (14, 4)), axis=0))
    opens = closes * np.exp(rng.normal(0, 0.01, closes.shape))
    gone = rng.random(closes.shape) < missing
    opens[gone], closes[gone] = np.nan, np.nan
    split = Split(past(opens, closes).raw.symbols[0], date(2020, 3, 9), Decimal("0.7"))
    team = tuple(Member(f"s{n}", 1.0 + n, Wanting(rng.uniform(-1, 1, closes.shape))) for n in range(2))
    terms = Terms(
        slippage_bps=Decimal(slippage), commission_per_share=Decimal("0.01"), commission_minimum=Decimal(minimum)
    )

    def read() -> Past:
        return past(opens, closes, volume=volume, splits=(split,))

    assert_agreement(read, team, targets("0.4", "0.4", candidates, threshold), terms, "7777.77")
