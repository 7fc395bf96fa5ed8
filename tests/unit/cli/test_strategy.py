"""`bensbot strategy` as a user meets it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot, bensbot, logs_as_before
from trading_bot.strategies.registry import STRATEGIES

__all__ = ["bensbot", "logs_as_before"]  # fixtures

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def read_by_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave each line as it is."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def registry_as_before() -> Iterator[None]:
    """Forget the strategies that a test brings along."""
    STRATEGIES.names()
    before = dict(STRATEGIES._classes)
    yield
    STRATEGIES._classes.clear()
    STRATEGIES._classes.update(before)
    for name in [name for name in sys.modules if name.startswith("checked_")]:
        del sys.modules[name]


def test_a_new_strategy_passes_its_check(bensbot: Bensbot):
    written = bensbot("strategy", "new", "new_highs")

    assert written.code == 0
    assert written.out.splitlines()[:4] == [
        "Wrote new_highs.py",
        "Wrote test_new_highs.py",
        "Check it: bensbot strategy check new_highs.py",
        "Test it: pytest test_new_highs.py",
    ]
    package = tomllib.loads(written.out.partition("enough):\n")[2].partition("Install it")[0])
    assert package["project"]["entry-points"] == {"bensbot.plugins": {"new_highs": "new_highs"}}
    assert package["tool"]["setuptools"] == {"py-modules": ["new_highs"]}
    assert written.out.splitlines()[-2:] == [
        "Install it: pip install -e .",
        "Try it: bensbot backtest --strategy new_highs",
    ]
    checked = bensbot("strategy", "check", "new_highs.py")
    assert checked.code == 0
    assert checked.out.splitlines()[0] == "new_highs.py: NewHighs(sessions=100)"
    assert [line.split()[0] for line in checked.out.splitlines()[1:]] == ["ok"] * 8


def test_the_test_of_a_new_strategy_passes(bensbot: Bensbot, tmp_path: Path):
    assert bensbot("strategy", "new", "new_highs", "--folder", "mine").code == 0

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "mine"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "6 passed" in done.stdout, done.stdout


def test_a_new_strategy_goes_into_the_project_that_one_is_in_and_is_in_its_style(bensbot: Bensbot, tmp_path: Path):
    for folder in ("trading_bot/strategies", "tests/unit/strategies"):
        (tmp_path / folder).mkdir(parents=True)
    for known in ("core", "domain", "strategies/indicators.py", "strategies/registry.py"):  # so ruff sorts the imports
        (tmp_path / "trading_bot" / known).symlink_to(ROOT / "trading_bot" / known)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())

    said = bensbot("strategy", "new", "new_highs")

    assert said.out.splitlines()[:2] == [
        "Wrote trading_bot/strategies/new_highs.py",
        "Wrote tests/unit/strategies/test_new_highs.py",
    ]
    assert "entry" not in said.out
    test = (tmp_path / "tests/unit/strategies/test_new_highs.py").read_text()
    assert "from trading_bot.strategies.new_highs import NewHighs\n" in test
    for words in (["check"], ["format", "--check"]):
        command = [str(Path(sys.executable).with_name("ruff")), *words, "--no-cache", *said.out.split()[1:4:2]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "test_new_highs.py").write_text("mine")

    said = bensbot("strategy", "new", "new_highs")

    assert said.code == 2
    assert "test_new_highs.py is there already, and nothing is ever overwritten" in said.err
    assert (tmp_path / "test_new_highs.py").read_text() == "mine"
    assert not (tmp_path / "new_highs.py").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("macd", "There is a strategy called 'macd' already"),
        ("New-Highs", "'New-Highs' is no name for a strategy"),
        ("class", "'class' is no name for a strategy"),
        ("../up", "'../up' is no name for a strategy"),
    ],
)
def test_a_name_that_cannot_be_is_refused(bensbot: Bensbot, name: str, message: str):
    said = bensbot("strategy", "new", name)

    assert said.code == 2
    assert message in said.err


def test_a_strategy_that_looks_ahead_fails_its_check_and_is_told_where_and_what_to_change(
    bensbot: Bensbot, tmp_path: Path
):
    bensbot("strategy", "new", "peeks")
    text = (tmp_path / "peeks.py").read_text()
    (tmp_path / "peeks.py").write_text(
        text.replace("close = carried(history.close)", "close = np.roll(carried(history.close), -1, axis=0)")
    )

    said = bensbot("strategy", "check", "peeks.py")

    assert said.code == 1
    assert "  FAILED  it does not look ahead\n" in said.out
    assert (
        "on 20 packaged stocks row 0 (session 2020-08-12, AAPL) has evidence 'close' 111.153 when history ends with "
        "row 0, and 113.121 when it goes on: a difference of 1.97.\n"
    ) in said.out
    assert "To change: A row reads rows after it. Look for shift(-1), np.roll" in said.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "mine.py is no file."),
        ("import nothing_like_this", "cannot be imported: ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("1 + 1", 'mine.py registers no strategy: put @strategy("name") above a frozen dataclass.'),
    ],
)
def test_a_file_without_a_strategy_fails_and_says_why(bensbot: Bensbot, tmp_path: Path, text: str | None, message: str):
    if text is not None:
        (tmp_path / "mine.py").write_text(text)

    said = bensbot("strategy", "check", "mine.py")

    assert said.code == 1
    assert message in said.out


def test_a_strategy_of_the_house_can_be_checked_where_it_is(bensbot: Bensbot):
    said = bensbot("strategy", "check", str(ROOT / "trading_bot" / "strategies" / "macd.py"))

    assert said.code == 0
    assert "macd.py: Macd(fast=12, slow=26, signal=9, act_on='levels', short=False, tolerance=0.0)" in said.out
