"""Files that are the old ones or the new ones after a power cut, and folders that one process writes to at a time."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of a file. When this returns, it survives a power cut.

    Whoever opens `path` meanwhile, and whatever happens, it is the old file or the new one, never a part.
    """
    written = path.with_suffix(".writing")
    with written.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)
    make_durable(path.parent)


def make_durable(*folders: Path) -> None:
    """Write down the names in these folders, where the system can."""
    if os.name != "posix":
        return
    for folder in folders:
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def held(path: Path) -> Generator[None]:
    """Hold the lock file `path`, made here if it is missing. The system lets go of it when the process ends.

    Raises:
        BlockingIOError: somebody else holds it.
    """
    import fcntl

    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
