"""What the commands cost: `python benchmarks/commands.py`.

Each command is a whole process, measured by the operating system's own account of it (CPU seconds, wall
seconds, peak memory). The baseline is a process that only imports the libraries a cycle cannot do
without. Both run in turn, A B A B, and the medians are compared.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 5
BASELINE = ["-c", "import numpy, pydantic, sqlalchemy, rich.console, cyclopts"]
NOTHING = ["-c", "pass"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one finished process took."""

    cpu: float  # seconds
    wall: float  # seconds
    memory: float  # MB, peak


def measure(arguments: list[str], folder: Path) -> Cost:
    """Run one Python process to its end and return its cost. Raises RuntimeError when it fails."""
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{arguments} ended with status {status}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024)


def compare(name: str, command: list[str], baseline: list[str], *, limits: str) -> None:
    """Print the command's medians, and their ratio to the baseline's in the same run."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        measure(command, folder)  # compiles bytecode, makes the book
        pairs = [(measure(command, folder), measure(baseline, folder)) for _ in range(ROUNDS)]
    ours, theirs = zip(*pairs, strict=True)
    cpu, wall = statistics.median(c.cpu for c in ours), statistics.median(c.wall for c in ours)
    memory = statistics.median(c.memory for c in ours)
    ratio = cpu / statistics.median(c.cpu for c in theirs)
    print(
        f"{name:28} {cpu:6.2f} s CPU  {wall:6.2f} s  {memory:5.0f} MB  {ratio:5.2f} x baseline CPU   wanted: {limits}"
    )


def main() -> None:
    cli = ["-c", "import sys; from trading_bot.cli import main; main()"]
    print(f"medians of {ROUNDS}, A B A B; baseline of a cycle: importing the libraries it stands on")
    compare("bensbot run --once", [*cli, "run", "--once"], BASELINE, limits="<= 4 s CPU, <= 180 MB")
    compare("bensbot --help", [*cli, "--help"], NOTHING, limits="<= 0.5 s")
    compare("bensbot config show", [*cli, "config", "show"], NOTHING, limits="no limit")


if __name__ == "__main__":
    main()
