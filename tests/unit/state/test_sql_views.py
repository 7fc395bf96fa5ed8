from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.state.books import fill_a_book, open_desk

PAGE = (Path(__file__).parents[3] / "docs" / "sql.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
PROMISED = dict(re.findall(r"^\| `(v_\w+)` \| `([^`]+)` \|", PAGE, flags=re.MULTILINE))
VIEWS = {
    "v_fills": "session, symbol, side, quantity, price, fee, client_order_id, filled_at",
    "v_orders": "client_order_id, symbol, side, type, quantity, filled, status, reason",
    "v_decisions": "cycle_id, session, symbol, side, outcome, requested, approved, rule, reason",
    "v_cash": "number, session, kind, symbol, amount, balance, note",
    "v_equity": "session, cash, equity",
    "v_positions": "symbol, quantity, average_price",
    "v_cycles": "cycle_id, session, status, skipped_because, started_at, ended_at",
    "v_steps": "cycle_id, session, step, seconds",
    "v_slippage": "session, symbol, side, quantity, reference_price, price, bps, client_order_id",
    "v_news": "session, symbol, published_at, read_at, source, headline, score, impact, url, story_id",
    "v_rotations": "session, changed, criterion, members, reason, decided_at",
    "v_team": "session, strategy, options, weight",
    "v_rotation_scores": (
        "session, strategy, options, sessions_back, sharpe, sortino, total_return, drawdown, volatility, exposure, "
        "turnover"
    ),
}


@pytest.fixture(scope="module")
def filled(empty_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sql")
    path = folder / ".bensbot" / "bensbot.db"
    path.parent.mkdir()
    shutil.copy(empty_book, path)
    with open_desk(path) as desk:
        fill_a_book(desk)
    return path


@pytest.fixture
def reader(filled: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{filled}?mode=ro", uri=True)) as connection:
        yield connection


def test_the_page_promises_just_these_views_and_columns():
    assert PROMISED == VIEWS


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_the_promised_columns_in_their_order(reader: sqlite3.Connection, view: str):
    columns = [column[0] for column in reader.execute(f"SELECT * FROM {view}").description]

    assert ", ".join(columns) == VIEWS[view]


def test_the_page_has_examples():
    assert len(EXAMPLES) == 14


@pytest.mark.parametrize("query", EXAMPLES)
def test_every_example_of_the_page_runs(reader: sqlite3.Connection, query: str):
    rows = reader.execute(query).fetchall()

    assert rows


def test_the_python_example_of_the_page_runs(filled: Path, monkeypatch: pytest.MonkeyPatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(filled.parents[1])
    names: dict[str, object] = {}

    exec(code, names)

    assert names["cost"] == Decimal(200)  # 4 IBM at 50, the only position left


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_for_reading(filled: Path, view: str):
    with closing(sqlite3.connect(filled)) as connection, pytest.raises(sqlite3.OperationalError, match="cannot modify"):
        connection.execute(f"DELETE FROM {view}")


def test_money_and_quantities_are_text_without_a_lost_digit(reader: sqlite3.Connection):
    rows = reader.execute("SELECT quantity, price, fee FROM v_fills WHERE symbol = 'AAPL' AND side = 'buy'")

    assert set(rows) == {("3", "100", "0.35"), ("4", "101.25", "0.001")}


def test_decisions_say_what_became_of_every_signal(reader: sqlite3.Connection):
    rows = reader.execute(
        "SELECT symbol, outcome, requested, approved, rule FROM v_decisions WHERE cycle_id = 'monday' ORDER BY symbol"
    )

    assert rows.fetchall() == [
        ("AAPL", "approved", "7", "7", ""),
        ("IBM", "resized", "20", "10", "max_position"),
        ("MSFT", "rejected", "5", "0", "max_position"),
    ]


def test_positions_of_zero_shares_are_not_listed(reader: sqlite3.Connection):
    assert reader.execute("SELECT * FROM v_positions").fetchall() == [("IBM", "4", "50")]


def test_equity_and_cycles_read_as_written(reader: sqlite3.Connection):
    assert reader.execute("SELECT * FROM v_equity ORDER BY session").fetchall() == [
        ("2024-01-08", "9094.65", "10003.40"),
        ("2024-01-09", "9128.65", "10008.65"),
    ]
    assert reader.execute("SELECT session, status, skipped_because, started_at FROM v_cycles").fetchall()[-1] == (
        "2024-01-11",
        "skipped",
        "market_closed",
        "2024-01-05T17:00:00.000000+00:00",
    )


def test_steps_read_as_numbers_beside_their_session(reader: sqlite3.Connection):
    assert reader.execute("SELECT * FROM v_steps ORDER BY seconds").fetchall() == [
        ("monday", "2024-01-08", "generate_signals", 0.000015),
        ("monday", "2024-01-08", "settle_orders", 0.25),
    ]


def test_slippage_is_told_for_each_fill_with_a_reference_price(reader: sqlite3.Connection):
    rows = reader.execute("SELECT symbol, side, price, reference_price, ROUND(bps, 6) FROM v_slippage ORDER BY 2, 3")

    assert rows.fetchall() == [
        ("AAPL", "buy", "100", "100", 0.0),
        ("AAPL", "buy", "101.25", "100", 125.0),
        ("AAPL", "sell", "70", "100", 3000.0),
    ]


def test_the_team_is_the_one_the_newest_rotation_chose(reader: sqlite3.Connection):
    assert reader.execute("SELECT * FROM v_team").fetchall() == [
        ("2024-01-08", "momentum", '{"lookback":252,"top":0.3}', 1.0)
    ]
    assert reader.execute("SELECT session, changed, criterion, members, reason FROM v_rotations").fetchall() == [
        ("2024-01-08", "yes", "sharpe", 1, "The team is now momentum(lookback=252, top=0.3) 100%.")
    ]


def test_scores_read_as_numbers_and_what_cannot_be_computed_as_null(reader: sqlite3.Connection):
    query = "SELECT strategy, sessions_back, sharpe, drawdown FROM v_rotation_scores ORDER BY strategy, sessions_back"

    assert reader.execute(query).fetchall() == [
        ("momentum", 90, 1.25, 0.05),
        ("momentum", 504, 0.75, 0.2),
        ("sma_cross", 90, None, 0.0),
        ("sma_cross", 504, 0.1 + 0.2, 0.12),
    ]
