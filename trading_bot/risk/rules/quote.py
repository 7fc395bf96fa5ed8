"""Nobody buys where nobody sells."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.listing import Quote
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import FOUR_PLACES, NOT_FOR_EXITS, passed, refused


@risk_rule("quote")
@dataclass(frozen=True, slots=True)
class QuoteRule:
    """Refuse to buy on a quote that is older than `max_quote_age_seconds` or wider than `max_spread_pct`.

    Spread = (ask - bid) / the middle of both. It passes where the broker gives no quotes at all; a stock without one
    among others that have them is refused.
    """

    max_spread_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.01")  # share of the middle price
    max_quote_age_seconds: Annotated[int, Gt(0)] = 60
    stage: ClassVar[Stage] = Stage.ASSET
    codes: ClassVar[tuple[str, ...]] = ("QUOTE_FINE", "NO_QUOTE", "QUOTE_WRONG", "QUOTE_TOO_OLD", "SPREAD_TOO_WIDE")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "QUOTE_FINE", observed=NOT_FOR_EXITS)
        if not context.quotes:
            return passed(order, "QUOTE_FINE", observed="there are no quotes")
        quote = context.quotes.get(order.symbol)
        if quote is None:
            return refused(order, "NO_QUOTE", f"{order.symbol} has no quote", observed="none", limit="a quote")
        return self._judge(order, quote, (context.market.at - quote.at).total_seconds())

    def _judge(self, order: Order, quote: Quote, age: float) -> Ruling:
        if not 0 < quote.bid <= quote.ask:
            message = f"bid ${quote.bid} and ask ${quote.ask} of {order.symbol} make no sense"
            return refused(order, "QUOTE_WRONG", message, observed=f"{quote.bid}/{quote.ask}", limit="0 < bid <= ask")
        seconds = self.max_quote_age_seconds
        if age > seconds:
            message = f"the quote of {order.symbol} is {age:.0f} seconds old, {seconds} are the limit"
            return refused(order, "QUOTE_TOO_OLD", message, observed=f"{age:.0f}", limit=seconds, unit="seconds")
        spread, limit, unit = quote.spread, self.max_spread_pct, "share of the middle price"
        seen = spread.quantize(FOUR_PLACES)
        if spread <= limit:
            return passed(order, "QUOTE_FINE", observed=seen, limit=limit, unit=unit)
        message = f"bid and ask of {order.symbol} are {spread:.2%} apart, {limit:.2%} are the limit"
        return refused(order, "SPREAD_TOO_WIDE", message, observed=seen, limit=limit, unit=unit)
