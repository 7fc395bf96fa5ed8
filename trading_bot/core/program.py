"""Which program decides: its version, and a hash of its code."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from functools import cache
from io import FileIO
from pathlib import Path

import trading_bot
from trading_bot.domain.plugins import installed_modules


@cache
def program() -> str:
    """Return `version sha256`: equal text, equal code."""
    return f"{trading_bot.__version__} {code_fingerprint()}"


@cache
def code_fingerprint() -> str:
    """Return the SHA-256 of every Python file of the bot, by name."""
    return _digest_of(Path(trading_bot.__file__).parent)


def whole_fingerprint() -> str:
    """Return the SHA-256 of the bot and of the packages that bring plug-ins along; the bot's own where none does."""
    digest = hashlib.sha256(code_fingerprint().encode())
    modules = installed_modules()
    for name in modules:
        digest.update(name.encode() + b"\x00" + _code_of(name))
    return digest.hexdigest() if modules else code_fingerprint()


def _code_of(module: str) -> bytes:
    """Return what stands for the code of a plug-in: its file, or where that lies in a package all of the package."""
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None:
        return b""
    if spec.submodule_search_locations:
        return "".join(_digest_of(Path(folder)) for folder in spec.submodule_search_locations).encode()
    return Path(spec.origin).read_bytes() if spec.origin and spec.has_location else b""


def _digest_of(root: Path) -> str:
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
