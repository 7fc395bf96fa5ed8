"""docs/risk.md lists every rule with its stage and codes, in the order in which they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.risk.registry import build_rules

DOCUMENT = (Path(__file__).parent.parent / "docs" / "risk.md").read_text(encoding="utf-8")


def rows() -> list[str]:
    """Return the table as it has to be: paste it when this fails."""
    found: list[str] = []
    for name, rule in build_rules({}, {}).items():
        first, *others = cast("Any", rule).codes
        stage = rule.stage.name.lower().replace("_", " ")
        found.append(f"| `{name}` | {stage} | `{first}` | {', '.join(f'`{code}`' for code in others)} |")
    return found


def test_every_rule_is_listed_with_its_codes():
    table = DOCUMENT.partition("## All rules and their codes")[2]

    assert [line for line in table.splitlines() if line.startswith("| `")] == rows()


def test_every_setting_of_risk_is_explained():
    named = [name for name in type(TradingBotSettings().risk).model_fields if f"`{name}" not in DOCUMENT]

    assert [name for name in named if name != "options"] == []
