from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.processes import Process, born, keep_small, last_lines, remember, remembered, start, write_private


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    """A process of its own group that waits for a minute."""
    child = start([sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "log", environment={})
    yield Process(child.pid, born(child.pid) or "")
    child.kill()
    child.wait()


def test_a_process_is_found_again(sleeper: Process, tmp_path: Path):
    remember(sleeper, tmp_path / "record")

    assert remembered(tmp_path / "record") == sleeper
    assert stat.S_IMODE((tmp_path / "record").stat().st_mode) == 0o600


def test_another_process_with_the_same_number_is_not_ours(sleeper: Process, tmp_path: Path):
    remember(Process(sleeper.pid, "of another time"), tmp_path / "record")

    assert remembered(tmp_path / "record") is None
    Process(sleeper.pid, "of another time").end(grace_seconds=1)
    assert sleeper.lives


@pytest.mark.parametrize("text", ["", '{"pid": 12', '{"pid": "x", "born": "y"}', "[]", json.dumps({"pid": 1})])
def test_a_record_that_was_cut_off_is_none(tmp_path: Path, text: str):
    (tmp_path / "record").write_text(text)

    assert remembered(tmp_path / "record") is None


def test_a_process_is_ended_politely(sleeper: Process):
    sleeper.end(grace_seconds=10)

    assert not sleeper.lives


def test_a_process_that_does_not_listen_is_ended_by_force(tmp_path: Path):
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = start([sys.executable, "-c", deaf], log=tmp_path / "log", environment={})
    process = Process(child.pid, born(child.pid) or "")
    while last_lines(tmp_path / "log") != "deaf":
        assert process.lives

    process.end(grace_seconds=0.3)

    assert child.wait(10) == -signal.SIGKILL


def test_a_process_that_nobody_collected_yet_does_not_live():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert born(child.pid) is None


def test_a_private_file_is_replaced_as_a_whole(tmp_path: Path):
    write_private(tmp_path / "auth", "one")
    write_private(tmp_path / "auth", "two")

    assert (tmp_path / "auth").read_text() == "two"
    assert stat.S_IMODE((tmp_path / "auth").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["auth"]


def test_a_log_that_has_grown_too_big_is_begun_anew_under_its_writers_feet(tmp_path: Path):
    with (tmp_path / "log").open("a") as writer:
        writer.write("old " * 100)
        writer.flush()

        keep_small(tmp_path / "log", biggest=100)
        writer.write("new")

    assert (tmp_path / "log").read_text() == "new"
    assert (tmp_path / "log.1").read_text() == "old " * 100
    assert stat.S_IMODE((tmp_path / "log.1").stat().st_mode) == 0o600


def test_a_small_log_and_a_missing_one_are_left_alone(tmp_path: Path):
    (tmp_path / "log").write_text("all there is")

    keep_small(tmp_path / "log", biggest=100)
    keep_small(tmp_path / "none", biggest=100)

    assert [path.name for path in tmp_path.iterdir()] == ["log"]
