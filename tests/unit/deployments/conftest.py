from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.core.trading import LiveSample
from trading_bot.data.registry import PRICE_SOURCES


@pytest.fixture
def live_source() -> Iterator[str]:
    """The name of a price source whose clock is the wall clock."""
    PRICE_SOURCES.register("live-sample")(LiveSample)
    yield "live-sample"
    PRICE_SOURCES._classes.pop("live-sample")
