import json
import runpy
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from trading_bot.config.typed_settings import TradingBotSettings, load_config

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "config.example.yaml"
SCHEMA = ROOT / "config.schema.json"


@pytest.fixture(scope="module")
def writer() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "write_config_reference.py"))


def plain(text: str) -> Any:
    """Return the YAML as JSON sees it: dates are text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=date.isoformat))


def refused(text: str) -> bool:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return not jsonschema.Draft202012Validator(schema).is_valid(plain(text))


def test_the_example_file_is_up_to_date(writer):
    assert EXAMPLE.read_text(encoding="utf-8") == writer["example_text"]()


def test_the_schema_file_is_up_to_date(writer):
    assert SCHEMA.read_text(encoding="utf-8") == writer["schema_text"]()


def test_the_example_loads_to_exactly_the_defaults():
    assert load_config(EXAMPLE) == TradingBotSettings()


def test_the_example_tells_editors_where_its_schema_is():
    assert EXAMPLE.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=./config.schema.json\n")


def test_every_setting_has_a_description_in_the_example():
    text = EXAMPLE.read_text(encoding="utf-8")

    for section in (getattr(TradingBotSettings(), name) for name in TradingBotSettings.model_fields):
        for key, field in type(section).model_fields.items():
            assert field.description, key
            assert f"  {key}:" in text


def test_the_schema_is_a_valid_schema():
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_schema_accepts_the_example():
    assert not refused(EXAMPLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        "risk: {max_positon_pct: 0.1}",
        "risk: {max_position_pct: 5}",
        "risk: {max_position_pct: 5%}",
        "orchestrator: {rotation_time: 16:30}",
        "strategy: {team: [{weight: 1}]}",
    ],
)
def test_the_schema_refuses_what_the_bot_refuses(text):
    assert refused(text)


def test_the_schema_takes_a_team_of_bare_names():
    assert not refused("strategy: {team: [momentum]}")
