"""What moves cash at the sandbox beside trades: fees on sales, dividends, deposits and withdrawals."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal

from trading_bot.domain.money import CENT, ZERO
from trading_bot.domain.orders import Side
from trading_bot.sandbox.orders import Execution

# docs.alpaca.markets/docs/regulatory-fees: kept in account during the day, charged once a day, each kind rounded up.
REG = Decimal("0.0000278")  # of the dollars sold: SEC section 31 as of May 2024
TAF, MOST_TAF = Decimal("0.000166"), Decimal("8.30")  # dollars a share sold, and the most for one trade: FINRA


@dataclass(frozen=True, slots=True)
class Movement:
    """One activity that is no trade. `type` and `sub_type` are Alpaca's words."""

    id: str
    type: str
    sub_type: str
    amount: Decimal  # dollars, positive when money came in
    day: date
    created_at: datetime
    symbol: str = ""
    quantity: Decimal | None = None  # shares that a dividend is paid for
    status: str = "executed"


class Till:
    """The account's cash. Who calls it has the exchange's lock."""

    def __init__(self, cash: Decimal, names: uuid.UUID, account_id: str) -> None:
        """Begin with `cash` dollars."""
        self.cash = cash
        self.movements: list[Movement] = []  # oldest first
        self._names, self._account_id = names, account_id
        self._accrued: dict[tuple[date, str], Decimal] = {}  # dollars by day and kind of fee, not rounded

    @property
    def accrued(self) -> Decimal:
        """Dollars of fees that will be charged, each kind of each day rounded up."""
        return sum((_up(amount) for amount in self._accrued.values()), ZERO)

    def accrue(self, execution: Execution) -> None:
        """Keep the fees of a sale in account; a purchase has none."""
        if execution.side is not Side.SELL:
            return
        taf = min(execution.quantity * TAF, MOST_TAF)
        for kind, amount in (("REG", execution.quantity * execution.price * REG), ("TAF", taf)):
            key = (execution.at.date(), kind)
            self._accrued[key] = self._accrued.get(key, ZERO) + amount

    def charge(self, now: datetime, *, at_once: bool = False) -> None:
        """Charge the fees of the days before; of this day too where `at_once`."""
        for day, kind in [key for key in self._accrued if at_once or key[0] < now.date()]:
            amount = _up(self._accrued.pop((day, kind)))
            midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
            self.move(Movement("", "FEE", kind, -amount, day, min(midnight, now)))

    def move(self, wanted: Movement) -> Movement:
        """Pay money in or out, and list it under an id of its own."""
        number = len(self.movements) + 1
        name = uuid.uuid5(self._names, f"{self._account_id} activity {number}")
        done = replace(wanted, id=f"{wanted.day:%Y%m%d}000000000::{name}")
        self.movements.append(done)
        self.cash += done.amount
        return done

    def take_back(self, activity_id: str) -> Movement:
        """Undo a movement: it stays in the list as canceled. Raises KeyError for an id never seen."""
        for place, movement in enumerate(self.movements):
            if movement.id == activity_id and movement.status == "executed":
                self.movements[place] = replace(movement, status="canceled")
                self.cash -= movement.amount
                return self.movements[place]
        raise KeyError(activity_id)


def _up(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_UP)
