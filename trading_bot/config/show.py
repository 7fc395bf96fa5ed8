"""Write the settings and their origins for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from trading_bot.config.typed_settings import SettingOrigin

_WIDEST = 40  # a longer value, like the team's, moves its own line's origin and no other's


def origins_as_text(origins: Sequence[SettingOrigin]) -> str:
    """Return one line a setting: key, value and origin in columns."""
    keys = max((len(origin.key) for origin in origins), default=0)
    values = max((len(origin.value) for origin in origins if len(origin.value) <= _WIDEST), default=0)
    return "\n".join(f"{o.key:<{keys}}  {o.value:<{values}}  {o.origin}" for o in origins)


def origins_as_json(origins: Sequence[SettingOrigin]) -> str:
    """Return a JSON list of objects with `key`, `value` and `origin`, all text."""
    return json.dumps([asdict(origin) for origin in origins], indent=2, ensure_ascii=False)
