"""What a ledger's executions and splits come to as trades."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.backtest.pasts import MONDAY, Wanting, asking, past
from tests.unit.strategies.markets import letters, weekdays_from
from trading_bot.backtest.ledger import run_ledger
from trading_bot.domain.backtest import LastBar, Sizing, Terms
from trading_bot.domain.figures import figures, trades_in
from trading_bot.domain.market import Split

SESSIONS, SYMBOLS = 10, 2
COSTLY = Terms(sizing=Sizing.ALL_IN, commission_per_share=Decimal("0.005"), commission_minimum=Decimal(1), short=True)

wishes = st.lists(
    st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=SYMBOLS, max_size=SYMBOLS),
    min_size=SESSIONS,
    max_size=SESSIONS,
)
prices = st.lists(st.integers(500, 5_000), min_size=SESSIONS * SYMBOLS, max_size=SESSIONS * SYMBOLS)
ratios = st.sampled_from([Decimal(2), Decimal("1.5"), Decimal("0.1"), Decimal("0.3")])


@given(wishes, prices, ratios, st.integers(1, SESSIONS - 1), st.sampled_from(LastBar))
def test_profits_of_all_trades_add_up_to_the_profit_of_the_account(
    wanted: list[list[float]], closes: list[int], ratio: Decimal, row: int, last_bar: LastBar
):
    level = np.array(closes, dtype=np.float64).reshape(SESSIONS, SYMBOLS) / 100
    split = Split(letters(1)[0], weekdays_from(MONDAY, SESSIONS)[row].item(), ratio)
    sessions = past(level, level, splits=(split,))

    result = run_ledger(asking(sessions, Wanting(wanted), replace(COSTLY, last_bar=last_bar)))

    found = figures(result)
    assert found.unattributed == pytest.approx(Decimal(0), abs=Decimal("0.01"))  # equity is rounded once, trades each
    assert found.fees == sum(trade.fees for trade in (*trades_in(result).closed, *trades_in(result).open))
