"""Where a value came from, and how layers of values lie over each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, cast

from trading_bot.domain.records import dataclass

SettingPath = tuple[str, ...]  # ("risk", "max_position_pct")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value was written: `layer` for lists of settings, `place` for error messages."""

    layer: str  # "file config.yaml", ".env", "environment BENSBOT_X"
    place: str  # "config.yaml, line 3"


@dataclass(frozen=True, slots=True)
class Entry:
    """One value somebody wrote."""

    path: SettingPath
    value: object
    origin: Origin


@dataclass(frozen=True, slots=True)
class Layered:
    """All values, the later layer over the earlier one, and where each came from."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    origins: Mapping[SettingPath, Origin] = field(default_factory=dict[SettingPath, Origin])
    complaints: tuple[str, ...] = ()  # what cannot lie in a layer at all, in words

    def set_by(self, path: SettingPath) -> Origin | None:
        """Return who set the value at `path`, as a whole or as part of its list or options; None when nobody did.

        A section without keys (`risk:`) sets nothing.
        """
        prefixes = (path[:end] for end in range(len(path), 1, -1))
        return next((self.origins[prefix] for prefix in prefixes if prefix in self.origins), None)

    def nearest(self, path: SettingPath) -> Origin | None:
        """Return who wrote what stands at `path`, above it or below it; None when nobody did. For error messages."""
        below = (origin for known, origin in self.origins.items() if known[: len(path)] == path)
        return self.set_by(path) or self.origins.get(path[:1]) or next(below, None)


def layered(entries: Iterable[Entry], complaints: Iterable[str] = ()) -> Layered:
    """Return the entries laid over each other; a later one wins."""
    values: dict[str, Any] = {}
    origins: dict[SettingPath, Origin] = {}
    for entry in entries:
        _put(values, entry)
        for stale in [path for path in origins if path[: len(entry.path)] == entry.path]:
            del origins[stale]
        origins[entry.path] = entry.origin
    return Layered(values, origins, tuple(complaints))


def _put(values: dict[str, Any], entry: Entry) -> None:
    *parents, name = entry.path
    inner = values
    for parent in parents:
        below = inner.setdefault(parent, {})
        if not isinstance(below, dict):
            return  # somebody wrote a plain value where keys belong: the models refuse that one
        inner = cast("dict[str, Any]", below)
    inner[name] = entry.value
