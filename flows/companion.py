"""Become the Prefect server of one run, and die with the process that started it.

Run as a program with `python -P companion.py PARENT_PID ARGUMENT…`; the arguments are those of `prefect`.
Nothing of the project is imported here but `flows.prefect_server` and its needs: every import would delay the server.
"""

import gc
import os
import runpy
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1  # prctl(2)
POLL_SECONDS = 0.5


def die_with(parent: int) -> None:
    """End this process as soon as `parent` ends, even when `parent` had no time to say so.

    Linux kills us itself. Elsewhere a thread looks whether we still have the same parent.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it ended before we asked
        raise SystemExit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    gc.set_threshold(50_000)  # a tenth of the start is spent on looking for garbage among what was just imported
    die_with(int(sys.argv[1]))
    sys.argv = sys.argv[1:]
    runpy.run_module("flows.prefect_server", run_name="__main__", alter_sys=True)
