from __future__ import annotations

import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history
from trading_bot.strategies.bollinger_reversion import BollingerReversion

THREE = BollingerReversion(window=3, width=1.0)


@pytest.mark.parametrize(
    ("closes", "exposure"),
    [
        # means      10  9     8.67  9.67     deviations  0  1.41  0.94  1.25
        ([10, 10, 10, 7, 9, 13], [0, 0, 0, 1, 0, 0]),  # 9 is above the mean 8.67: sold
        ([10, 10, 10, 7, 7], [0, 0, 0, 1, 1]),  # 7 is within the bands now and not above the mean 8
        ([10, 10, 10, 13, 10], [0, 0, 0, 0, 0]),
        ([5, 5, 5, 5], [0, 0, 0, 0]),
        ([0.1, 0.1, 0.1, 0.1], [0, 0, 0, 0]),
    ],
)
def test_held_from_the_lower_band_to_the_middle(closes, exposure):
    assert THREE.opinion(history(column(*closes))).exposure[:, 0].tolist() == exposure


def test_sold_short_from_the_upper_band_to_the_middle_where_that_is_wanted():
    exposure = BollingerReversion(3, 1.0, short=True).opinion(history(column(10, 10, 10, 13, 13, 10))).exposure

    assert exposure[:, 0].tolist() == [0, 0, 0, -1, -1, 1]


def test_an_unknown_band_ends_a_holding():
    closes = [10, 10, 10, 7, *[NO_VALUE] * 6, 6]

    assert THREE.opinion(history(column(*closes))).exposure[:, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0]


BANDS = {"lower": 8.0, "middle": 9.0, "upper": 10.0}


@pytest.mark.parametrize(
    ("close", "exposure", "words"),
    [
        (7.5, 1.0, "the close 7.50 is below its lower band 8.00"),
        (8.5, 1.0, "the close 8.50 left its lower band and has not passed the mean 9.00 yet"),
        (10.5, -1.0, "the close 10.50 is above its upper band 10.00"),
        (9.5, -1.0, "the close 9.50 left its upper band and has not passed the mean 9.00 yet"),
        (8.5, 0.0, "the close 8.50 has not been below its lower band 8.00 since it passed the mean 9.00"),
    ],
)
def test_the_reason_places_the_close_among_the_bands(close, exposure, words):
    assert THREE.reason({"close": close, **BANDS}, exposure) == words


def test_the_reason_names_both_bands_where_both_count():
    words = BollingerReversion(3, 1.0, short=True).reason({"close": 8.5, **BANDS}, 0.0)

    assert words == "the close 8.50 has not left the bands from 8.00 to 10.00 since it passed the mean"


def test_the_reason_says_what_is_missing():
    assert THREE.reason({"close": 5.0, **dict.fromkeys(BANDS, NO_VALUE)}, 0.0) == "fewer than 3 closes are known"
