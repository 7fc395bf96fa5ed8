"""Read `BENSBOT_…` variables, from the environment and from `.env`.

`BENSBOT_RISK__MAX_POSITION_PCT` is `risk.max_position_pct`: two underscores between levels, upper or
lower case. Options go deeper: `BENSBOT_BROKER__OPTIONS__REGION`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path

from trading_bot.config.origins import Entry, Origin, SettingPath
from trading_bot.config.values import is_secret_name
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.records import dataclass

PREFIX = "BENSBOT_"
LEVEL = "__"

Catalogue = Mapping[str, tuple[str, ...]]  # section -> its keys


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as it was found. `value` is None where a line of `.env` has no `=`."""

    name: str
    value: str | None
    origin: Origin


def variable_name(path: Sequence[str]) -> str:
    """Return the variable that sets `path`."""
    return PREFIX + LEVEL.join(path).upper()


def from_environment(environment: Mapping[str, str]) -> tuple[Variable, ...]:
    """Return our variables among all of the process's."""
    return tuple(
        Variable(name, value, Origin(f"environment {name}", f"the environment variable {name}"))
        for name, value in environment.items()
        if name.upper().startswith(PREFIX)
    )


def from_dotenv(path: Path) -> tuple[Variable, ...]:
    """Return our variables in the file, none when there is no file. Other programs' lines are not looked at.

    Raises:
        SettingsError: the file cannot be read, or one of our lines cannot be parsed.
    """
    if path.is_dir() or not (path.exists() or path.is_symlink()):
        return ()  # a folder of this name is somebody's virtual environment
    from dotenv.parser import parse_stream

    found: list[Variable] = []
    for line in parse_stream(StringIO(_text(path))):
        place = f"line {line.original.line} of {path.name}"
        if line.error and PREFIX in line.original.string.upper():
            raise SettingsError(
                f"{place.capitalize()} cannot be read. Write NAME=value, a value with spaces in quotes."
            )
        if line.key is not None and line.key.upper().startswith(PREFIX):
            found.append(Variable(line.key, line.value, Origin(path.name, f"{line.key} in {place}")))
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is not written in UTF-8"
    except OSError as error:
        reason = str(error.strerror)
    raise SettingsError(f"{path.name} cannot be read: {reason}.")


def entries_of(variables: Iterable[Variable], catalogue: Catalogue) -> tuple[list[Entry], list[str]]:
    """Return what the variables set, whole mappings before their parts, and what is wrong with the others, in words."""
    entries: dict[SettingPath, Entry] = {}
    complaints: list[str] = []
    for variable in variables:
        path = _path(variable.name, catalogue)
        if path is None:
            complaints.append(f"{_first(variable)} is no setting.{_did_you_mean(variable.name, catalogue)}")
        elif not variable.value:
            complaints.append(f"{_first(variable)} is empty: give it a value, or remove it to use the default.")
        elif path in entries:
            complaints.append(f"{_first(variable)} sets {'.'.join(path)} a second time: keep one of them.")
        else:
            entries[path] = Entry(path, meaning(path, variable.value), variable.origin)
    return sorted(entries.values(), key=lambda entry: len(entry.path)), complaints


def _first(variable: Variable) -> str:
    place = variable.origin.place
    return place[0].upper() + place[1:]


def _path(name: str, catalogue: Catalogue) -> SettingPath | None:
    section, _, rest = name[len(PREFIX) :].lower().partition(LEVEL)
    key, _, option = rest.partition(LEVEL)
    if key not in catalogue.get(section, ()) or (option and key != "options"):
        return None
    return (section, key, *option.split(LEVEL)) if option else (section, key)


def meaning(path: SettingPath, text: str) -> object:
    """Return the text, or what it means in JSON where no model says what type it has: in options, and `null`."""
    if path[1] != "options":
        return None if text.strip().lower() == "null" else text
    if is_secret_name(path[-1]):
        return text  # a key of digits only is no number
    try:
        return json.loads(text)
    except ValueError:
        return text


def _did_you_mean(name: str, catalogue: Catalogue) -> str:
    if name[len(PREFIX) :].lower() in catalogue:
        return _keys_of(name[len(PREFIX) :].lower(), catalogue)
    every = [variable_name((section, key)) for section, keys in catalogue.items() for key in keys]
    close = difflib.get_close_matches(name.upper(), every, n=1, cutoff=0.75)
    if close:
        return f" Did you mean {close[0]}?"
    section, _, key = name[len(PREFIX) :].upper().partition(LEVEL)
    elsewhere = [known for known in every if key and known.endswith(LEVEL + key)]
    if elsewhere:
        return f" Did you mean {elsewhere[0]}?"
    if section.lower() in catalogue:
        return _keys_of(section.lower(), catalogue)
    near = difflib.get_close_matches(section.lower(), catalogue, n=1)
    if near:
        return f" Did you mean {variable_name(near)}{LEVEL}…?{_keys_of(near[0], catalogue)}"
    return f" Names begin with one of {', '.join(variable_name((known,)) + LEVEL for known in catalogue)}."


def _keys_of(section: str, catalogue: Catalogue) -> str:
    return f" The section {section} has: {', '.join(catalogue[section]) or 'no keys'}."
