"""Where risk rules are filed. A new file in `rules/` with `@risk_rule("name")` is all it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from trading_bot.domain.plugins import Registry
from trading_bot.domain.ports import RiskRule
from trading_bot.risk.rulings import GIVEN_BY

RISK_RULES: Registry[RiskRule] = Registry("risk rule", "trading_bot.risk.rules")
Rule = TypeVar("Rule")


def risk_rule(name: str) -> Callable[[type[Rule]], type[Rule]]:
    """Return a decorator that files a rule under `name`, and its codes. Raises PluginError on a second owner."""
    register = RISK_RULES.register(name)

    def file(rule: type[Rule]) -> type[Rule]:
        GIVEN_BY.update(dict.fromkeys(getattr(rule, "codes", ()), name))
        return register(rule)

    return file


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
