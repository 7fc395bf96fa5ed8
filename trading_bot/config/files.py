"""Read a settings file: YAML or JSON, without a guess about what was meant."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trading_bot.config.origins import Entry, Origin, SettingPath
from trading_bot.domain.errors import SettingsError

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

YAML_SUFFIXES = (".yaml", ".yml")


def read_file(path: Path) -> tuple[Entry, ...]:
    """Return every value in the file. An empty file has none.

    Raises:
        SettingsError: no such file, no YAML or JSON, a syntax error, a key twice, or no mapping.
    """
    if path.suffix.lower() not in (*YAML_SUFFIXES, ".json"):
        raise SettingsError(f"{path} is no settings file: its name must end in .yaml, .yml or .json.")
    text = _text(path)
    if path.suffix.lower() in YAML_SUFFIXES:
        return tuple(_yaml(text, str(path)))
    return tuple(read_json(text, str(path)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        reason = f"There is no settings file {path}.{_file_like(path)}"
    except UnicodeDecodeError:
        reason = f"{path} is not written in UTF-8. Save it in that encoding."
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}. Name a file that this user may read."
    raise SettingsError(reason)


def _file_like(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f" The folder {folder} does not exist either. Check the path."
    names = [file.name for file in folder.iterdir() if file.suffix.lower() in (*YAML_SUFFIXES, ".json")]
    close = difflib.get_close_matches(path.name, names, n=1)
    hint = f" Did you mean {folder / close[0]}?" if close else ""
    return f"{hint} Check the path, or leave it out to use the defaults."


# ── YAML ──────────────────────────────────────────────────────────────────────────────────────────


def _yaml(text: str, name: str) -> Iterator[Entry]:
    from yaml import MappingNode, SafeLoader, YAMLError

    complaint = ""
    loader: Any = None
    root: Any = None
    try:
        loader = SafeLoader(text)
        root = loader.get_single_node()
    except RecursionError:
        complaint = f"{name} is nested too deeply."
    except YAMLError as error:
        complaint = f"{name}{_line_of(error)} is no valid YAML: {_without_values(error)}."
    if complaint:  # raised here, not above: the context of the YAML error shows the line and what is secret in it
        raise SettingsError(complaint)
    if root is None or root.tag == "tag:yaml.org,2002:null":
        return
    if not isinstance(root, MappingNode):
        raise SettingsError(f"{name} holds no settings: it must hold sections, like `risk:` with its keys below.")
    _refuse_twice(root, name)
    yield from _yaml_entries(loader, root, (), name)


def _line_of(error: Any) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f", line {mark.line + 1}," if mark else ""


def _without_values(error: Any) -> str:
    """Return what the parser missed. Names in its quotes may be the start of a secret: they are left out."""
    problem = getattr(error, "problem", None)
    if not problem:
        return "it holds characters that are not allowed"
    if "alias" in problem or "anchor" in problem or "tag" in problem:
        return "a value that begins with *, & or ! must stand in quotes"
    if "single document" in str(getattr(error, "context", "")):
        return "it holds more than one document; remove the second `---`"
    return re.sub(r"'[^']*'|\"[^\"]*\"", _only_tokens, problem.replace(repr("\t"), "TAB"))


def _only_tokens(quoted: re.Match[str]) -> str:
    inside = quoted[0][1:-1]
    return quoted[0] if len(inside) == 1 or inside.startswith("<") else "a name"


def _refuse_twice(root: MappingNode, name: str) -> None:
    """Refuse a key that stands twice in one mapping, and any node used twice (YAML's `&` and `*`)."""
    from yaml import MappingNode, ScalarNode, SequenceNode

    seen: set[int] = set()
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ScalarNode):
            continue
        if id(node) in seen:
            raise SettingsError(f"{name}, {_line(node)}: aliases (`&` and `*`) are not read. Write the keys out.")
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, MappingNode):
            _refuse_same_key(node, name)
            waiting.extend(value for _, value in node.value)


def _refuse_same_key(node: MappingNode, name: str) -> None:
    lines: dict[str, str] = {}
    for key, _ in cast("list[tuple[Any, Any]]", node.value):
        if not isinstance(key.value, str):
            raise SettingsError(f"{name}, {_line(key)}: a key must be a plain word.")
        if key.value in lines:
            raise SettingsError(
                f"{name} sets {key.value!r} twice, in {lines[key.value]} and in {_line(key)}. Keep one of them."
            )
        lines[key.value] = _line(key)


def _line(node: Any) -> str:
    return f"line {node.start_mark.line + 1}"


def _yaml_entries(loader: Any, node: MappingNode, above: SettingPath, name: str) -> Iterator[Entry]:
    from yaml import MappingNode

    for key, value in cast("list[tuple[Any, Any]]", node.value):
        path = (*above, str(key.value))
        if isinstance(value, MappingNode) and value.value:
            yield from _yaml_entries(loader, value, path, name)
        else:
            place = f"{name}, {_line(key)}"
            yield Entry(path, _constructed(loader, value, path, place), Origin(f"file {name}", place))


def _constructed(loader: Any, node: Node, path: SettingPath, place: str) -> object:
    from yaml import YAMLError

    try:
        value: object = loader.construct_object(node, deep=True)
    except (YAMLError, ValueError, LookupError, AttributeError):  # what SafeLoader raises for 2022-13-45 and for tags
        pass
    else:
        return _section_or_value(path, value)
    raise SettingsError(
        f"{'.'.join(path)} ({place}) cannot be read: a date that does not exist, or a ! without quotes."
    )


def _section_or_value(path: SettingPath, value: object) -> object:
    """Return the value; a section whose keys are all commented out is empty, not None."""
    return cast("object", {}) if value is None and len(path) == 1 else value


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────


def read_json(text: str, name: str) -> Iterator[Entry]:
    """Yield every value in the text; `name` is for messages. Raises SettingsError, as `read_file` does."""
    if not text.strip():
        return
    complaint = ""
    root: object = None
    try:
        root = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        complaint = f"{name} is nested too deeply."
    except json.JSONDecodeError as error:
        complaint = f"{name}, line {error.lineno}, is no valid JSON: {error.msg}."
    except KeyError as error:
        complaint = f"{name} sets {error.args[0]!r} twice. Keep one of them."
    except ValueError:
        complaint = f"{name} holds a number with too many digits."
    if complaint:
        raise SettingsError(complaint)
    if not isinstance(root, dict):
        raise SettingsError(f'{name} holds no settings: it must hold sections, like {{"risk": {{…}}}}.')
    yield from _json_entries(cast("dict[str, Any]", root), (), name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names: set[str] = set()
    for key, _ in pairs:
        if key in names:
            raise KeyError(key)
        names.add(key)
    return dict(pairs)


def _json_entries(mapping: dict[str, Any], above: SettingPath, name: str) -> Iterator[Entry]:
    for key, value in mapping.items():
        path = (*above, key)
        if isinstance(value, dict) and value:
            yield from _json_entries(cast("dict[str, Any]", value), path, name)
        else:
            yield Entry(path, _section_or_value(path, cast("object", value)), Origin(f"file {name}", name))
