"""Where risk rules are filed. A new file in `rules/` with `@risk_rule("name")` is all it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading_bot.domain.plugins import Registry
from trading_bot.domain.ports import RiskRule

RISK_RULES: Registry[RiskRule] = Registry("risk rule", "trading_bot.risk.rules")
risk_rule = RISK_RULES.register


def build_rules(limits: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> dict[str, RiskRule]:
    """Return every registered rule by name, in the order in which they are asked.

    A rule's field that has the name of a setting under `risk` takes that setting; `options` gives
    the rest, by rule name. There is no way to leave a rule out: every one is asked, always.

    Raises:
        PluginError: options for a rule that does not exist, or an option it does not have.
    """
    for name in options:
        RISK_RULES.get(name)
    rules: dict[str, RiskRule] = {}
    for name in RISK_RULES.names():
        fields = getattr(RISK_RULES.get(name), "__dataclass_fields__", {})
        shared = {field: limits[field] for field in fields if field in limits}
        rules[name] = RISK_RULES.build(name, {**shared, **options.get(name, {})})
    return dict(sorted(rules.items(), key=lambda item: (item[1].stage, item[0])))
