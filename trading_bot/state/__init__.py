"""The book: what the bot may do, did and owns, in one database.

`StateManager.open(url, clock=...)` opens it, `open_read_only(url)` looks at it, and
`check_ledger(engine)` recomputes it from its rows and names every law that does not hold.
The views that people may query are described in `docs/sql.md`.
"""

from trading_bot.state.audit import check_ledger
from trading_bot.state.manager import StateManager, open_read_only

__all__ = ["StateManager", "check_ledger", "open_read_only"]
