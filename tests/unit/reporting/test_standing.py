"""How things stand, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from trading_bot.domain.cycle import ControlState, CycleStatus, TradingState
from trading_bot.domain.portfolio import EquityPoint, Portfolio
from trading_bot.reporting.standing import LastCycle, Standing, standing_as_text

AT = datetime(2022, 1, 4, 21, 5, tzinfo=UTC)


def standing(state: TradingState, *, worth: EquityPoint | None = None) -> Standing:
    control = ControlState(
        state=state, cause="2 failed cycles in a row", changed_by="recovery", changed_at=AT,
        consecutive_errors=2, next_allowed_at=AT,
    )  # fmt: skip
    cash = worth.cash if worth else Decimal("0.00")
    return Standing(control, worth.session if worth else None, Portfolio(cash), worth, open_orders=())


def test_cash_that_no_cycle_has_asked_for_is_not_called_nothing():
    assert "Cash     not known before the first cycle" in standing_as_text(standing(TradingState.ACTIVE))


def test_the_cycle_that_began_last_is_named_with_its_end():
    ended = replace(standing(TradingState.ACTIVE), last_cycle=LastCycle("20220104T210000Z", CycleStatus.COMPLETED, AT))

    assert "Cycle    20220104T210000Z completed 2022-01-04 21:05 UTC" in standing_as_text(ended).splitlines()


def test_an_account_without_a_dollar_is_said_so():
    broke = EquityPoint(date(2022, 1, 3), Decimal("0.00"), Decimal("500.00"), Decimal("500.00"))

    assert "Cash     $0.00" in standing_as_text(standing(TradingState.ACTIVE, worth=broke))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (TradingState.ACTIVE, "2 failed cycles in a row, next cycle not before 2022-01-04 21:05:00 UTC"),
        (TradingState.HALTED, "2 failed cycles in a row"),  # it would be none then either
    ],
)
def test_failures_say_when_the_next_cycle_may_come_where_one_does(state: TradingState, said: str):
    assert f"Errors   {said}" in standing_as_text(standing(state)).splitlines()
