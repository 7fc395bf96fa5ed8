"""Say in words what is wrong with a setting: its key, its value, where it stands, and what to write."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from trading_bot.config.origins import Layered
from trading_bot.config.values import ADVICE

_LONGEST_ECHO = 60
_ADDRESS = "(an address)"  # somebody put a channel's URL where a key belongs; it may hold a token
_KINDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    bool: "true or false",
    str: "text",
    SecretStr: "text",
    Path: "a path",
    date: "a date like 2022-01-03",
    tuple: "a list",
    dict: "a mapping of names to values",
}


def in_words(error: ErrorDetails, model: type[BaseModel], layers: Layered) -> str:
    """Return one sentence or two about `error`. A value that may be secret is not shown."""
    where = tuple(_ADDRESS if "://" in str(part) else str(part) for part in error["loc"])
    origin = layers.nearest(where)
    place = f" ({origin.place})" if origin else ""
    key = ".".join(where) or "the settings"
    if error["type"] == "extra_forbidden":
        return f"{key}{place} is no setting.{_did_you_mean(where, model)}"
    if error["type"] == "missing":
        return f"{key}{place} is missing: add it."
    if error["type"] == ADVICE and not where:  # about two sections at once: it names them
        return f"{error['msg']}."
    field = field_at(model, error["loc"])
    if field is None or (_is_model(field.annotation) and not isinstance(error["input"], dict)):
        return f"{key}{place} is a section: its keys stand indented below it."
    value = cast("object", error["input"])
    asked = _element(field) if field_at(model, error["loc"][:-1]) is field else field
    fix = error["msg"] if error["type"] == ADVICE else f"it must be {wanted(asked)}{_per_cent(value, asked)}"
    return f"{key}{_shown(value, field)}{place}: {fix}."


def field_at(model: type[BaseModel], where: Sequence[int | str]) -> FieldInfo | None:
    """Return the field that the path leads to or through, None when the path names none."""
    field: FieldInfo | None = None
    inside: type[BaseModel] | None = model
    for part in where:
        if isinstance(part, int):
            continue
        if inside is None or part not in fields_of(inside):
            break
        field = fields_of(inside)[part]
        inside = _model_in(field.annotation)
    return field


def fields_of(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Return the fields by the names they have in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _element(field: FieldInfo) -> FieldInfo:
    """Return what a list or a mapping holds, the field itself where that is neither a plain value nor a mapping."""
    plain = _plain_type(field.annotation)
    if get_origin(plain) not in (tuple, dict):
        return field
    first, second = get_args(plain)
    inner = FieldInfo.from_annotation(first if get_origin(plain) is tuple else second)
    return inner if _is_model(inner.annotation) or _plain_type(inner.annotation) in _KINDS else field


def wanted(field: FieldInfo) -> str:
    """Return what a field takes, in words: its type and its range."""
    plain = _plain_type(field.annotation)
    if _is_model(plain):  # every list of such takes the bare name, too
        return "a name, or a mapping with a name"
    if get_origin(plain) is Literal:
        return f"one of {', '.join(get_args(plain))}"
    limits = range_of(field)
    kind = _KINDS.get(get_origin(plain) or plain, "another value")
    said = f"{kind}, {limits}" if limits else kind
    return f"{said}{',' if limits else ''} or null" if type(None) in get_args(field.annotation) else said


def range_of(field: FieldInfo) -> str:
    """Return the limits of a value in words, "" when it has none."""
    metadata = list(_metadata(field))
    if any(isinstance(limit, MinLen) for limit in metadata):
        return "not empty"
    words = {Gt: "above", Ge: "at least", Lt: "below", Le: "at most"}
    limits = [f"{words[type(limit)]} {next(iter(_limit(limit)))}" for limit in metadata if type(limit) in words]
    return " and ".join(limits)


def _metadata(field: FieldInfo) -> Iterator[Any]:
    """Yield what is said about a value: about the field, and inside `… | None`."""
    yield from field.metadata
    for inner in get_args(field.annotation) if type(None) in get_args(field.annotation) else ():
        for each in getattr(inner, "__metadata__", ()):
            yield from each.metadata if isinstance(each, FieldInfo) else (each,)


def _limit(limit: Any) -> tuple[Any, ...]:
    return tuple(getattr(limit, name) for name in ("gt", "ge", "lt", "le") if hasattr(limit, name))


def _plain_type(annotation: Any) -> Any:
    """Return the type below `… | None`, without what is said about it."""
    inner = [arg for arg in get_args(annotation) if arg is not type(None)]
    plain = inner[0] if type(None) in get_args(annotation) and len(inner) == 1 else annotation
    return get_args(plain)[0] if get_origin(plain) is Annotated else plain


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    candidates = (annotation, *get_args(annotation))
    return next((candidate for candidate in candidates if _is_model(candidate)), None)


def _may_hold_a_secret(annotation: Any) -> bool:
    """Tell whether a value of this type may: options may, so may a strategy with its options."""
    if annotation is SecretStr or get_origin(annotation) is dict:
        return True
    if _is_model(annotation):
        return any(_may_hold_a_secret(field.annotation) for field in annotation.model_fields.values())
    return any(_may_hold_a_secret(inner) for inner in get_args(annotation))


def _shown(value: object, field: FieldInfo) -> str:
    """Return ` is 5` for the message; nothing that is or may be a secret."""
    if _may_hold_a_secret(field.annotation):
        return ""
    if value is None:
        return " is empty"
    if isinstance(value, bool):
        return f" is {str(value).lower()}"
    if isinstance(value, str):
        hidden = "://" in value or len(value) > _LONGEST_ECHO
        return "" if hidden else f" is {value!r}"
    return f" is {value}" if isinstance(value, int | float | Decimal | date) else ""


def _per_cent(value: object, field: FieldInfo) -> str:
    """Return the hint for whom writes 5 where 0.05 is meant."""
    if Le(1) not in field.metadata:
        return ""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return ""
    if not number.is_finite() or not 1 < number <= 100:
        return ""
    return f"; {number.normalize():f} % is written {(number / 100).normalize():f}"


def _did_you_mean(where: tuple[str, ...], model: type[BaseModel]) -> str:
    *above, key = where
    parent = field_at(model, above) if above else None
    inside = _model_in(parent.annotation) if parent else model
    siblings = list(fields_of(inside)) if inside else []
    close = difflib.get_close_matches(key.lower(), siblings, n=1)
    if close:
        return f" Did you mean {'.'.join((*above, close[0]))}?"
    elsewhere = [f"{section}.{key}" for section in _sections_with(key, model)]
    if elsewhere:
        return f" Did you mean {' or '.join(elsewhere)}?"
    return f" There are: {', '.join(siblings) or 'none'}."


def _sections_with(key: str, model: type[BaseModel]) -> list[str]:
    return [
        name
        for name, field in model.model_fields.items()
        if (section := _model_in(field.annotation)) is not None and key in section.model_fields
    ]
