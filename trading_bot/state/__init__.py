"""The book: what the bot may do, did and owns, in one database.

`StateManager.open(url, clock=...)` opens it, `open_read_only(url)` looks at it, and
`check_ledger(engine)` recomputes it from its rows and names every law that does not hold.
The views that people may query are described in `docs/sql.md`.
"""

from trading_bot.state.audit import Violation, check_ledger
from trading_bot.state.manager import StateManager, open_read_only
from trading_bot.state.records import AccountBinding, BegunCycle, CycleEnd, UnfinishedCycle

__all__ = [
    "AccountBinding",
    "BegunCycle",
    "CycleEnd",
    "StateManager",
    "UnfinishedCycle",
    "Violation",
    "check_ledger",
    "open_read_only",
]
