"""Write `trading_bot/data/packaged/xnys.json`: days off and unusual hours of the exchange, by exchange_calendars.

Usage: python scripts/write_exchange_days.py

To be run after an update of the library; until then every command asks the library itself, which is slower.
"""

from __future__ import annotations

import json
from importlib.metadata import version

import numpy as np

from trading_bot.data.exchange import FIRST_DAY, LAST_YEAR, LIBRARY, PACKAGED, ask_library


def text() -> str:
    """Return the text of `xnys.json`. Raises ValueError on a session at a weekend: nothing is written for those."""
    known = ask_library(LAST_YEAR)
    if not np.is_busday(known.sessions).all():
        raise ValueError("the exchange has a session at a weekend; the file lists weekdays off only")
    days = np.arange(np.datetime64(FIRST_DAY), np.datetime64(f"{LAST_YEAR + 1}-01-01"))
    weekdays_off = days[np.is_busday(days) & ~np.isin(days, known.sessions)]
    packaged = {
        "about": "New York Stock Exchange: weekdays without a session, and sessions not from 09:30 to 16:00",
        "through": f"{LAST_YEAR}-12-31",
        "licence": "facts as exchange_calendars has them (Apache License 2.0)",
        LIBRARY: version(LIBRARY),
        "weekdays_off": [str(day) for day in weekdays_off],
        "unusual_hours": {
            str(day): [f"{opens:%H:%M}", f"{closes:%H:%M}"] for day, (opens, closes) in known.unusual.items()
        },
    }
    return json.dumps(packaged, indent=1) + "\n"


def main() -> None:
    """Write the file."""
    PACKAGED.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
