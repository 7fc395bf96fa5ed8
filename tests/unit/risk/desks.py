"""Small builders for tests of the risk rules: signals, orders and what a rule may look at."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from decimal import Decimal

import numpy as np

from tests.unit.strategies.markets import history, holding, market
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.market import FloatMatrix, MarketState, Symbol
from trading_bot.domain.orders import Order, Purpose, Side, Signal
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import RiskContext, RiskRule
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import build_rules

Number = int | str | Decimal


def entry(symbol: str = "AAA", *, weight: float = 0.05, strength: float = 0.5) -> Signal:
    return Signal(Symbol(symbol), Side.BUY, Purpose.ENTRY, weight, strength, "team", "it is wanted")


def way_out(symbol: str = "AAA", *, weight: float = 0.0, strength: float = 0.5, stop: bool = False) -> Signal:
    purpose = Purpose.STOP if stop else Purpose.EXIT
    return Signal(Symbol(symbol), Side.SELL, purpose, weight, strength, "team", "it is not wanted any more")


def buy(quantity: Number, price: Number = 10, symbol: str = "AAA") -> Order:
    return Order(entry(symbol), Decimal(quantity), Decimal(price))


def sell(quantity: Number, price: Number = 10, symbol: str = "AAA", *, stop: bool = False) -> Order:
    return Order(way_out(symbol, stop=stop), Decimal(quantity), Decimal(price))


def ten_dollar_market(symbols: Iterable[str] = ("AAA", "BBB", "CCC"), **facts: object) -> MarketState:
    """Return a market of one session in which everything costs ten dollars."""
    names = list(symbols)
    return market(history(np.full((1, len(names)), 10.0), names), **facts)  # pyright: ignore[reportArgumentType]


def priced(**closes: FloatMatrix) -> MarketState:
    """Return a market with these closes, one array a symbol."""
    return market(history(np.column_stack(list(closes.values())), list(closes)))


def context(
    state: MarketState | None = None,
    portfolio: Portfolio | None = None,
    *,
    equity: Number = 10_000,
    high_water: Number | None = None,
    buying_power: Number | None = None,
    trading: TradingState = TradingState.ACTIVE,
    prices: Mapping[str, Number] | None = None,
) -> RiskContext:
    """Return a context with 10,000 dollars of equity, all of it free; prices are the market's closes."""
    seen = state or ten_dollar_market()
    known = {symbol: seen.price(symbol) for symbol in seen.history.symbols}
    given = {Symbol(name): Decimal(price) for name, price in (prices or {}).items()}
    return RiskContext(
        market=seen,
        portfolio=portfolio or holding(equity if isinstance(equity, int | str) else str(equity)),
        prices={symbol: price for symbol, price in known.items() if price is not None} | given,
        equity=Decimal(equity),
        high_water=Decimal(equity if high_water is None else high_water),
        buying_power=Decimal(equity if buying_power is None else buying_power),
        state=trading,
    )


@functools.cache
def every_rule(fractional: bool) -> Mapping[str, RiskRule]:
    return build_rules({"fractional_shares": fractional}, {})


def manager(
    rules: Mapping[str, RiskRule] | None = None, *, stop: ProtectiveStop | None = None, fractional: bool = False
) -> RiskManager:
    """Return a manager with these rules, else with every registered one and its defaults."""
    return RiskManager(rules or every_rule(fractional), stop=stop or ProtectiveStop(), fractional=fractional)
