"""What every broker promises, asked of every one that is registered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.contract.brokers import STANDS, BrokerStand
from tests.unit.brokers.exchanges import buy, sell
from trading_bot.brokers.registry import BROKERS
from trading_bot.domain.errors import PluginError
from trading_bot.domain.listing import HoldsStops
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, OrderIntent, OrderStatus, OrderType, OrderUpdate, Side, TimeInForce
from trading_bot.domain.portfolio import Portfolio

AAA = Symbol("AAA")
NEVER_SEEN = ClientOrderId("bb-0-never-seen")


@pytest.fixture(params=sorted({*BROKERS.names(), *STANDS}))
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerStand]:
    if request.param not in STANDS:
        pytest.fail(f"tests/contract/brokers.py has no stand for the broker {request.param!r}")
    opened = STANDS[request.param](tmp_path)
    yield opened
    opened.close()


def submit(stand: BrokerStand, intent: OrderIntent) -> OrderUpdate:
    return stand.broker.submit(intent, at=stand.now)


def found(stand: BrokerStand, order_id: ClientOrderId) -> OrderUpdate:
    update = stand.broker.find(order_id)
    assert update is not None
    return update


def traded(stand: BrokerStand, intent: OrderIntent) -> OrderUpdate:
    """Place an order, let the exchange trade, and return where the order stands."""
    submit(stand, intent)
    stand.trade()
    return found(stand, intent.client_order_id)


def finished(stand: BrokerStand) -> list[OrderIntent]:
    """Return orders that end in the next session in one way or another, and can be found then."""
    return [buy(7), *([sell(1000)] if stand.keeps_refused else []), buy(1, limit="1.00")]


def test_there_is_a_paper_broker():
    assert "paper" in BROKERS.names()


def test_an_unknown_broker_is_refused_with_the_nearest_name():
    with pytest.raises(PluginError, match=r"no broker called 'papre'\. Did you mean 'paper'\?"):
        BROKERS.get("papre")


# ── the account ───────────────────────────────────────────────────────────────────────────────────


def test_the_account_says_whose_it_is_what_it_holds_and_that_it_may_trade(stand):
    account = stand.broker.account()

    assert account.account_id
    assert account.mode in {"paper", "live"}
    assert (account.cash, account.buying_power, account.blocked) == (10_000, 10_000, False)
    assert stand.broker.get_portfolio() == Portfolio(Decimal(10_000))


def test_the_same_account_answers_after_opening_it_again(stand):
    before = stand.broker.account()
    stand.reopen()

    assert stand.broker.account() == before


def test_an_open_limit_order_takes_its_cost_off_the_buying_power_and_not_off_the_cash(stand):
    submit(stand, buy(100, limit="5.00"))

    account = stand.broker.account()
    assert (account.cash, account.buying_power) == (10_000, 9_500)


# ── placing ───────────────────────────────────────────────────────────────────────────────────────


def test_an_accepted_order_says_back_what_was_ordered(stand):
    intent = buy(7, limit="9.50")
    answer = submit(stand, intent)

    assert answer.client_order_id == intent.client_order_id
    assert answer.broker_order_id
    assert (answer.symbol, answer.side, answer.type) == (intent.symbol, intent.side, intent.type)
    assert (answer.quantity, answer.filled, answer.limit_price) == (7, 0, Decimal("9.50"))
    assert (answer.status, answer.reason) == (OrderStatus.ACCEPTED, "")
    assert answer.updated_at.utcoffset() == timedelta(0)


def test_an_order_can_be_found_by_our_id(stand):
    answer = submit(stand, buy(7))

    assert stand.broker.find(answer.client_order_id) == answer


def test_an_order_never_placed_cannot_be_found(stand):
    assert stand.broker.find(NEVER_SEEN) is None


def test_the_same_id_is_the_same_order_however_often_it_is_sent(stand):
    answers = {submit(stand, buy(7)).broker_order_id for _ in range(3)}

    assert len(answers) == 1
    assert len(stand.broker.open_orders()) == 1


def test_an_id_sent_again_after_its_order_filled_buys_nothing_more(stand):
    traded(stand, buy(7))

    assert submit(stand, buy(7)).status is OrderStatus.FILLED
    stand.trade()
    assert stand.broker.get_portfolio().held(AAA) == 7


def test_an_id_is_known_after_opening_the_account_again(stand):
    answer = submit(stand, buy(7))
    stand.reopen()

    assert submit(stand, buy(7)) == answer


@pytest.mark.parametrize("intent", [sell(1), buy(2000, limit="10.00"), buy(0)])
def test_an_order_that_cannot_be_is_an_answer_with_a_reason_and_no_error(stand, intent):
    answer = submit(stand, intent)

    assert answer.status is OrderStatus.REJECTED
    assert answer.reason
    assert stand.broker.open_orders() == ()


def test_a_refused_order_stays_refused(stand):
    answer = submit(stand, sell(1))
    stand.trade()
    again = submit(stand, sell(1))

    assert (again.status, again.reason) == (answer.status, answer.reason)
    assert stand.broker.find(answer.client_order_id) == (answer if stand.keeps_refused else None)


# ── filling ───────────────────────────────────────────────────────────────────────────────────────


def test_a_market_order_fills_when_the_exchange_trades(stand):
    update = traded(stand, buy(7))

    assert (update.status, update.filled) == (OrderStatus.FILLED, 7)
    assert stand.broker.get_portfolio().held(AAA) == 7


def test_fills_say_everything_that_the_book_needs(stand):
    placed_at = stand.now
    update = traded(stand, buy(7))
    (fill,) = stand.broker.fills([update.client_order_id])

    assert fill.execution_id
    assert (fill.client_order_id, fill.symbol, fill.side) == (update.client_order_id, AAA, Side.BUY)
    assert (fill.quantity, fill.price) == (7, 10)
    assert fill.fee >= 0
    assert fill.filled_at.utcoffset() == timedelta(0)
    assert fill.filled_at > placed_at


def test_cash_and_positions_are_what_the_fills_made_them(stand):
    orders = [traded(stand, intent).client_order_id for intent in (buy(70), sell(30), buy(5, "BBB"))]
    fills, portfolio = stand.broker.fills(orders), stand.broker.get_portfolio()

    assert portfolio.cash == stand.broker.account().cash == 10_000 + sum(fill.cash - fill.fee for fill in fills)
    assert {symbol: position.quantity for symbol, position in portfolio.positions.items()} == {"AAA": 40, "BBB": 5}
    assert portfolio.positions[AAA].average_price == 10


def test_a_position_that_was_sold_is_not_listed(stand):
    traded(stand, buy(7))
    traded(stand, sell(7))

    assert stand.broker.get_portfolio().positions == {}


def test_asking_for_fills_twice_gives_the_same_fills(stand):
    orders = [traded(stand, intent).client_order_id for intent in (buy(7), buy(8))]

    assert stand.broker.fills(orders) == stand.broker.fills(orders)


def test_fills_come_oldest_first_in_whatever_order_they_are_asked_for(stand):
    first, second = (traded(stand, intent).client_order_id for intent in (buy(7), buy(8)))

    assert [fill.quantity for fill in stand.broker.fills([second, first])] == [7, 8]


def test_no_two_fills_share_an_execution_id(stand):
    orders = [traded(stand, intent).client_order_id for intent in (buy(7), buy(8), sell(3))]

    assert len({fill.execution_id for fill in stand.broker.fills(orders)}) == 3


@pytest.mark.parametrize("asked", [[], [NEVER_SEEN]])
def test_orders_that_are_not_there_have_no_fills(stand, asked):
    traded(stand, buy(7))

    assert stand.broker.fills(asked) == ()


def test_a_day_order_that_did_not_fill_ends_with_its_day(stand):
    update = traded(stand, buy(7, limit="1.00"))

    assert (update.status, update.filled) == (OrderStatus.EXPIRED, 0)
    assert update.reason
    assert stand.broker.open_orders() == ()


# ── stop orders, where the broker holds them ──────────────────────────────────────────────────────


@pytest.fixture
def holder(stand: BrokerStand) -> BrokerStand:
    """A broker that holds stop orders."""
    if not isinstance(stand.broker, HoldsStops):
        pytest.skip("holds no stop orders")
    return stand


def guard(quantity: int, stop: str) -> OrderIntent:
    return sell(quantity, stop=stop, name=f"bb-1-guard-{quantity}", time_in_force=TimeInForce.GTC)


def test_a_stop_order_is_said_back_and_waits_for_days_while_its_price_is_not_reached(holder):
    traded(holder, buy(7))
    answer = submit(holder, guard(7, "9.50"))
    holder.trade()
    holder.trade()
    holder.reopen()

    assert (answer.status, answer.type, answer.stop_price) == (OrderStatus.ACCEPTED, OrderType.STOP, Decimal("9.50"))
    assert found(holder, answer.client_order_id) == answer
    assert holder.broker.get_portfolio().held(AAA) == 7


def test_shares_that_a_stop_order_holds_can_be_sold_once_it_is_cancelled(holder):
    traded(holder, buy(7))
    held = submit(holder, guard(7, "9.50")).client_order_id

    assert submit(holder, sell(7, name="bb-1-too-soon")).status is OrderStatus.REJECTED
    assert holder.broker.cancel(held, at=holder.now).status is OrderStatus.CANCELED
    assert traded(holder, sell(7)).status is OrderStatus.FILLED


def test_a_stop_order_whose_price_is_reached_sells_once(holder):
    traded(holder, buy(7))
    update = traded(holder, guard(7, "10.00"))
    (fill,) = holder.broker.fills([update.client_order_id])

    assert (update.status, fill.quantity, fill.price) == (OrderStatus.FILLED, 7, 10)
    assert holder.broker.get_portfolio().positions == {}


def test_a_stop_order_over_more_than_is_held_is_refused(stand):
    traded(stand, buy(7))

    assert submit(stand, guard(8, "9.50")).status is OrderStatus.REJECTED


# ── open orders and cancelling ────────────────────────────────────────────────────────────────────


def test_open_orders_are_those_that_can_still_fill_oldest_first(stand):
    orders = [submit(stand, buy(number, limit="1.00")).client_order_id for number in (3, 1, 2)]
    stand.broker.cancel(orders[1], at=stand.now)

    assert [update.client_order_id for update in stand.broker.open_orders()] == [orders[0], orders[2]]


def test_a_cancelled_order_never_fills(stand):
    order_id = submit(stand, buy(7)).client_order_id
    answer = stand.broker.cancel(order_id, at=stand.now)
    stand.trade()

    assert answer.status is OrderStatus.CANCELED
    assert found(stand, order_id).filled == 0
    assert stand.broker.fills([order_id]) == ()


def test_cancelling_what_is_finished_changes_nothing(stand):
    for intent in finished(stand):
        update = traded(stand, intent)
        assert update.status.is_final
        assert stand.broker.cancel(intent.client_order_id, at=stand.now) == update


def test_a_final_order_stays_as_it_is(stand):
    updates = [traded(stand, intent) for intent in finished(stand)]
    stand.trade()
    stand.reopen()

    assert [found(stand, update.client_order_id) for update in updates] == updates


def test_closing_twice_does_no_harm(stand):
    before = stand.broker.get_portfolio()

    stand.broker.close()
    stand.broker.close()
    stand.reopen()

    assert stand.broker.get_portfolio() == before
