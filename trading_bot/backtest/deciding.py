"""From what is wanted and what is held to orders, at the close of one session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from trading_bot.backtest.dealing import Dealing
from trading_bot.backtest.tape import Tape
from trading_bot.backtest.wishes import Wishes
from trading_bot.domain.backtest import Terms
from trading_bot.domain.money import ZERO, whole_shares
from trading_bot.domain.orders import Side
from trading_bot.risk.rules.whole_shares import FRACTION
from trading_bot.strategies.indicators import TIE

UNKNOWN = float("nan")  # equal to no score: the next opinion is a new one


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order on its way. `shares` None: they are counted when it fills."""

    column: int
    side: Side
    wanted: Decimal  # share of equity the position should have afterwards, signed
    shares: Decimal | None
    closes: bool  # takes what is held, all of it
    reduces: bool  # makes a position smaller: comes before those that make one larger
    strength: float
    strategy: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Close:
    """What is known when a session's close decides."""

    row: int
    tape: Tape
    wishes: Wishes
    shares: Mapping[int, Decimal]  # column → held, negative is short
    equity: Decimal  # dollars


def by_weight(at: Close, dealing: Dealing, threshold: Decimal) -> list[Ordered]:
    """Return what the live bot would order without any risk rule: see `StrategyManager` and `RiskManager`."""
    weights = at.wishes.weights[at.row]
    orders: list[Ordered] = []
    for column in sorted({*weights.nonzero()[0].tolist(), *at.shares}):
        price = at.tape.close(at.row, column)
        if price is None or at.equity <= 0:
            continue
        wanted, held = float(weights[column]), at.shares.get(column, ZERO)
        share = float(held * price / at.equity)
        is_new_or_gone = (share == 0) != (wanted == 0)
        if not is_new_or_gone and abs(wanted - share) <= float(threshold) + TIE:
            continue
        side = Side.BUY if wanted > share else Side.SELL
        target = Decimal(repr(wanted))
        shares = None if dealing.terms.size_at_fill else to_weight(target, side, held, at.equity, price, dealing.terms)
        smaller = abs(wanted) < abs(share) and wanted * share >= 0
        orders.append(_ordered(at, column, side, target, shares, closes=wanted == 0, reduces=smaller))
    return _in_turn(at, orders)


def all_in(at: Close, dealing: Dealing, acted: dict[int, float]) -> list[Ordered]:
    """Return an order for every symbol on which there is a new opinion, and remember in `acted` what it was.

    A change of direction is two orders: one closes, the other opens. Shares are counted so that their worth and
    the commission are the wanted share of equity.
    """
    orders: list[Ordered] = []
    for column, weight in enumerate(at.wishes.weights[at.row].tolist()):
        price = at.tape.close(at.row, column)
        if price is None or acted.get(column, 0.0) == weight:
            continue
        acted[column] = weight
        orders += _to_weight_all_in(at, dealing, column, price, Decimal(repr(weight)))
    return _in_turn(at, orders)


def to_weight(wanted: Decimal, side: Side, held: Decimal, equity: Decimal, price: Decimal, terms: Terms) -> Decimal:
    """Return the shares from `held` to a wanted share of equity, as `RiskManager` counts them; 0 the other way."""
    if wanted == 0:
        return max(-held * side.sign, ZERO)
    shares = max((wanted * equity / price - held) * side.sign, ZERO).quantize(FRACTION, rounding=ROUND_DOWN)
    return shares if terms.fractional_shares else whole_shares(shares)


def _to_weight_all_in(at: Close, dealing: Dealing, column: int, price: Decimal, weight: Decimal) -> Iterator[Ordered]:
    held = at.shares.get(column, ZERO)
    if held and held * weight <= 0:
        away = Side.SELL if held > 0 else Side.BUY
        yield _ordered(at, column, away, ZERO, abs(held), closes=True, reduces=True)
        held = ZERO
    if not weight:
        return
    wanted = weight * (1 - dealing.terms.cash_buffer)
    target = dealing.most(abs(wanted) * at.equity, price, abs(held))
    grows = target > abs(held)
    side = Side.BUY if grows == (weight > 0) else Side.SELL
    shares = None if dealing.terms.size_at_fill else abs(target - abs(held))
    yield _ordered(at, column, side, wanted, shares, closes=False, reduces=not grows)


def _ordered(
    at: Close, column: int, side: Side, wanted: Decimal, shares: Decimal | None, *, closes: bool, reduces: bool
) -> Ordered:
    weight = float(wanted)
    return Ordered(
        column=column,
        side=side,
        wanted=wanted,
        shares=shares,
        closes=closes,
        reduces=reduces,
        strength=float(at.wishes.scores[at.row, column]),
        strategy="+".join(member.name for member in at.wishes.in_favour(at.row, column, weight)) or "team",
        reason=at.wishes.reason(at.row, column, weight),
    )


def _in_turn(at: Close, orders: list[Ordered]) -> list[Ordered]:
    """Exits first, then by falling strength, then by symbol."""
    symbols = at.tape.history.symbols
    return sorted(orders, key=lambda order: (not order.reduces, -round(abs(order.strength), 9), symbols[order.column]))
