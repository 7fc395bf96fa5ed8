"""The loop and the flow trade the same days and must end with the same book."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from trading_bot.config.typed_settings import StateSettings
from trading_bot.core.main_orchestrator import MainOrchestrator

BOOK = {
    "fills": "SELECT * FROM v_fills ORDER BY client_order_id, filled_at",
    "orders": "SELECT client_order_id, quantity, filled, status, reason FROM v_orders ORDER BY 1",
    "decisions": "SELECT session, symbol, side, outcome, requested, approved, rule, reason FROM v_decisions",
    "equity": "SELECT session, cash, equity FROM v_equity ORDER BY 1",
    "positions": "SELECT symbol, quantity, average_price FROM v_positions ORDER BY 1",
    "slippage": "SELECT * FROM v_slippage ORDER BY client_order_id, price",
    "rotations": "SELECT session, changed, reason FROM v_rotations ORDER BY 1",
    "news": "SELECT session, symbol, read_at, score, story_id FROM v_news ORDER BY 1, 2, 3",
    "measured": "SELECT session, step FROM v_steps ORDER BY 1, 2",
}


def read(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(folder / "bensbot.db")) as book:
        return {name: book.execute(query).fetchall() for name, query in BOOK.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sessions", "rotations"),
    [(15, 3), pytest.param(60, 12, marks=pytest.mark.endurance)],  # after 2022-01-07, -14 and -21, … 2022-03-25
)
def test_sessions_through_the_loop_and_through_the_flow_give_the_same_book(
    desk: Callable[..., Any], tmp_path: Path, sessions: int, rotations: int
):
    days = [f"2022-01-{day:02}" for day in range(3, 15)]
    told = [{"published": f"{day}T15:00:00Z", "headline": f"$AMD beats on {day}"} for day in days]
    (tmp_path / "news.jsonl").write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
    # With costs, so that cents have a chance to differ, and a team that changes now and then.
    ours = desk(
        broker={"commission_per_share": "0.005", "commission_minimum": "1", "slippage_bps": "7"},
        orchestrator={"enable_strategy_rotation": True},
        rotation={"frequency": "weekly"},
        news={"source": "file", "file": str(tmp_path / "news.jsonl")},
    )
    loop = ours.settings.model_copy(update={"state": StateSettings(folder=tmp_path / "loop")})

    MainOrchestrator(loop).run(cycles=sessions)
    for _ in range(sessions):
        assert ours.trade().name == "Completed"

    by_loop, by_flow = read(tmp_path / "loop"), read(ours.settings.state.folder)
    assert len(by_loop["equity"]) == sessions
    assert len(by_loop["fills"]) > sessions / 3
    assert len(by_loop["measured"]) == 8 * sessions
    assert len(by_loop["news"]) == 12
    assert len(by_loop["rotations"]) == rotations
    for name in BOOK:
        assert by_flow[name] == by_loop[name], name
