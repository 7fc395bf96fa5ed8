"""Trade for hours on real processes while they are killed at random, and check that nothing was doubled or lost.

    python scripts/soak.py --cycles 390 --interval 6 --kills 50 --seed 1 --report soak.md

docs/soak.md says what is done and how to read the result. Linux only: it looks for its processes in /proc.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # not scripts/: the soak is a package of the project's folder

from scripts.soaking.campaign import Campaign, carry_out  # noqa: E402
from scripts.soaking.plan import Plan  # noqa: E402
from scripts.soaking.report import as_json, markdown  # noqa: E402
from trading_bot.terminal import stop_on_signals  # noqa: E402

SOFT_FAULTS = 0.004  # of each call; a cycle makes about a dozen


class Options(argparse.Namespace):
    """What was typed."""

    cycles: int
    interval: int
    kills: int
    seed: int
    settle: float
    start: str
    folder: Path | None
    database: str
    only_kills: bool
    json: bool
    report: Path | None


def main() -> int:
    """Run the soak; 1 when a law was broken."""
    options = _parsed()
    stop_on_signals()  # whoever stops the soak stops everything that it has started
    logging.basicConfig(level=logging.ERROR)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bensbot-soak-"))
    say(f"soaking in {folder}")
    plan = Plan(
        interval=options.interval,
        start=options.start,
        seed=options.seed,
        soft_faults=0.0 if options.only_kills else SOFT_FAULTS,
    )
    campaign = Campaign(
        folder, plan, options.cycles, options.kills, options.settle, postgres=options.database == "postgres"
    )
    result = carry_out(campaign, say)
    if options.report is not None:
        options.report.write_text(markdown(result), encoding="utf-8")
    print(as_json(result) if options.json else markdown(result))
    return 1 if result.verdicts else 0


def say(line: str) -> None:
    """Tell whoever waits."""
    print(line, file=sys.stderr, flush=True)


def _parsed() -> Options:
    parser = argparse.ArgumentParser(description="Trade while processes are killed, and check the books afterwards.")
    parser.add_argument("--cycles", type=int, default=390, help="ticks to wait for (default: 390, a trading day)")
    parser.add_argument("--interval", type=int, default=6, help="seconds from tick to tick (default: 6)")
    parser.add_argument("--kills", type=int, default=50, help="kills in the first 60 %% of the time (default: 50)")
    parser.add_argument("--seed", type=int, default=1, help="which kills, and when")
    parser.add_argument("--settle", type=float, default=30.0, help="seconds of quiet after the last tick")
    parser.add_argument("--start", default="2020-06-01", help="first session that is traded (default: 2020-06-01)")
    parser.add_argument("--folder", type=Path, help="where everything is kept (default: a new temporary folder)")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite", help="what keeps the book")
    parser.add_argument("--only-kills", action="store_true", help="no lost answers, and compare with a calm replay")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--report", type=Path, help="write the table to this file, too")
    return parser.parse_args(namespace=Options())


if __name__ == "__main__":
    sys.exit(main())
