from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.brokers.exchanges import (
    DAYS,
    MONDAY,
    NO_BAR,
    BarRow,
    Weekdays,
    buy,
    close_only,
    evening,
    flat,
    open_account,
    order,
    sell,
    week,
)
from trading_bot.brokers.paper import PaperBroker
from trading_bot.domain.errors import StateCorrupt
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.orders import ClientOrderId, OrderIntent, OrderStatus, Side, TimeInForce
from trading_bot.domain.portfolio import Portfolio, Position

AAA = Symbol("AAA")
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = DAYS[1:5]
OPEN_FILES = Path("/proc/self/fd")
FLAT_WEEK = {"AAA": [flat(10)] * 5, "BBB": [flat(20)] * 5}


class BreaksOnce(Weekdays):
    """Fails when the hours of a day are asked for the first time."""

    def __init__(self, day: date) -> None:
        super().__init__()
        self._fails_on = [day]

    def open_of(self, day: date) -> datetime:
        if day in self._fails_on:
            self._fails_on.remove(day)
            raise RuntimeError(f"no hours for {day}")
        return super().open_of(day)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PaperBroker]:
    with closing(open_account(tmp_path)) as opened:
        yield opened


def days(number: int, bars: dict[str, list[BarRow]] | None = None, **facts: object):
    """Return the market after so many days of the bars."""
    seen = {name: rows[:number] for name, rows in (bars or FLAT_WEEK).items()}
    return week(seen, **facts)  # pyright: ignore[reportArgumentType]


def place(broker: PaperBroker, intent: OrderIntent) -> ClientOrderId:
    broker.submit(intent, at=evening(MONDAY))
    return intent.client_order_id


def standing(broker: PaperBroker, order_id: ClientOrderId) -> tuple[OrderStatus, Decimal, str]:
    found = broker.find(order_id)
    assert found is not None
    return found.status, found.filled, found.reason


def everything(broker: PaperBroker) -> tuple[object, ...]:
    """Return all that can be seen of an account."""
    ids = [ClientOrderId(f"bb-1-{name}") for name in ("a", "b", "c")]
    return (
        broker.account(),
        broker.get_portfolio(),
        broker.open_orders(),
        broker.fills(ids),
        *(broker.find(order_id) for order_id in ids),
    )


# ── a new account ─────────────────────────────────────────────────────────────────────────────────


def test_a_new_account_holds_its_starting_cash(broker):
    account = broker.account()

    assert (account.mode, account.cash, account.buying_power, account.blocked) == ("paper", 10_000, 10_000, False)
    assert broker.get_portfolio() == Portfolio(Decimal(10_000))


# ── filling ───────────────────────────────────────────────────────────────────────────────────────


def test_an_order_fills_in_the_session_after_its_decision(broker):
    broker.advance(days(1))
    order_id = place(broker, buy(100))
    broker.advance(days(1))
    assert standing(broker, order_id) == (OrderStatus.ACCEPTED, 0, "")

    broker.advance(days(2))

    (fill,) = broker.fills([order_id])
    assert (fill.session, fill.quantity, fill.price, fill.fee) == (TUESDAY, 100, 10, 0)
    assert fill.filled_at == Weekdays().open_of(TUESDAY)
    assert standing(broker, order_id) == (OrderStatus.FILLED, 100, "")


def test_a_fill_moves_cash_and_shares(broker):
    broker.advance(days(1))
    place(broker, buy(100))
    broker.advance(days(2))

    assert broker.get_portfolio() == Portfolio(Decimal(9_000), {AAA: Position(AAA, Decimal(100), Decimal(10))})


def test_slippage_and_commission_come_from_the_settings(tmp_path):
    with closing(
        open_account(
            tmp_path, slippage_bps=Decimal(50), commission_per_share=Decimal("0.01"), commission_minimum=Decimal(1)
        )
    ) as broker:
        broker.advance(days(1))
        place(broker, buy(300))
        broker.advance(days(2))

        assert broker.account().cash == Decimal("6982.00")  # 300 at 10.05 and a commission of 3.00


def test_where_closes_only_are_known_an_order_fills_at_the_close(broker):
    bars = {"AAA": [close_only(10), close_only(11)]}
    broker.advance(days(1, bars))
    order_id = place(broker, buy(1))
    broker.advance(days(2, bars))

    (fill,) = broker.fills([order_id])
    assert (fill.price, fill.filled_at) == (11, evening(TUESDAY))


def test_orders_fill_in_the_order_in_which_they_came(broker):
    broker.advance(days(1))
    first, second = place(broker, buy(600)), place(broker, buy(300, "BBB"))  # 6,000 and 6,000 dollars
    broker.advance(days(2))

    assert standing(broker, first) == (OrderStatus.FILLED, 600, "")
    assert standing(broker, second) == (
        OrderStatus.EXPIRED,
        200,
        "$4,000.00 of cash pay for 200 shares at $20.00",
    )


def test_a_sale_and_a_buy_settle_one_after_the_other(broker):
    broker.advance(days(1))
    place(broker, buy(1000))
    broker.advance(days(2))
    sale, again = place(broker, sell(1000)), place(broker, buy(500, "BBB"))
    assert broker.find(again).status is OrderStatus.REJECTED  # there is no cash before the sale fills

    broker.advance(days(3))

    assert standing(broker, sale) == (OrderStatus.FILLED, 1000, "")
    assert broker.get_portfolio() == Portfolio(Decimal(10_000))


def test_a_volume_too_small_fills_a_part_and_a_day_order_expires(broker):
    bars = {"AAA": [flat(10), flat(10, 500), flat(10, 500)]}
    broker.advance(days(1, bars))
    order_id = place(broker, buy(100))
    broker.advance(days(2, bars))

    assert standing(broker, order_id) == (OrderStatus.EXPIRED, 50, "only 10% of the 500 shares traded may be ours")
    broker.advance(days(3, bars))
    assert standing(broker, order_id)[1] == 50


def test_an_order_good_till_cancelled_goes_on_and_pays_its_minimum_once(tmp_path):
    bars = {"AAA": [flat(10), flat(10, 500), flat(11, 5000)]}
    with closing(open_account(tmp_path, commission_minimum=Decimal(1))) as broker:
        broker.advance(days(1, bars))
        order_id = place(broker, buy(100, time_in_force=TimeInForce.GTC))
        broker.advance(days(2, bars))
        assert standing(broker, order_id)[:2] == (OrderStatus.PARTIALLY_FILLED, 50)
        broker.advance(days(3, bars))

        assert standing(broker, order_id)[:2] == (OrderStatus.FILLED, 100)
        assert [(fill.price, fill.fee) for fill in broker.fills([order_id])] == [(10, 1), (11, 0)]


def test_a_limit_that_is_not_reached_expires_with_its_reason(broker):
    broker.advance(days(1))
    order_id = place(broker, buy(10, limit="9.00"))
    broker.advance(days(2))

    assert standing(broker, order_id) == (OrderStatus.EXPIRED, 0, "the limit of $9.00 was not reached")


def test_an_order_for_a_stock_that_does_not_trade_expires(broker):
    bars = {"AAA": [flat(10), NO_BAR]}
    broker.advance(days(1, bars))
    order_id = place(broker, buy(10))
    broker.advance(days(2, bars))

    assert standing(broker, order_id) == (OrderStatus.EXPIRED, 0, "AAA did not trade on 2024-01-09")


def test_an_order_for_a_stock_nobody_lists_expires(broker):
    broker.advance(days(1))
    order_id = place(broker, buy(10, "ZZZ"))
    broker.advance(days(2))

    assert standing(broker, order_id)[0] is OrderStatus.EXPIRED


def test_an_order_good_till_cancelled_waits_for_the_stock_to_trade(broker):
    bars = {"AAA": [flat(10), NO_BAR, flat(12)]}
    broker.advance(days(1, bars))
    order_id = place(broker, buy(10, time_in_force=TimeInForce.GTC))
    broker.advance(days(2, bars))
    assert standing(broker, order_id)[0] is OrderStatus.ACCEPTED
    broker.advance(days(3, bars))

    assert broker.fills([order_id])[0].price == 12


def test_sessions_that_were_missed_are_traded_one_by_one(broker):
    bars = {"AAA": [flat(10), flat(11), flat(12)]}
    broker.advance(days(1, bars))
    order_id = place(broker, buy(10))
    broker.advance(days(3, bars))

    assert [(fill.session, fill.price) for fill in broker.fills([order_id])] == [(TUESDAY, 11)]


def test_an_order_placed_before_the_first_session_fills_in_the_one_after_it(broker):
    order_id = place(broker, buy(10))
    broker.advance(days(1))
    assert standing(broker, order_id)[0] is OrderStatus.ACCEPTED
    broker.advance(days(2))

    assert standing(broker, order_id)[0] is OrderStatus.FILLED


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("intent", "why"),
    [
        (buy(0), "0 shares is no order"),
        (buy(-1), "-1 shares is no order"),
        (buy(1, limit="0"), "a limit of $0 is no price"),
        (buy(1, limit="-1"), "a limit of $-1 is no price"),
        (buy(1001, limit="10"), "insufficient buying power: $10,000.00 left"),
        (sell(1), "insufficient holdings: 1 shares to sell, 0 available"),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_the_reason(broker, intent, why):
    answer = broker.submit(intent, at=evening(MONDAY))

    assert (answer.status, answer.reason) == (OrderStatus.REJECTED, why)
    assert broker.open_orders() == ()


def test_what_open_limit_orders_will_cost_cannot_be_spent_twice(broker):
    place(broker, buy(600, limit="10"))

    assert broker.account().buying_power == 4_000
    answer = broker.submit(buy(401, limit="10", name="bb-1-b"), at=evening(MONDAY))
    assert answer.reason == "insufficient buying power: $4,000.00 left"


def test_the_same_shares_cannot_be_sold_twice(broker):
    broker.advance(days(1))
    place(broker, buy(100))
    broker.advance(days(2))
    place(broker, sell(60))

    answer = broker.submit(sell(41, name="bb-1-b"), at=evening(TUESDAY))

    assert answer.reason == "insufficient holdings: 41 shares to sell, 40 available"


# ── ids and cancelling ────────────────────────────────────────────────────────────────────────────


def test_an_id_that_was_seen_before_is_the_order_it_belongs_to(broker):
    broker.advance(days(1))
    first = broker.submit(buy(10, name="bb-1-a"), at=evening(MONDAY))
    again = broker.submit(buy(99, name="bb-1-a"), at=evening(TUESDAY))
    broker.advance(days(2))

    assert again == first
    assert broker.get_portfolio().held(AAA) == 10
    assert broker.submit(buy(10, name="bb-1-a"), at=evening(TUESDAY)).status is OrderStatus.FILLED


def test_an_account_of_before_stop_orders_takes_them_now(tmp_path):
    open_account(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "paper.db")) as old:
        old.execute("ALTER TABLE paper_orders DROP COLUMN stop_price")
    broker = open_account(tmp_path)
    answer = broker.submit(buy(1, stop="11.00"), at=evening(MONDAY))

    assert (answer.status, broker.find(answer.client_order_id)) == (OrderStatus.ACCEPTED, answer)
    broker.close()


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="only Linux lists the files that a process has open")
def test_an_account_that_is_damaged_is_not_kept_open(tmp_path):
    file = tmp_path / "paper.db"
    open_account(tmp_path).close()
    damaged = bytearray(file.read_bytes())
    damaged[4096:8192] = b"?" * 4096
    file.write_bytes(damaged)

    with pytest.raises(StateCorrupt, match=r"paper\.db"):
        open_account(tmp_path)

    assert file not in [link.readlink() for link in OPEN_FILES.iterdir() if link.is_symlink()]


def test_a_cancelled_order_does_not_fill(broker):
    broker.advance(days(1))
    order_id = place(broker, buy(10))
    answer = broker.cancel(order_id, at=evening(MONDAY))
    broker.advance(days(2))

    assert (answer.status, answer.reason) == (OrderStatus.CANCELED, "cancelled on request")
    assert broker.fills([order_id]) == ()


def test_cancelling_a_filled_order_changes_nothing(broker):
    broker.advance(days(1))
    order_id = place(broker, buy(10))
    broker.advance(days(2))
    filled = broker.find(order_id)

    assert broker.cancel(order_id, at=evening(TUESDAY)) == filled
    assert broker.get_portfolio().held(AAA) == 10


def test_cancelling_an_order_never_seen_is_an_error(broker):
    with pytest.raises(KeyError, match="bb-1-x"):
        broker.cancel(ClientOrderId("bb-1-x"), at=evening(MONDAY))


# ── splits ────────────────────────────────────────────────────────────────────────────────────────


def holding_from_monday(broker: PaperBroker, shares: int, bars: dict[str, list[BarRow]], *splits: Split) -> None:
    """Buy on Tuesday what was ordered on Monday."""
    broker.advance(days(1, bars))
    place(broker, buy(shares, name="bb-1-first"))
    broker.advance(days(2, bars, splits=splits))


@pytest.mark.parametrize(
    ("ratio", "shares", "after", "average", "in_lieu"),
    [
        ("2", 10, "20", "50", "0"),
        ("4", 3, "12", "25", "0"),
        ("1.5", 5, "7", Decimal(100) / Decimal("1.5"), "20.00"),  # half a share at the session's close of 40
        ("0.1", 25, "2", "1000", "20.00"),  # one for ten: 2.5 shares
        ("0.1", 9, "0", "0", "36.00"),  # less than one share is left: all of it is paid out
    ],
)
def test_a_split_changes_shares_and_average_and_pays_the_fraction(broker, ratio, shares, after, average, in_lieu):
    split = Split(AAA, WEDNESDAY, Decimal(ratio))
    unadjusted = {"AAA": [flat(100), flat(100)]}
    holding_from_monday(broker, shares, unadjusted)
    broker.advance(days(3, {"AAA": [flat(7), flat(7), flat(40)]}, splits=[split]))  # all in today's shares

    portfolio = broker.get_portfolio()
    assert portfolio.held(AAA) == Decimal(after)
    assert portfolio.cash == 10_000 - 100 * shares + Decimal(in_lieu)
    if portfolio.held(AAA):
        assert portfolio.positions[AAA].average_price == Decimal(average)


def test_cash_in_lieu_is_paid_to_the_cent(broker):
    holding_from_monday(broker, 1, {"AAA": [flat(100), flat(100)]})
    third = Split(AAA, WEDNESDAY, Decimal("1.333"))
    broker.advance(days(3, {"AAA": [flat(75), flat(75), flat(77.77)]}, splits=[third]))

    assert broker.account().cash == Decimal("9925.90")  # 0.333 x 77.77 = 25.89741


def test_a_split_voids_open_orders_on_its_symbol_and_no_others(broker):
    bars = {"AAA": [flat(50), flat(50)], "BBB": [flat(20), flat(20)]}
    broker.advance(days(1, bars))
    on_it, other = place(broker, buy(10)), place(broker, buy(10, "BBB"))
    broker.advance(days(2, bars, splits=[Split(AAA, TUESDAY, Decimal(2))]))

    assert standing(broker, on_it) == (OrderStatus.CANCELED, 0, "void: AAA was split 2 for 1")
    assert standing(broker, other)[0] is OrderStatus.FILLED


def test_a_session_before_a_split_is_traded_at_the_price_that_was_paid_then(broker):
    # Tuesday's price was 100; on Wednesday's split of 2 for 1 the history says 50, and twice the volume.
    broker.advance(days(1, {"AAA": [flat(100)]}))
    order_id = place(broker, buy(30))
    adjusted = {"AAA": [flat(50), flat(50, 400), flat(50)]}
    broker.advance(days(3, adjusted, splits=[Split(AAA, WEDNESDAY, Decimal(2))]))

    (fill,) = broker.fills([order_id])
    assert (fill.session, fill.price, fill.quantity) == (TUESDAY, 100, 20)  # a tenth of the 200 shares of that day
    assert broker.get_portfolio() == Portfolio(Decimal(8_000), {AAA: Position(AAA, Decimal(40), Decimal(50))})


def test_a_split_is_made_once(broker):
    split = Split(AAA, WEDNESDAY, Decimal(2))
    holding_from_monday(broker, 10, {"AAA": [flat(100), flat(100)]})
    for number in (3, 3, 4):
        broker.advance(days(number, {"AAA": [flat(50)] * 4}, splits=[split]))

    assert broker.get_portfolio().held(AAA) == 20


def test_a_split_of_what_is_not_held_changes_nothing(broker):
    holding_from_monday(broker, 10, FLAT_WEEK)
    before = broker.get_portfolio()
    broker.advance(days(3, splits=[Split(Symbol("BBB"), WEDNESDAY, Decimal(2))]))

    assert broker.get_portfolio() == before


# ── crashes and repetitions ───────────────────────────────────────────────────────────────────────


def test_a_split_that_was_taken_back_is_made_when_the_days_are_traded_again(tmp_path):
    splits = [Split(AAA, WEDNESDAY, Decimal(2))]
    bars = {"AAA": [flat(50)] * 5, "BBB": [NO_BAR] * 4 + [flat(20)]}  # BBB asks for Friday's hours
    with closing(open_account(tmp_path, calendar=BreaksOnce(FRIDAY))) as broker:
        holding_from_monday(broker, 10, {"AAA": [flat(100), flat(100)], "BBB": [NO_BAR, NO_BAR]})
        place(broker, buy(1, "BBB", name="bb-1-b", time_in_force=TimeInForce.GTC))
        with pytest.raises(RuntimeError, match=str(FRIDAY)):
            broker.advance(days(5, bars, splits=splits))  # Wednesday's split was made, and found made on Thursday
        assert broker.get_portfolio().held(AAA) == 10

        broker.advance(days(5, bars, splits=splits))

        assert broker.get_portfolio().held(AAA) == 20


def test_a_position_is_split_by_each_of_its_splits_and_by_no_other(broker):
    holding_from_monday(broker, 10, {"AAA": [flat(100)] * 2, "BBB": [flat(20)] * 2})
    splits = [
        Split(Symbol("BBB"), TUESDAY, Decimal(5)),
        Split(AAA, WEDNESDAY, Decimal(2)),
        Split(AAA, FRIDAY, Decimal(3)),
    ]
    for number in (3, 4, 5):
        known = [split for split in splits if split.session <= DAYS[number - 1]]
        broker.advance(days(number, {"AAA": [flat(50)] * 5, "BBB": [flat(4)] * 5}, splits=known))

    assert broker.get_portfolio().held(AAA) == 60
    assert broker.get_portfolio().held(Symbol("BBB")) == 0


def three_orders(broker: PaperBroker) -> None:
    broker.advance(days(1))
    place(broker, buy(100, name="bb-1-a"))
    place(broker, buy(100, "BBB", name="bb-1-b", time_in_force=TimeInForce.GTC))
    place(broker, buy(10, limit="9.00", name="bb-1-c", time_in_force=TimeInForce.GTC))


@pytest.mark.parametrize("broken_on", [TUESDAY, WEDNESDAY, THURSDAY])
def test_an_advance_that_fails_in_the_middle_has_not_happened(tmp_path, broken_on):
    with closing(open_account(tmp_path, calendar=Weekdays(broken_on))) as broker:
        three_orders(broker)
        place(broker, buy(10, name="bb-1-late", limit="1.00", time_in_force=TimeInForce.GTC))
        before = everything(broker)
        bars = {"AAA": [flat(10)] * 4, "BBB": [flat(20), NO_BAR, NO_BAR, flat(20)]}
        # BBB trades on Thursday only, so that each day has an order that asks for its hours
        splits = [Split(AAA, WEDNESDAY, Decimal(2))]
        with pytest.raises(RuntimeError, match=str(broken_on)):
            broker.advance(days(4, bars, splits=splits))

        assert everything(broker) == before


def test_after_a_crash_the_same_advance_gives_what_it_would_have_given(tmp_path):
    with closing(open_account(tmp_path, calendar=Weekdays(TUESDAY))) as broker:
        three_orders(broker)
        with pytest.raises(RuntimeError):
            broker.advance(days(3))
    with closing(open_account(tmp_path)) as broker:
        broker.advance(days(3))
        recovered = everything(broker)
    (tmp_path / "other").mkdir()
    with closing(open_account(tmp_path / "other")) as untroubled:
        three_orders(untroubled)
        untroubled.advance(days(3))
        assert everything(untroubled) == recovered


def test_advancing_to_the_same_or_an_earlier_session_changes_nothing(broker):
    three_orders(broker)
    broker.advance(days(3))
    before = everything(broker)
    for number in (3, 2, 1, 3):
        broker.advance(days(number))

    assert everything(broker) == before


def test_a_reopened_account_is_as_it_was_left(tmp_path):
    with closing(open_account(tmp_path)) as broker:
        three_orders(broker)
        broker.advance(days(2))
        before = everything(broker)
    with closing(open_account(tmp_path, starting_cash=Decimal(5))) as broker:
        assert everything(broker) == before
        broker.advance(days(2))
        assert everything(broker) == before


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def bars_of_a_day(draw: st.DrawFn) -> BarRow:
    if draw(st.integers(0, 9)) == 0:
        return NO_BAR
    low, day_open, close, high = sorted(draw(st.lists(st.integers(500, 20_000), min_size=4, max_size=4)))
    volume = draw(st.sampled_from([float("nan"), 0.0, 90.0, 1000.0, 1e6]))
    return (day_open / 100, high / 100, low / 100, close / 100, volume)


@st.composite
def wishes(draw: st.DrawFn, number: int) -> OrderIntent:
    limit = draw(st.none() | st.integers(400, 25_000).map(lambda hundredths: str(Decimal(hundredths) / 100)))
    return order(
        draw(st.sampled_from(Side)),
        draw(st.integers(1, 500)),
        draw(st.sampled_from(["AAA", "BBB"])),
        limit=limit,
        name=f"bb-{number}",
        time_in_force=draw(st.sampled_from(TimeInForce)),
    )


tariffs = st.fixed_dictionaries(
    {
        "slippage_bps": st.integers(0, 100).map(Decimal),
        "commission_per_share": st.decimals(0, "0.05", places=3),
        "commission_minimum": st.decimals(0, 5, places=2),
    }
)


@settings(max_examples=25, deadline=None)
@given(st.data(), tariffs)
def test_cash_and_shares_are_what_the_fills_made_them(data, tariff):
    bars = {name: [data.draw(bars_of_a_day()) for _ in DAYS] for name in ("AAA", "BBB")}
    decided: dict[ClientOrderId, int] = {}
    with tempfile.TemporaryDirectory() as folder, closing(open_account(Path(folder), **tariff)) as broker:
        for number in range(1, len(DAYS) + 1):
            broker.advance(days(number, bars))
            for intent in [data.draw(wishes(number * 10 + place)) for place in range(data.draw(st.integers(0, 3)))]:
                broker.submit(intent, at=evening(DAYS[number - 1]))
                decided[intent.client_order_id] = number - 1
        fills, portfolio = broker.fills(list(decided)), broker.get_portfolio()
        updates = [update for order_id in decided if (update := broker.find(order_id)) is not None]

    assert portfolio.cash == 10_000 + sum(fill.cash - fill.fee for fill in fills)
    assert portfolio.cash >= 0
    for symbol in ("AAA", "BBB"):
        held = sum(fill.side.sign * fill.quantity for fill in fills if fill.symbol == symbol)
        assert portfolio.held(Symbol(symbol)) == held >= 0
    assert len(updates) == len(decided)
    for update in updates:
        own = [fill for fill in fills if fill.client_order_id == update.client_order_id]
        assert sum(fill.quantity for fill in own) == update.filled <= update.quantity
        assert all(fill.session > DAYS[decided[fill.client_order_id]] for fill in own)
    assert len({fill.execution_id for fill in fills}) == len(fills)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_it_does_not_matter_in_how_many_steps_the_days_pass(stops):
    bars = {"AAA": [flat(10), flat(11), NO_BAR, flat(13), flat(14)], "BBB": [flat(20, 300)] * 5}
    seen: list[tuple[object, ...]] = []
    for steps in ([1, 5], [1, *stops, 5]):
        with tempfile.TemporaryDirectory() as folder, closing(open_account(Path(folder))) as broker:
            broker.advance(days(1, bars))
            place(broker, buy(100, name="bb-1-a"))
            place(broker, buy(100, "BBB", name="bb-1-b", time_in_force=TimeInForce.GTC))
            place(broker, buy(10, limit="9.00", name="bb-1-c", time_in_force=TimeInForce.GTC))
            for number in steps:
                broker.advance(days(number, bars))
            seen.append(everything(broker))

    assert seen[0] == seen[1]
