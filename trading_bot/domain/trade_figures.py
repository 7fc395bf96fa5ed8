"""What trades come to: how often they gained, how much, and who wanted them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.records import dataclass
from trading_bot.domain.round_trips import OpenTrade, RoundTrip, Trades


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """Numbers per closed trade, fees taken off. None where no trade is of that kind."""

    closed: int
    wins: int  # trades that gained; one of exactly nothing is neither a win nor a loss
    losses: int
    hit_rate: float | None  # wins as a share of the closed trades
    profit_factor: float | None  # dollars won for each dollar lost; None while nothing was lost
    expectancy: Decimal | None  # dollars, the mean profit of a closed trade
    mean_gain: float | None  # the mean of each trade's profit as a share of what was paid for it
    average_win: Decimal | None  # dollars
    average_loss: Decimal | None  # dollars, negative
    best: Decimal | None  # dollars
    worst: Decimal | None  # dollars
    sessions: float | None  # mean holding time of a closed trade
    profit: Decimal  # dollars of all closed trades
    open: int
    open_profit: Decimal | None  # dollars of the open ones at the last price; None where one has none


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one strategy, or several that wanted the same, brought. A trade belongs to who wanted its beginning."""

    strategy: str
    closed: int
    hit_rate: float | None
    profit: Decimal  # dollars of closed trades, fees taken off
    open: int
    open_profit: Decimal | None  # as above
    fees: Decimal  # dollars, of open trades too

    @property
    def total(self) -> Decimal | None:
        """Dollars of closed and open trades; None where an open one has no price."""
        return None if self.open_profit is None else self.profit + self.open_profit


def trade_figures(trades: Trades) -> TradeFigures:
    """Return the numbers of all closed trades.

    Expectancy is the mean profit of a trade: Tharp (1998), Trade Your Way to Financial Freedom, ch. 7. The profit
    factor is gross profit over gross loss.
    """
    profits = [trade.profit for trade in trades.closed]
    won, lost = [each for each in profits if each > 0], [each for each in profits if each < 0]
    gains = [trade.gain for trade in trades.closed if trade.gain is not None]
    return TradeFigures(
        closed=len(profits),
        wins=len(won),
        losses=len(lost),
        hit_rate=hit_rate(trades.closed),
        profit_factor=float(sum(won, ZERO) / -sum(lost, ZERO)) if lost else None,
        expectancy=_mean(profits),
        mean_gain=float(np.mean(gains)) if gains else None,
        average_win=_mean(won),
        average_loss=_mean(lost),
        best=max(profits, default=None),
        worst=min(profits, default=None),
        sessions=float(np.mean([trade.sessions for trade in trades.closed])) if profits else None,
        profit=sum(profits, ZERO),
        open=len(trades.open),
        open_profit=_open_profit(trades.open),
    )


def hit_rate(closed: Sequence[RoundTrip]) -> float | None:
    """Return the share of trades that gained, None without a trade."""
    return sum(trade.profit > 0 for trade in closed) / len(closed) if closed else None


def attributed(trades: Trades) -> tuple[Attribution, ...]:
    """Return what each strategy brought, the most profitable first."""
    names = dict.fromkeys(trade.strategy for trade in (*trades.closed, *trades.open))
    found = [_attribution(name, trades) for name in names]
    return tuple(sorted(found, key=lambda each: (-each.profit - (each.open_profit or 0), each.strategy)))


def _attribution(name: str, trades: Trades) -> Attribution:
    closed = [trade for trade in trades.closed if trade.strategy == name]
    still = [trade for trade in trades.open if trade.strategy == name]
    return Attribution(
        strategy=name,
        closed=len(closed),
        hit_rate=hit_rate(closed),
        profit=sum((trade.profit for trade in closed), ZERO),
        open=len(still),
        open_profit=_open_profit(still),
        fees=sum((trade.fees for trade in (*closed, *still)), ZERO),
    )


def _open_profit(still: Sequence[OpenTrade]) -> Decimal | None:
    profits = [trade.profit for trade in still if trade.profit is not None]
    return sum(profits, ZERO) if len(profits) == len(still) else None


def _mean(amounts: Sequence[Decimal]) -> Decimal | None:
    return cents(sum(amounts, ZERO) / len(amounts)) if amounts else None
