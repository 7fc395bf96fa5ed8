"""`docs/strategies.md` says what the code does: sources, options, and what each strategy says in its example."""

from __future__ import annotations

import dataclasses
import re
import typing
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

import annotated_types
import pytest
import yaml

from trading_bot.core.authoring.cases import history_until
from trading_bot.domain.market import Symbol
from trading_bot.domain.ports import Explains
from trading_bot.strategies.registry import STRATEGIES

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "strategies.md"
NAMES = STRATEGIES.names()
BOUNDS = {
    annotated_types.Gt: ("gt", "above"),
    annotated_types.Ge: ("ge", "from"),
    annotated_types.Lt: ("lt", "below"),
    annotated_types.Le: ("le", "to"),
}
KINDS = {int: "whole number", float: "number", bool: "yes or no"}


@cache
def section(name: str) -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/strategies.md has no section on {name}"
    return found[1]


def block(name: str, language: str) -> str:
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", section(name), re.MULTILINE | re.DOTALL)
    return text


def allowed(hint: Any) -> str:
    """Say which values an option may have."""
    if typing.get_origin(hint) is typing.Annotated:
        kind, *bounds = typing.get_args(hint)
        words = [f"{BOUNDS[type(bound)][1]} {getattr(bound, BOUNDS[type(bound)][0])}" for bound in bounds]
        return f"{KINDS[kind]}, {' '.join(words)}"
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(f"`{value}`" for value in typing.get_args(hint))
    return KINDS.get(hint, "list")


def written(value: object) -> str:
    """Return a default as it is written in YAML."""
    if isinstance(value, tuple):
        return f"`[{', '.join(str(part) for part in cast('tuple[object, ...]', value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_every_strategy_has_a_section_and_every_section_a_strategy():
    titles = re.findall(r"^### (\w+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(titles) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_that_of_the_docstring(name: str):
    source = " ".join((STRATEGIES.get(name).__doc__ or "").split()).partition("Source: ")[2]

    assert source
    assert f"Source: {source}" in " ".join(section(name).split())


@pytest.mark.parametrize("name", NAMES)
def test_the_table_has_each_option_with_its_default_and_range(name: str):
    cls = cast("Any", STRATEGIES.get(name))
    hints = typing.get_type_hints(cls, include_extras=True)
    wanted = [
        [f"`{field.name}`", written(field.default), allowed(hints[field.name])]
        for field in dataclasses.fields(cls)
        if field.init
    ]
    rows = [line.strip("| ").split(" | ") for line in section(name).splitlines() if line.startswith("| `")]

    assert [row[:3] for row in rows] == wanted
    assert all(row[3].strip() for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_says_what_it_says_there(name: str):
    settings = yaml.safe_load(block(name, "yaml"))["strategy"]["team"]
    lines = block(name, "text").splitlines()
    assert [member["name"] for member in settings] == [name]
    assert lines

    for line in lines:
        session, symbol, exposure, words = re.fullmatch(r"(\S+) (\S+) ([+-]\S+): (.*)", line).groups()  # pyright: ignore[reportOptionalMemberAccess]
        assert (exposure, words) == said(name, settings[0].get("options", {}), date.fromisoformat(session), symbol)


def said(name: str, options: dict[str, Any], session: date, symbol: str) -> tuple[str, str]:
    """Return exposure and reason on a session of the packaged prices."""
    bars = history_until("sample", session)
    strategy = STRATEGIES.build(name, options)
    assert isinstance(strategy, Explains)
    opinion, column = strategy.opinion(bars), bars.column(Symbol(symbol))
    last, exposure = {key: float(values[-1, column]) for key, values in opinion.evidence.items()}, opinion.exposure
    words = strategy.reason(last, float(exposure[-1, column])) + opinion.remarks.get(column, "")
    return f"{exposure[-1, column]:+.2f}", words
