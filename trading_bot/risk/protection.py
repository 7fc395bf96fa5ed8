"""When a position is given up whatever the strategies think: for the cycle that sells, and for who only looks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from trading_bot.domain.market import MarketState
from trading_bot.domain.money import price_of
from trading_bot.domain.orders import Side, Signal
from trading_bot.domain.portfolio import Position
from trading_bot.domain.protected import Exit, Level
from trading_bot.domain.words import counted
from trading_bot.risk.stop_distance import StopBy, true_range


@dataclass(frozen=True, slots=True)
class ProtectiveStop:
    """Which exits there are, and how far away. None is off."""

    enabled: bool = True  # the stop-loss
    distance: Decimal = Decimal("0.10")  # share of the average price paid
    by: StopBy = "percent"
    atr_multiple: Decimal = Decimal(3)  # of the average true range when the position was opened
    atr_sessions: int = 14
    trailing: Decimal | None = None  # share of the highest close since then
    take_profit: Decimal | None = None  # share of the average price paid
    sessions: int | None = None  # after which a position is sold
    at_broker: bool = False  # also as stop orders there, which work while no cycle runs

    @property
    def rests(self) -> bool:
        """Whether there is anything that could rest at the broker: targets and time stops are checked here."""
        return self.at_broker and (self.enabled or self.trailing is not None)

    @property
    def stop_loss_alone(self) -> bool:
        """Whether nothing but a stop-loss below the price paid can sell."""
        return self.trailing is None and self.take_profit is None and self.sessions is None

    def stop_loss_at_most(self, paid: Decimal) -> Decimal:
        """Return the price that the stop-loss is never above, for a position bought at `paid` dollars a share."""
        return paid - paid * self.distance if self.by == "percent" else paid


def levels(position: Position, price: Decimal, market: MarketState, stop: ProtectiveStop) -> tuple[Level, ...]:
    """Return the exits of a long position at `price` dollars a share, the strongest first; none of a short one.

    Trailing and time stops need to know since when it is held, so they are left out where nobody knows.
    """
    if position.quantity <= 0:
        return ()
    rows = _rows_before(position, market)
    found = (
        _stop_loss(position, price, market, stop, rows),
        _trailing(position, price, market, stop, rows),
        _take_profit(position, price, stop),
        _time_stop(position, price, market, stop, rows),
    )
    return tuple(level for level in found if level is not None)


def exit_signal(position: Position, price: Decimal, level: Level) -> Signal:
    """Return the sale of everything, because `level` is hit."""
    known = {"price": price, "stop": level.price, "average_price": position.average_price}
    return Signal(
        symbol=position.symbol,
        side=Side.SELL,
        purpose=level.exit.purpose,
        wanted_weight=0.0,
        strength=1.0,
        strategy=str(level.exit),
        reason=level.words,
        evidence={name: float(value) for name, value in known.items() if value is not None},
    )


def _rows_before(position: Position, market: MarketState) -> int | None:
    """Return how many sessions of the history lie before the position was opened, None where that is not known."""
    sessions = market.history.sessions
    return None if position.opened is None else int(np.searchsorted(sessions, np.datetime64(position.opened)))


def _stop_loss(
    position: Position, price: Decimal, market: MarketState, stop: ProtectiveStop, rows: int | None
) -> Level | None:
    if not stop.enabled:
        return None
    paid = position.average_price
    below, why = paid * stop.distance, f"{price / paid - 1:+.1%} from the ${paid:,.2f} paid"
    if stop.by == "atr":
        usual = None if rows is None else true_range(market.history, position.symbol, stop.atr_sessions, rows + 1)
        if usual is None:
            why += f" ({stop.distance:.1%}, for the true range is not known)"
        else:
            below = min(usual * stop.atr_multiple, paid)
            why += f" ({stop.atr_multiple} x a true range of ${usual:,.2f})"
    at = paid - below
    words = f"${price:,.2f} is {_at_or(price <= at, 'below', 'above')} the stop of ${at:,.2f}, {why}"
    return Level(Exit.STOP_LOSS, at, None, price <= at, words)


def _trailing(
    position: Position, price: Decimal, market: MarketState, stop: ProtectiveStop, rows: int | None
) -> Level | None:
    if stop.trailing is None or rows is None:
        return None
    column = market.history.find(position.symbol)
    closes = market.history.close[rows:, column] if column is not None else np.empty(0)
    known = closes[np.isfinite(closes)]
    highest = price_of(float(known.max())) if known.size else position.average_price
    top = max(highest, position.average_price)
    at = top * (1 - stop.trailing)
    words = (
        f"${price:,.2f} is {_at_or(price <= at, 'below', 'above')} the trailing stop of ${at:,.2f}, "
        f"{stop.trailing:.1%} below the high of ${top:,.2f} since {position.opened}"
    )
    return Level(Exit.TRAILING_STOP, at, None, price <= at, words)


def _take_profit(position: Position, price: Decimal, stop: ProtectiveStop) -> Level | None:
    if stop.take_profit is None:
        return None
    paid = position.average_price
    at = paid * (1 + stop.take_profit)
    words = (
        f"${price:,.2f} is {_at_or(price >= at, 'above', 'below')} the target of ${at:,.2f}, "
        f"{price / paid - 1:+.1%} from the ${paid:,.2f} paid"
    )
    return Level(Exit.TAKE_PROFIT, at, None, price >= at, words)


def _time_stop(
    position: Position, price: Decimal, market: MarketState, stop: ProtectiveStop, rows: int | None
) -> Level | None:
    if stop.sessions is None or rows is None:
        return None
    held = len(market.history.sessions) - 1 - rows
    words = (
        f"held for {counted(held, 'session')} since {position.opened}, {stop.sessions} are the limit, "
        f"{price / position.average_price - 1:+.1%} from the ${position.average_price:,.2f} paid"
    )
    return Level(Exit.TIME_STOP, None, stop.sessions - held, held >= stop.sessions, words)


def _at_or(is_hit: bool, hit: str, not_yet: str) -> str:
    return f"at or {hit}" if is_hit else not_yet
