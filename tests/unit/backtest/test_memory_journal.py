"""What a backtest's journal keeps, and what it lets go."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trading_bot.backtest.memory_journal import MemoryJournal
from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import StateError

LEASE = Lease(token=1, owner="test", expires_at=datetime(2022, 1, 3, 21, tzinfo=UTC))


def test_decisions_that_are_kept_no_more_are_no_empty_answer():
    journal = MemoryJournal()
    for cycle in ("monday", "tuesday"):
        journal.commit_decisions(cycle, LEASE, decisions=(), intents=(), market_hash="")

    assert journal.decisions("tuesday") == journal.decisions("wednesday") == ()
    with pytest.raises(StateError, match="of its newest cycle, tuesday, and not of monday"):
        journal.decisions("monday")
    with pytest.raises(StateError, match="Cycle monday has decided already"):
        journal.commit_decisions("monday", LEASE, decisions=(), intents=(), market_hash="")
