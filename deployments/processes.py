"""Processes that outlive the command that started them: find them again, and end just these.

The system gives a process number out again. So a process is remembered together with the instant it was born, and one
that was born at another instant is somebody else's.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trading_bot.domain.errors import BensBotError

POLL_SECONDS = 0.1
OWNER_ONLY = 0o600
BORN_FIELD = 19  # of /proc/<pid>/stat behind the name: clock ticks from the machine's start to the process's
BIGGEST_LOG = 5_000_000  # bytes


class Unfinished(BensBotError):
    """A process did not end, or not in time."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, for good: the number alone would be given out again."""

    pid: int
    born: str

    @property
    def lives(self) -> bool:
        """Whether it still runs. One that has ended and was not yet collected does not."""
        return born(self.pid) == self.born

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; False when it has not."""
        deadline = time.monotonic() + seconds
        while self.lives:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def end(self, *, grace_seconds: float) -> None:
        """Ask it to end, and make it and what it started end after the grace. It leads a group of its own."""
        if not self.lives:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
            if self.wait(grace_seconds):
                return
            os.killpg(self.pid, signal.SIGKILL)
        if not self.wait(grace_seconds):
            raise Unfinished(f"Process {self.pid} does not end, not even by force.")


def born(pid: int) -> str | None:
    """Return when the process was born, in the system's own words; None when there is none or it has ended."""
    if not Path("/proc/self/stat").exists():
        return _born_elsewhere(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else f"{boot}:{fields[BORN_FIELD]}"


def _born_elsewhere(pid: int) -> str | None:
    asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  # a number is all we add
    status, _, began = done.stdout.strip().partition(" ")
    return None if not began or status.startswith("Z") else began.strip()


def start(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], detached: bool = True
) -> subprocess.Popen[bytes]:
    """Start a process that writes to `log` only; files that it makes are for its owner.

    It leads a group of its own, so that the terminal's Ctrl-C is not for it. A detached one gets a session
    of its own and outlives the terminal.
    """
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
    try:
        return subprocess.Popen(  # noqa: S603  # our own interpreter and modules
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=detached,
            process_group=None if detached else 0,
            umask=0o077,
        )
    finally:
        os.close(file)


def remember(process: Process, file: Path) -> None:
    """Write down which process it is."""
    write_private(file, json.dumps({"pid": process.pid, "born": process.born}))


def remembered(file: Path) -> Process | None:
    """Return the process that was written down if it still lives, else None."""
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
        process = Process(int(noted["pid"]), str(noted["born"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # none, or cut off by a power failure
        return None
    return process if process.lives else None


def write_private(file: Path, text: str) -> None:
    """Replace the file as a whole; only its owner may read it, from its first byte on."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)


def keep_small(log: Path, biggest: int = BIGGEST_LOG) -> None:
    """Move a log that has grown too big to `<name>.1` and begin it anew. Its writers append, and notice nothing."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > biggest:
            old = log.with_name(f"{log.name}.1")
            old.touch(OWNER_ONLY)
            shutil.copyfile(log, old)
            os.truncate(log, 0)


def last_lines(log: Path, count: int = 5) -> str:
    """Return the last words of a log in one line."""
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except FileNotFoundError:
        lines = []
    return " / ".join([line for line in lines if line][-count:]) or "it wrote nothing."
