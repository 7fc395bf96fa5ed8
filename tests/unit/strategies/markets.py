"""Small markets for tests: closes written out, everything else follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np

from trading_bot.domain.market import (
    Coverage,
    FloatMatrix,
    MarketHistory,
    MarketState,
    Regime,
    Split,
    Symbol,
    Trend,
    Volatility,
)
from trading_bot.domain.portfolio import Portfolio, Position

FIRST_SESSION = date(2020, 1, 6)  # a Monday
NO_VALUE = float("nan")


def letters(number: int) -> tuple[Symbol, ...]:
    """Return S000, S001, …"""
    return tuple(Symbol(f"S{place:03d}") for place in range(number))


def weekdays_from(first: date, number: int) -> np.ndarray:
    return np.busday_offset(np.datetime64(first, "D"), np.arange(number), roll="forward")


def history(
    close: FloatMatrix | Sequence[Sequence[float]],
    symbols: Sequence[str] | None = None,
    sentiment: FloatMatrix | None = None,
) -> MarketHistory:
    """Return a history that knows closes only, as close-only sources give it."""
    closes = np.array(close, dtype=np.float64)
    names = letters(closes.shape[1]) if symbols is None else tuple(Symbol(name) for name in symbols)
    return MarketHistory(
        weekdays_from(FIRST_SESSION, len(closes)),
        names,
        closes.copy(),
        closes.copy(),
        closes.copy(),
        closes,
        np.full(closes.shape, np.nan),
        sentiment=sentiment,
    )


def walk(seed: int, sessions: int = 400, symbols: int = 5) -> FloatMatrix:
    """Return closes of a random walk, some 3 % a day."""
    return 50.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.03, (sessions, symbols)), axis=0))


def column(*closes: float) -> FloatMatrix:
    """Return one symbol's closes as a (T, 1) matrix."""
    return np.array(closes, dtype=np.float64)[:, None]


def market(
    bars: MarketHistory,
    *,
    sectors: Mapping[str, str] | None = None,
    quarantined: Mapping[str, str] | None = None,
    splits: tuple[Split, ...] = (),
    below_minimum_coverage: bool = False,
) -> MarketState:
    """Return the market at the close of the last session of `bars`."""
    session = bars.last_session if len(bars.sessions) else FIRST_SESSION
    usable = int(np.isfinite(bars.close[-1]).sum()) if len(bars.sessions) else 0
    return MarketState(
        at=datetime(session.year, session.month, session.day, 21, tzinfo=UTC),
        session=session,
        history=bars,
        regime=Regime(Trend.UNKNOWN, Volatility.UNKNOWN, "Too little is known."),
        coverage=Coverage(len(bars.symbols), usable),
        sectors={Symbol(name): sector for name, sector in (sectors or {}).items()},
        quarantined={Symbol(name): why for name, why in (quarantined or {}).items()},
        splits=splits,
        below_minimum_coverage=below_minimum_coverage,
    )


def today(**closes: float) -> MarketState:
    """Return a market of one session: `today(AAA=10.0, BBB=20.0)`."""
    return market(history([list(closes.values())], list(closes)))


def holding(cash: int | str = 0, **shares: tuple[int | str, int | str]) -> Portfolio:
    """Return a portfolio: `holding(100, AAA=(5, 10))` holds five AAA bought at ten dollars."""
    return Portfolio(
        Decimal(cash),
        {
            Symbol(name): Position(Symbol(name), Decimal(quantity), Decimal(paid))
            for name, (quantity, paid) in shares.items()
        },
    )
