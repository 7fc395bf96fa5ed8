"""Whether somebody has an optional port."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from trading_bot.domain.offers import offers


@runtime_checkable
class Sings(Protocol):
    """One method."""

    def sing(self) -> str:
        """Return a song."""
        ...


@runtime_checkable
class SingsAloud(Sings, Protocol):
    """A method and a property."""

    @property
    def loudness(self) -> int:
        """How loud."""
        ...


class Bird:
    """Sings."""

    def sing(self) -> str:
        return "cuckoo"


class Opera(Bird):
    """Sings aloud."""

    @property
    def loudness(self) -> int:
        return 90


def test_an_optional_port_is_offered_by_who_has_all_of_it_however_often_one_asks():
    asked = [(offers(who, Sings), offers(who, SingsAloud)) for who in (Bird(), Opera(), Bird(), Opera(), object())]

    assert asked == [(True, False), (True, True), (True, False), (True, True), (False, False)]
