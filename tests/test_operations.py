"""What the guide for months says about notices and services is what the code has."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "deployments" / "systemd").glob("*.service"))
INSTALLED = "/opt/bensbot/.venv/bin"  # where the units expect the programs


def titles() -> set[str]:
    """Find the title of every notice in the sources; a part that is filled in is an ellipsis."""
    found: set[str] = set()
    for package in ("trading_bot", "flows", "tasks", "deployments"):
        for path in (ROOT / package).rglob("*.py"):
            found.update(titles_in(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def titles_in(tree: ast.AST) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        told = next((keyword.value for keyword in call.keywords if keyword.arg == "title"), None)
        if name == "Alert":
            told = told or call.args[1]
        if name in ("Alert", "send_alert", "_telling") and isinstance(told, ast.Constant | ast.JoinedStr):
            yield text_of(told)


def text_of(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def test_the_sources_have_notices_of_every_kind():
    assert titles() >= {"EMERGENCY SHUTDOWN", "Cycle of …", "Books differ", "BensBot: no cycle completes"}


@pytest.mark.parametrize("title", sorted(titles()))
def test_every_notice_is_in_the_guide_with_what_to_do(title: str):
    assert re.search(rf"^\| {re.escape(title)} \|.+\|.+\|$", GUIDE, re.MULTILINE)


def test_no_notice_of_the_guide_is_unknown_to_the_sources():
    tables = GUIDE.partition("## What it tells you")[2].partition("Which way of telling")[0]
    told = set(re.findall(r"^\| ([^|]+?) \|", tables, re.MULTILINE)) - {"notice"}

    assert told - titles() == set()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_program_that_is_installed(unit: Path):
    (command,) = re.findall(r"^ExecStart=(\S+) ", unit.read_text(encoding="utf-8"), re.MULTILINE)

    assert Path(command).parent == Path(INSTALLED)
    assert Path(sys.executable).with_name(Path(command).name).exists()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_gives_nothing_away_and_may_do_little(unit: Path):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]  # keys keep their capitals
    parser.read(unit, encoding="utf-8")
    service = parser["Service"]

    assert service["User"] == "bensbot"
    assert service["UMask"] == "0077"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "true"
    assert not re.search(r"^Environment=.*(AUTH_STRING|PASSWORD|TOKEN)", unit.read_text(), re.MULTILINE)


def test_the_server_listens_on_its_own_machine_only():
    text = (ROOT / "deployments" / "systemd" / "bensbot-server.service").read_text(encoding="utf-8")

    assert "--host 127.0.0.1" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path):
    copies = [tmp_path / unit.name for unit in UNITS]
    for unit, copy in zip(UNITS, copies, strict=True):
        copy.write_text(unit.read_text(encoding="utf-8").replace(INSTALLED, str(Path(sys.executable).parent)))

    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, copies)], capture_output=True, text=True, check=False, timeout=300
    )

    assert (done.returncode, done.stderr) == (0, "")
