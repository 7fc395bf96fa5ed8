"""A check that cannot fail checks nothing: every law is broken once, by raw SQL, and must be named."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.unit.state.books import Desk, fill_a_book, open_desk
from trading_bot.state import audit_money, audit_trading, check_ledger, open_read_only

IBM = "'bb-monday-IBM-buy-entry'"
AAPL = "'bb-monday-AAPL-buy-entry'"


@pytest.fixture(scope="module")
def full_book(empty_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "book.db"
    shutil.copy(empty_book, path)
    with open_desk(path) as desk:
        fill_a_book(desk)
    return path


@pytest.fixture
def path(full_book: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "book.db"
    shutil.copy(full_book, copied)
    return copied


@pytest.fixture
def broken(path: Path) -> Iterator[Desk]:
    with open_desk(path) as desk:
        yield desk


def test_a_sound_book_has_no_violations(broken: Desk):
    assert check_ledger(broken.book.engine) == ()


BREAKS = [
    (audit_trading.ONE_DECISION, "monday #2", "DELETE FROM decisions WHERE number = 2"),
    (audit_trading.ONE_DECISION, "monday #2", "DELETE FROM signals WHERE number = 2"),
    (audit_trading.APPROVED_WITHIN_REQUESTED, "monday #1", "UPDATE decisions SET requested = '9' WHERE number = 1"),
    (audit_trading.APPROVED_WITHIN_REQUESTED, "monday #2", "UPDATE decisions SET approved = '1' WHERE number = 2"),
    (audit_trading.APPROVED_WITHIN_REQUESTED, "monday #1", "UPDATE decisions SET outcome='approved' WHERE number = 1"),
    (audit_trading.INTENT_AS_APPROVED, "monday #1", f"UPDATE intents SET quantity='11' WHERE client_order_id={IBM}"),
    (audit_trading.INTENT_AS_APPROVED, "monday #1", f"DELETE FROM intents WHERE client_order_id={IBM}"),
    (audit_trading.ORDER_AND_INTENT, "bb-monday-IBM-buy-entry", f"DELETE FROM intents WHERE client_order_id={IBM}"),
    (audit_trading.ORDER_AND_INTENT, "bb-monday-IBM-buy-entry", f"DELETE FROM orders WHERE client_order_id={IBM}"),
    (audit_trading.ENTRY_WHILE_ACTIVE, "bb-monday-AAPL-buy-entry", "UPDATE cycles SET state = 'reducing'"),
    (audit_trading.FILL_HAS_ORDER, "bb-monday-IBM-buy-entry-4-50", f"DELETE FROM orders WHERE client_order_id={IBM}"),
    (
        audit_trading.FILLED_IS_SUM,
        "bb-monday-IBM-buy-entry",
        f"UPDATE orders SET filled='3' WHERE client_order_id={IBM}",
    ),
    (audit_trading.FILLED_IS_SUM, "bb-monday-AAPL-buy-entry", "UPDATE fills SET quantity = '2' WHERE quantity = '3'"),
    (
        audit_trading.FILLED_WITHIN_ORDERED,
        "bb-monday-AAPL-buy-entry",
        f"UPDATE intents SET quantity = '6' WHERE client_order_id = {AAPL}",
    ),
    (
        audit_trading.FINAL_IS_FINAL,
        "bb-monday-IBM-buy-entry",
        f"UPDATE orders SET status = 'expired_unsent' WHERE client_order_id = {IBM}",
    ),
    (
        audit_trading.FINAL_IS_FINAL,
        "bb-monday-IBM-buy-entry",
        f"UPDATE orders SET status = 'filled' WHERE client_order_id = {IBM}",
    ),
    (
        audit_trading.FINAL_IS_FINAL,
        "bb-monday-IBM-buy-entry",
        f"UPDATE orders SET settled = true WHERE client_order_id = {IBM}",
    ),
    (audit_money.POSITION_IS_SUM, "IBM", "UPDATE positions SET quantity = '5' WHERE symbol = 'IBM'"),
    (audit_money.POSITION_IS_SUM, "IBM", "DELETE FROM positions WHERE symbol = 'IBM'"),
    (audit_money.POSITION_IS_SUM, "AAPL", "DELETE FROM fills WHERE quantity = '3'"),
    (audit_money.POSITION_IS_SUM, "AAPL", "DELETE FROM corporate_actions"),
    (audit_money.AVERAGE_PRICE, "IBM", "UPDATE positions SET average_price = '50.01' WHERE symbol = 'IBM'"),
    (audit_money.SPLIT_ADDS_UP, "AAPL 2024-01-09", "UPDATE corporate_actions SET remainder = '0.4'"),
    (audit_money.SPLIT_ADDS_UP, "AAPL 2024-01-09", "UPDATE corporate_actions SET price = '69'"),
    (audit_money.CASH_RUNS, "cash row 3", "UPDATE cash_ledger SET balance = '1' WHERE number = 3"),
    (audit_money.CASH_RUNS, "cash row 4", "DELETE FROM cash_ledger WHERE number = 3"),
    (audit_money.CASH_RUNS, "cash row 7", "UPDATE cash_ledger SET amount='0.001', balance='9128.651' WHERE number=7"),
    (audit_money.CASH_OF_DEPOSIT, "account", "UPDATE account SET opening_cash = '10000.01'"),
    (audit_money.CASH_OF_DEPOSIT, "account", "UPDATE cash_ledger SET kind = 'DEPOSIT' WHERE number = 2"),
    (audit_money.CASH_OF_FILL, "bb-monday-IBM-buy-entry-4-50", "DELETE FROM cash_ledger WHERE amount = '-200.00'"),
    (
        audit_money.CASH_OF_FILL,
        "bb-monday-IBM-buy-entry-4-50",
        "UPDATE cash_ledger SET amount = '-200.01' WHERE amount = '-200.00'",
    ),
    (audit_money.CASH_OF_FILL, "bb-monday-AAPL-buy-entry-3-100", "DELETE FROM cash_ledger WHERE kind = 'FEE'"),
    (audit_money.CASH_OF_FILL, "made up", "UPDATE cash_ledger SET execution_id = 'made up' WHERE number = 2"),
    (audit_money.CASH_OF_SPLIT, "AAPL 2024-01-09", "DELETE FROM cash_ledger WHERE kind = 'CASH_IN_LIEU'"),
    (audit_money.CASH_OF_SPLIT, "AAPL 2024-01-09", "DELETE FROM corporate_actions"),
    (audit_money.CASH_OF_ACTIVITY, "div-1", "UPDATE cash_ledger SET amount = '5.95' WHERE kind = 'DIVIDEND'"),
    (audit_money.CASH_OF_ACTIVITY, "div-1", "UPDATE cash_activities SET total = '6.00' WHERE activity_id = 'div-1'"),
    (audit_money.CASH_OF_ACTIVITY, "cash row 8", "DELETE FROM cash_activities WHERE activity_id = 'div-1'"),
    (audit_money.EQUITY_TIES, "2024-01-08", "UPDATE equity SET cash = '9094.66' WHERE session = '2024-01-08'"),
]


@pytest.mark.parametrize(("law", "subject", "sql"), BREAKS)
def test_every_broken_law_is_named_with_its_row(broken: Desk, law: str, subject: str, sql: str):
    broken.break_with(sql)

    assert (law, subject) in {(each.law, each.subject) for each in check_ledger(broken.book.engine)}


def test_an_execution_booked_twice_is_named(broken: Desk):
    broken.break_with(  # the table's key forbids it, so the key has to go first
        "PRAGMA legacy_alter_table = ON",
        "CREATE TABLE copied AS SELECT * FROM fills",
        "DROP TABLE fills",
        "ALTER TABLE copied RENAME TO fills",
        "INSERT INTO fills SELECT * FROM fills WHERE symbol = 'IBM'",
    )

    found = {(each.law, each.subject) for each in check_ledger(broken.book.engine)}

    assert (audit_trading.FILL_ONCE, "bb-monday-IBM-buy-entry-4-50") in found


def test_every_law_is_broken_by_some_test():
    laws = {
        value
        for module in (audit_money, audit_trading)
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }

    assert laws == {law for law, _, _ in BREAKS} | {audit_trading.FILL_ONCE}


def test_a_violation_says_what_was_found_and_what_was_wanted(broken: Desk):
    broken.break_with("UPDATE positions SET quantity = '5' WHERE symbol = 'IBM'")

    (violation,) = check_ledger(broken.book.engine)

    assert violation.message == "5 shares, its fills make 4"


def test_a_book_is_checked_through_a_connection_or_read_only_too(path: Path):
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert check_ledger(connection) == ()
    engine.dispose()

    with open_read_only(f"sqlite:///{path}") as book:
        assert check_ledger(book.engine) == ()
