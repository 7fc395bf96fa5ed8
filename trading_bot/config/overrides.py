"""Settings that are typed for one run: `--set backtest.sizing=all-in`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from trading_bot.config.origins import Entry, Origin
from trading_bot.config.values import is_secret_name
from trading_bot.config.variables import Catalogue, meaning, variable_name
from trading_bot.domain.errors import SettingsError


def typed(assignments: Iterable[str]) -> dict[str, str]:
    """Return `section.key=value` texts as a mapping. Raises SettingsError on one that is written otherwise."""
    found: dict[str, str] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise SettingsError(f"--set {text}: write a setting and its value, as in --set risk.max_open_trades=3")
        if name in found:
            raise SettingsError(f"--set {name} is there twice: keep one of them.")
        found[name] = value
    return found


def from_command(overrides: Mapping[str, object], catalogue: Catalogue) -> tuple[list[Entry], list[str]]:
    """Return what the overrides set, dotted name → value, and what is wrong with the others, in words."""
    entries: list[Entry] = []
    complaints: list[str] = []
    for name, value in overrides.items():
        section, _, rest = name.partition(".")
        path = (section, *rest.split("."))
        if path[1] not in catalogue.get(section, ()):
            complaints.append(f"{name} is no setting.{_did_you_mean(name, catalogue)}")
        elif is_secret_name(path[-1]):
            complaints.append(
                f"{name} is secret, and everybody sees a command line: set {variable_name(path)} instead."
            )
        else:
            origin = Origin(f"command line {name}", "on the command line")
            entries.append(Entry(path, meaning(path, value) if isinstance(value, str) else value, origin))
    return sorted(entries, key=lambda entry: len(entry.path)), complaints


def _did_you_mean(name: str, catalogue: Catalogue) -> str:
    every = [f"{section}.{key}" for section, keys in catalogue.items() for key in keys]
    key = name.rpartition(".")[2]
    close = difflib.get_close_matches(name, every, n=1) or [known for known in every if known.endswith(f".{key}")]
    return f" Did you mean {close[0]}?" if close else f" Sections are {', '.join(catalogue)}."
