"""The tables as queries see them. The migrations create them; a test keeps both the same.

Users read the `v_…` views of `docs/sql.md`; the tables may change between versions.
"""

from __future__ import annotations

from trading_bot.state.schema.control import account, chores, control, failures, lease, state_changes
from trading_bot.state.schema.cycles import (
    chunks,
    cycle_inputs,
    cycle_steps,
    cycles,
    rotation_scores,
    rotation_seats,
    rotations,
)
from trading_bot.state.schema.metadata import THE_ROW, metadata
from trading_bot.state.schema.money import cash_activities, cash_ledger, corporate_actions, equity, positions
from trading_bot.state.schema.news import news, news_moods, news_symbols
from trading_bot.state.schema.trading import decisions, fills, intents, orders, signals

__all__ = [
    "THE_ROW",
    "account",
    "cash_activities",
    "cash_ledger",
    "chores",
    "chunks",
    "control",
    "corporate_actions",
    "cycle_inputs",
    "cycle_steps",
    "cycles",
    "decisions",
    "equity",
    "failures",
    "fills",
    "intents",
    "lease",
    "metadata",
    "news",
    "news_moods",
    "news_symbols",
    "orders",
    "positions",
    "rotation_scores",
    "rotation_seats",
    "rotations",
    "signals",
    "state_changes",
]
