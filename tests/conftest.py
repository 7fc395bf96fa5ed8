"""What holds for all tests: the user's own settings, books and Prefect profile are out of reach."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Before anything of ours or of Prefect is imported: both read these once.
for name in [name for name in os.environ if name.startswith(("BENSBOT_", "PREFECT_"))]:
    del os.environ[name]
_prefect_home = tempfile.mkdtemp(prefix="bensbot-tests-")
atexit.register(shutil.rmtree, _prefect_home, ignore_errors=True)
os.environ["PREFECT_HOME"] = _prefect_home
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
# Each process that tests start would compile the whole project again: a fifth of what a command of ours takes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).resolve().parent
CALM = "test_no_rule_fires_while_the_loop_trades"  # waits for minutes, beside the story in the same file
NEWCOMER = "test_a_newcomer_trades_and_tests_with_the_commands_of_the_readme"  # so do these, beside the other documents
API = "test_what_is_said_about_the_api_is_what_it_does"
ALONE = (CALM, NEWCOMER, API)
# What takes longest is begun first, so that no worker is still at it when the others have ended.
LONGEST = (
    "test_automations",
    CALM,
    "test_control_api",
    NEWCOMER,
    API,
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
    """Put first what takes longest; all else stays as shuffled."""
    items.sort(key=lambda item: LONGEST.index(name) if (name := group_of(item.nodeid)) in LONGEST else len(LONGEST))


class Grouped(LoadScopeScheduling):
    """Shares the tests out by group. (`--dist=loadgroup` of xdist 3.8 does nothing with pytest 9.)"""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Grouped | None:
    """Take the place of `--dist=loadfile`, which is what the settings say; whoever names another one gets that."""
    return Grouped(config, log) if config.getvalue("dist") == "loadfile" else None


def group_of(nodeid: str) -> str:
    """Return what a test stays together with on one worker.

    That is `prefect` for what needs the one server in `flows/conftest.py`, the file's name for everything else.
    """
    if (name := nodeid.rpartition("::")[2]) in ALONE:
        return name
    path = Path(nodeid.partition("::")[0])
    return "prefect" if path.parent.name == "flows" and path.name in _with_the_server() else path.stem


@cache
def _with_the_server() -> frozenset[str]:
    files = (ROOT / "flows").glob("test_*.py")
    return frozenset(path.name for path in files if "desk: Callable[" in path.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Generator[None]:
    """Undo what a flow does to the logs of its process: pytest's own handlers serve every test after this one."""
    ours = logging.getLogger("trading_bot")
    level, kept = ours.level, [(handler, list(handler.filters)) for handler in logging.root.handlers]
    yield
    ours.setLevel(level)
    for handler, filters in kept:
        handler.filters[:] = filters


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test has logged fit for the way to the terminal: some log what no encoding has."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
