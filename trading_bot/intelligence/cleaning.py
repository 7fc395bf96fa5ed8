"""Make text from outside fit to be scored, kept and shown: no markup, nothing that cannot be seen, not too long."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit, urlunsplit

LONGEST_RAW = 10_000  # characters of a field that are looked at; what follows is left off
LONGEST_HEADLINE = 300  # characters
LONGEST_SUMMARY = 2_000
LONGEST_NAME = 60  # of a source
LONGEST_URL = 500

_CODE = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(?:!--|/?[a-z])[^<>]*>", re.IGNORECASE)  # a plain "<" is less than


def plain(text: str, most: int) -> str:
    """Return the text on one line without tags, entities, control and invisible characters; at most `most` of them."""
    shown = html.unescape(_TAG.sub(" ", _CODE.sub(" ", text[:LONGEST_RAW])))
    visible = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in shown)
    line = " ".join(unicodedata.normalize("NFC", visible).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def address(text: str) -> str:
    """Return a web address without a name and password in it; "" for what is none."""
    whole = text.strip()
    if len(whole) > LONGEST_URL or any(unicodedata.category(each)[0] in "CZ" for each in whole):
        return ""
    try:
        parts = urlsplit(whole)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
