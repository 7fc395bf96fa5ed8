"""Money that moves without a trade: fees, dividends, interest, and what the owner pays in or takes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from trading_bot.domain.money import CENT, ZERO, cents
from trading_bot.domain.orders import ClientOrderId, OrderUpdate, Side
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol


class CashKind(StrEnum):
    """What a movement of cash means. Only what the owner does himself is neither profit nor loss."""

    FEE = "FEE"
    DIVIDEND = "DIVIDEND"
    INTEREST = "INTEREST"
    TRANSFER = "TRANSFER"  # the owner pays in (+) or takes out (-)
    EXTERNAL = "EXTERNAL"  # the owner, or another program, bought (-) or sold (+) in the same account
    OTHER = "OTHER"
    ACCEPTED = "ACCEPTED"  # nobody lists it: the owner has taken the broker's word for it


BY_OWNER = frozenset({CashKind.TRANSFER, CashKind.EXTERNAL})


@dataclass(frozen=True, slots=True)
class CashActivity:
    """One movement as the broker lists it."""

    activity_id: str
    kind: CashKind
    amount: Decimal  # dollars to the cent, positive when money came in; 0 for one that was taken back
    day: date  # the broker's date of it
    created_at: datetime  # aware, UTC: when the broker listed it
    symbol: Symbol | None = None
    note: str = ""  # the broker's own words for it
    shares: Decimal = ZERO  # of `symbol`, bought (+) or sold (-): only where the kind is EXTERNAL


@runtime_checkable
class ListsCash(Protocol):
    """A broker that lists movements of cash which are no trades. Optional."""

    def cash_activities(self, after: datetime) -> tuple[CashActivity, ...]:
        """Return what was listed after an instant (aware, UTC), oldest first. The errors of a broker."""
        ...


@dataclass(frozen=True, slots=True)
class Execution:
    """Shares that changed hands in the account, whoever ordered it."""

    execution_id: str
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    quantity: Decimal
    price: Decimal  # dollars a share
    day: date  # of its session
    at: datetime  # aware, UTC


@dataclass(frozen=True, slots=True)
class ByHand:
    """What the owner, or another program, has in the same account. Strategies never touch it."""

    shares: Mapping[Symbol, Decimal] = field(default_factory=dict[Symbol, Decimal])
    open_orders: tuple[OrderUpdate, ...] = ()


@runtime_checkable
class ListsExecutions(Protocol):
    """A broker that lists all that was traded in the account, by whomever. Optional."""

    def executions_since(self, after: datetime) -> tuple[Execution, ...]:
        """Return every execution after an instant (aware, UTC), oldest first. The errors of a broker."""
        ...


@dataclass(frozen=True, slots=True)
class Traded:
    """What changed hands in the last days: fees may be due for it."""

    sold: Decimal = ZERO  # dollars
    shares: Decimal = ZERO  # bought and sold
    fills: int = 0


# Far above what was ever asked (SEC section 31: $27.80 for each million sold in 2024; FINRA: $0.000195 a share sold and
# $0.000046 a share for the audit trail in 2026), and far below what anybody would call a difference.
_OF_SALES, _PER_SHARE, _PER_FILL = Decimal("0.00005"), Decimal("0.0005"), 3 * CENT  # three fees, each rounded up


def most_fees(traded: Traded) -> Decimal:
    """Return the dollars that regulators can ask at most for what was traded; 0 when nothing was."""
    if not traded.fills:
        return ZERO
    return cents(traded.sold * _OF_SALES + traded.shares * _PER_SHARE + traded.fills * _PER_FILL)


def in_money_of_now(points: Sequence[EquityPoint], paid_in: Decimal) -> tuple[Decimal, ...]:
    """Return each equity as if what the owner paid in or took out since had been there in proportion from the start.

    So a deposit is no profit, a withdrawal no loss, and a fall of ten per cent stays one whatever is moved in between:
    the time-weighted return, with the newest equity before a movement as what was there (GIPS 2020, section 2.A).

    Args:
        points: oldest first.
        paid_in: dollars that were paid in by now, less what was taken out.
    """
    scaled: list[Decimal] = []
    factor, later = Decimal(1), paid_in
    for point in reversed(points):
        moved = later - point.paid_in
        if moved and point.equity > 0:
            factor *= max(point.equity + moved, ZERO) / point.equity
        later = point.paid_in
        scaled.append(point.equity if factor == 1 else cents(point.equity * factor))
    return tuple(reversed(scaled))
