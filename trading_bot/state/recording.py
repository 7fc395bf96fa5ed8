"""What every decision rested on: kept with it, in the same transaction, and read back to take it again.

What cycles share (settings, universe, bars) lies in chunks that are named by their content, each of them once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select

from trading_bot.domain.errors import StateCorrupt, StateError
from trading_bot.domain.inputs import Conditions, CycleRecord, Inputs
from trading_bot.domain.market import MarketHistory, MarketState, Symbol
from trading_bot.domain.snapshot import Piece, Pieces, as_kept, pack, unpack
from trading_bot.domain.tournament import Team
from trading_bot.state.schema import chunks, cycle_inputs, cycles
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SHARED = ("sectors", "splits")  # of the market: the same for many cycles
_CHUNKS = ("settings", "universe", "months", "recent", "newest")  # the columns that name one
_AT_ONCE = 500  # digests in one statement; databases have a limit
_DIGEST_BYTES = 32
_QUICK = 1  # how hard zlib tries: four times as fast as usual, for a tenth more room
_DAMAGED = "{what} is missing from the book, or damaged. Restore a backup of the book."

_INSERT_CHUNKS = insert(chunks)
_INSERT_INPUTS = insert(cycle_inputs)
_INPUTS = select(cycle_inputs).where(cycle_inputs.c.cycle_id == bindparam("id"))


def keep(connection: Connection, cycle_id: str, record: CycleRecord) -> None:
    """Write down what the cycle knew. What is there already is not written again."""
    history, cut = record.market.history, record.cut
    later = [piece for piece in (cut.recent, cut.newest) if piece]
    bodies: dict[str, bytes | Piece] = {piece.digest.hex(): piece for piece in (*cut.months, *later)}
    months = _named(bodies, b"".join(piece.digest for piece in cut.months))
    shared = {name: _plain(_market_fields()[name], getattr(record.market, name)) for name in SHARED}
    row = {
        "cycle_id": cycle_id,
        "settings": _named(bodies, record.conditions.settings.encode()),
        "universe": _named(bodies, _json({"symbols": history.symbols, **shared})),
        "months": months,
        "recent": cut.recent.digest.hex() if cut.recent else None,
        "newest": cut.newest.digest.hex(),
        "body": zlib.compress(_json(_of_this_cycle(record))),
    }
    # The months are there when the list of them is: so most cycles ask for a handful of digests only.
    if _missing(connection, [months]) == set():
        for piece in cut.months:
            del bodies[piece.digest.hex()]
    missing = _missing(connection, bodies)
    new = [
        {"digest": digest, "body": zlib.compress(_bytes(history, body), _QUICK)}
        for digest, body in bodies.items()
        if digest in missing
    ]
    if new:
        connection.execute(_INSERT_CHUNKS, new)
    connection.execute(_INSERT_INPUTS, row)


def forget(connection: Connection, *old: ColumnElement[bool]) -> None:
    """Remove what these cycles knew, and every chunk that no other one shares."""
    gone = select(cycles.c.cycle_id).where(*old)
    connection.execute(delete(cycle_inputs).where(cycle_inputs.c.cycle_id.in_(gone)))
    named = [cycle_inputs.c[name] for name in _CHUNKS]
    live = {digest for column in named for digest in connection.scalars(select(column).distinct())}
    lists = _read(connection, connection.scalars(select(cycle_inputs.c.months).distinct()))
    live.update(month.hex() for digests in lists.values() for month in _split(digests))
    garbage = sorted(set(connection.scalars(select(chunks.c.digest))) - live)
    for at in range(0, len(garbage), _AT_ONCE):
        connection.execute(delete(chunks).where(chunks.c.digest.in_(garbage[at : at + _AT_ONCE])))


class Recordings:
    """Reads what cycles knew."""

    def __init__(self, database: Database) -> None:
        """Take what `StateManager.open` made."""
        self._database = database

    def read(self, cycle_id: str) -> CycleRecord:
        """Return what the cycle knew when it decided, bit for bit.

        Raises:
            StateError: nothing was kept: it did not decide, or did so too long ago.
            StateCorrupt: what was kept is damaged.
        """
        with self._database.reading() as connection:
            row = connection.execute(_INPUTS, {"id": cycle_id}).one_or_none()
            if row is None:
                raise StateError(
                    f"The book does not have what cycle {cycle_id} knew: it did not decide, or it is older than "
                    "state.keep_days, or than this kind of record."
                )
            shared = _read(connection, [row.settings, row.universe, row.months])
            months = _split(shared[row.months])
            wanted = [*(month.hex() for month in months), *([row.recent] if row.recent else []), row.newest]
            found = _read(connection, wanted)
        universe = json.loads(shared[row.universe])
        symbols = tuple(Symbol(name) for name in universe.pop("symbols"))
        bars = [found[digest] for digest in wanted]
        recent = bytes.fromhex(row.recent) if row.recent else None
        cut = as_kept(months, recent, bytes.fromhex(row.newest), bars)
        own = json.loads(_unpacked(row.body, f"What cycle {cycle_id} knew"))
        return _record(unpack(symbols, bars), cut, universe, shared[row.settings].decode(), own)


def _of_this_cycle(record: CycleRecord) -> dict[str, Any]:
    own = {name: hint for name, hint in _market_fields().items() if name not in SHARED}
    market = {name: _plain(adapter, getattr(record.market, name)) for name, adapter in own.items()}
    return {
        "market": _without_nothing(market, "warnings"),
        "inputs": _without_nothing(_plain(_adapter(Inputs), record.inputs), "stories"),
        "team": _plain(_adapter(Team), record.conditions.team),
        "program": record.conditions.program,
        "window": record.window,
        "strategies": record.strategies,
        "exits_only": record.exits_only,
        "by_owner": record.by_owner,
    }


def _record(
    history: MarketHistory, cut: Pieces, shared: Mapping[str, Any], settings: str, own: Mapping[str, Any]
) -> CycleRecord:
    facts = {**shared, **own["market"]}
    market = MarketState(
        history=history, **{name: _market_fields()[name].validate_python(value) for name, value in facts.items()}
    )
    team = _adapter(Team).validate_python(own["team"])
    return CycleRecord(
        market=market,
        inputs=_adapter(Inputs).validate_python(own["inputs"]),
        conditions=Conditions(settings, team, own["program"]),
        cut=cut,
        window=own["window"],
        strategies=tuple(own["strategies"]),
        exits_only=own["exits_only"],
        by_owner=own["by_owner"],
    )


# ── values ────────────────────────────────────────────────────────────────────────────────────────


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # opening a book does not need it

    return TypeAdapter(kind)


@cache
def _market_fields() -> Mapping[str, TypeAdapter[Any]]:
    """Return how each field of a market is read, but for the history, which is kept in pieces."""
    hints = get_type_hints(MarketState)
    kept = [field.name for field in dataclasses.fields(MarketState) if field.init and field.name != "history"]
    return {name: _adapter(hints[name]) for name in kept}


def _plain(adapter: TypeAdapter[Any], value: object) -> Any:
    """Return what JSON can hold: Decimals as their digits, so that nothing is lost."""
    return adapter.dump_python(value, mode="json")


def _without_nothing(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Leave out what is hardly ever there: most cycles know nothing of it."""
    return document if document[name] else {key: value for key, value in document.items() if key != name}


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


# ── chunks ────────────────────────────────────────────────────────────────────────────────────────


def _named(bodies: dict[str, bytes | Piece], body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()
    bodies[digest] = body
    return digest


def _bytes(history: MarketHistory, body: bytes | Piece) -> bytes:
    return pack(history, body.rows) if isinstance(body, Piece) else body


def _split(digests: bytes) -> list[bytes]:
    return [digests[at : at + _DIGEST_BYTES] for at in range(0, len(digests), _DIGEST_BYTES)]


def _missing(connection: Connection, digests: Iterable[str]) -> set[str]:
    wanted = list(digests)
    known: set[str] = set()
    for at in range(0, len(wanted), _AT_ONCE):
        found = select(chunks.c.digest).where(chunks.c.digest.in_(wanted[at : at + _AT_ONCE]))
        known.update(connection.scalars(found))
    return set(wanted) - known


def _read(connection: Connection, digests: Iterable[str]) -> dict[str, bytes]:
    """Return the bodies. Raises StateCorrupt when one is missing or is not what its name says."""
    wanted = list(dict.fromkeys(digests))
    found: dict[str, bytes] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        query = select(chunks).where(chunks.c.digest.in_(wanted[at : at + _AT_ONCE]))
        found |= {row.digest: _unpacked(row.body, f"Chunk {row.digest}") for row in connection.execute(query)}
    for digest in wanted:
        if hashlib.sha256(found.get(digest, b"")).hexdigest() != digest:
            raise StateCorrupt(_DAMAGED.format(what=f"Chunk {digest}"))
    return found


def _unpacked(body: bytes, what: str) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error as error:
        raise StateCorrupt(_DAMAGED.format(what=what)) from error
