"""HTML that cannot be broken from outside: whatever is not markup of ours is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from trading_bot.domain.words import one_line


class Html(str):
    """Text that is markup already. Made here only."""

    __slots__ = ()


Part = Html | str | None

_VOID = frozenset({"meta", "link", "br"})


def tag(name: str, /, *parts: Part, **attributes: str | bool | None) -> Html:
    """Return an element; a plain text in it is put on one line and escaped, None is left out.

    `class_` becomes class, `data_x` data-x; an attribute of None or False is left out.
    """
    told = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{told}>")
    return Html(f"<{name}{told}>{joined(parts)}</{name}>")


def joined(parts: Iterable[Part]) -> Html:
    """Return parts one after the other, texts escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(one_line(part)) for part in parts if part))


def raw(markup: str) -> Html:
    """Return markup of our own that was made elsewhere: a drawing, the style sheet."""
    return Html(markup)


def row(cells: Sequence[Part], classes: Sequence[str], *, cell: str = "td", **attributes: str | None) -> Html:
    """Return a table's row; each cell has the class of its column."""
    made = (tag(cell, part, class_=name or None) for part, name in zip(cells, classes, strict=True))
    return tag("tr", *made, **attributes)


def table(
    heads: Sequence[str], rows: Iterable[Html], classes: Sequence[str], *, foot: Html | None = None, name: str = ""
) -> Html:
    """Return a table in a frame of its own, so that a wide one scrolls and the page does not."""
    parts = [
        tag("thead", row(heads, classes, cell="th")),
        tag("tbody", *rows),
        tag("tfoot", foot) if foot else None,
    ]
    return tag("div", tag("table", *parts, class_=name or None), class_="scroll")


def _attribute(key: str, value: str | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
