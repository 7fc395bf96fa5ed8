"""What holds for all tests: the user's own settings, books and Prefect profile are out of reach."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything of ours or of Prefect is imported: both read these once.
for name in [name for name in os.environ if name.startswith(("BENSBOT_", "PREFECT_"))]:
    del os.environ[name]
_prefect_home = tempfile.mkdtemp(prefix="bensbot-tests-")
atexit.register(shutil.rmtree, _prefect_home, ignore_errors=True)
os.environ["PREFECT_HOME"] = _prefect_home
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

ROOT = Path(__file__).resolve().parent
# What takes longest is begun first, so that no worker is still at it when the others have ended.
LONGEST = (
    "test_automations",
    "calm-watch",
    "test_control_api",
    "test_script",
    "test_documentation",
    "test_wheel",
    "test_crashes",
    "prefect",
    "test_kill_anywhere",
)

settings.register_profile("house", deadline=None)  # a busy machine is no wrong answer
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests stay together on one worker: those of a file, unless a mark says otherwise."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_group_of(item)))
    items.sort(key=_begins)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test has logged fit for the way to the terminal: some log what no encoding has."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def _group_of(item: pytest.Item) -> str:
    """Return `prefect` for what needs the one Prefect server of these tests, a file's name for everything else."""
    return "prefect" if "_server" in getattr(item, "fixturenames", ()) else str(item.path.relative_to(ROOT))


def _begins(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    name = Path(str(mark.args[0])).stem if mark else ""
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
