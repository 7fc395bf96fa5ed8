"""What the broker refuses, in its own words: HTTP status, code, message."""

from __future__ import annotations


class Refusal(Exception):
    """The broker's no: HTTP status, the broker's code, and its words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        """Keep all three."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def unprocessable(message: str, code: int = 42210000) -> Refusal:
    """Return the answer to an order that makes no sense."""
    return Refusal(422, code, message)


def forbidden(message: str) -> Refusal:
    """Return the answer to an order that the account may not give."""
    return Refusal(403, 40310000, message)
