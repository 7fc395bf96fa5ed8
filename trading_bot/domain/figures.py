"""Every number of a backtest, computed once; text, JSON, HTML and Markdown show the same ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np

from trading_bot.domain import performance as formula
from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.curves import MonthReturn, deepest_fall, monthly_returns
from trading_bot.domain.market import FloatVector
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.performance import known
from trading_bot.domain.records import dataclass
from trading_bot.domain.round_trips import Trades, trades_of
from trading_bot.domain.trade_figures import Attribution, TradeFigures, attributed, trade_figures

ROLLING = 126  # sessions of the rolling Sharpe ratio: half a year


@dataclass(frozen=True, slots=True)
class DrawdownFigures:
    """The deepest fall of equity below an earlier high."""

    depth: float  # share of the high that was lost; 0 when equity never fell
    sessions: int  # from the high until equity was back at it; until the end while it is not
    began: date | None  # the session of the high; None where that is the opening
    bottom: date | None  # the session of the lowest equity; None when it never fell
    recovered: date | None  # the first session back at the high; None where there was none
    current: float  # share of the highest equity that is missing at the end


@dataclass(frozen=True, slots=True, eq=False)
class BenchmarkFigures:
    """What the benchmark did from the first session's close on, and how the result moved with it."""

    name: str
    worth: FloatVector  # (T,) dollars, had the opening been put into it at the first known close; NaN where unknown
    total_return: float | None
    annual_return: float | None  # by sessions
    volatility: float | None
    sharpe: float | None
    max_drawdown: float | None
    ahead: float | None  # the result's total return less the benchmark's
    alpha: float | None
    beta: float | None


@dataclass(frozen=True, slots=True)
class ReturnFigures:
    """What was gained, as shares: 0.1 is 10 %."""

    total: float | None
    annual_sessions: float | None  # a year, 252 sessions being one
    annual_calendar: float | None  # a year, 365.25 days being one
    best: float | None  # of a session
    worst: float | None


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """How much the returns varied; all but the last two for a year."""

    volatility: float | None
    downside_deviation: float | None
    sharpe: float | None
    sharpe_error: float | None  # standard error of the Sharpe ratio
    sortino: float | None
    calmar: float | None
    value_at_risk: float | None  # loss of a session that 5 % of the sessions exceed, as a positive share
    expected_shortfall: float | None  # mean loss of the worst 5 % of the sessions


@dataclass(frozen=True, slots=True)
class ExposureFigures:
    """What was invested, and how often it was traded."""

    mean: float | None  # share of equity in positions, long and short added up
    invested: float | None  # share of the sessions with a position at their end
    turnover: float | None  # equity traded one way, in multiples of equity a year


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """Numbers that change from session to session, each (T,)."""

    falls: FloatVector  # share of the highest equity so far that is missing; NaN without an opening
    exposures: FloatVector  # share of equity in positions; NaN without equity
    rolling_sharpe: FloatVector  # of the last `ROLLING` sessions; NaN before there are as many


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Every number of a backtest. None: cannot be computed; never infinite, and NaN in courses only."""

    sessions: int
    first: date | None  # None without a session
    last: date | None
    opening: Decimal  # dollars
    closing: Decimal  # dollars after the last session
    profit: Decimal  # dollars
    returns: ReturnFigures
    risk: RiskFigures
    drawdown: DrawdownFigures | None
    exposure: ExposureFigures
    executions: int
    fees: Decimal  # dollars
    benchmark: BenchmarkFigures | None
    trades: TradeFigures
    attribution: tuple[Attribution, ...]
    unattributed: Decimal | None  # dollars of profit that no trade explains: rounding; None without all prices
    months: tuple[MonthReturn, ...]
    courses: Courses


def figures(result: BacktestResult, trades: Trades | None = None) -> Figures:
    """Return every number of a result; `trades` where the caller has them already."""
    trades = trades or trades_in(result)
    worth = np.concatenate(([float(result.opening)], result.equity))
    returns = formula.returns_of(worth)
    counted = trade_figures(trades)
    closing = cents(Decimal(repr(float(worth[-1]))))
    profit = closing - result.opening
    return Figures(
        sessions=len(result.sessions),
        first=_day(result, 0) if len(result.sessions) else None,
        last=_day(result, -1) if len(result.sessions) else None,
        opening=result.opening,
        closing=closing,
        profit=profit,
        returns=_returns(result, worth, returns),
        risk=_risk(worth, returns),
        drawdown=_drawdown(result, worth),
        exposure=_exposure(result),
        executions=len(result.executions),
        fees=sum((done.fee for done in result.executions), ZERO),
        benchmark=_benchmark(result, returns, known(formula.total_return(worth))),
        trades=counted,
        attribution=attributed(trades),
        unattributed=None if counted.open_profit is None else profit - counted.profit - counted.open_profit,
        months=monthly_returns(result.sessions, worth),
        courses=Courses(formula.drawdowns(worth)[1:], _exposures(result), formula.rolling_sharpe(returns, ROLLING)),
    )


def trades_in(result: BacktestResult) -> Trades:
    """Return the trades of a result."""
    return trades_of(result.executions, result.sessions, splits=result.splits, prices=result.prices)


def _day(result: BacktestResult, row: int) -> date:
    return result.sessions[row].astype(object)


def _returns(result: BacktestResult, worth: FloatVector, returns: FloatVector) -> ReturnFigures:
    days = (_day(result, -1) - _day(result, 0)).days if len(returns) else 0
    return ReturnFigures(
        total=known(formula.total_return(worth)),
        annual_sessions=known(formula.annual_return_by_sessions(worth)),
        annual_calendar=known(formula.annual_return_by_calendar(worth, days)),
        best=known(float(returns.max())) if len(returns) else None,
        worst=known(float(returns.min())) if len(returns) else None,
    )


def _risk(worth: FloatVector, returns: FloatVector) -> RiskFigures:
    ratio = known(formula.sharpe(returns))
    return RiskFigures(
        volatility=known(formula.volatility(returns)),
        downside_deviation=known(formula.downside_deviation(returns)),
        sharpe=ratio,
        sharpe_error=None if ratio is None else formula.sharpe_error(ratio, len(returns)),
        sortino=known(formula.sortino(returns)),
        calmar=known(formula.calmar(worth)),
        value_at_risk=known(formula.value_at_risk(returns)),
        expected_shortfall=known(formula.expected_shortfall(returns)),
    )


def _drawdown(result: BacktestResult, worth: FloatVector) -> DrawdownFigures | None:
    fall = deepest_fall(worth)
    if fall is None:
        return None
    if not fall.depth:
        return DrawdownFigures(0.0, 0, None, None, None, 0.0)
    return DrawdownFigures(
        depth=fall.depth,
        sessions=fall.sessions,
        began=_day(result, fall.high - 1) if fall.high else None,  # row 0 is the opening
        bottom=_day(result, fall.bottom - 1),
        recovered=None if fall.recovered is None else _day(result, fall.recovered - 1),
        current=fall.current,
    )


def _exposure(result: BacktestResult) -> ExposureFigures:
    return ExposureFigures(
        mean=known(formula.exposure(result.gross, result.equity)),
        invested=float(np.mean(result.gross > 0)) if len(result.gross) else None,
        turnover=known(formula.turnover(_traded(result), result.equity)),
    )


def _traded(result: BacktestResult) -> FloatVector:
    dollars = np.zeros(len(result.sessions))
    for done in result.executions:
        dollars[int(np.searchsorted(result.sessions, np.datetime64(done.session)))] += float(done.quantity * done.price)
    return dollars


def _exposures(result: BacktestResult) -> FloatVector:
    return np.divide(result.gross, result.equity, out=np.full(len(result.equity), np.nan), where=result.equity > 0)


def _benchmark(result: BacktestResult, returns: FloatVector, ours: float | None) -> BenchmarkFigures | None:
    if result.benchmark is None:
        return None
    closes = result.benchmark
    usable = closes[np.isfinite(closes)]
    theirs = known(formula.total_return(usable))
    changes = formula.returns_of(usable)
    moves = formula.returns_of(closes)  # NaN beside a session that is not known
    scale = float(result.opening) / float(usable[0]) if len(usable) and usable[0] > 0 else np.nan
    return BenchmarkFigures(
        name=result.benchmark_name,
        worth=closes * scale,
        total_return=theirs,
        annual_return=known(formula.annual_return_by_sessions(usable)),
        volatility=known(formula.volatility(changes)),
        sharpe=known(formula.sharpe(changes)),
        max_drawdown=known(formula.max_drawdown(usable)),
        ahead=None if ours is None or theirs is None else ours - theirs,
        alpha=formula.alpha(returns[1:], moves),
        beta=formula.beta(returns[1:], moves),
    )
