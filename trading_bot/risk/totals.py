"""What all positions add up to: worked out once a cycle, then kept up with each approval."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trading_bot.domain.market import UNKNOWN_SECTOR, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.portfolio import Portfolio, Totals
from trading_bot.domain.ports import RiskContext


def totals(context: RiskContext) -> Totals:
    """Return the totals of the shadow portfolio. Raises KeyError when a holding has no price."""
    return context.totals or totals_of(context.portfolio, context.prices, context.market.sectors)


def totals_of(portfolio: Portfolio, prices: Mapping[Symbol, Decimal], sectors: Mapping[Symbol, str]) -> Totals:
    """Add up what is held. Raises KeyError when a holding has no price."""
    net, gross, by_sector = ZERO, ZERO, dict[str, Decimal]()
    for symbol, position in portfolio.positions.items():
        value = position.quantity * prices[symbol]
        net, gross = net + value, gross + abs(value)
        sector = sectors.get(symbol, UNKNOWN_SECTOR)
        by_sector[sector] = by_sector.get(sector, ZERO) + value
    return Totals(gross, net, by_sector)
