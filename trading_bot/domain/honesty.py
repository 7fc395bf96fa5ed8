"""What a reader should doubt about a backtest, in sentences with the numbers behind them.

Each threshold is a rule of thumb with its reason beside it. They warn; they decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from trading_bot.domain.backtest import BacktestResult, FillAt
from trading_bot.domain.figures import Figures
from trading_bot.domain.money import ZERO
from trading_bot.domain.performance import SESSIONS_A_YEAR, luckiest_sharpe
from trading_bot.domain.words import counted, signed_dollars

ENOUGH_SESSIONS = SESSIONS_A_YEAR  # less than a year has not seen all seasons, let alone a falling market
ENOUGH_TRADES = 30  # below, a mean is too far from normal to be trusted: the usual limit of textbooks
SURE = 1.96  # standard errors to either side that hold 95 % of a normal distribution
TOO_GOOD_SHARPE = 3.0  # the S&P 500 had about 0.4 in the long run; for years above 3, mistakes are likelier than skill
TOO_GOOD_CALMAR = 5.0  # the yearly gain as five times the deepest fall
TOO_MANY_HITS = 0.9  # hardly any trade lost: losses are cut off the data or left open
DOMINANT = Decimal("0.5")  # one trade brought more than half of the profit


def notes_about(result: BacktestResult, found: Figures) -> tuple[str, ...]:
    """Return what must be said beside the numbers, the gravest first, then the notes of the engine; each once."""
    said = (
        *_nothing(result, found),
        *_impossible(result),
        *_too_short(found),
        *_luck(result, found),
        *_too_few_trades(found),
        *_too_good(found),
        *_one_trade(found),
        *_benchmark(found),
        *_data(result),
        *result.notes,
    )
    return tuple(dict.fromkeys(said))


def _nothing(result: BacktestResult, found: Figures) -> Iterator[str]:
    if not found.executions:
        yield f"Nothing was traded: these are the numbers of holding cash.{_why_nothing(result, found)}"
    if found.closing <= 0:
        yield "The account was lost."


def _why_nothing(result: BacktestResult, found: Figures) -> str:
    if found.sessions == 1 and result.decisions.get("approved"):
        return " What the close of a session decides fills in the next one, and there is none."
    if result.rejections:
        rule, times = max(result.rejections.items(), key=lambda item: item[1])
        return f" Most that was wanted was refused by {rule} ({times:,} of {sum(result.rejections.values()):,})."
    return "" if result.decisions.get("approved") else " No strategy wanted anything."


def _impossible(result: BacktestResult) -> Iterator[str]:
    if FillAt.SAME_CLOSE in _asked(result, "fill"):
        yield "Orders fill at the very close that decided them. Nobody can trade so; the profit is not to be had."
    slippage, fees = _asked(result, "slippage_bps"), sum((done.fee for done in result.executions), ZERO)
    if result.executions and not fees and slippage and all(map(_is_nothing, slippage)):
        yield "Trading costs nothing here, neither fees nor slippage. In the market it does."


def _too_short(found: Figures) -> Iterator[str]:
    ratio, error = found.risk.sharpe, found.risk.sharpe_error
    if found.sessions < ENOUGH_SESSIONS:
        yield (
            f"Only {counted(found.sessions, 'session')}, less than a year of {ENOUGH_SESSIONS}: "
            "yearly numbers multiply what may be chance."
        )
    if ratio is None or error is None:
        return
    low, high = ratio - SURE * error, ratio + SURE * error
    if low <= 0 <= high:
        yield (
            f"The Sharpe ratio of {ratio:.2f} cannot be told from 0: these sessions only say that it is "
            f"between {low:.2f} and {high:.2f} (95 %, Lo 2002).{_years_needed(ratio)}"
        )


def _years_needed(ratio: float) -> str:
    years = (SURE / ratio) ** 2 if abs(ratio) > 0.05 else math.inf
    return (
        f" It would take about {counted(math.ceil(years), 'year')} at this ratio to be sure of it."
        if 1 <= years < 100
        else ""
    )


def _luck(result: BacktestResult, found: Figures) -> Iterator[str]:
    luck = luckiest_sharpe(result.trials, found.sessions)
    if luck is None or found.risk.sharpe is None:
        return
    verdict = "This one shows no more" if found.risk.sharpe <= luck else f"This one shows {found.risk.sharpe:.2f}"
    yield (
        f"{result.trials:,} variants were tried. The best of as many without any skill would show a Sharpe ratio of "
        f"about {luck:.2f} (Bailey & López de Prado 2014). {verdict}."
    )


def _too_few_trades(found: Figures) -> Iterator[str]:
    trades = found.trades
    if not found.executions or trades.closed >= ENOUGH_TRADES:
        return
    start = f"Only {counted(trades.closed, 'closed trade')}" if trades.closed else "No trade was closed"
    if trades.hit_rate is None:
        yield f"{start}: nothing can be said per trade."
        return
    low, high = wilson(trades.wins, trades.closed)
    yield (
        f"{start}, fewer than {ENOUGH_TRADES}: a hit rate of {trades.hit_rate:.0%} may as well be {low:.0%} or "
        f"{high:.0%} (95 %, Wilson 1927)."
    )


def wilson(wins: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of wins.

    Source: Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference, J. of the American
    Statistical Association 22(158).
    """
    share, spread = wins / trials, SURE**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    reach = SURE * math.sqrt(share * (1 - share) / trials + spread / trials / 4) / (1 + spread)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def _too_good(found: Figures) -> Iterator[str]:
    signs = [
        f"a Sharpe ratio of {ratio:.1f}" if (ratio := found.risk.sharpe) and ratio > TOO_GOOD_SHARPE else "",
        f"a yearly gain of {ratio:.0f} times the deepest fall"
        if (ratio := found.risk.calmar) and ratio > TOO_GOOD_CALMAR
        else "",
        f"{rate:.0%} of {found.trades.closed:,} trades gained"
        if (rate := found.trades.hit_rate) and rate > TOO_MANY_HITS and found.trades.closed >= ENOUGH_TRADES
        else "",
        "equity that never fell" if _never_fell(found) else "",
    ]
    if named := ", ".join(filter(None, signs)):
        yield (
            f"Too good to be believed: {named}. Look for prices that were not known yet, costs that are missing and "
            "stocks that were chosen afterwards, before looking for skill."
        )


def _never_fell(found: Figures) -> bool:
    return bool(found.drawdown and not found.drawdown.depth and found.executions and found.profit > 0)


def _one_trade(found: Figures) -> Iterator[str]:
    best, profit = found.trades.best, found.trades.profit
    if best is None or profit <= 0 or found.trades.closed < 2 or best <= DOMINANT * profit:
        return
    yield (
        f"One trade brought {signed_dollars(best)}; all {found.trades.closed:,} closed trades together "
        f"{signed_dollars(profit)}. Without it {signed_dollars(profit - best)} are left."
    )


def _benchmark(found: Figures) -> Iterator[str]:
    index, ours = found.benchmark, found.returns.total
    if index is None or index.total_return is None or ours is None or not found.executions:
        return
    both = found.risk.sharpe is not None and index.sharpe is not None
    ratios = f"{index.sharpe:.2f} and {found.risk.sharpe:.2f}" if both else ""
    if ours <= index.total_return:
        risks = f", at Sharpe ratios of {ratios}" if both else ""
        yield f"Buying and holding did no worse: {index.name} made {index.total_return:+.1%}, this {ours:+.1%}{risks}."
    elif both and (found.risk.sharpe or 0) < (index.sharpe or 0):
        yield f"It gained more than {index.name} by taking more risk: their Sharpe ratios are {ratios}, in this order."


def _data(result: BacktestResult) -> Iterator[str]:
    index = None if result.benchmark is None else result.benchmark_name
    for source in _asked(result, "source"):
        yield from doubts_about_prices(source, index)


def doubts_about_prices(source: str, benchmark: str | None) -> Iterator[str]:
    """Give what must be said of a price source, and of comparing its prices with those of the benchmark."""
    if source.startswith("sample"):
        yield (
            "The packaged prices are those of stocks that somebody chose knowing how they would do (survivorship): "
            "every strategy that holds them looks better than it would have been."
        )
    if source == "sample" and benchmark is not None:
        yield f"The prices of these stocks hold their dividends, those of {benchmark} do not."


def _asked(result: BacktestResult, name: str) -> tuple[str, ...]:
    """Return the values of the settings with that last name: `source` finds `data.source` too."""
    return tuple(value for key, value in result.settings.items() if key.rpartition(".")[2] == name)


def _is_nothing(text: str) -> bool:
    try:
        return not Decimal(text)
    except InvalidOperation:
        return False
