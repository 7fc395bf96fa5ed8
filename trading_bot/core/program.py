"""Which program decides: its version, and a hash of its code."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import trading_bot


@cache
def program() -> str:
    """Return `version sha256`: equal text, equal code."""
    return f"{trading_bot.__version__} {code_fingerprint()}"


@cache
def code_fingerprint() -> str:
    """Return the SHA-256 of every Python file of the bot, by name."""
    root = Path(trading_bot.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py"), key=lambda found: found.relative_to(root).as_posix()):
        digest.update(file.relative_to(root).as_posix().encode() + b"\x00" + file.read_bytes() + b"\x00")
    return digest.hexdigest()
