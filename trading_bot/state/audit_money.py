"""The laws of owning: positions, cash and equity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, select

from trading_bot.domain.cash import CashKind
from trading_bot.domain.holdings import NOTHING, Event, Holding, SplitBooked, Traded, remainder_of, replay
from trading_bot.domain.money import ZERO, cents
from trading_bot.state.records import Violation
from trading_bot.state.schema import account, cash_activities, cash_ledger, corporate_actions, equity, fills, positions

POSITION_IS_SUM = "position is the sum of fills and splits"
AVERAGE_PRICE = "average price is the average cost of the fills"
SPLIT_ADDS_UP = "a split keeps whole shares and pays the rest"
CASH_RUNS = "each balance is the one before plus the amount"
CASH_OF_DEPOSIT = "the first cash row is the account's opening deposit, and the only one"
CASH_OF_FILL = "every fill has one cash row of its amount, and one of its fee"
CASH_OF_SPLIT = "every remainder of a split has one cash row of its amount"
CASH_OF_ACTIVITY = "every movement that is no trade has one cash row, and its movements make what the broker listed"
EQUITY_TIES = "the cash of an equity point is the cash that was booked"

_OF_ACTIVITIES = frozenset(kind.value for kind in CashKind) - {CashKind.FEE.value}  # a fill may have a fee, too


def violations(connection: Connection) -> Iterator[Violation]:
    """Yield what is wrong with positions, splits, cash and equity."""
    yield from _positions(connection)
    ledger = list(connection.execute(select(cash_ledger).order_by(cash_ledger.c.number)))
    yield from _balances(ledger)
    yield from _deposit(connection, ledger)
    activities = {row.number: row for row in connection.execute(select(cash_activities))}
    yield from _cash_of_activities(activities, ledger)
    yield from _cash_of_fills(connection, [row for row in ledger if row.number not in activities])
    yield from _splits(connection, ledger)
    yield from _equity(connection, ledger)


def _positions(connection: Connection) -> Iterator[Violation]:
    events: defaultdict[str, list[Event]] = defaultdict(list)
    for row in connection.execute(select(fills)):
        events[row.symbol].append(Traded(row.session, row.number, row.side, row.quantity, row.price))
    for row in connection.execute(select(corporate_actions)):
        events[row.symbol].append(SplitBooked(row.session, row.number, row.ratio, row.remainder))
    kept = {row.symbol: Holding(row.quantity, row.average_price) for row in connection.execute(select(positions))}
    for symbol in sorted(kept.keys() | events.keys()):
        found, wanted = kept.get(symbol, NOTHING), replay(events[symbol])
        if found.quantity != wanted.quantity:
            yield Violation(POSITION_IS_SUM, symbol, f"{found.quantity} shares, its fills make {wanted.quantity}")
        elif found.average_price != wanted.average_price:
            message = f"{found.average_price} dollars a share, its fills make {wanted.average_price}"
            yield Violation(AVERAGE_PRICE, symbol, message)


def _balances(ledger: list[Row[Any]]) -> Iterator[Violation]:
    balance = ZERO
    for expected, row in enumerate(ledger, start=1):
        balance += row.amount
        if row.number != expected:
            yield Violation(CASH_RUNS, f"cash row {row.number}", f"row {expected} is missing before it")
            return
        if row.balance != balance or row.amount != cents(row.amount):
            message = f"balance {row.balance} after {row.amount}, wanted {balance}, to the cent"
            yield Violation(CASH_RUNS, f"cash row {row.number}", message)
            return  # every balance after it is wrong for the same reason


def _deposit(connection: Connection, ledger: list[Row[Any]]) -> Iterator[Violation]:
    opening = [row.opening_cash for row in connection.execute(select(account))]
    found = [row.amount for row in ledger if row.kind == "DEPOSIT"]
    first_is_deposit = not ledger or ledger[0].kind == "DEPOSIT"
    if opening != found or not first_is_deposit:
        yield Violation(CASH_OF_DEPOSIT, "account", f"deposits {_sums(found)}, opening cash {_sums(opening)}")


def _cash_of_fills(connection: Connection, ledger: list[Row[Any]]) -> Iterator[Violation]:
    found: defaultdict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    for row in ledger:
        if row.kind in ("FILL", "FEE"):
            found[row.execution_id or "none"].append((row.kind, row.amount))
    wanted = {row.execution_id: _wanted_of(row) for row in connection.execute(select(fills))}
    for execution_id in sorted(found.keys() | wanted.keys()):
        rows = sorted(found[execution_id])
        if rows != wanted.get(execution_id):
            message = f"cash rows {_named(rows)}, wanted {_named(wanted.get(execution_id, []))}"
            yield Violation(CASH_OF_FILL, execution_id, message)


def _cash_of_activities(activities: dict[int, Row[Any]], ledger: list[Row[Any]]) -> Iterator[Violation]:
    cash = {row.number: row for row in ledger}
    booked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for number, row in sorted(activities.items()):
        booked[row.activity_id] += row.amount
        found = cash.get(number)
        if found is None or (found.kind, found.amount, found.execution_id) != (row.kind, row.amount, None):
            there = "no such row" if found is None else f"{found.kind} {found.amount}"
            message = f"cash row {number} is {there}, wanted {row.kind} {row.amount}"
            yield Violation(CASH_OF_ACTIVITY, row.activity_id, message)
        if (row.shares is not None) != (row.kind == CashKind.EXTERNAL) and not row.amount.is_zero():
            message = f"{row.kind} with {row.shares} shares; only what others trade has shares"
            yield Violation(CASH_OF_ACTIVITY, row.activity_id, message)
        if booked[row.activity_id] != row.total:
            message = f"{booked[row.activity_id]} dollars are booked, the broker listed {row.total}"
            yield Violation(CASH_OF_ACTIVITY, row.activity_id, message)
    for row in ledger:
        if row.kind in _OF_ACTIVITIES and row.number not in activities:
            yield Violation(CASH_OF_ACTIVITY, f"cash row {row.number}", f"{row.kind} {row.amount} that nobody listed")


def _wanted_of(fill: Row[Any]) -> list[tuple[str, Decimal]]:
    trade = ("FILL", cents(-fill.side.sign * fill.quantity * fill.price))
    fee = cents(fill.fee)
    return sorted([trade, ("FEE", -fee)] if fee else [trade])


def _splits(connection: Connection, ledger: list[Row[Any]]) -> Iterator[Violation]:
    paid: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for row in ledger:
        if row.kind == "CASH_IN_LIEU":
            paid[row.symbol, str(row.session)].append(row.amount)
    for row in connection.execute(select(corporate_actions)):
        subject = f"{row.symbol} {row.session}"
        if row.remainder != remainder_of(row.quantity, row.ratio) or row.cash != cents(row.remainder * row.price):
            message = (
                f"{row.quantity} x {row.ratio} leaves {row.remainder} shares at {row.price} for {row.cash} dollars"
            )
            yield Violation(SPLIT_ADDS_UP, subject, message)
        found = paid.pop((row.symbol, str(row.session)), [])
        if found != ([row.cash] if row.cash else []):
            yield Violation(CASH_OF_SPLIT, subject, f"paid {_sums(found)}, wanted {row.cash}")
    for (symbol, session), amounts in paid.items():
        yield Violation(CASH_OF_SPLIT, f"{symbol} {session}", f"paid {_sums(amounts)} without a split")


def _equity(connection: Connection, ledger: list[Row[Any]]) -> Iterator[Violation]:
    balances = {row.number: row.balance for row in ledger}
    for row in connection.execute(select(equity)):
        if row.cash != balances.get(row.cash_rows, ZERO):
            message = f"{row.cash} dollars, the ledger had {balances.get(row.cash_rows, 'no such row')}"
            yield Violation(EQUITY_TIES, str(row.session), message)


def _sums(amounts: list[Decimal]) -> str:
    return " + ".join(str(amount) for amount in amounts) or "nothing"


def _named(rows: list[tuple[str, Decimal]]) -> str:
    return ", ".join(f"{kind} {amount}" for kind, amount in rows) or "none"
