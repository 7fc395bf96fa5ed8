"""How the bot of a soak is set up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.soaking.names import NAME

HALTS_AFTER = 6  # failures in a row; kills come so often that the wait after more of them would never end
BUSY = {  # limits and options with which some five orders are sent on every single day
    "risk": {
        "max_open_trades": 15,
        "max_correlated_positions": 20,
        "max_portfolio_risk": 1,
        "max_sector_allocation": 1,
        "portfolio_stop_loss_pct": 1,
        "position_stop_pct": 0.02,
    },
    "strategy": {
        "min_score": 0.1,
        "rebalance_threshold": 0.001,
        "team": [
            {"name": "sma_cross", "options": {"fast": 2, "slow": 5}},
            {"name": "rsi_reversion"},
            {"name": "momentum"},
        ],
    },
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How the bot of a soak is set up."""

    interval: int = 6  # seconds
    start: str = "2020-06-01"  # the first session traded
    seed: int = 1
    soft_faults: float = 0.0  # chance of each call of broker and prices
    lease_seconds: int = 15
    heartbeat: int = 30  # seconds
    book_url: str | None = None
    on_demand: bool = False  # ask for a run whenever few are there, instead of waiting for the schedule's next one

    def settings(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Return the bot's settings."""
        return {
            "state": {"folder": str(folder / "state"), "lease_seconds": self.lease_seconds, "url": self.book_url},
            "orchestrator": {
                "loop_interval_seconds": self.interval,
                "recovery_backoff_seconds": 1,
                "max_consecutive_errors": HALTS_AFTER,
            },
            "broker": {"name": NAME},
            "data": {"source": NAME, "start": self.start},
            **BUSY,
        }
