"""Who holds the lease: a text that names host, process and run, and whether that process still lives."""

from __future__ import annotations

import os
import platform
from uuid import uuid4

THIS_PROCESS = uuid4().hex[:12]  # a process number is given out again, in a container always the same one


def owner_of(run_id: str) -> str:
    """Return the text under which this process takes the lease for one run."""
    return f"{platform.node()}:{os.getpid()}:{THIS_PROCESS}:{run_id}"


def is_of(owner: str, run_id: str) -> bool:
    """Say whether the lease was taken for this run."""
    return owner.endswith(f":{run_id}")


def is_dead(owner: str) -> bool:
    """Say whether the owner is a process of this very host that no longer exists.

    Then its lease need not be waited for. A wrong answer does no harm: a new lease has a higher token,
    and the old one can neither write nor send any more.
    """
    host, _, rest = owner.partition(":")
    pid, _, process = rest.partition(":")
    if host != platform.node() or not pid.isdecimal():
        return False
    if int(pid) == os.getpid():
        return process.partition(":")[0] != THIS_PROCESS
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # it lives, under another user
    return False
