"""A flatten whose process is really killed, at three moments; then it is asked for again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.core.trading import FEW, Desk, open_desk
from trading_bot.core import cycle
from trading_bot.core.flatten import FlattenRequest, flatten
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.market import Symbol
from trading_bot.state import check_ledger

WHY = FlattenRequest(because="the house burns", who="Ben")
DIES = """
import os, sys
from dataclasses import replace
from pathlib import Path
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import open_bot
from trading_bot.core.flatten import FlattenRequest, flatten

folder, method, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

class Dies:
    def __init__(self, broker):
        self.broker, self.left = broker, times
    def __getattr__(self, name):
        asked = getattr(self.broker, name)
        if name != method:
            return asked
        def ask(*words, **more):
            if not self.left:
                os._exit(9)
            self.left -= 1
            return asked(*words, **more)
        return ask

settings = TradingBotSettings.model_validate({"state": {"folder": folder}, "data": {"symbols": sys.argv[4].split()}})
with open_bot(settings) as bot:
    bot = replace(bot, broker=Dies(bot.broker))
    flatten(bot, FlattenRequest(because="the house burns", who="Ben"), run_id="killed")
"""


@pytest.mark.parametrize(("method", "times"), [("advance", 0), ("submit", 0), ("submit", 2)])
def test_a_flatten_killed_on_the_way_is_finished_by_the_next_one(folder: Path, method: str, times: int):
    with open_desk(folder) as desk:
        for number in range(2):
            cycle.run_cycle(desk.bot, run_id=f"run-{number}")
        held = set(desk.bot.book.ledger.portfolio().positions)

    died = subprocess.run([sys.executable, "-c", DIES, str(folder), method, str(times), " ".join(FEW)], check=False)

    assert died.returncode == 9
    with open_desk(folder) as desk:
        flatten(desk.bot, WHY, run_id="again")
        assert_sold_once(desk, held)


def assert_sold_once(desk: Desk, held: set[Symbol]) -> None:
    assert desk.bot.book.control.read().state is TradingState.REDUCING
    cycle.run_cycle(desk.bot, run_id="after")
    assert desk.bot.book.ledger.portfolio().positions == {}
    sold = desk.paper_rows("SELECT symbol FROM paper_orders WHERE side = 'sell' ORDER BY symbol")
    assert [symbol for (symbol,) in sold] == sorted(held)
    assert check_ledger(desk.bot.book.engine) == ()
