"""What is wrong with a plug-in's options, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_KINDS: Mapping[str, str] = {  # how the names of pydantic's error types begin → what is wanted
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping of names to values",
    "mapping": "a mapping of names to values",
}
_LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def what_is_wrong(error: ValidationError) -> str:
    """Return what was seen and what is wanted, for every option that is wrong."""
    return "; ".join(_sentence(item) for item in error.errors())


def _sentence(item: ErrorDetails) -> str:
    option = ".".join(str(part) for part in item["loc"])
    if item["type"] == "missing":
        return f"{option} has no default and is not given"
    if item["type"] in {"value_error", "assertion_error"}:  # the plug-in's own words
        said = str(item.get("ctx", {}).get("error", item["msg"]))
        seen = f" is {_shown(item['input'])}" if isinstance(item["input"], str | int | float) else ""
        return f"{option}{seen}: {said}" if option else said
    return f"{option or 'options'} is {_shown(item['input'])}; it must be {_wanted(item)}"


def _wanted(item: ErrorDetails) -> str:
    kind, given = item["type"], item.get("ctx", {})
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"{words} {given[limit]:g}" if isinstance(given[limit], float) else f"{words} {given[limit]}"
    if kind == "literal_error":
        return f"one of {given['expected']}"
    plain = _KINDS.get(kind.partition("_")[0])
    if plain is None:
        return f"another value ({item['msg']})"
    grid = isinstance(item["input"], list) and plain not in {"a list", "text"}
    return f"{plain}; several to compare are for `bensbot tournament`" if grid else plain


def _shown(value: Any) -> str:
    """Return a wrong value for a message; of addresses neither a password nor what stands behind the question mark."""
    without_password = re.sub(r"://[^/\s'\"]*@", "://…@", repr(value))
    return re.sub(r"(://[^\s'\"?]*)\?[^\s'\"]*", r"\1?…", without_password)
