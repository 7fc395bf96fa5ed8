"""What we own: positions, cash and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from decimal import Decimal

from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol. Average cost: buys average in, sells leave the average as it is."""

    symbol: Symbol
    quantity: Decimal  # shares; negative is short
    average_price: Decimal  # dollars per share paid, fees not included
    opened: date | None = field(default=None, compare=False)  # session of its first fill; None where nobody kept it


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Positions and cash at one instant. A position of zero shares is not listed."""

    cash: Decimal  # dollars, to the cent
    positions: Mapping[Symbol, Position] = field(default_factory=dict[Symbol, Position])

    def held(self, symbol: Symbol) -> Decimal:
        """Return the shares held of `symbol`, 0 when none."""
        position = self.positions.get(symbol)
        return position.quantity if position else ZERO

    def value(self, prices: Mapping[Symbol, Decimal]) -> Decimal:
        """Return the market value of all positions in dollars. Raises KeyError on a missing price."""
        return sum([p.quantity * prices[p.symbol] for p in self.positions.values()], ZERO)

    def gross(self, prices: Mapping[Symbol, Decimal]) -> Decimal:
        """Return the dollars in positions, long and short added up, to the cent. Raises KeyError on a missing price."""
        return cents(sum([abs(p.quantity) * prices[p.symbol] for p in self.positions.values()], ZERO))

    def worth(self, prices: Mapping[Symbol, Decimal]) -> tuple[Decimal, Decimal]:
        """Return what `equity` and `gross` do, looking at each position once."""
        values = [p.quantity * prices[p.symbol] for p in self.positions.values()]
        return cents(self.cash + sum(values, ZERO)), cents(sum(map(abs, values), ZERO))

    def equity(self, prices: Mapping[Symbol, Decimal]) -> Decimal:
        """Return cash plus market value in dollars, to the cent. Raises KeyError on a missing price."""
        return cents(self.cash + self.value(prices))


@dataclass(frozen=True, slots=True)
class Totals:
    """What positions add up to, in dollars."""

    gross: Decimal  # long and short added up
    net: Decimal  # long less short
    by_sector: Mapping[str, Decimal]  # long less short


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The book's worth after one session."""

    session: date
    cash: Decimal
    equity: Decimal
    gross: Decimal | None = None  # dollars in positions, long and short added up; None where it was not kept
    paid_in: Decimal = ZERO  # dollars the owner has paid in after the opening deposit until then, less what he took out
