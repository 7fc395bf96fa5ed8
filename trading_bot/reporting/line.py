"""One cycle in one line, for people who watch many of them."""

from __future__ import annotations

from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.words import counted, dollars


def cycle_line(report: CycleReport) -> str:
    """Return `2022-01-04: 5 fills, 2 orders sent, equity $99,992.30`, and the state unless it is active."""
    parts = [counted(len(report.fills), "fill"), f"{counted(len(report.orders), 'order')} sent"]
    state = "" if report.state is TradingState.ACTIVE else f" ({report.state})"
    return f"{report.session}: {', '.join(parts)}, equity {dollars(report.equity)}{state}"
