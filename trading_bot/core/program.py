"""Which program decides: its version, and a hash of its code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from io import FileIO
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
    for name in sorted(_python_files(root)):
        with FileIO(f"{root}/{name}") as file:  # 400 times, so without a buffer and without a `Path`
            digest.update(name.encode() + b"\x00" + file.readall() + b"\x00")
    return digest.hexdigest()


def _python_files(root: Path) -> Iterator[str]:
    """Yield where they lie in `root`, with `/` on every system; as text, which is less work than by `Path`."""
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if name != "__pycache__"]
        place = Path(folder).relative_to(root).as_posix()
        yield from (f"{place}/{name}".removeprefix("./") for name in names if name.endswith(".py"))
