from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategies.markets import FIRST_SESSION, column, history, letters, weekdays_from
from trading_bot.domain.market import MarketHistory
from trading_bot.tournament.earnings import earnings, held, session_returns


def bars(opens, closes) -> MarketHistory:
    opened, closed = np.array(opens, dtype=float), np.array(closes, dtype=float)
    days = weekdays_from(FIRST_SESSION, len(opened))
    high, low = np.fmax(opened, closed), np.fmin(opened, closed)
    return MarketHistory(days, letters(opened.shape[1]), opened, high, low, closed, np.full(opened.shape, 1e6))


def returns(market: MarketHistory, exposure, *, cost_bps: float = 0.0, short: bool = False) -> list[float]:
    rows = held(np.array(exposure, dtype=float)[:-1], earnings(market), short=short)
    return session_returns(rows, cost_bps=cost_bps).tolist()


RISING = bars(column(10, 10, 12, 12), column(10, 11, 12, 15))


@pytest.mark.parametrize(
    ("exposure", "earned"),
    [
        # in place at the open of the session after the decision; the last decision fills after the last close
        ([0, 0, 1, 0], [0, 15 / 12 - 1]),  # from the open to the close
        ([0, 1, 1, 0], [0, 15 / 12 - 1]),
        ([1, 0, 0, 1], [12 / 11 - 1, 0]),  # over night, sold at the open
        ([1, 1, 1, 1], [12 / 11 - 1, 15 / 12 - 1]),  # from close to close
        ([0, 0, 0, 1], [0, 0]),
        ([0, -1, -1, 0], [0, 0]),  # long only
    ],
)
def test_what_was_decided_at_a_close_is_held_from_the_next_open_to_the_one_after(exposure, earned):
    assert returns(RISING, column(*exposure)) == pytest.approx(earned, abs=1e-15)


def test_a_short_position_earns_what_the_price_loses():
    falling = bars(column(10, 10, 10, 8), column(10, 10, 10, 6))

    # over night from 10 to 8, then from 8 to 6 with new parts: 1.2 · 1.25 - 1
    assert returns(falling, column(0, -1, -1, 0), short=True) == pytest.approx([0, 0.5])


def test_a_short_portfolio_can_lose_everything_but_not_more():
    doubled = bars(column(10, 10, 10, 30, 30), column(10, 10, 10, 30, 60))

    assert returns(doubled, column(-1, -1, -1, -1, 0), short=True) == [0, -1, -1]


def test_each_dollar_that_changes_hands_costs():
    still = bars(np.full((5, 2), 10.0), np.full((5, 2), 10.0))
    #                  from nothing to half of equity, over to the other half, and out
    wishes = [[0, 0], [1, 0], [0, 1], [0, 0], [0, 0]]

    assert returns(still, wishes, cost_bps=100) == pytest.approx([-0.005, -0.01, -0.005])


def test_every_listed_symbol_has_an_equal_part_and_one_to_come_has_none():
    later = [[10, np.nan], [10, np.nan], [11, np.nan], [11, 20], [11, 20], [11, 30]]

    # alone until the close of session 3, at which the second is known; with half each from session 4 on
    assert returns(history(later), np.ones((6, 2))) == pytest.approx([0.1, 0, 0, 0.25])


def test_a_symbol_without_a_price_is_still_held_and_earns_the_change_when_it_has_one_again():
    gap = history(column(10, 10, np.nan, np.nan, 15, 15))

    assert returns(gap, column(1, 1, 0, 0, 0, 0)) == pytest.approx([0, 0, 0.5, 0])


def test_a_symbol_that_went_away_is_sold_at_its_last_close_and_frees_its_part():
    closes = np.full((12, 2), 10.0)
    closes[2:, 0] = np.nan  # gone after session 1: known as gone at the close of session 7
    market = history(closes)
    rows = held(np.ones((11, 2)), earnings(market), short=False)

    assert rows.traded.tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]  # half is sold, the other half bigger by as much
    assert set(session_returns(rows, cost_bps=0).tolist()) == {0}


def test_nothing_is_known_of_later_rows():
    rng = np.random.default_rng(5)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (40, 4)), axis=0))
    closes[rng.random((40, 4)) < 0.2] = np.nan
    wishes = rng.integers(0, 2, (40, 4)).astype(float)

    whole = returns(history(closes), wishes, cost_bps=5)
    for rows in range(3, 40):
        assert returns(history(closes[:rows]), wishes[:rows], cost_bps=5) == whole[: rows - 2]


def one_session_after_the_other(market: MarketHistory, wishes, cost_bps: float) -> list[float]:
    """Trade dollars, symbol by symbol and session by session, by the rules that `earnings` states."""
    width = len(market.symbols)
    last, seen = [float("nan")] * width, [-99] * width
    dollars, parts = [0.0] * width, [0.0] * width
    wish, pending = [0.0] * width, [0.0] * width
    cash, worth = 1.0, [1.0]
    for row in range(len(market.sessions)):
        traded = [bool(np.isfinite(market.close[row, c])) for c in range(width)]
        for c in range(width):
            if traded[c] and seen[c] >= 0:
                dollars[c] *= market.open[row, c] / last[c]
        equity, listed = cash + sum(dollars), [row - 1 - seen[c] <= 5 for c in range(width)]
        if row:
            wish = [
                (pending[c] if traded[c] and seen[c] == row - 1 else wish[c]) if listed[c] else 0.0
                for c in range(width)
            ]
            new = [wish[c] / max(sum(listed), 1) for c in range(width)]
            equity *= 1 - sum(abs(new[c] - parts[c]) for c in range(width)) * cost_bps / 10_000
            dollars, parts = [equity * part for part in new], new
            cash = equity - sum(dollars)
        for c in range(width):
            if traded[c]:
                dollars[c] *= market.close[row, c] / market.open[row, c]
                last[c], seen[c] = market.close[row, c], row
        pending = [max(value, 0.0) for value in wishes[row]]
        worth.append(cash + sum(dollars))
    return [now / before - 1 for before, now in itertools.pairwise(worth[2:])]


@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.05, 0.5, 0.9]))
def test_all_sessions_at_once_earn_what_one_after_the_other_does(seed, missing):
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (30, 3)), axis=0))
    opens = closes * np.exp(rng.normal(0, 0.01, closes.shape))
    gone = rng.random(closes.shape) < missing
    closes[gone], opens[gone] = np.nan, np.nan
    market, wishes = bars(opens, closes), rng.uniform(-1, 1, closes.shape)

    expected = one_session_after_the_other(market, wishes, 20.0)
    assert returns(market, wishes, cost_bps=20.0) == pytest.approx(expected, abs=1e-12)
