"""A broker that is connected late offers what the broker itself does, and nothing before it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.brokers.sandboxes import KEYS, connect
from tests.unit.core.trading import settings_in
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.brokers.late import late_broker
from trading_bot.core.bot import open_bot
from trading_bot.domain.cash import ListsCash, ListsExecutions
from trading_bot.domain.errors import BrokerUnavailable
from trading_bot.domain.listing import (
    FindsMany,
    HoldsStops,
    KnowsAssets,
    KnowsQuotes,
    KnowsSessions,
    TakesManyAtOnce,
    TellsOfOrders,
)
from trading_bot.domain.offers import offers
from trading_bot.domain.ports import BrokerAdapter, TellsTime

NOWHERE = "http://127.0.0.1:1"
OPTIONAL: tuple[type, ...] = (
    FindsMany, HoldsStops, KnowsAssets, KnowsQuotes, KnowsSessions, ListsCash, ListsExecutions, TakesManyAtOnce,
    TellsOfOrders, TellsTime,
)  # fmt: skip


@pytest.mark.parametrize("port", OPTIONAL)
def test_the_bot_that_a_command_opens_has_every_optional_port_of_alpaca(tmp_path: Path, port: type):
    alpaca = {"name": "alpaca", "trading_url": NOWHERE, "data_url": NOWHERE, **KEYS}
    with open_bot(settings_in(tmp_path, broker=alpaca)) as bot:
        assert offers(bot.broker, port)


def test_the_bot_that_a_command_opens_has_no_port_that_its_broker_lacks(tmp_path: Path):
    with open_bot(settings_in(tmp_path)) as bot:  # at the simulated broker
        assert [port for port in OPTIONAL if offers(bot.broker, port)] == [HoldsStops]


def test_a_question_beyond_the_port_is_passed_on_with_its_answer():
    real = connect(NOWHERE)
    late = late_broker(AlpacaBroker, lambda: real)

    assert late.most_at_once == real.most_at_once == 32  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert late.wait_for_order(0.0) is None  # pyright: ignore[reportAttributeAccessIssue]


def test_nobody_is_connected_before_the_first_question_and_one_that_failed_is_tried_again():
    doors = list[str]()

    def shut() -> BrokerAdapter:
        doors.append("tried")
        raise BrokerUnavailable("the door is shut")

    late = late_broker(AlpacaBroker, shut)
    late.close()
    assert doors == []

    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match="the door is shut"):
            late.account()
    assert doors == ["tried"] * 2
