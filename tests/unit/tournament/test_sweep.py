from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import column, history
from trading_bot.domain.backtest import FillAt
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.sma_cross import SmaCross
from trading_bot.tournament.sweep import sweep

CLOSES = np.column_stack(
    [[10, 11, 12, 11, 10, 12, 14, 13, 11, 10, 12, 15], [30, 29, 31, 28, 27, 29, 31, 33, 30, 29, 31, 34]]
)


class Wanting:
    """A strategy with its opinion written out."""

    def __init__(self, *exposure: float) -> None:
        self.exposure = exposure

    def opinion(self, history: MarketHistory) -> Opinion:
        return Opinion(np.broadcast_to(column(*self.exposure), history.close.shape).copy())


def opening_elsewhere() -> MarketHistory:
    closes = history(CLOSES)
    opens = CLOSES + np.array([0.5, -0.5])
    return MarketHistory(
        closes.sessions, closes.symbols, opens, opens, opens, CLOSES.astype(float), closes.volume.copy()
    )


@pytest.mark.parametrize(
    ("fill", "left"),
    [
        # vectorbt 1.2.0: Portfolio.from_signals(close, up, ~up, fees=0.001, init_cash=1).final_value(), `up` being
        # rolling(2).mean() > rolling(4).mean(); one session later for the other two, the last with price=open
        (FillAt.SAME_CLOSE, [0.7107235536006711, 0.9326820902342159]),
        (FillAt.NEXT_CLOSE, [0.919391988937828, 0.9375170284261194]),
        (FillAt.NEXT_OPEN, [0.9222296185333151, 0.9365864904326444]),
    ],
)
def test_what_is_left_agrees_with_vectorbt(fill, left):
    assert sweep(opening_elsewhere(), [SmaCross(2, 4)], fee=0.001, fill=fill)[0] == pytest.approx(left, rel=1e-12)


def test_a_purchase_and_a_sale_cost_their_share_and_what_is_open_at_the_end_costs_no_sale():
    prices = history(column(10, 10, 12, 12))

    left = sweep(prices, [Wanting(1, 1, 0, 0), Wanting(1, 1, 1, 1)], fee=0.01, fill=FillAt.SAME_CLOSE)

    assert left[:, 0] == pytest.approx([1.2 / 1.01 * 0.99, 1.2 / 1.01])


def test_each_set_has_a_row_and_each_symbol_is_alone():
    both = sweep(history(CLOSES), [SmaCross(2, 4), SmaCross(3, 5)], fee=0.001)
    alone = sweep(history(CLOSES[:, 1:]), [SmaCross(3, 5)], fee=0.001)

    assert both.shape == (2, 2)
    assert both[1, 1] == pytest.approx(alone[0, 0], rel=1e-14)


@pytest.mark.parametrize(
    ("fill", "left"),
    [
        (FillAt.SAME_CLOSE, 15 / 10),  # wanted at session 0, sold at the first price after session 3
        (FillAt.NEXT_CLOSE, 15 / 10 * 18 / 15),  # bought at session 1, the sale decided at session 5 fills at session 6
    ],
)
def test_a_session_without_a_price_changes_nothing(fill, left):
    gap = history(column(10, 10, 11, np.nan, np.nan, 15, 18, 30))

    assert sweep(gap, [Wanting(1, 1, 1, 0, 0, 0, 0, 0)], fee=0.0, fill=fill)[0, 0] == pytest.approx(left)


def test_a_symbol_that_came_late_or_went_early_keeps_its_last_worth():
    prices = history([[np.nan, 10], [np.nan, 20], [10, np.nan], [15, np.nan]])

    assert sweep(prices, [Wanting(1, 1, 1, 1)], fee=0.0, fill=FillAt.SAME_CLOSE)[0].tolist() == pytest.approx([1.5, 2])
