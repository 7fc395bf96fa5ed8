"""What a decision rests on besides the market and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import OpenOrder, Side
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.track_record import TrackRecord


@dataclass(frozen=True, slots=True)
class Inputs:
    """What book and broker said before the decision, as they said it."""

    portfolio: Portfolio  # as booked
    pending: tuple[OpenOrder, ...]  # every order that may still fill, leftovers of this very cycle included
    high_water: Decimal  # dollars, the highest equity on record since the last acknowledged resume
    state: TradingState
    buying_power: Decimal | None  # dollars, the broker's word; None: nothing was to be decided, so nobody asked
    record: TrackRecord | None = None  # of the days before; None: nothing was to be decided

    def on_their_way_out(self) -> dict[Symbol, Decimal]:
        """Return the shares that open sell orders will take."""
        claimed: dict[Symbol, Decimal] = {}
        for order in self.pending:
            if order.intent.side is Side.SELL:
                claimed[order.intent.symbol] = claimed.get(order.intent.symbol, ZERO) + order.remaining
        return claimed

    def spoken_for(self, market: MarketState) -> Decimal:
        """Return the dollars that open buy orders will cost at the last known prices."""
        buys = (order for order in self.pending if order.intent.side is Side.BUY)
        return sum((order.remaining * (market.last_known_price(order.intent.symbol) or ZERO) for order in buys), ZERO)
