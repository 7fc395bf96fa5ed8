"""Everything a decision rests on: it is written down with the decision, so that it can be taken again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal

from trading_bot.domain.cycle import ControlState
from trading_bot.domain.listing import AssetStatus, Quote
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.news import StoryId
from trading_bot.domain.orders import OpenOrder, Side
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.records import dataclass
from trading_bot.domain.snapshot import Pieces, fingerprint
from trading_bot.domain.tournament import Team
from trading_bot.domain.track_record import TrackRecord


@dataclass(frozen=True, slots=True)
class Inputs:
    """What book and broker said before the decision, as they said it."""

    portfolio: Portfolio  # as booked
    pending: tuple[OpenOrder, ...]  # every other order that may fill, leftovers of this very cycle included
    high_water: Decimal  # dollars, the highest equity on record since the last acknowledged resume
    control: ControlState  # the switch, and who turned it
    buying_power: Decimal | None  # dollars, the broker's word; None: nothing was to be decided, so nobody asked
    record: TrackRecord | None = None  # of the days before; None: nothing was to be decided
    assets: Mapping[Symbol, AssetStatus] = field(default_factory=dict[Symbol, AssetStatus])  # of what is to be traded
    quotes: Mapping[Symbol, Quote] = field(default_factory=dict[Symbol, Quote])
    resting: tuple[OpenOrder, ...] = ()  # stop orders that wait at the broker for their price
    by_hand: Mapping[Symbol, Decimal] = field(default_factory=dict[Symbol, Decimal])  # shares of the owner's own
    # By symbol, the stories that were known and not too old: what the sentiment in the market's history is made of.
    stories: Mapping[Symbol, tuple[StoryId, ...]] = field(default_factory=dict[Symbol, tuple[StoryId, ...]])

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


@dataclass(frozen=True, slots=True)
class Conditions:
    """What stays the same from cycle to cycle, until somebody changes it."""

    settings: str  # JSON of every setting that can change a decision; no secrets
    team: Team  # who decides
    program: str  # version and SHA-256 of the code


@dataclass(frozen=True, slots=True, eq=False)
class CycleRecord:
    """What one cycle knew when it decided. From it alone the same decisions follow."""

    market: MarketState
    inputs: Inputs
    conditions: Conditions
    cut: Pieces  # the market's history, named by its content
    window: str = ""  # the trading hours it was in; "" outside of them, where hours do not matter
    strategies: tuple[str, ...] = ()  # who decided in that window; empty: the whole team
    exits_only: bool = False  # the window lets nothing in
    by_owner: bool = False  # the owner said what is wanted, and the strategies were not asked

    @property
    def market_hash(self) -> str:
        """A SHA-256 of the market's history."""
        return fingerprint(self.market.history, self.cut)
