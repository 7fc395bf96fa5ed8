"""Write `config.example.yaml` and `config.schema.json` from the settings models.

Usage: python scripts/write_config_reference.py
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from trading_bot.config.problems import range_of
from trading_bot.config.typed_settings import CandidateSettings, TeamMember, TradingBotSettings, WindowSettings

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "config.example.yaml"
SCHEMA = ROOT / "config.schema.json"

HEAD = """\
# yaml-language-server: $schema=./config.schema.json
# Every setting with its default. Copy the lines you change to config.yaml; what is not there keeps its default.
# A variable wins over the file: BENSBOT_RISK__MAX_OPEN_TRADES=3 in the environment, or in a file .env, sets
# max_open_trades below. Shares are fractions: 0.05 is 5 %. `bensbot config show` says what holds and who set it.
# Written by scripts/write_config_reference.py from trading_bot/config/sections.py.
"""
WIDTH = 110


def example_text() -> str:
    """Return the text of `config.example.yaml`."""
    settings = TradingBotSettings()
    sections = ("\n".join(_section(name, getattr(settings, name))) for name in TradingBotSettings.model_fields)
    return HEAD + "\n" + "\n\n".join(sections) + "\n"


def schema_text() -> str:
    """Return the text of `config.schema.json`."""
    schema = TradingBotSettings.model_json_schema()
    for section in schema["$defs"].values():
        for field in section.get("properties", {}).values():
            _numbers_only(field)
    by_name = (
        ("StrategySettings", "team"),
        ("HoursSettings", "windows"),
        ("RotationSettings", "candidates"),
        ("NewsSettings", "sources"),
    )
    for section, field in by_name:
        listed = schema["$defs"][section]["properties"][field]
        listed["items"] = {"anyOf": [listed["items"], {"type": "string"}]}  # a bare name stands for the whole entry
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Settings of BensBot"}
    return json.dumps({**schema, **head}, indent=2, ensure_ascii=False) + "\n"


def _numbers_only(field: dict[str, Any]) -> None:
    """Let an editor refuse "5%": pydantic's schema of a Decimal takes any text."""
    kinds = field.get("anyOf", [])
    if [kind.get("type") for kind in kinds] == ["number", "string"]:
        del field["anyOf"]
        field.update(kinds[0], default=float(field["default"]))


def _section(name: str, section: BaseModel) -> Iterator[str]:
    yield f"# {(type(section).__doc__ or '').strip()}"
    fields = type(section).model_fields
    yield f"{name}:" if fields else f"{name}: {{}}"
    for key, field in fields.items():
        yield from textwrap.wrap(_comment(field), WIDTH, initial_indent="  # ", subsequent_indent="  # ")
        yield from _setting(key, getattr(section, key))


def _comment(field: FieldInfo) -> str:
    """Return the description, then the range or the choices."""
    limits = range_of(field)
    if get_origin(field.annotation) is Literal:
        limits = f"one of {', '.join(get_args(field.annotation))}"
    if limits in {"", "not empty"}:
        return field.description or ""
    return f"{field.description} {limits[0].upper()}{limits[1:]}."


def _setting(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, tuple) and value and isinstance(value[0], TeamMember):
        yield f"  {key}:"
        for member in value:
            yield f"    - name: {_scalar(member.name)}"
            yield f"      weight: {_scalar(member.weight)}"
            yield f"      options: {_scalar(member.options)}"
    elif isinstance(value, tuple) and value and isinstance(value[0], CandidateSettings):
        yield f"  {key}:"
        for candidate in value:
            yield f"    - name: {_scalar(candidate.name)}"
            yield f"      grid: {_scalar(candidate.grid)}"
    else:
        yield f"  {key}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    match value:
        case WindowSettings():
            return json.dumps(value.model_dump())
        case None | bool() | str() | dict():
            return json.dumps(value)
        case Path():
            return json.dumps(value.as_posix())
        case date():
            return value.isoformat()
        case tuple():
            return f"[{', '.join(_scalar(inner) for inner in value)}]"
        case _:
            return str(value)


def main() -> None:
    """Write both files."""
    EXAMPLE.write_text(example_text(), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
