"""The portfolio as it may become while a cycle decides: what the next signal is checked against."""

from __future__ import annotations

from decimal import Decimal

from trading_bot.domain.market import UNKNOWN_SECTOR, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Decision, Rejected, Side
from trading_bot.domain.portfolio import Portfolio, Position, Totals
from trading_bot.domain.ports import RiskContext
from trading_bot.domain.records import changed
from trading_bot.domain.track_record import sorted_out
from trading_bot.risk.rulings import RULE_FAULTS
from trading_bot.risk.totals import totals_of


class Shadow:
    """Counts what a cycle has approved so far: a buy as filled, while a sale frees nothing before it fills.

    `context` is for the signal that comes next: what it holds changes with the next approval.
    """

    def __init__(self, context: RiskContext, *, reserve: Decimal) -> None:
        """Begin with what the cycle found. `reserve` is the share of a buy's value that is kept back beside it."""
        self._with_reserve = 1 + reserve
        # Its own, so that an approval adds to them: a copy of all positions for each would take longer than most rules.
        self._positions, self._on_their_way = dict(context.portfolio.positions), set(context.on_their_way)
        self._by_sector: dict[str, Decimal] = {}
        self.context = changed(
            context,
            portfolio=Portfolio(context.portfolio.cash, self._positions),
            on_their_way=self._on_their_way,
            totals=self._totals(context),
            closed=sorted_out(context.record.closed),
        )

    def count(self, decision: Decision) -> None:
        """Count what was decided last."""
        if isinstance(decision, Rejected):
            return
        context, symbol = self.context, decision.signal.symbol
        approved = context.approved + 1
        if decision.signal.side is Side.SELL:
            claimed = context.pending_sells.get(symbol, ZERO) + decision.quantity
            pending = {**context.pending_sells, symbol: claimed}
            self.context = changed(context, pending_sells=pending, approved=approved)
            return
        price = context.prices.get(symbol, ZERO)
        dollars = decision.quantity * price
        totals = self._with_buy(symbol, dollars)
        _add(self._positions, symbol, decision.quantity, price)
        self._on_their_way.add(symbol)
        # The reserve stays set aside, else a row of small orders would use up what was kept back for the first.
        left = context.buying_power - dollars * self._with_reserve
        self.context = changed(context, buying_power=left, approved=approved, totals=totals)

    def _totals(self, context: RiskContext) -> Totals | None:
        """Return what is held in all, None where that cannot be known: each rule that needs it then says so."""
        try:
            found = totals_of(context.portfolio, context.prices, context.market.sectors)
        except RULE_FAULTS:
            return None
        self._by_sector = dict(found.by_sector)
        return Totals(found.gross, found.net, self._by_sector)

    def _with_buy(self, symbol: Symbol, dollars: Decimal) -> Totals | None:
        context, totals = self.context, self.context.totals
        if totals is None:
            return None
        before = context.portfolio.held(symbol) * context.prices.get(symbol, ZERO)
        sector = context.market.sectors.get(symbol, UNKNOWN_SECTOR)
        self._by_sector[sector] = self._by_sector.get(sector, ZERO) + dollars
        return Totals(totals.gross + abs(before + dollars) - abs(before), totals.net + dollars, self._by_sector)


def with_pending(portfolio: Portfolio, symbol: Symbol, side: Side, quantity: Decimal, price: Decimal) -> Portfolio:
    """Return the portfolio as if an order had filled at `price`; cash is left as it is."""
    positions = dict(portfolio.positions)
    _add(positions, symbol, side.sign * quantity, price)
    return Portfolio(portfolio.cash, positions)


def _add(positions: dict[Symbol, Position], symbol: Symbol, shares: Decimal, price: Decimal) -> None:
    held = positions.get(symbol)
    if held is None:
        if shares:
            positions[symbol] = Position(symbol, shares, price)
    elif now := held.quantity + shares:
        positions[symbol] = Position(symbol, now, held.average_price, held.opened)
    else:
        del positions[symbol]
