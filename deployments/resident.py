"""Serve as the second process of `bensbot up`, and keep the logs of both small.

Started as `python -m deployments.resident ROOM [CONFIG]`.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from deployments.place import ServerRoom
from deployments.processes import keep_small

SECONDS_BETWEEN_LOOKS = 60.0


def watch_logs(room: ServerRoom, over: threading.Event) -> None:
    """Cut the logs whenever they have grown too big, until it is over."""
    while not over.wait(SECONDS_BETWEEN_LOOKS):
        for log in (room.server_log, room.loop_log):
            keep_small(log)


def main(room: Path, config: Path | None) -> None:
    """Serve until stopped; the environment says on which server."""
    over = threading.Event()
    threading.Thread(target=watch_logs, args=(ServerRoom(room), over), daemon=True, name="logs").start()
    from deployments.serve import serve

    try:
        serve(config)
    finally:
        over.set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
