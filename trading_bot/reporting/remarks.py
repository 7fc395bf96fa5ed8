"""What a reader should know about a cycle besides its trades."""

from __future__ import annotations

from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.words import sentence


def remarks(report: CycleReport) -> tuple[str, ...]:
    """Return warnings, symbols that are not traded, and repairs of the data, as sentences, each once."""
    quarantined = (f"{symbol} is not traded: {why}" for symbol, why in sorted(report.market.quarantined.items()))
    said = (sentence(text) for text in (*report.warnings, *quarantined, *report.market.notes))
    return tuple(dict.fromkeys(text for text in said if text))
