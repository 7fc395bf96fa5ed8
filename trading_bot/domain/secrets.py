"""Keep secrets out of everything that is written down or sent.

Settings register every secret value once, at the start. Whatever leaves the process as text then
goes through `Secrets.mask`; logs do so through `MaskingFilter`.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import re
from collections.abc import Iterator
from types import TracebackType
from typing import cast
from urllib.parse import quote, quote_plus

MASK = "****"

# Shorter values are words like "no" or "1": masking them would tear every log line apart, and
# something that short protects nothing anyway.
SHORTEST = 4

# Their lines below WARNING print whole addresses, and several news sources want the key in the address.
_TALKATIVE = ("httpx", "httpcore", "urllib3", "requests")


class MaskedError(RuntimeError):
    """Stands for an error whose words hold a secret and cannot be changed, as those of a group cannot."""


class Secrets:
    """The values that must never be shown. Grows only; safe to use from several threads."""

    def __init__(self) -> None:
        """Start with nothing to hide."""
        self._values: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def register(self, value: str) -> None:
        """Hide `value` from now on, as it is and as it looks inside an address.

        Surrounding white space is not part of it. Values shorter than 4 characters are not hidden.
        """
        plain = value.strip()
        if len(plain) < SHORTEST:
            return
        self._values |= {plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}
        # The longest first: a secret that contains another one must not leave its rest behind.
        longest_first = sorted(self._values, key=lambda known: (-len(known), known))
        self._pattern = re.compile("|".join(re.escape(known) for known in longest_first))

    def mask(self, text: str) -> str:
        """Return the text with `****` for every secret in it."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def mask_error(self, error: BaseException) -> BaseException:
        """Mask the words of an error, of its notes, and of every error behind it.

        Returns:
            The error, of the type it was; a `MaskedError` in its place where its words cannot be changed.
        """
        seen: set[int] = set()
        waiting: list[BaseException] = [error]
        while waiting:
            one = waiting.pop()
            if id(one) not in seen:
                seen.add(id(one))
                self._mask_words(one)
                waiting += _errors_within(one)
                waiting += [behind for behind in (one.__cause__, one.__context__) if behind is not None]
                self._replace_what_is_behind(one)
        return self._or_stand_in(error)

    def _replace_what_is_behind(self, error: BaseException) -> None:
        suppressed = error.__suppress_context__  # setting the cause sets it too
        error.__cause__ = self._or_stand_in(error.__cause__) if error.__cause__ else None
        error.__context__ = self._or_stand_in(error.__context__) if error.__context__ else None
        error.__suppress_context__ = suppressed

    def _or_stand_in(self, error: BaseException) -> BaseException:
        self._mask_words(error)
        text = str(error)
        masked = self.mask(text)
        return error if masked == text else MaskedError(f"{type(error).__name__}: {masked}")

    def _mask_words(self, error: BaseException) -> None:
        error.args = tuple(self._masked(argument) for argument in error.args)
        for name in _names_of_words(error):
            value = getattr(error, name, None)
            masked = self._masked(value)
            if masked is not value:
                with contextlib.suppress(AttributeError, TypeError):  # read only: then it is not where the words are
                    setattr(error, name, masked)
        error.__dict__.update({name: self._masked(value) for name, value in vars(error).items()})

    def _masked(self, value: object) -> object:
        """Return what may stay in an error: the value itself, or its text where that holds a secret."""
        if isinstance(value, BaseException):
            return value  # masked in its turn
        if isinstance(value, list):  # the notes of an error
            return [self._masked(item) for item in cast("list[object]", value)]
        text = value if isinstance(value, str) else repr(value)
        masked = self.mask(text)
        return value if masked == text else masked


def _names_of_words(error: BaseException) -> Iterator[str]:
    """Yield the attributes that a class keeps beside `args`: the file of an OSError, slots of one's own."""
    for kind in type(error).__mro__:
        for name, kept in vars(kind).items():
            is_field = inspect.ismemberdescriptor(kept) or inspect.isgetsetdescriptor(kept)
            if is_field and not name.startswith("__") and name != "args":
                yield name


def _errors_within(error: BaseException) -> list[BaseException]:
    """Return the errors that an error carries: those of a group, and those it was made from."""
    group = cast("tuple[object, ...]", getattr(error, "exceptions", ()))
    return [one for one in (*error.args, *vars(error).values(), *group) if isinstance(one, BaseException)]


class masked_errors(contextlib.ContextDecorator):  # noqa: N801  # used like a function
    """Whatever is raised inside says no secret, nor does anything it was raised from.

    For what stores errors where no filter of ours sees them: Prefect writes their words into its database.
    As a decorator for plain functions only; in an `async` one write `with masked_errors():`.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Mask the error on its way out."""
        if error is not None and (instead := OF_THIS_PROCESS.mask_error(error)) is not error:
            raise instead.with_traceback(at) from None


OF_THIS_PROCESS = Secrets()  # what was a secret once stays one: settings and channels add to it


class MaskingFilter(logging.Filter):
    """Mask secrets in message, arguments, exception and stack of every record; drop lines that print addresses.

    Add it to handlers, not to loggers: a logger's filter does not see what its children log.
    """

    def __init__(self, secrets: Secrets) -> None:
        """Hide what `secrets` knows at the time of each record."""
        super().__init__()
        self._secrets = secrets
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is kept; a record with a secret is rewritten in place."""
        if record.levelno < logging.WARNING and record.name.partition(".")[0] in _TALKATIVE:
            return False
        self._mask_message(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            masked = self._secrets.mask(record.exc_text)
            if masked != record.exc_text:
                # Handlers that draw the traceback themselves would show the secret again.
                record.exc_text, record.exc_info = masked, None
        if record.stack_info:
            record.stack_info = self._secrets.mask(record.stack_info)
        return True

    def _mask_message(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a wrong format: logging prints message and arguments as they are
            message = f"{record.msg} {record.args}"
        masked = self._secrets.mask(message)
        if masked != message:
            record.msg, record.args = masked, None
