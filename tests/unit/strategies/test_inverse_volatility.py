from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import NO_VALUE, history
from trading_bot.strategies.inverse_volatility import InverseVolatility


def zigzag(*steps: float, sessions: int = 5) -> np.ndarray:
    """Return prices whose log goes up and down by these steps: their volatility is the step."""
    signs = np.arange(sessions)[:, None] % 2
    return 100 * np.exp(signs * np.array(steps))


def test_exposure_is_in_inverse_proportion_to_volatility_and_the_calmest_gets_one():
    opinion = InverseVolatility(window=4).opinion(history(zigzag(0.01, 0.02, 0.04)))

    assert opinion.exposure[-1] == pytest.approx([1.0, 0.5, 0.25])
    assert not opinion.exposure[:-1].any()
    assert opinion.evidence["volatility"][-1, 0] == pytest.approx(0.01 * np.sqrt(252))


def test_a_price_that_stands_still_is_not_held_and_is_not_the_calmest():
    assert InverseVolatility(window=4).opinion(history(zigzag(0.0, 0.02))).exposure[-1].tolist() == [0.0, 1.0]


def test_a_stock_that_stopped_trading_leaves_the_rest_among_themselves():
    close = zigzag(0.01, 0.02, sessions=20)
    close[10:, 0] = NO_VALUE

    assert InverseVolatility(window=4).opinion(history(close)).exposure[-1].tolist() == [0.0, 1.0]


def test_the_reason_names_the_volatility():
    words = InverseVolatility().reason({"volatility": 0.2}, 0.5)

    assert words == "its volatility is 20.0% a year: 50% of what the calmest stock gets"
