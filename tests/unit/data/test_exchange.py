"""The packaged days of the exchange are those of the library, and the library is asked where they may not be."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest

from trading_bot.data.exchange import LAST_YEAR, PACKAGED, ask_library, exchange, packaged

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "write_exchange_days.py"
TODAY_WITHOUT_PANDAS = """
import sys
from datetime import datetime, UTC
from trading_bot.core.hours import TradingHours
TradingHours().is_trading_time(datetime.now(UTC))
print("pandas" in sys.modules)
"""


def test_what_is_packaged_is_what_the_library_says_today():
    content = PACKAGED.read_text(encoding="utf-8")
    asked, read = ask_library(LAST_YEAR), packaged(json.loads(content)["exchange_calendars"])

    assert content == runpy.run_path(str(SCRIPT))["text"](), "run scripts/write_exchange_days.py"
    assert read is not None
    assert np.array_equal(read.sessions, asked.sessions)
    assert read.unusual == asked.unusual
    assert (len(read.sessions), len(read.unusual)) == (11_829, 101)


def test_what_another_version_wrote_is_not_believed():
    assert packaged("1.0") is None


def test_whether_to_trade_now_is_known_without_pandas():
    done = subprocess.run([sys.executable, "-c", TODAY_WITHOUT_PANDAS], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "False", done.stderr


def test_beyond_what_is_packaged_the_library_is_asked():
    later = exchange(date(2040, 1, 3))

    assert later.has(date(2040, 1, 3))
    assert not later.has(date(2040, 12, 25))
    assert later.times_of(date(2040, 11, 23)) == (time(9, 30), time(13, 0))  # the day after Thanksgiving


def test_a_day_off_has_no_times():
    with pytest.raises(ValueError, match="2022-01-01 is no session of the exchange"):
        exchange(date(2022, 1, 1)).times_of(date(2022, 1, 1))
