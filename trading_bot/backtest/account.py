"""Cash, shares and what was written down about them, in one hand from the first session to the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from trading_bot.backtest.tape import Tape
from trading_bot.domain.backtest import Execution, SplitPaid
from trading_bot.domain.holdings import Holding, after_split, remainder_of
from trading_bot.domain.market import Split
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import Side


@dataclass(frozen=True, slots=True)
class Point:
    """The account after one session, in dollars."""

    equity: Decimal
    cash: Decimal
    gross: Decimal


@dataclass(slots=True)
class Account:
    """Shares by column of the history; a short position is negative."""

    cash: Decimal  # dollars, to the cent
    shares: dict[int, Decimal] = field(default_factory=dict[int, Decimal])
    executions: list[Execution] = field(default_factory=list[Execution])
    splits: list[SplitPaid] = field(default_factory=list[SplitPaid])

    def held(self, column: int) -> Decimal:
        """Return the shares held, 0 when none."""
        return self.shares.get(column, ZERO)

    def equity(self, price: Callable[[int], Decimal]) -> Decimal:
        """Return cash plus all positions in dollars, to the cent, at the given price of each column."""
        return cents(self.cash + sum((held * price(column) for column, held in self.shares.items()), ZERO))

    def point(self, tape: Tape, row: int) -> Point:
        """Return the account at the newest closes of a session."""
        worth = [held * tape.worth(row, column) for column, held in self.shares.items()]
        gross = cents(sum((abs(each) for each in worth), ZERO))
        return Point(cents(self.cash + sum(worth, ZERO)), self.cash, gross)

    def book(self, column: int, done: Execution) -> None:
        """Write an execution down: shares come or go, and money the other way."""
        self.cash -= cents(done.side.sign * done.quantity * done.price) + done.fee
        self._keep(column, self.held(column) + done.side.sign * done.quantity)
        self.executions.append(done)

    def split(self, column: int, split: Split, price: Decimal) -> None:
        """Turn old shares into new ones; the fraction of a share is paid in cash at `price`."""
        held = self.held(column)
        if not held:
            return
        rest = remainder_of(held, split.ratio)
        paid = cents(rest * price)
        self.cash += paid
        self._keep(column, after_split(Holding(held, price), split.ratio, rest).quantity)
        self.splits.append(SplitPaid(split.symbol, split.session, split.ratio, rest, paid))

    def _keep(self, column: int, shares: Decimal) -> None:
        if shares:
            self.shares[column] = shares
        else:
            self.shares.pop(column, None)


def sides(shares: Decimal) -> tuple[Side, Side]:
    """Return the side that made a position, and the side that closes it."""
    return (Side.BUY, Side.SELL) if shares > 0 else (Side.SELL, Side.BUY)
