"""Whether somebody has an optional port."""

from __future__ import annotations

from collections.abc import Sequence

from trading_bot.domain.listing import KnowsQuotes, Quote, TakesManyAtOnce
from trading_bot.domain.market import Symbol
from trading_bot.domain.offers import offers


class Patient:
    """Gives quotes, and takes one order after the other."""

    def quotes(self, symbols: Sequence[Symbol]) -> dict[Symbol, Quote]:
        del symbols
        return {}


class Busy(Patient):
    """Takes many orders at once, too."""

    @property
    def most_at_once(self) -> int:
        return 8


def test_an_optional_port_is_offered_by_who_has_all_of_it_however_often_one_asks():
    asked = [(offers(who, KnowsQuotes), offers(who, TakesManyAtOnce)) for who in (Patient(), Busy(), Patient(), Busy())]

    assert asked == [(True, False), (True, True), (True, False), (True, True)]
