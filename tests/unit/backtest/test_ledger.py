"""Every rule of the ledger, with numbers that a reader can follow on paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.backtest.pasts import LIKE_THE_BOT, Wanting, asking, past
from tests.unit.strategies.markets import letters
from trading_bot.backtest.ledger import run_ledger
from trading_bot.domain.backtest import BacktestResult, Engine, FillAt, LastBar, Sizing, Terms
from trading_bot.domain.errors import LooksAhead
from trading_bot.domain.market import MarketHistory, Split
from trading_bot.domain.ports import Opinion

FREE = Terms(slippage_bps=Decimal(0), sizing=Sizing.ALL_IN)
LIKE_LEAN = replace(
    FREE, cash_buffer=Decimal("0.0025"), commission_per_share=Decimal("0.005"), commission_minimum=Decimal(1)
)
RISING = past([100, 101, 103, 104, 108], [100, 102, 104, 106, 110])
IN_AND_OUT = Wanting([1, 1, 1, 0, 0])
NAN = float("nan")


def told(result: BacktestResult) -> list[tuple[int, str, int | float, float]]:
    """Return the row of the session, side, shares and price of each execution."""
    rows = {day: row for row, day in enumerate(result.sessions.tolist())}
    return [(rows[e.session], str(e.side), float(e.quantity), float(e.price)) for e in result.executions]


@pytest.mark.parametrize(
    ("fill", "bought", "sold", "left"),
    [
        # 100 shares are counted with the deciding close of 100; at 101 the cash pays for 99, at 102 for 98
        (FillAt.NEXT_OPEN, (1, "buy", 99, 101), (4, "sell", 99, 108), 10_000 + 99 * 7),
        (FillAt.NEXT_CLOSE, (1, "buy", 98, 102), (4, "sell", 98, 110), 10_000 + 98 * 8),
        (FillAt.SAME_CLOSE, (0, "buy", 100, 100), (3, "sell", 100, 106), 10_000 + 100 * 6),
    ],
)
def test_orders_fill_where_the_terms_say(fill, bought, sold, left):
    result = run_ledger(asking(RISING, IN_AND_OUT, replace(FREE, fill=fill)))

    assert told(result) == [bought, sold]
    assert result.equity[-1] == result.cash[-1] == left
    assert result.gross[-1] == 0


def test_a_position_is_worth_its_newest_close_after_each_session():
    result = run_ledger(asking(RISING, IN_AND_OUT, FREE))

    assert result.equity.tolist() == [10_000, 10_099, 10_297, 10_495, 10_693]
    assert result.cash.tolist() == [10_000, 1, 1, 1, 10_693]
    assert result.gross.tolist() == [0, 99 * 102, 99 * 104, 99 * 106, 0]
    assert (result.engine, result.opening) == (Engine.VECTORISED, 10_000)


def test_lean_like_terms_next_open_half_a_cent_a_share_a_dollar_at_least_and_a_quarter_per_cent_kept():
    sessions = past([100, 100.2, 103, 110, 111], [100, 101, 102, 110, 111])
    result = run_ledger(asking(sessions, Wanting([1, 1, 0, 0, 0]), LIKE_LEAN, opening=100_000))

    # 99,750 dollars buy 997 shares at 100 with 4.98 of commission; they fill at 100.20 and are sold at 110
    assert told(result) == [(1, "buy", 997, 100.2), (3, "sell", 997, 110)]
    assert [execution.fee for execution in result.executions] == [Decimal("4.98"), Decimal("4.98")]
    assert result.cash.tolist() == [100_000, 95.62, 95.62, 109_760.64, 109_760.64]


def test_a_purchase_that_gapped_above_the_cash_is_cut_to_what_it_pays_for():
    sessions = past([100, 100.4, 100], [100, 100, 100])
    result = run_ledger(asking(sessions, Wanting([1, 1, 1]), LIKE_LEAN, opening=100_000))

    assert told(result) == [(1, "buy", 995, 100.4)]  # 995 and 4.98 of commission cost 99,902.98; 997 were wanted
    assert result.decisions == {"approved": 0, "resized": 1, "rejected": 0}


def test_shares_may_be_counted_with_the_price_they_fill_at():
    result = run_ledger(asking(RISING, IN_AND_OUT, replace(FREE, size_at_fill=True)))

    assert told(result) == [(1, "buy", 99, 101), (4, "sell", 99, 108)]
    assert result.decisions == {"approved": 2, "resized": 0, "rejected": 0}


def test_a_change_of_direction_closes_and_opens_at_once():
    terms = replace(FREE, size_at_fill=True, short=True)
    result = run_ledger(asking(past([10, 10, 12, 8, 8], [10, 10, 12, 8, 8]), Wanting([1, -1, -1, -1, 0]), terms))

    assert told(result) == [(1, "buy", 1000, 10), (2, "sell", 1000, 12), (2, "sell", 1000, 12)]
    assert result.equity.tolist() == [10_000, 10_000, 12_000, 16_000, 16_000]
    assert result.cash.tolist() == [10_000, 0, 24_000, 24_000, 24_000]


def test_without_shorts_a_negative_opinion_wants_nothing():
    result = run_ledger(asking(RISING, Wanting([-1, -1, 1, -1, -1]), replace(FREE, size_at_fill=True)))

    assert told(result) == [(3, "buy", 96, 104), (4, "sell", 96, 108)]


def test_every_symbol_has_an_equal_part_and_only_new_opinions_are_acted_on():
    opens, closes = np.full((5, 2), 10.0), np.array([[10, 10], [10, 10], [20, 10], [20, 10], [20, 10]], dtype=float)
    result = run_ledger(asking(past(opens, closes), Wanting([[1, 0], [1, 0], [1, 1], [1, 1], [1, 1]]), FREE))

    # 500 of the first, whatever it is worth later; the second gets half of 15,000, as far as the cash goes
    assert told(result) == [(1, "buy", 500, 10), (3, "buy", 500, 10)]


def test_what_the_cash_buffer_keeps_back_is_never_invested():
    kept = replace(FREE, cash_buffer=Decimal("0.1"), fractional_shares=True, size_at_fill=True)
    result = run_ledger(asking(past([7, 7, 7], [7, 7, 7]), Wanting([1, 1, 1]), kept))

    assert told(result) == [(1, "buy", 1285.714285, 7.0)]
    assert result.cash[-1] == 1000.00


@pytest.mark.parametrize(
    ("last_bar", "ending", "left"),
    [
        (LastBar.KEEP, [], 10_000 + 99 * 9),
        (LastBar.CLOSE_AT_OPEN, [(4, "sell", 99, 108)], 10_000 + 99 * 7),
        (LastBar.CLOSE_AT_CLOSE, [(4, "sell", 99, 110)], 10_000 + 99 * 9),
    ],
)
def test_what_is_open_on_the_last_bar_is_kept_or_closed(last_bar, ending, left):
    result = run_ledger(asking(RISING, Wanting([1, 1, 1, 1, 1]), replace(FREE, last_bar=last_bar)))

    assert told(result) == [(1, "buy", 99, 101), *ending]
    assert result.equity[-1] == left
    assert (result.prices == {}) == bool(ending)
    assert all(execution.strategy == "last bar" for execution in result.executions[1:])


def test_an_order_expires_where_its_symbol_does_not_trade_and_the_wish_is_tried_again():
    sessions = past([10, NAN, 10, 11, 11], [10, NAN, 10, 11, 11])
    result = run_ledger(asking(sessions, Wanting([1, 1, 1, 1, 1]), FREE))

    assert told(result) == [(3, "buy", 909, 11)]
    assert result.rejections == {"no price": 1}


def test_no_more_than_a_share_of_the_volume_fills_and_the_rest_is_tried_again():
    sessions = past([10] * 5, [10] * 5, volume=4000)
    result = run_ledger(asking(sessions, Wanting([1] * 5), FREE))

    assert told(result) == [(1, "buy", 400, 10), (2, "buy", 400, 10), (3, "buy", 200, 10)]
    assert result.decisions == {"approved": 1, "resized": 2, "rejected": 0}


def test_a_holding_that_trades_no_more_stays_at_its_last_price():
    sessions = past([10, 10, NAN, NAN], [10, 12, NAN, NAN])
    result = run_ledger(asking(sessions, Wanting([1, 0, 0, 0]), replace(FREE, last_bar=LastBar.CLOSE_AT_CLOSE)))

    assert told(result) == [(1, "buy", 1000, 10)]
    assert result.equity.tolist() == [10_000, 12_000, 12_000, 12_000]


def test_a_split_multiplies_shares_and_pays_the_fraction():
    split = Split(letters(1)[0], date(2020, 3, 4), Decimal("0.3"))  # three new for ten old ones
    sessions = past([10, 10, 33, 33], [10, 11, 33, 33], splits=(split,))
    result = run_ledger(asking(sessions, Wanting([1, 1, 1, 1]), FREE, opening=1_009))

    # 100 bought at 10; 30 afterwards. With 101 there would be a fraction:
    assert result.equity.tolist() == [1_009, 1_109, 9 + 30 * 33, 9 + 30 * 33]
    odd = run_ledger(asking(sessions, Wanting([1, 1, 1, 1]), FREE, opening=1_010))
    assert odd.splits[0].remainder == Decimal("0.3")
    assert odd.cash.tolist() == [1_010, 0, 9.9, 9.9]


def test_a_split_makes_orders_void():
    split = Split(letters(1)[0], date(2020, 3, 3), Decimal(2))
    sessions = past([10, 5, 5, 5], [10, 5, 5, 5], splits=(split,))
    result = run_ledger(asking(sessions, Wanting([1, 1, 1, 1]), FREE))

    assert told(result) == [(2, "buy", 2000, 5)]
    assert result.rejections == {"split": 1}


def test_weighted_sizing_follows_the_score_the_candidates_and_the_threshold():
    targets = replace(LIKE_THE_BOT, position_weight=Decimal("0.4"), max_candidates=1)
    terms = replace(FREE, sizing=Sizing.WEIGHTED)
    level = np.full((5, 2), 10.0)
    level[2:, 0] = 10.2
    wanted = Wanting([[0.5, 0.4], [0.5, 0.4], [0.5, 0.4], [0.5, 0.9], [0.5, 0.9]])
    result = run_ledger(asking(past(level, level), wanted, terms, targets=targets))

    # a fifth of equity in the better one; two per cent up is within the threshold; then the other one is better
    assert told(result) == [(1, "buy", 200, 10), (4, "sell", 200, 10.2), (4, "buy", 361, 10)]
    assert result.executions[1].reason.startswith("no longer wanted")
    assert result.executions[2].reason == "wanted at 36.0% of equity; test: exposure +0.90"


def test_a_strategy_that_knows_tomorrow_is_refused():
    class Tomorrow:
        def opinion(self, history: MarketHistory) -> Opinion:
            rises = np.zeros(history.close.shape)
            rises[:-1] = history.close[1:] > history.close[:-1]
            return Opinion(rises)

    with pytest.raises(LooksAhead, match=r"test looks ahead: on 2020-03-02 it wants \+0.00 of S000"):
        run_ledger(asking(RISING, Tomorrow(), FREE))


@given(
    seed=st.integers(0, 10_000),
    sizing=st.sampled_from(Sizing),
    fill=st.sampled_from(FillAt),
    last_bar=st.sampled_from(LastBar),
    short=st.booleans(),
    fractional=st.booleans(),
    at_fill=st.booleans(),
)
def test_cash_and_shares_are_conserved_whatever_the_terms(seed, sizing, fill, last_bar, short, fractional, at_fill):
    rng = np.random.default_rng(seed)
    closes = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.05, (15, 3)), axis=0)), 2)
    opens = np.round(closes * np.exp(rng.normal(0, 0.01, closes.shape)), 2)
    missing = rng.random(closes.shape) < 0.1
    opens[missing], closes[missing] = np.nan, np.nan
    terms = Terms(
        fill=fill,
        sizing=sizing,
        size_at_fill=at_fill,
        fractional_shares=fractional,
        short=short,
        commission_per_share=Decimal("0.01"),
        commission_minimum=Decimal(1),
        commission_pct=Decimal("0.001"),
        last_bar=last_bar,
    )
    result = run_ledger(asking(past(opens, closes), Wanting(rng.integers(-1, 2, (15, 3))), terms))

    cash, shares = Decimal(10_000), dict.fromkeys(letters(3), Decimal(0))
    for done in result.executions:
        cash -= round(done.side.sign * done.quantity * done.price, 2) + done.fee
        shares[done.symbol] += done.side.sign * done.quantity
        assert short or (shares[done.symbol] >= 0 and cash >= 0)
    assert float(cash) == result.cash[-1]
    worth = sum((held * result.prices[symbol] for symbol, held in shares.items() if held), Decimal(0))
    assert float(round(cash + worth, 2)) == result.equity[-1]
    assert {symbol for symbol, held in shares.items() if held} == set(result.prices)
