"""The kinds of value a setting can have. Each one refuses what people write by mistake and says what to write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import unquote, unquote_plus, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

ADVICE = "advice"  # the pydantic error type of the refusals below: their message is meant for people

CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
NAMED_WINDOWS = ("regular", "pre-market", "after-hours")

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:api_?key|access_key|secret_key|private_key|key_id|secret|token|password|passwd|passphrase"
    r"|credentials?|webhook|webhook_url|dsn)$",
    re.IGNORECASE,
)
_URL_WITH_PASSWORD = re.compile(r"://[^/\s]*@")
_PASSWORD = re.compile(r"://[^/@\s]*?:([^/\s]+)@")
_QUERY = re.compile(r"://[^?\s]*\?(\S*)")
_SECRET_PARAMETER = re.compile(r"password|passwd|secret|token|scram_|api_?key", re.IGNORECASE)
_NEXT_URL = re.compile(r",\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)")  # a comma inside a URL separates nothing


def advice(text: str) -> PydanticCustomError:
    """Return the error to raise from a validator: `text` says what to write instead."""
    return PydanticCustomError(ADVICE, "{text}", {"text": text})


def is_secret_name(name: str) -> bool:
    """Tell whether an option of this name holds a secret, like `api_key` or `bearer_token`."""
    return _SECRET_NAME.search(name) is not None


def holds_a_password(text: str) -> bool:
    """Tell whether the text is a URL with a user or password in it, also behind its question mark."""
    return _URL_WITH_PASSWORD.search(text) is not None or any(passwords_in(text))


def passwords_in(text: str) -> Iterator[str]:
    """Give the passwords in a URL as they stand there and as a driver sees them: `://u:x@h`, `?sslpassword=x`."""
    if before_the_host := _PASSWORD.search(text):
        yield before_the_host[1]
        yield unquote(before_the_host[1])
    query = _QUERY.search(text)
    for part in query[1].split("&") if query else ():
        name, _, value = part.partition("=")
        private_feed = name == "feed" and len(value) >= 16  # Reddit's; others say feed=rss2
        if value and (private_feed or _SECRET_PARAMETER.search(unquote_plus(name))):
            yield value
            yield unquote_plus(value)


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────


def _plain_number(value: object) -> object:
    if isinstance(value, bool):
        raise advice(f"it must be a number, not {str(value).lower()}")
    if isinstance(value, str):
        plain = _written_plainly(value.strip())
        if plain is not None:
            raise advice(f"write {plain}")
    return value


def _written_plainly(text: str) -> str | None:
    """Return what `5%`, `0,05` and `100,000` mean, None for anything else."""
    per_cent = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*%", text)
    if per_cent:
        return f"{(Decimal(per_cent[1]) / 100).normalize():f}"
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", text):
        return text.replace(",", "")
    return text.replace(",", ".") if re.fullmatch(r"\d+,\d+", text) else None


def _within_reason(value: Decimal) -> Decimal:
    """Refuse 1e-999999: it passes every range, and writing it out fills the memory."""
    if value and not -12 <= value.adjusted() <= 15:
        raise advice("the number is too large or too small to be meant")
    return value


def _to_the_cent(value: Decimal) -> Decimal:
    decimals = value.normalize().as_tuple().exponent
    if isinstance(decimals, int) and decimals < -2:
        raise advice("dollars have at most two decimals")
    return value


Number = Annotated[Decimal, BeforeValidator(_plain_number), AfterValidator(_within_reason)]
Statistic = Annotated[float, BeforeValidator(_plain_number)]
Dollars = Annotated[Number, AfterValidator(_to_the_cent)]
Count = Annotated[int, BeforeValidator(_plain_number)]
Share = Annotated[
    Decimal, Field(gt=0, le=1), BeforeValidator(_plain_number), AfterValidator(_within_reason)
]  # a fraction: 0.05 is 5 %
Score = Annotated[float, Field(ge=0, le=1), BeforeValidator(_plain_number)]


# ── times, dates, paths ───────────────────────────────────────────────────────────────────────────


def _clock_time(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        raise advice(f"YAML reads a time without quotes as a number. Write {_time_meant(value)} with quotes")
    if isinstance(value, str) and re.fullmatch(r"\d:[0-5]\d", value):
        raise advice(f'write "0{value}"')
    if isinstance(value, str) and not re.fullmatch(CLOCK, value):
        raise advice('it must be a time of day between "00:00" and "23:59", like "16:30"')
    return value


def _time_meant(number: int) -> str:
    """Return the times of day that may have become this number: YAML reads 16:30 as minutes, 16:30:00 as seconds.

    A 930 may have been 15:30, or half past nine without a colon.
    """
    seconds = number * 60 if 0 <= number < 24 * 60 else number
    found = [(seconds // 3600, seconds // 60 % 60)] if 0 <= seconds < 24 * 60 * 60 and seconds >= 60 * 60 else []
    if 100 <= number <= 2359 and number % 100 < 60:
        found.append(divmod(number, 100))
    if not found:
        return 'a time between "00:00" and "23:59", like "16:30",'  # 40:00 is none
    return " or ".join(f'"{hour:02d}:{minute:02d}"' for hour, minute in found)


def window_of_times(text: str) -> tuple[str, str] | None:
    """Return the two times of a window like `09:45-15:30`, None for any other text."""
    if not re.fullmatch(rf"{CLOCK}-{CLOCK}", text):
        return None
    start, _, end = text.partition("-")
    return start, end


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise advice("it must be a date that exists, written like 2022-01-03")


def _named(value: object) -> object:
    """Refuse an empty path: it would mean the current folder, whatever lies there."""
    if isinstance(value, str) and not value.strip():
        raise advice("it must not be empty; write . for the current folder")
    return value


def _at_home(value: Path) -> Path:
    try:
        return value.expanduser()  # the shell does it for variables, nobody does it in a file
    except RuntimeError:
        raise advice("there is no such home folder; write the whole path") from None


def _address(value: str) -> str:
    """Take the address of a host that may see our keys: encrypted, or on this machine."""
    if not re.fullmatch(r"https?://[^/\s?#@]+/?", value):
        raise advice("write an address without a path, like https://paper-api.alpaca.markets")
    split = urlsplit(value)
    if split.scheme == "http" and split.hostname not in THIS_MACHINE:
        raise advice("keys travel encrypted only: write https://, or an address on this machine like 127.0.0.1")
    return value.rstrip("/")


def _book_address(value: SecretStr) -> SecretStr:
    """Take the URL of a database that can hold a book."""
    if not re.match(r"(sqlite|postgres(ql)?)(\+\w+)?://", value.get_secret_value()):
        raise advice("write a URL that begins with sqlite:/// or postgresql+psycopg://")
    return value


def _stream_address(value: str) -> str:
    """Take the address of a stream that sees our keys: encrypted, or on this machine."""
    if not re.fullmatch(r"wss?://[^/\s?#@]+(/[^\s?#]*)?", value):
        raise advice("write the address of a websocket, like wss://paper-api.alpaca.markets/stream")
    split = urlsplit(value)
    if split.scheme == "ws" and split.hostname not in THIS_MACHINE:
        raise advice("keys travel encrypted only: write wss://, or an address on this machine like ws://127.0.0.1")
    return value


TimeOfDay = Annotated[str, Field(pattern=rf"^{CLOCK}$"), BeforeValidator(_clock_time)]
Day = Annotated[date, BeforeValidator(_day)]
UserPath = Annotated[Path, BeforeValidator(_named), AfterValidator(_at_home)]
BookAddress = Annotated[SecretStr, AfterValidator(_book_address)]
Address = Annotated[str, AfterValidator(_address)]
StreamAddress = Annotated[str, AfterValidator(_stream_address)]


# ── lists and options ─────────────────────────────────────────────────────────────────────────────


def _listed(value: object) -> object:
    """Split what people type into a variable: `AAPL,MSFT`, or a JSON list. Lists pass."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        return _from_json(text, 'write a list like ["one", "two"], or one,two')
    parts = _NEXT_URL.split(text) if "://" in text else text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _from_json(text: str, wanted: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        pass  # raised below, so that the text (it may be a secret) is not in the error's context
    raise advice(f"it is no valid JSON; {wanted}")


def _ticker(value: object) -> object:
    if not isinstance(value, str):
        raise advice('YAML reads some tickers as something else, like ON as true. Write it in quotes, like "ON"')
    if not value.strip():
        raise advice("a symbol cannot be empty")
    return value.strip()


def _unlike(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise advice(f"{', '.join(twice)} is listed twice; list it once")
    return values


def any_case(*names: str) -> BeforeValidator:
    """Return a validator that takes each name in upper, lower or mixed case."""
    known = {name.casefold(): name for name in names}
    return BeforeValidator(lambda value: known.get(value.casefold(), value) if isinstance(value, str) else value)


def _mapping(value: object) -> object:
    if isinstance(value, str) and value.strip().startswith("{"):
        return _from_json(value, 'write a mapping like {"name": 1}')
    return value


def _companies(names: dict[str, str]) -> dict[str, str]:
    for ticker, name in names.items():
        if len(name.strip()) < 2:
            raise advice(f"the name of {ticker} is too short to be told from other words")
    return names


def hide_secrets(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with every secret in a `SecretStr`, at any depth.

    An option is a secret by its name (`api_key`, `…_token`, `password`) or because it is a URL with
    a password in it. The plug-in that takes it types the field `SecretStr`.
    """
    return {name: _hidden(name, value) for name, value in options.items()}


def _hidden(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hidden(str(key), inner) for key, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_hidden(name, inner) for inner in cast("list[Any]", value)]
    if isinstance(value, bool | SecretStr) or value is None:
        return value
    if is_secret_name(name) or (isinstance(value, str) and holds_a_password(value)):
        return SecretStr(str(value))
    return value


Symbols = Annotated[
    tuple[Annotated[str, BeforeValidator(_ticker)], ...], BeforeValidator(_listed), AfterValidator(_unlike)
]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed), AfterValidator(_unlike)]
Days = Annotated[tuple[Day, ...], BeforeValidator(_listed)]
SecretUrls = Annotated[tuple[SecretStr, ...], BeforeValidator(_listed)]
Companies = Annotated[dict[str, str], BeforeValidator(_mapping), AfterValidator(_companies)]
Options = Annotated[dict[str, Any], BeforeValidator(_mapping), AfterValidator(hide_secrets)]
LISTED = BeforeValidator(_listed)
