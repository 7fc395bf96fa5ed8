"""The records of the sandbox: orders, executions, and how it behaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Side

OPEN = frozenset({"new", "accepted", "pending_new", "partially_filled", "pending_cancel", "held"})


@dataclass(frozen=True, slots=True)
class SandboxOrder:
    """An order as the broker keeps it. `status` is one of Alpaca's words."""

    id: str
    client_order_id: str
    symbol: str
    side: Side
    type: str
    quantity: Decimal
    time_in_force: str
    status: str
    submitted_at: datetime
    updated_at: datetime
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    highest: Decimal | None = None  # dollars a share since a trailing stop came in; the lowest for a buy
    triggered: bool = False  # whether its stop was reached
    notional: Decimal | None = None  # dollars, where it is not over shares
    order_class: str = ""
    group: str = ""  # id of the order that it came with; the same for all of them
    extended_hours: bool = False
    filled: Decimal = ZERO
    paid: Decimal = ZERO  # dollars for what filled
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status in OPEN

    @property
    def waits_for_entry(self) -> bool:
        """Whether it is an exit whose entry has not filled."""
        return self.status == "held"

    @property
    def remaining(self) -> Decimal:
        """Shares that have not filled."""
        return self.quantity - self.filled


@dataclass(frozen=True, slots=True)
class Execution:
    """Shares that changed hands."""

    id: str
    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    filled_so_far: Decimal
    ordered: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the broker behaves beyond single requests."""

    hold_fills: bool = False  # nothing fills by itself; `SandboxExchange.fill` fills
    both_exits: bool = False  # the end of one exit comes too late for the other, a cancel for its order: both trade
    slow_cancel: bool = False  # a cancel is asked for, and not yet done: the order may fill meanwhile
    fills_twice: bool = False  # each execution is listed twice
    shuffled: bool = False  # executions are listed newest first, whatever was asked for
    status: str = ""  # what every order's status is said to be; "" tells the truth
    fields: dict[str, object] = field(default_factory=dict[str, object])  # of the account, in place of the true ones
    untradable: frozenset[str] = frozenset()
    whole_only: frozenset[str] = frozenset()  # symbols of which no part of a share can be had
    fees: str = ""  # on sales: "accrued" are off the cash at once, "overnight" when they are charged; "" are none
    late_activities: bool = False  # cash moves before the list of activities says why
    stream: str = ""  # "mute" tells of no order, "twice" of each event twice
    late_executions: bool = False  # orders say what filled before the list of executions does
