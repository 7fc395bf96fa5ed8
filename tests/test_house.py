"""The rules of the house that no other tool looks after."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import trading_bot

ROOT = Path(__file__).resolve().parents[1]
OURS = ("trading_bot", "tasks", "flows", "deployments")
LONGEST_MODULE = 300  # lines
LONGEST_FUNCTION = 35  # lines, docstring not counted

IMPORT_ALL = """
import importlib, pkgutil, sys, trading_bot
for module in pkgutil.walk_packages(trading_bot.__path__, "trading_bot."):
    if ".migrations." not in module.name:  # alembic runs those
        importlib.import_module(module.name)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"prefect", "flows", "tasks", "deployments"}))
"""
IMPORT_COMMAND = """
import sys, trading_bot.cli
print(sorted({"pandas", "sqlalchemy", "prefect", "exchange_calendars", "pyarrow", "apprise"} & set(sys.modules)))
"""


def modules() -> list[Path]:
    return [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]


def pyproject() -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_imports_go_down_the_house_only():
    lint_imports = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([str(lint_imports), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_no_module_of_the_bot_brings_prefect_along():
    assert printed(IMPORT_ALL) == "[]"


def test_the_command_line_starts_without_anything_heavy():
    assert printed(IMPORT_COMMAND) == "[]"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_fits_in_one_reading(path: Path):
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert len(text.splitlines()) <= LONGEST_MODULE
    assert [node.name for node in functions if length(node) > LONGEST_FUNCTION] == []


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = ast.get_docstring(function)
    return (function.end_lineno or 0) - function.lineno + 1 - (len(docstring.splitlines()) if docstring else 0)


def test_there_is_one_version():
    assert pyproject()["project"]["version"] == trading_bot.__version__


@pytest.mark.parametrize("package", OURS)
def test_every_package_says_that_it_is_typed(package: str):
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_the_lock_file_is_of_this_pyproject():
    done = subprocess.run(["uv", "lock", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
