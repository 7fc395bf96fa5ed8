from __future__ import annotations

import pytest

from trading_bot.core.tickers import as_held
from trading_bot.domain.market import Symbol

HELD = (Symbol("AAPL"), Symbol("Brk.b"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["AAPL"], ("AAPL",)),
        (["aapl", " AAPL "], ("AAPL",)),
        (["brk.b"], ("Brk.b",)),
        (["msft", "aapl"], ("MSFT", "AAPL")),
        ([], ()),
    ],
)
def test_a_symbol_is_found_whatever_its_case(typed: list[str], meant: tuple[str, ...]):
    assert as_held(typed, HELD) == meant
