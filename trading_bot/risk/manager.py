"""Asks every rule about every signal, in a fixed order, and never lets one be skipped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO, whole_shares
from trading_bot.domain.orders import (
    Approved,
    Decision,
    OpenOrder,
    Order,
    Rejected,
    Resized,
    Ruling,
    Side,
    Signal,
)
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import RiskContext, RiskRule, Stage
from trading_bot.domain.track_record import LooksBack
from trading_bot.risk.protection import ProtectiveStop, exit_signal, levels
from trading_bot.risk.rules.buying_power import BuyingPower
from trading_bot.risk.rules.portfolio_stop import PortfolioStop
from trading_bot.risk.rules.whole_shares import FRACTION
from trading_bot.risk.rulings import RULE_FAULTS
from trading_bot.risk.shadow import Shadow
from trading_bot.risk.stop_action import PORTFOLIO_STOP, StopAction
from trading_bot.risk.stop_orders import stop_orders

log = logging.getLogger(__name__)

NOTHING_ASKED = "there is nothing to trade"
RULE_FAILED = "RULE_FAILED"  # the code of a rule that is wrong itself


Check = Callable[[Order, RiskContext], Ruling]  # of a rule


class RiskManager:
    """One decision per signal: approved, resized or rejected, with every rule's ruling.

    Signals are handled in one order, whatever order they come in: exits first, then by falling
    strength, then by symbol; orders that only wait at the broker come last. Every approval changes
    the shadow portfolio that later signals are checked against, so a limit can not be broken by
    many orders that are each within it.
    """

    def __init__(
        self,
        rules: Mapping[str, RiskRule],
        *,
        stop: ProtectiveStop,
        fractional: bool = False,
        stop_action: StopAction = StopAction.ENTRIES,
    ) -> None:
        """Take the rules in the order in which they are asked (see `registry.build_rules`).

        Raises:
            ValueError: there is no rule at all, so nothing would ever be refused.
        """
        if not rules:
            raise ValueError("there are no risk rules: nothing may be traded without one")
        self.rules = dict(rules)
        self._checks = [(name, rule.check) for name, rule in self.rules.items()]
        self._reserve = max((rule.reserve for rule in rules.values() if isinstance(rule, BuyingPower)), default=ZERO)
        wanted = (rule.sessions_back for rule in rules.values() if isinstance(rule, LooksBack))
        self.sessions_back = max([1, *wanted])  # of closed trades that the rules want to see
        self.stop = stop
        self.stop_action = stop_action
        self._fractional = fractional

    def protective_exits(self, market: MarketState, portfolio: Portfolio) -> tuple[Signal, ...]:
        """Return a sale of every long position of which an exit is hit, for the strongest one of them.

        A symbol without a usable price today is left alone: nobody knows whether its stop is hit.
        """
        stop_loss_alone, at_most = self.stop.stop_loss_alone, self.stop.stop_loss_at_most
        if stop_loss_alone and not self.stop.enabled:
            return ()
        exits: list[Signal] = []
        prices = market.prices(portfolio.positions)
        for (symbol, position), price in zip(portfolio.positions.items(), prices, strict=True):
            if price is None or symbol in market.quarantined:
                continue
            paid = position.average_price
            if stop_loss_alone and (price > paid or price > at_most(paid)):
                continue  # as nearly always: nothing has to be put in words
            hit = next((level for level in levels(position, price, market, self.stop) if level.is_hit), None)
            if hit is not None:
                exits.append(exit_signal(position, price, hit))
        return tuple(sorted(exits, key=lambda signal: signal.symbol))

    def stop_orders(
        self, market: MarketState, portfolio: Portfolio, *, resting: Iterable[OpenOrder], busy: Collection[Symbol]
    ) -> tuple[Signal, ...]:
        """Return the stop orders that should rest at the broker and do not (see `stop_orders.stop_orders`)."""
        return stop_orders(market, portfolio, self.stop, resting=resting, busy=busy)

    def portfolio_stop_reached(self, equity: Decimal, high_water: Decimal) -> str:
        """Return in words that equity (dollars) has fallen too far from its high, "" while it has not."""
        rule = self.rules.get(PORTFOLIO_STOP)
        return rule.reached(equity, high_water) if isinstance(rule, PortfolioStop) else ""

    def decide(self, signals: Sequence[Signal], context: RiskContext) -> tuple[Decision, ...]:
        """Return one decision per signal, in the order in which they were taken.

        Raises:
            ValueError: two signals for the same symbol; a stop order may stand beside another one.
        """
        if len({(signal.symbol, signal.stop_price is None) for signal in signals}) != len(signals):
            raise ValueError("two signals for one symbol in one cycle: there can be one decision only")
        shadow = Shadow(context, reserve=self._reserve)
        decisions: list[Decision] = []
        for signal in sorted(signals, key=_handling_order):
            if decisions:
                shadow.count(decisions[-1])
            decisions.append(self._decide_one(signal, shadow.context))
        return tuple(decisions)

    def _decide_one(self, signal: Signal, context: RiskContext) -> Decision:
        requested = self._size(signal, context)
        left, price = requested, context.prices.get(signal.symbol, ZERO)
        order = Order(signal, left, price)
        rulings: list[Ruling] = []
        for name, check in self._checks:
            try:
                ruling = check(order, context)
                passes = ruling.allowed is left and ruling.rule == name  # as nearly always
            except RULE_FAULTS as error:
                ruling, passes = _failed(name, order, error), False
            if not passes:
                ruling = _in_bounds(name, order, ruling)
                if ruling.allowed < left:
                    left = ruling.allowed
                    order = Order(signal, left, price)
            rulings.append(ruling)
            if not left:
                return Rejected(signal, requested, ZERO, name, ruling.message or NOTHING_ASKED, tuple(rulings))
        binding = None if left is requested else self._binding(rulings)
        if binding is None:
            return Approved(signal, requested, left, "", "every rule let it pass", tuple(rulings))
        return Resized(signal, requested, left, binding.rule, binding.message, tuple(rulings))

    def _size(self, signal: Signal, context: RiskContext) -> Decimal:
        """Return the shares that bring the position to its wanted weight, before any rule.

        Whole shares, unless fractions are traded or not even one share is wanted: then the rounding
        rule says so in its own words.
        """
        held, price = context.available(signal.symbol), context.prices.get(signal.symbol, ZERO)
        if signal.wanted_weight == 0:
            short = -(context.booked or context.portfolio).held(signal.symbol)
            leaving = max(context.sellable(signal.symbol) if signal.side is Side.SELL else short, ZERO)
            return leaving if signal.stop_price is None else whole_shares(leaving)
        if not price.is_finite() or price <= ZERO:
            return ZERO
        target = Decimal(repr(signal.wanted_weight)) * context.equity / price
        shares = max((target - held) * signal.side.sign, ZERO).quantize(FRACTION, rounding=ROUND_DOWN)
        return shares if self._fractional or shares < 1 else whole_shares(shares)

    def _binding(self, rulings: Sequence[Ruling]) -> Ruling | None:
        """Return the ruling that set the size. Rounding binds only where no limit did."""
        bound = [ruling for ruling in rulings if ruling.allowed < ruling.asked]
        limits = [ruling for ruling in bound if self.rules[ruling.rule].stage is not Stage.ROUNDING]
        return (limits or bound or [None])[-1]


def _failed(name: str, order: Order, error: Exception) -> Ruling:
    """Refuse in the name of a rule that could not be evaluated."""
    log.error("Risk rule %s failed on %s", name, order.symbol, exc_info=error)
    message = f"the rule could not be evaluated ({type(error).__name__}: {error}), so it refuses"
    return Ruling(name, RULE_FAILED, order.quantity, ZERO, "", "", "", message)


def _in_bounds(name: str, order: Order, ruling: Ruling) -> Ruling:
    """Return the ruling under the rule's name; a rule that wants more than was asked, or no number, refuses."""
    try:
        is_sane = ruling.allowed is order.quantity or ZERO <= ruling.allowed <= order.quantity  # raises on NaN
    except RULE_FAULTS as error:
        return _failed(name, order, error)
    if is_sane:
        return ruling if ruling.rule == name else ruling._replace(rule=name)
    allowed, asked = str(ruling.allowed), str(order.quantity)
    message = f"the rule allowed {allowed} of {asked} shares, which no rule may, so it refuses"
    return Ruling(name, RULE_FAILED, order.quantity, ZERO, allowed, asked, "shares", message)


def _handling_order(signal: Signal) -> tuple[bool, bool, float, Symbol]:
    return (signal.stop_price is not None, signal.purpose.is_entry, -round(signal.strength, 9), signal.symbol)


__all__ = ["NOTHING_ASKED", "PORTFOLIO_STOP", "ProtectiveStop", "RiskManager", "StopAction"]
