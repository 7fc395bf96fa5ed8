"""Plug-ins are found by name, and a broken one is never passed over in silence where something is traded."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trading_bot.domain.errors import PluginError
from trading_bot.domain.plugins import Registry

REGISTRY = "from trading_bot.domain.plugins import Registry\nTOYS = Registry('toy', 'toy_box')\n"
A_TOY = """
from dataclasses import dataclass
from toys import TOYS

@TOYS.register({name!r})
@dataclass
class Toy:
    pass
"""


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[Any]]:
    """Give a registry whose folder has a `ball`, a `bear` in a file of another name, and a file that is broken."""
    folder = tmp_path / "toy_box"
    folder.mkdir()
    (tmp_path / "toys.py").write_text(REGISTRY)
    (folder / "__init__.py").write_text("")
    (folder / "ball.py").write_text(A_TOY.format(name="ball"))
    (folder / "plush.py").write_text(A_TOY.format(name="bear"))
    (folder / "broken.py").write_text("import nothing_like_this\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("toys").TOYS
    for name in [name for name in sys.modules if name == "toys" or name.partition(".")[0] == "toy_box"]:
        del sys.modules[name]


def test_whoever_trades_is_told_of_a_broken_plug_in_that_is_not_wanted(toys: Registry[Any]):
    with pytest.raises(PluginError, match=r"toy_box\.broken cannot be imported: .*nothing_like_this"):
        toys.build("ball", {})


def test_who_looks_back_imports_the_file_of_that_name_alone(toys: Registry[Any]):
    assert type(toys.build("ball", {}, alone=True)).__module__ == "toy_box.ball"

    assert "toy_box.plush" not in sys.modules


@pytest.mark.parametrize("name", ["bear", "plush", "bal", "../ball", ""])
def test_what_has_no_file_of_its_name_is_looked_for_among_all(toys: Registry[Any], name: str):
    with pytest.raises(PluginError, match=r"toy_box\.broken cannot be imported"):
        toys.build(name, {}, alone=True)


def test_who_looks_back_finds_what_a_file_of_another_name_has(toys: Registry[Any], tmp_path: Path):
    (tmp_path / "toy_box" / "broken.py").unlink()

    assert type(toys.build("bear", {}, alone=True)).__module__ == "toy_box.plush"
    with pytest.raises(PluginError, match=r"There is no toy called 'bal'. Did you mean 'ball'\? There are: ball, bear"):
        toys.build("bal", {}, alone=True)


def test_a_class_that_is_no_dataclass_is_refused_with_what_to_write(toys: Registry[Any], tmp_path: Path):
    (tmp_path / "toy_box" / "broken.py").write_text(A_TOY.format(name="bare").replace("@dataclass\n", ""))

    with pytest.raises(
        PluginError, match=r"The toy 'bare' is no dataclass: write @dataclass\(frozen=True, slots=True\)"
    ):
        toys.build("bare", {})


def test_two_of_the_same_name_are_refused(toys: Registry[Any], tmp_path: Path):
    (tmp_path / "toy_box" / "broken.py").write_text(A_TOY.format(name="ball"))

    with pytest.raises(PluginError, match="Two toy plug-ins are called 'ball'"):
        toys.build("ball", {})
