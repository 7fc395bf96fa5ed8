"""The wheel, as a stranger gets it: built, installed with plain pip into an empty environment, and used."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import trading_bot

ROOT = Path(__file__).resolve().parents[1]
SERVER_START_SECONDS = 300

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel in it, and a folder to work in."""

    bin: Path
    home: Path

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BENSBOT_", "PREFECT_"))}
        kept.pop("PYTHONPATH", None)
        return {**kept, "PREFECT_HOME": str(self.home / "prefect"), "DO_NOT_TRACK": "1"}

    def run(self, program: str, *arguments: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=folder or self.home,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it from a copy of what the build reads, so that nothing is left behind in the tree."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for package in ("trading_bot", "tasks", "flows", "deployments"):
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("bensbot-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install it with the pip that Python brings; pip chooses the versions, not the lock file."""
    home = tmp_path_factory.mktemp("stranger")
    subprocess.run([sys.executable, "-m", "venv", str(home / "env")], check=True)
    found = Installed(home / "env" / "bin", home)
    found.run("python", "-m", "pip", "install", "--quiet", "--no-compile", str(wheel))
    return found


def test_the_wheel_holds_what_is_read_at_run_time(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    migrations = {
        str(path.relative_to(ROOT)) for path in (ROOT / "trading_bot/state/migrations/versions").glob("0*.py")
    }

    assert names >= {
        "trading_bot/py.typed",
        "tasks/py.typed",
        "flows/py.typed",
        "flows/cycle.py",
        "trading_bot/data/packaged/sample.npz",
        "trading_bot/data/packaged/sample_ohlcv.npz",
        "trading_bot/core/authoring/templates/strategy.txt",
        "trading_bot/core/authoring/templates/test_strategy.txt",
        "trading_bot/data/packaged/PROVENANCE.md",
        "trading_bot/data/packaged/LICENSE-skfolio.txt",
        "trading_bot/state/migrations/env.py",
    }
    assert migrations
    assert names >= migrations


def test_the_wheel_holds_nothing_else(wheel: Path):
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert tops == {"trading_bot", "tasks", "flows", "deployments", f"bensbot-{trading_bot.__version__}.dist-info"}


def test_pip_finds_versions_that_work_together(installed: Installed):
    code = "import importlib.metadata as m; print(*(m.version(n) for n in ('prefect', 'fastapi', 'sqlalchemy')))"

    prefect, fastapi, sqlalchemy = installed.run("python", "-c", code).split()

    assert prefect == "3.8.8"
    assert (0, 139) <= tuple(map(int, fastapi.split(".")[:2])) < (0, 155)
    assert sqlalchemy.startswith("2.0.")
    assert "No broken requirements" in installed.run("python", "-m", "pip", "check")


def test_the_installed_command_trades_session_after_session(installed: Installed, tmp_path: Path):
    reports = [json.loads(installed.run("bensbot", "run", "--once", "--json", folder=tmp_path)) for _ in range(2)]

    assert [report["session"] for report in reports] == ["2022-01-03", "2022-01-04"]
    assert json.loads(installed.run("bensbot", "doctor", "--json", folder=tmp_path))["ok"] is True


@pytest.fixture
def server(installed: Installed, tmp_path: Path) -> Iterator[str]:
    """Start the environment's own Prefect server, and end that process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with (tmp_path / "server.log").open("w+b") as log:
        process = subprocess.Popen(
            [str(installed.bin / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"],
            env={**installed.variables, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{port}/api"
        finally:
            process.terminate()
            process.wait(300)


def test_a_prefect_server_starts_from_it(server: str):
    assert answer_of(f"{server}/health") == "true"


def answer_of(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SERVER_START_SECONDS
    while True:
        try:
            with opener.open(url, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            assert time.monotonic() < deadline, "the server did not answer"
            time.sleep(0.5)
