from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.backtest.dealing import Dealing
from trading_bot.domain.backtest import Terms
from trading_bot.domain.orders import Side

LIKE_LEAN = Dealing(
    Terms(slippage_bps=Decimal(0), commission_per_share=Decimal("0.005"), commission_minimum=Decimal(1))
)
A_THOUSANDTH = Dealing(Terms(slippage_bps=Decimal(10), commission_pct=Decimal("0.001")))


@pytest.mark.parametrize(
    ("dealing", "side", "price"),
    [
        (A_THOUSANDTH, Side.BUY, "20.04"),  # 20.03001, rounded up to the cent
        (A_THOUSANDTH, Side.SELL, "19.98"),  # 19.98999, rounded down
        (LIKE_LEAN, Side.BUY, "20.01"),
    ],
)
def test_slippage_and_rounding_are_against_us(dealing, side, price):
    assert dealing.price(Decimal("20.01"), side) == Decimal(price)


@pytest.mark.parametrize(
    ("dealing", "shares", "fee"),
    [
        (LIKE_LEAN, "1000", "5.00"),
        (LIKE_LEAN, "997", "4.98"),  # 4.985, the half to even
        (LIKE_LEAN, "10", "1.00"),  # five cents, and a dollar at the least
        (A_THOUSANDTH, "1000", "20.00"),
        (A_THOUSANDTH, "0", "0"),
    ],
)
def test_a_commission_counts_shares_dollars_and_its_minimum(dealing, shares, fee):
    assert dealing.fee(Decimal(shares), Decimal(20)) == Decimal(fee)


@pytest.mark.parametrize(
    ("dollars", "held", "shares"),
    [
        (99_750, 0, 997),  # at 100 dollars: 997 cost 99,704.98, 998 would cost 99,804.99
        (99_750, 990, 997),  # seven to buy for a dollar of commission: 99,701
        (100, 0, 0),  # the minimum does not fit beside one share
        (101, 0, 1),
        (0, 0, 0),
    ],
)
def test_worth_and_commission_together_are_what_is_wanted(dollars, held, shares):
    assert LIKE_LEAN.most(Decimal(dollars), Decimal(100), Decimal(held)) == shares


money = st.decimals(1, 1_000_000, places=2)


@given(
    dollars=money,
    price=st.decimals("0.5", 5000, places=2),
    per_share=st.decimals(0, "0.05", places=4),
    minimum=st.decimals(0, 5, places=2),
    pct=st.decimals(0, "0.02", places=4),
    fractional=st.booleans(),
)
def test_as_many_shares_as_money_allows_and_one_lot_more_would_be_too_many(
    dollars, price, per_share, minimum, pct, fractional
):
    terms = Terms(
        commission_per_share=per_share,
        commission_minimum=minimum,
        commission_pct=pct,
        fractional_shares=fractional,
    )
    dealing = Dealing(terms)

    def cost(shares: Decimal) -> Decimal:
        return shares * price + dealing.fee(shares, price)

    shares = dealing.most(dollars, price)

    a_cent = Decimal("0.01")
    assert cost(shares) <= dollars + a_cent
    assert cost(shares + dealing.lot) > dollars - 3 * a_cent
    assert shares == dealing.lots(shares)
    assert dealing.affordable(shares, price, dollars) == shares
    assert dealing.affordable(shares + 10, price, dollars) == shares
