"""What must hold of the books afterwards, whatever was killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from trading_bot.config.typed_settings import load_config
from trading_bot.core.book import book_url
from trading_bot.core.main_orchestrator import MainOrchestrator
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.money import cents
from trading_bot.state import check_ledger, open_read_only

ALIKE = {  # what must be the same as in an undisturbed run
    "fills": "SELECT session, symbol, side, quantity, price, fee, client_order_id FROM fills ORDER BY 1, 2, 7",
    "equity": "SELECT session, cash, equity FROM equity ORDER BY 1",
    "positions": "SELECT symbol, quantity, average_price FROM positions ORDER BY 1",
    "orders": "SELECT client_order_id, status, filled FROM orders ORDER BY 1",
}

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Books:
    """A book and the broker's own."""

    url: str
    paper: Path

    @classmethod
    def of(cls, config: Path) -> Books:
        """Return the books that a settings file names."""
        settings = load_config(config)
        return cls(book_url(settings), settings.state.folder / "paper.db")

    def ask(self, query: str) -> Rows:
        """Ask the book."""
        with open_read_only(self.url) as book, book.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def ask_broker(self, query: str) -> Rows:
        """Ask the paper broker's database."""
        with closing(sqlite3.connect(self.paper)) as connection:
            return connection.execute(query).fetchall()

    def sessions(self) -> list[str]:
        """Return the sessions of completed cycles, in order; one that was traded twice twice."""
        return [day for (day,) in self.ask("SELECT session FROM cycles WHERE status = 'completed' ORDER BY 1")]


def broken(books: Books) -> list[str]:
    """Return every law that does not hold."""
    return [*_ledger(books), *_orders(books), *_days(books), *_lease(books)]


def _ledger(books: Books) -> list[str]:
    with open_read_only(books.url) as book:
        found = [f"{v.law}: {v.subject}: {v.message}" for v in check_ledger(book.engine)]
        ours = book.ledger.portfolio()
    theirs = books.ask_broker("SELECT symbol, quantity FROM paper_positions WHERE CAST(quantity AS REAL) <> 0")
    if sorted(theirs) != sorted((p.symbol, f"{p.quantity:f}") for p in ours.positions.values()):
        found.append(f"positions: {theirs} at the broker, {ours.positions} in the book")
    ((cash,),) = books.ask_broker("SELECT cash FROM paper_account")
    if cash != str(cents(ours.cash)):
        found.append(f"cash: {cash} at the broker, {ours.cash} in the book")
    return found


def _orders(books: Books) -> list[str]:
    """One order at the broker for each intent that was sent, and none without an intent."""
    ours = {
        name: (status, symbol, side, quantity)
        for name, status, symbol, side, quantity in books.ask(
            "SELECT o.client_order_id, o.status, i.symbol, i.side, i.quantity FROM orders o "
            "JOIN intents i ON i.client_order_id = o.client_order_id"
        )
    }
    rows = books.ask_broker("SELECT client_order_id, symbol, side, quantity FROM paper_orders")
    theirs = {name: values for name, *values in rows}
    found = [f"{len(rows) - len(theirs)} orders were doubled"] if len(rows) != len(theirs) else []
    found += [f"order {name} has no intent" for name in sorted(theirs.keys() - ours.keys())]
    for name, (status, *wanted) in ours.items():
        if name not in theirs:
            if status not in ("intended", "unknown", "expired_unsent"):
                found.append(f"order {name} is {status}, but the broker has never seen it")
        elif theirs[name] != wanted:
            found.append(f"order {name}: {theirs[name]} at the broker, {wanted} in the book")
        elif status == "expired_unsent":
            found.append(f"order {name} expired unsent in the book, but the broker has it")
    fills, booked = books.ask_broker("SELECT count(*) FROM paper_fills"), books.ask("SELECT count(*) FROM fills")
    return found if fills == booked else [*found, f"fills: {fills} at the broker, {booked} in the book"]


def _days(books: Books) -> list[str]:
    """Each day traded once, and none left out."""
    traded = books.sessions()
    if not traded:
        return ["no day was traded"]
    everything = [str(day) for day in Sample().sessions()]
    wanted = everything[everything.index(traded[0]) : everything.index(traded[-1]) + 1]
    return [] if traded == wanted else [f"days: {_odd(traded, wanted)} traded twice or left out"]


def _lease(books: Books) -> list[str]:
    held = books.ask("SELECT owner, token FROM lease WHERE owner IS NOT NULL")
    left = books.ask("SELECT cycle_id FROM cycles WHERE status = 'running'")
    return [f"the lease is still held by {owner}" for owner, _ in held] + [
        f"cycle {name} never ended" for (name,) in left
    ]


def undisturbed(config: Path, sessions: int) -> Path:
    """Trade as many sessions with the same settings, without any fault; return the settings file of that run."""
    import json

    settings = json.loads(config.read_text())
    calm = config.parent / "undisturbed"
    calm.mkdir(exist_ok=True)
    settings["state"] = {"folder": str(calm)}
    settings["broker"], settings["data"]["source"] = {"name": "paper"}, "sample"
    file = calm / "config.json"
    file.write_text(json.dumps(settings))
    MainOrchestrator(load_config(file)).run(cycles=sessions)
    return file


def different(struck: Books, calm: Books) -> list[str]:
    """Return what ended otherwise than in the undisturbed run. Both have traded the same days."""
    found = [
        f"{name}: {_odd(struck.ask(query), calm.ask(query))} otherwise than undisturbed"
        for name, query in ALIKE.items()
        if struck.ask(query) != calm.ask(query)
    ]
    cash = "SELECT cash, session FROM paper_account"
    return found if struck.ask_broker(cash) == calm.ask_broker(cash) else [*found, "the broker's cash differs"]


def _odd(found: Sequence[Any], wanted: Sequence[Any]) -> str:
    """Return the first few entries that are in one list only, or twice in one of them."""
    odd = [each for each in dict.fromkeys([*found, *wanted]) if found.count(each) != wanted.count(each)]
    return f"{odd[:4]}{' …' if len(odd) > 4 else ''}"
