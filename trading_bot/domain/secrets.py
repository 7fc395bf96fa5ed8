"""Keep secrets out of everything that is written down or sent.

Settings register every secret value once, at the start. Whatever leaves the process as text then
goes through `Secrets.mask`; logs do so through `MaskingFilter`.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import quote, quote_plus

MASK = "****"

# Shorter values are words like "no" or "1": masking them would tear every log line apart, and
# something that short protects nothing anyway.
SHORTEST = 4

# Their lines below WARNING print whole addresses, and several news sources want the key in the address.
_TALKATIVE = ("httpx", "httpcore", "urllib3", "requests")


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
