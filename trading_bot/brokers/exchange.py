"""What a simulated exchange does with one order in one session: values in, values out.

The rules, so that a result can be computed by hand:
- An order is never filled in the session it was decided in, only in a later one.
- A market order fills at the session's open, worse by `slippage_bps`.
- A limit order to buy fills when the session's low reaches the limit, at the open if that is better,
  else at the limit; mirrored for a sale. It has no slippage: a limit is a promise.
- A stop order to sell becomes a market order when the session's low reaches its stop: it fills at the stop, or at
  the open if that is worse, worse by `slippage_bps`; mirrored for a buy. What is left of it is a market order.
- At most `volume_share` of the session's volume fills, where the volume is known; in whole shares.
- A buy takes no more than the cash pays for, a sale no more than is held.
- The commission of a sale is never more than the sale brings, so that cash never falls below zero.
- What is left of a day order at the end of its session expires.
"""

from __future__ import annotations

from decimal import Decimal

from trading_bot.domain.money import ZERO, cents, round_against_us, whole_shares
from trading_bot.domain.orders import OrderType, Side
from trading_bot.domain.records import dataclass

BASIS_POINT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs."""

    slippage_bps: Decimal = Decimal(5)  # hundredths of a per cent of the price, always against us
    commission_per_share: Decimal = ZERO  # dollars
    commission_minimum: Decimal = ZERO  # dollars an order
    volume_share: Decimal = Decimal("0.1")  # of a session's volume, the most that one order fills

    def fee(self, quantity: Decimal, *, first: bool) -> Decimal:
        """Return the commission of a fill in dollars, to the cent; the minimum counts once an order."""
        per_share = cents(quantity * self.commission_per_share)
        return max(per_share, cents(self.commission_minimum)) if first else per_share


@dataclass(frozen=True, slots=True)
class Bar:
    """One symbol's session, in the prices that were really paid that day."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None  # shares; None when not known

    @property
    def is_close_only(self) -> bool:
        """Whether the source knew one price of the session only: its close."""
        return self.volume is None and self.open == self.high == self.low == self.close


@dataclass(frozen=True, slots=True)
class Working:
    """An order that can still fill."""

    side: Side
    type: OrderType
    remaining: Decimal  # shares
    limit_price: Decimal | None
    untouched: bool  # no fill yet
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """What an order got in one session. `quantity` may be 0; then `reason` says why."""

    quantity: Decimal  # shares
    price: Decimal  # dollars per share
    fee: Decimal  # dollars
    reason: str  # why it got less than all, "" when it got everything


def match(order: Working, bar: Bar, *, cash: Decimal, held: Decimal, costs: Costs) -> Match:
    """Trade one order against one session's bar, with at most `cash` dollars and `held` shares."""
    price = _price(order, bar, costs)
    if price is None:
        what, wanted = ("limit", order.limit_price) if order.stop_price is None else ("stop", order.stop_price)
        return Match(ZERO, ZERO, ZERO, f"the {what} of ${wanted} was not reached")
    quantity, reason = order.remaining, ""
    if bar.volume is not None and (most := whole_shares(bar.volume * costs.volume_share)) < quantity:
        quantity, reason = most, f"only {costs.volume_share:.0%} of the {bar.volume:f} shares traded may be ours"
    if order.side is Side.SELL and held < quantity:
        quantity, reason = max(held, ZERO), f"only {held:f} shares are held"
    if order.side is Side.BUY and (most := _affordable(quantity, price, cash, order, costs)) < quantity:
        quantity, reason = most, f"${cash:,.2f} of cash pay for {most:f} shares at ${price:,.2f}"
    if quantity <= 0:
        return Match(ZERO, price, ZERO, reason)
    fee = costs.fee(quantity, first=order.untouched)
    brings = cents(quantity * price) if order.side is Side.SELL else fee
    return Match(quantity, price, min(fee, brings), reason)


def _price(order: Working, bar: Bar, costs: Costs) -> Decimal | None:
    """Return the price the order trades at, or None when it does not trade."""
    buying = order.side is Side.BUY
    if order.limit_price is None:
        begins = _begins(order, bar)
        if begins is None:
            return None
        slipped = begins * (1 + order.side.sign * costs.slippage_bps * BASIS_POINT)
        return round_against_us(slipped, buying=buying)
    if buying:
        return min(bar.open, order.limit_price) if bar.low <= order.limit_price else None
    return max(bar.open, order.limit_price) if bar.high >= order.limit_price else None


def _begins(order: Working, bar: Bar) -> Decimal | None:
    """Return the price at which an order without a limit begins to trade; None while its stop is not reached."""
    stop = order.stop_price
    if stop is None or not order.untouched:
        return bar.open
    if order.side is Side.BUY:
        return max(bar.open, stop) if bar.high >= stop else None
    return min(bar.open, stop) if bar.low <= stop else None


def _affordable(quantity: Decimal, price: Decimal, cash: Decimal, order: Working, costs: Costs) -> Decimal:
    """Return the shares, at most `quantity`, whose price and commission the cash pays for."""
    if cents(quantity * price) + costs.fee(quantity, first=order.untouched) <= cash:
        return quantity
    least = cents(costs.commission_minimum) if order.untouched else ZERO
    shares = whole_shares(max(min((cash - least) / price, cash / (price + costs.commission_per_share)), ZERO))
    while shares > 0 and cents(shares * price) + costs.fee(shares, first=order.untouched) > cash:
        shares -= 1  # rounding to the cent can cost one share, not more
    return shares
