"""Trade the past session by session, through the steps, strategies, rules and broker that trade today.

Only the shelves differ: the book and the paper account live in memory, the past is read once, and each strategy is
asked once for all sessions (`foresight`). There is no lease, no schedule and nobody to tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from trading_bot.backtest.fingerprints import fingerprints
from trading_bot.backtest.foresight import asked_once
from trading_bot.backtest.frozen import frozen
from trading_bot.backtest.memory_book import LONG_AGO, MemoryBook
from trading_bot.backtest.yardstick import yardstick
from trading_bot.brokers.paper import PaperBroker
from trading_bot.brokers.paper_books import MemoryStore
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core import bot as assembly
from trading_bot.core.cycle import trade
from trading_bot.core.hours import TradingHours
from trading_bot.core.judges import risk_manager, strategy_manager
from trading_bot.data.past import Past
from trading_bot.domain.backtest import BacktestResult, Engine, Execution
from trading_bot.domain.cycle import CycleReport, CycleTicket, Lease, TradingState
from trading_bot.domain.market import FloatVector, SessionAxis, Symbol
from trading_bot.domain.orders import Fill
from trading_bot.domain.ports import BrokerSetup
from trading_bot.domain.words import counted
from trading_bot.risk.manager import PORTFOLIO_STOP, RiskManager
from trading_bot.stack import with_room
from trading_bot.strategies.manager import StrategyManager

ITS_LEASE = Lease(token=1, owner="backtest", expires_at=datetime.max.replace(tzinfo=UTC))
Tell = Callable[[CycleReport], None]  # of every session, as soon as it is traded


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is to be traded again, from the first session to the last, both included."""

    settings: TradingBotSettings
    first: date
    last: date
    label: str
    asked: dict[str, str] = field(default_factory=dict[str, str])  # in words, to be shown with the result


@dataclass(slots=True)
class Then:
    """A clock that stands at the close of the session that is traded."""

    instant: datetime = LONG_AGO

    def now(self) -> datetime:
        """Return the instant of the decision."""
        return self.instant

    def sleep(self, seconds: float) -> None:
        """Move on without waiting."""
        self.instant += timedelta(seconds=seconds)


@dataclass(slots=True)
class Notes:
    """Where alerts go: what a person would have been told is told with the result."""

    heard: list[str] = field(default_factory=list[str])

    def send_alert(self, *, level: str, title: str, message: str, details: str = "") -> None:
        """Keep the words."""
        del level, details
        self.heard.append(f"{title}: {message}")


@dataclass(frozen=True, slots=True, eq=False)
class BacktestDesk:
    """A desk in memory."""

    data: Past
    strategies: StrategyManager
    risk: RiskManager
    broker: PaperBroker
    book: MemoryBook
    conditions: None = None  # the result names them once
    team: None = None
    news: None = None  # what was said then is not kept with the prices
    clock: Then = field(default_factory=Then)
    notifier: Notes = field(default_factory=Notes)
    stopwatch: None = None  # nobody asks how long a step took


@with_room
def replay(question: Question, tell: Tell | None = None) -> BacktestResult:
    """Return what the bot would have come to with these settings.

    Raises:
        PluginError, SettingsError: something is set wrong.
        DataError: there are no prices of these sessions.
        LooksAhead: a strategy knows on some session what came later.
    """
    hours = TradingHours(question.settings.hours.windows, question.settings.hours.closed_dates)
    desk = open_desk(question, hours)
    tally = _Tally(desk)
    for report in steps(desk, hours):
        tally.add(report)
        if tell is not None:
            tell(report)
    return tally.result(question)


def steps(desk: BacktestDesk, hours: TradingHours) -> Iterator[CycleReport]:
    """Take the steps of every session, and give what came of each."""
    days: list[date] = desk.data.days.tolist()
    closes = [hours.close_of(day) for day in days]  # one after the other, which takes a third of asking now and then
    for day, close in zip(days, closes, strict=True):
        desk.clock.instant = close
        yield trade(desk, _ticket(day, desk))


def open_desk(question: Question, hours: TradingHours) -> BacktestDesk:
    """Set up the desk: everything is chosen as for the bot, and opened in memory."""
    settings = question.settings
    past = assembly.data_manager(settings, hours).past(question.first, question.last)
    strategies = strategy_manager(settings)
    costs = {name: getattr(settings.broker, name) for name in type(settings.broker).model_fields}
    setup = BrokerSetup(settings=costs, folder=Path(), calendar=hours)
    return BacktestDesk(
        data=past,
        strategies=StrategyManager(asked_once(strategies.team, past), strategies.targets),
        risk=risk_manager(settings),
        broker=PaperBroker(setup, MemoryStore()),
        book=MemoryBook(settings.broker.starting_cash),
    )


def _ticket(day: date, desk: BacktestDesk) -> CycleTicket:
    state = desk.book.control.read().state
    return CycleTicket(
        cycle_id=day.isoformat().replace("-", ""),
        at=desk.clock.instant,
        session=day,
        lease=ITS_LEASE,
        state=_may_trade(state),
    )


def _may_trade(state: TradingState) -> TradingState:
    return state if state is TradingState.REDUCING else TradingState.ACTIVE


def without_news(settings: TradingBotSettings) -> Iterator[str]:
    """Say that the past has no news where the bot reads some: what was known when is in the book alone."""
    if settings.news.are_read:
        yield (
            f"The bot reads news ({settings.news.names}), the past has none: neither news_risk nor "
            "news_sentiment had anything to go by."
        )


class _Tally:
    """Gathers the reports of the cycles."""

    def __init__(self, desk: BacktestDesk) -> None:
        self._desk = desk
        self.points: list[tuple[Decimal, Decimal, Decimal]] = []  # equity, cash, gross
        self._executions: list[Execution] = []
        self._outcomes: Counter[str] = Counter({"approved": 0, "resized": 0, "rejected": 0})
        self._rejections: Counter[str] = Counter()
        self._stopped: list[date] = []  # sessions on which the portfolio stop refused something
        self._prices: Mapping[Symbol, Decimal] = {}

    def add(self, report: CycleReport) -> None:
        newest, self._prices = report.equity_curve[-1], report.prices
        self.points.append((newest.equity, newest.cash, newest.gross or Decimal(0)))
        self._executions += [self._execution(fill) for fill in report.fills]
        for decision in report.decisions:
            outcome = type(decision).__name__.lower()
            self._outcomes[outcome] += 1
            if outcome == "rejected":
                self._rejections[decision.rule] += 1
        if any(decision.rule == PORTFOLIO_STOP for decision in report.decisions):
            self._stopped.append(report.session)

    def _execution(self, fill: Fill) -> Execution:
        signal = self._desk.book.journal.signal_behind(fill.client_order_id)
        return Execution(
            session=fill.session,
            symbol=fill.symbol,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            strategy=signal.strategy,
            reason=signal.reason,
        )

    def result(self, question: Question) -> BacktestResult:
        equity, cash, gross = (self._column(n) for n in range(3))
        past = self._desk.data
        sessions: SessionAxis = past.days
        benchmark, named = yardstick(past)
        return BacktestResult(
            engine=Engine.REPLAY,
            label=question.label,
            opening=question.settings.broker.starting_cash,
            sessions=sessions,
            equity=equity,
            cash=cash,
            gross=gross,
            executions=tuple(self._executions),
            benchmark=benchmark,
            benchmark_name=named,
            fingerprints=fingerprints(past, question.settings),
            settings=question.asked,
            decisions=dict(self._outcomes),
            splits=tuple(self._desk.book.ledger.splits),
            prices=self._prices,
            rejections=dict(self._rejections.most_common()),
            notes=(*self._desk.notifier.heard, *self._about(question), *without_news(question.settings)),
        )

    def _about(self, question: Question) -> Iterator[str]:
        """Say what is stuck, and that a stop stood in the way: live, the owner would be asked, and here nobody is."""
        yield from frozen(self._desk.data, self._prices)
        if self._stopped:
            share = question.settings.risk.portfolio_stop_loss_pct
            yield (
                f"The portfolio stop (a fall of {share:.1%} from the highest equity) refused entries on "
                f"{counted(len(self._stopped), 'session')}, first on {self._stopped[0]}. Live it waits for the owner's "
                "`bensbot resume`, which a backtest never says. Without it: --set risk.portfolio_stop_loss_pct=1"
            )

    def _column(self, number: int) -> FloatVector:
        return np.array([float(point[number]) for point in self.points])
