"""From what is known to what should be traded: pure functions of market, book and settings.

The steps of a cycle gather the inputs and write them down; from what was written down the same functions come to the
same decisions at any later time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import DataError
from trading_bot.domain.inputs import Inputs
from trading_bot.domain.listing import KnowsAssets, KnowsQuotes
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.offers import offers
from trading_bot.domain.orders import Decision, OpenOrder, Purpose, Side, Signal
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import RiskContext
from trading_bot.domain.records import dataclass
from trading_bot.domain.track_record import MOST_SESSIONS, TrackRecord
from trading_bot.domain.words import shares_text
from trading_bot.risk.shadow import with_pending
from trading_bot.risk.stop_action import PORTFOLIO_STOP, StopAction

if TYPE_CHECKING:
    from trading_bot.core.desk import Desk
    from trading_bot.domain.cycle import ControlState, CycleTicket
    from trading_bot.risk.manager import RiskManager
    from trading_bot.strategies.manager import StrategyManager


OVERSOLD = "oversold"  # the strategy of signals that buy back what was sold and not held


def gather(desk: Desk, ticket: CycleTicket, market: MarketState, signals: Sequence[Signal]) -> Inputs:
    """Ask book and broker. With nothing to decide few questions are asked: most sessions change nothing."""
    to_decide, broker, orders = bool(signals), desk.broker, working(desk)
    symbols = tuple(dict.fromkeys(signal.symbol for signal in signals))
    return Inputs(
        portfolio=orders.portfolio,
        pending=orders.pending,
        high_water=desk.book.ledger.high_water(),
        control=desk.book.control.read(),
        buying_power=broker.account().buying_power if to_decide else None,
        record=_track_record(desk, ticket, market) if to_decide else None,
        assets=broker.assets(symbols) if to_decide and offers(broker, KnowsAssets) else {},
        by_hand=_by_hand(desk) if to_decide else {},
        quotes=broker.quotes(symbols) if to_decide and offers(broker, KnowsQuotes) else {},
        resting=orders.resting,
        stories=desk.news.behind(symbols, ticket.at) if to_decide and desk.news else {},
    )


def _by_hand(desk: Desk) -> Mapping[Symbol, Decimal]:
    from trading_bot.core.comparing import by_hand  # deciding again asks nobody

    return by_hand(desk)


def _track_record(desk: Desk, ticket: CycleTicket, market: MarketState) -> TrackRecord:
    """Return what the rules have to know of the days before."""
    sessions = market.history.sessions[-desk.risk.sessions_back :]
    since: date = sessions[0].item() if len(sessions) else ticket.session
    return TrackRecord(
        worths=desk.book.ledger.worths_before(ticket.session, MOST_SESSIONS),
        closed=desk.book.ledger.closed_trades(since),
        sent=desk.book.journal.orders_sent(ticket.session, ticket.at),
    )


@dataclass(frozen=True, slots=True)
class Working:
    """What we own, and our orders that something can still come from."""

    portfolio: Portfolio  # as booked
    pending: tuple[OpenOrder, ...]  # may fill at any time
    resting: tuple[OpenOrder, ...]  # stop orders that wait at the broker for their price


def working(desk: Desk) -> Working:
    """Read both from the book."""
    portfolio, orders = desk.book.ledger.portfolio(), desk.book.journal.open_orders()
    if not orders:  # as most of the time
        return Working(portfolio, (), ())
    orders = [order for order in orders if order.remaining]
    resting = tuple(order for order in orders if order.rests)
    return Working(portfolio, tuple(order for order in orders if not order.rests), resting)


def wishes(
    strategies: StrategyManager,
    risk: RiskManager,
    market: MarketState,
    known: Working | Inputs,
    control: ControlState,
    only: tuple[str, ...],
) -> tuple[Signal, ...]:
    """Return what the strategies want changed, what the exits must, and which stop orders are missing at the broker.

    An exit overrules an opinion, and both look at the portfolio as it will be when what is on its way has filled.
    Raises DataError when a holding has no price at all.
    """
    portfolio = as_filled(known.portfolio, known.pending, market)
    if sells_everything(risk.stop_action, control):
        return _everything_out(portfolio, control.cause)
    stops = (*_bought_back(known), *risk.protective_exits(market, portfolio))
    stopped = {signal.symbol for signal in stops}
    equity = portfolio.equity(valuation(portfolio, market))
    signals = strategies.signals(market, portfolio, equity, only)
    wanted = (*stops, *(signal for signal in signals if signal.symbol not in stopped))
    closing = {signal.symbol for signal in wanted if signal.wanted_weight == 0}
    busy = closing | {order.intent.symbol for order in known.pending}
    return (*wanted, *risk.stop_orders(market, known.portfolio, resting=known.resting, busy=busy))


def _bought_back(known: Working | Inputs) -> tuple[Signal, ...]:
    """Return the exits from positions that nobody wanted: more was sold than was held, as by two exits at once.

    A stock with another order on its way waits for the end of that.
    """
    short = {symbol: held for symbol, held in known.portfolio.positions.items() if held.quantity < 0}
    if not short:  # nearly always
        return ()
    busy = {order.intent.symbol for order in known.pending}
    return tuple(
        Signal(
            symbol=symbol,
            side=Side.BUY,
            purpose=Purpose.EXIT,
            wanted_weight=0.0,
            strength=1.0,
            strategy=OVERSOLD,
            reason=f"{shares_text(-position.quantity)} shares more were sold than were held",
        )
        for symbol, position in sorted(short.items())
        if symbol not in busy
    )


def sells_everything(stop_action: StopAction, control: ControlState) -> bool:
    """Say whether the portfolio stop wants everything sold, until the owner resumes."""
    by_stop = control.state is TradingState.REDUCING and control.changed_by == PORTFOLIO_STOP
    return by_stop and stop_action is StopAction.FLATTEN


def _everything_out(portfolio: Portfolio, cause: str) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            symbol=symbol,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            purpose=Purpose.EXIT,
            wanted_weight=0.0,
            strength=1.0,
            strategy=PORTFOLIO_STOP,
            reason=f"everything is sold, because {cause}",
        )
        for symbol, position in sorted(portfolio.positions.items())
    )


def decide(
    risk: RiskManager, market: MarketState, inputs: Inputs, signals: Sequence[Signal], *, window: str = ""
) -> tuple[Decision, ...]:
    """Return one decision per signal. `window` names the trading hours that let exits through only, "" where none do.

    Raises:
        DataError: a holding has no price at all.
        ValueError: two signals for the same symbol, or nobody asked what could be paid for.
    """
    return risk.decide(signals, risk_context(market, inputs, signals, window=window)) if signals else ()


def risk_context(market: MarketState, inputs: Inputs, signals: Iterable[Signal], *, window: str) -> RiskContext:
    """Return what the rules may look at. The errors of `decide`."""
    if inputs.buying_power is None or inputs.record is None:
        raise ValueError("nobody asked for the buying power and the track record, so nothing can be decided")
    portfolio = as_filled(inputs.portfolio, inputs.pending, market, {Side.BUY})
    for symbol, shares in inputs.by_hand.items():  # they count for every limit; what may be sold is ours alone
        if (price := market.last_known_price(symbol)) is not None:
            portfolio = with_pending(portfolio, symbol, Side.BUY, shares, price)
    prices = valuation(portfolio, market)
    for signal in signals:
        if (price := market.price(signal.symbol)) is not None:
            prices[signal.symbol] = price
    equity = inputs.portfolio.equity(prices)
    state = inputs.control.state
    by_window = bool(window) and state is TradingState.ACTIVE
    return RiskContext(
        market=market,
        portfolio=portfolio,
        prices=prices,
        equity=equity,
        high_water=max(inputs.high_water, equity),
        buying_power=min(inputs.buying_power, inputs.portfolio.cash - inputs.spoken_for(market)),
        state=TradingState.REDUCING if by_window else state,
        state_cause=f"the window {window} lets exits through only" if by_window else "",
        pending_sells=inputs.on_their_way_out(),
        booked=inputs.portfolio,
        on_their_way=frozenset(order.intent.symbol for order in inputs.pending),
        record=inputs.record,
        assets=inputs.assets,
        quotes=inputs.quotes,
    )


def as_filled(
    portfolio: Portfolio,
    orders: Iterable[OpenOrder],
    market: MarketState,
    sides: frozenset[Side] | set[Side] = frozenset(Side),
) -> Portfolio:
    """Return the portfolio as it will be when these orders of these sides are filled; cash is left as it is.

    A stop order whose price was not reached, as far as is known, is no reason to think that its shares are gone.
    """
    for order in orders:
        if order.intent.side in sides and not order.is_waiting:
            price = market.last_known_price(order.intent.symbol) or ZERO
            portfolio = with_pending(portfolio, order.intent.symbol, order.intent.side, order.remaining, price)
    return portfolio


def valuation(portfolio: Portfolio, market: MarketState) -> dict[Symbol, Decimal]:
    """Return the newest known price of every holding. Raises DataError when one has none at all."""
    of_today = market.prices(portfolio.positions)
    known = [price for price in of_today if price]
    if len(known) == len(of_today):  # nearly always
        return dict(zip(portfolio.positions, known, strict=True))
    prices: dict[Symbol, Decimal] = {}
    for symbol in portfolio.positions:
        price = market.last_known_price(symbol)
        if price is None:
            raise DataError(
                f"{symbol} is held, but the price source does not know it. Add it to data.symbols, or use the source "
                "it was bought with."
            )
        prices[symbol] = price
    return prices
