from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history, walk
from trading_bot.strategies.news_sentiment import NewsSentiment

TWO = NewsSentiment(sessions=2, threshold=0.2)


def exposures(strategy: NewsSentiment, *scores: float) -> list[float]:
    close = np.full((len(scores), 1), 10.0)
    return strategy.opinion(history(close, sentiment=column(*scores))).exposure[:, 0].tolist()


@pytest.mark.parametrize(
    ("scores", "exposure"),
    [
        ([0.5, 0.0, 0.0], [1, 1, 0]),  # means 0.5, 0.25, 0
        ([0.5, NO_VALUE, NO_VALUE], [1, 1, 0]),  # sessions without news do not count
        ([0.2, 0.2], [0, 0]),  # on the threshold
        ([0.1 + 0.2, 0.1], [1, 0]),  # on it but for rounding
        ([NO_VALUE, NO_VALUE, 1.0], [0, 0, 1]),
        ([-1.0, -1.0], [0, 0]),
    ],
)
def test_held_while_the_news_is_good(scores, exposure):
    assert exposures(TWO, *scores) == exposure


def test_sold_short_while_it_is_bad_where_that_is_wanted():
    assert exposures(NewsSentiment(sessions=1, short=True), -0.5, 0.5, -0.2, NO_VALUE) == [-1, 1, 0, 0]


def test_where_nobody_reads_the_news_there_is_no_opinion():
    opinion = TWO.opinion(history(walk(1)))

    assert not opinion.exposure.any()
    assert (
        TWO.reason({"sentiment": float(opinion.evidence["sentiment"][-1, 0])}, 0.0) == "no news of the last 2 sessions"
    )


def test_good_news_of_a_stock_that_stopped_trading_is_no_reason_to_want_it():
    close = np.full((10, 1), 10.0)
    close[2:] = NO_VALUE

    exposure = TWO.opinion(history(close, sentiment=np.ones((10, 1)))).exposure[:, 0]
    assert exposure.tolist() == [1] * 7 + [0] * 3


@pytest.mark.parametrize(
    ("sentiment", "exposure", "words"),
    [
        (0.31, 1.0, "the sentiment of its news over the last 2 sessions is +0.31, above +0.20"),
        (0.1, 0.0, "the sentiment of its news over the last 2 sessions is +0.10, not above +0.20"),
        (-0.4, -1.0, "the sentiment of its news over the last 2 sessions is -0.40, below -0.20"),
    ],
)
def test_the_reason_names_the_sentiment(sentiment, exposure, words):
    assert TWO.reason({"sentiment": sentiment}, exposure) == words
