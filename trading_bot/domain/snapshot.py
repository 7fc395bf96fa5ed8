"""A market history in pieces that are named by their content, so that one is kept once however many cycles saw it.

Complete months hardly ever change, the sessions of the newest month change once a day, and the newest session may
change every minute: so the rows are cut there.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import MarketHistory, Symbol
from trading_bot.domain.records import dataclass

_HEAD = struct.Struct("<II?")  # rows, columns, whether there is a sentiment
_FIELDS = 5  # open, high, low, close, volume


@dataclass(frozen=True, slots=True)
class Piece:
    """Some sessions in a row: the SHA-256 of what `pack` makes of them, and which rows they are."""

    digest: bytes
    rows: slice


@dataclass(frozen=True, slots=True)
class Pieces:
    """A history from its first session to its last."""

    months: tuple[Piece, ...]  # complete months, oldest first
    recent: Piece | None  # the newest month up to the session before the last
    newest: Piece  # the last session alone


def pieces(history: MarketHistory) -> Pieces:
    """Cut the history up. Raises ValueError on one without a session."""
    rows = len(history.sessions)
    if not rows:
        raise ValueError("a history without a session has no pieces")
    months = history.sessions.astype("datetime64[M]")
    begins = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist()]
    complete = tuple(_piece(history, slice(a, b)) for a, b in itertools.pairwise(begins))
    recent = _piece(history, slice(begins[-1], rows - 1)) if begins[-1] < rows - 1 else None
    return Pieces(complete, recent, _piece(history, slice(rows - 1, rows)))


def fingerprint(history: MarketHistory, cut: Pieces | None = None) -> str:
    """Return a SHA-256 over symbols, sessions, every bar and the sentiment: equal histories, equal text.

    `cut` is what `pieces` made of the history, where it is known. Raises ValueError on a history without a session.
    """
    found = cut or pieces(history)
    digest = hashlib.sha256("\x00".join(history.symbols).encode())
    for piece in (*found.months, found.recent, found.newest):
        digest.update(piece.digest if piece else b"")
    return digest.hexdigest()


def pack(history: MarketHistory, rows: slice) -> bytes:
    """Return the rows as bytes, sessions first, then field by field."""
    return b"".join(_parts(history, rows))


def unpack(symbols: tuple[Symbol, ...], bodies: Iterable[bytes]) -> MarketHistory:
    """Return the history that was packed in these bodies, oldest first.

    Raises:
        ValueError: a body is no such piece, or one of other symbols.
    """
    parts = [_unpacked(body, len(symbols)) for body in bodies]
    sessions = np.concatenate([part[0] for part in parts])
    fields = np.concatenate([part[1] for part in parts], axis=1)
    return MarketHistory(
        sessions.astype("datetime64[D]"),
        symbols,
        *fields[:_FIELDS],
        sentiment=fields[_FIELDS] if len(fields) > _FIELDS else None,
    )


def as_kept(months: Sequence[bytes], recent: bytes | None, newest: bytes, bodies: Iterable[bytes]) -> Pieces:
    """Return what `pieces` made of the history that was packed in these bodies, oldest first, from its digests."""
    lengths = [_HEAD.unpack_from(body)[0] for body in bodies]
    begins = itertools.accumulate(lengths, initial=0)
    rows = [slice(begin, begin + length) for begin, length in zip(begins, lengths, strict=False)]
    return Pieces(
        tuple(Piece(digest, place) for digest, place in zip(months, rows, strict=False)),
        Piece(recent, rows[-2]) if recent else None,
        Piece(newest, rows[-1]),
    )


def _piece(history: MarketHistory, rows: slice) -> Piece:
    digest = hashlib.sha256()
    for part in _parts(history, rows):
        digest.update(part)
    return Piece(digest.digest(), rows)


def _parts(history: MarketHistory, rows: slice) -> Iterator[bytes | memoryview]:
    """Yield what is hashed and kept, without a copy where memory lies in order anyway."""
    arrays = [history.open, history.high, history.low, history.close, history.volume]
    if history.sentiment is not None:
        arrays.append(history.sentiment)
    sessions = history.sessions[rows].astype("<i8")
    yield _HEAD.pack(len(sessions), len(history.symbols), history.sentiment is not None)
    yield sessions.tobytes()
    for array in arrays:
        yield np.ascontiguousarray(array[rows], dtype="<f8").data.cast("B") if array[rows].size else b""


def _unpacked(body: bytes, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the sessions, and the fields as (5 or 6, T, N): views of `body`."""
    rows, columns, has_sentiment = _HEAD.unpack_from(body)
    fields = _FIELDS + has_sentiment
    if columns != wanted or len(body) != _HEAD.size + 8 * rows * (1 + fields * columns):
        raise ValueError(f"{len(body)} bytes are no piece of {rows} sessions and {columns} symbols, wanted {wanted}")
    sessions = np.frombuffer(body, dtype="<i8", count=rows, offset=_HEAD.size)
    return sessions, np.frombuffer(body, dtype="<f8", offset=_HEAD.size + 8 * rows).reshape(fields, rows, columns)
