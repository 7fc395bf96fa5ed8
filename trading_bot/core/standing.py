"""Read from the book how things stand, for `bensbot status` and for Prefect's UI alike."""

from __future__ import annotations

from trading_bot.reporting.standing import LastCycle, Standing
from trading_bot.state.manager import StateManager


def read_standing(book: StateManager) -> Standing:
    """Return trading state, last cycle, cash, equity, open orders and positions. Raises StateError."""
    newest = book.cycles.newest()
    return Standing(
        control=book.control.read(),
        last_session=book.cycles.last_traded_session(),
        portfolio=book.ledger.portfolio(),
        equity=next(reversed(book.ledger.equity_curve(1)), None),
        open_orders=book.journal.open_orders(),
        last_cycle=LastCycle(newest.cycle_id, newest.status, newest.ended_at) if newest else None,
    )
