from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import NO_VALUE, history, letters
from trading_bot.domain.market import FloatMatrix
from trading_bot.strategies.cointegration import best_pairs, critical_value, spreads, t_statistics
from trading_bot.strategies.pairs import Pairs


def four_prices() -> FloatMatrix:
    """Return log prices: 1 follows 0, and 3 follows 2 with a slack of its own."""
    rng = np.random.default_rng(5)
    logs = np.cumsum(rng.normal(0, 0.02, (260, 4)), axis=0) + 4
    logs[:, 1] = 0.7 * logs[:, 0] + 0.3 + rng.normal(0, 0.01, 260)
    logs[:, 3] = 1.4 * logs[:, 2] + np.cumsum(rng.normal(0, 0.004, 260))
    return logs


# statsmodels 0.14, coint(log[:, row], log[:, column], trend="c", maxlag=1, autolag=None)
STATSMODELS = [
    [NO_VALUE, -10.601310494, -2.86610258, -2.891968833],
    [-11.292532424, NO_VALUE, -3.252598198, -3.281874955],
    [-1.796245097, -1.859302601, NO_VALUE, -2.677955811],
    [-1.889589203, -1.953801384, -2.720354004, NO_VALUE],
]


def test_t_statistics_are_those_of_statsmodels():
    _, statistic = t_statistics(four_prices())

    assert np.allclose(statistic, STATSMODELS, rtol=0, atol=1e-8, equal_nan=True)


@pytest.mark.parametrize(("significance", "value"), [("1%", -3.93922513), ("5%", -3.35982283), ("10%", -3.06086584)])
def test_critical_values_are_those_of_mackinnon(significance, value):
    assert critical_value(significance, 260) == pytest.approx(value, abs=5e-9)


def test_a_spread_is_what_least_squares_leave():
    first, second = four_prices()[:, [1]], four_prices()[:, [0]]
    found = spreads(first, second)
    slope, constant = np.polyfit(second[:, 0], first[:, 0], 1)

    assert (found.slope[0], found.constant[0]) == pytest.approx((slope, constant))
    distance = found.distances(first, second)[:, 0]
    assert (distance.mean(), distance.std()) == pytest.approx((0.0, 1.0), abs=1e-9)


def test_the_strongest_pairs_come_first_and_no_stock_is_in_two():
    statistic = np.full((4, 4), NO_VALUE)
    statistic[0, 1], statistic[1, 2], statistic[2, 3], statistic[3, 0] = -5.0, -6.0, -4.0, -3.0
    names = np.array(letters(4))

    assert best_pairs(np.ones((4, 4)), statistic, names, limit=-3.5, most=5) == [(1, 2)]
    statistic[1, 2] = NO_VALUE
    assert best_pairs(np.ones((4, 4)), statistic, names, limit=-3.5, most=5) == [(0, 1), (2, 3)]
    assert best_pairs(np.ones((4, 4)), statistic, names, limit=-3.5, most=1) == [(0, 1)]
    assert best_pairs(-np.ones((4, 4)), statistic, names, limit=-3.5, most=5) == []


ONLY_ONE = Pairs(window=60, entry=2.0, exit=0.5, most=1)


def together(sessions: int = 100, jump: float = 0.0) -> FloatMatrix:
    """Return two prices that keep together; the first one is dearer by `jump` from row 70 to row 79."""
    rng = np.random.default_rng(1)
    market_log = np.cumsum(rng.normal(0, 0.02, sessions)) + 4
    first = market_log + rng.normal(0, 0.005, sessions)
    first[70:80] += jump
    return np.exp(np.stack([first, market_log + rng.normal(0, 0.005, sessions)], axis=1))


def test_the_dearer_one_is_sold_and_the_cheaper_one_bought_until_they_meet():
    exposure = ONLY_ONE.opinion(history(together(jump=0.05))).exposure

    assert (exposure[70:80, 0] < -0.9).all()
    assert (exposure[70:80, 1] > 0.9).all()
    assert not exposure[90:].any()
    assert np.abs(exposure[70:80]).max() == 1.0


def test_the_cheaper_one_is_bought():
    exposure = ONLY_ONE.opinion(history(together(jump=-0.05))).exposure

    assert (exposure[70:80, 0] > 0.9).all()
    assert (exposure[70:80, 1] < -0.9).all()


def test_nothing_is_traded_before_the_first_month_after_the_window():
    assert not ONLY_ONE.opinion(history(together(jump=0.05))).exposure[:60].any()


def test_a_leg_that_stops_trading_closes_the_pair():
    close = together(jump=0.05)
    close[72:, 1] = NO_VALUE

    exposure = ONLY_ONE.opinion(history(close)).exposure
    assert exposure[71].all()
    assert not exposure[77:].any()


def test_only_the_pairs_asked_for_are_looked_at():
    close, rest = together(jump=0.05), together()[:, [0]] * 3
    bars = history(np.concatenate([close, rest], axis=1), ["AAA", "BBB", "CCC"])
    asked = Pairs(window=60, most=1, pairs=(("BBB", "AAA"), ("AAA", "GONE")))

    exposure = asked.opinion(bars).exposure
    assert exposure[72, :2].all()
    assert not exposure[:, 2].any()
    assert not Pairs(window=60, pairs=(("AAA", "GONE"),)).opinion(bars).exposure.any()


def test_the_partner_is_named():
    bars = history(together(74, jump=0.05), ["AAA", "BBB"])
    opinion = ONLY_ONE.opinion(bars)
    last = {name: float(values[-1, 0]) for name, values in opinion.evidence.items()}

    words = ONLY_ONE.reason(last, float(opinion.exposure[-1, 0])) + opinion.remarks[0]
    assert words.startswith("it is ")
    assert words.endswith(
        "standard deviations too dear, t statistic " + f"{last['statistic']:.2f}, pair open, with BBB"
    )


@pytest.mark.parametrize(
    ("evidence", "exposure", "words"),
    [
        ((-2.4, -4.1), 1.0, "it is 2.40 standard deviations too cheap, t statistic -4.10, pair open"),
        ((1.2, -4.1), 0.0, "it is 1.20 standard deviations too dear, t statistic -4.10, pair not open"),
        ((NO_VALUE, -4.1), 0.0, "one of its pair has not traded of late"),
        ((NO_VALUE, NO_VALUE), 0.0, "it is in no pair that keeps together at 5% over 60 sessions"),
    ],
)
def test_the_reason_says_how_far_they_are_apart(evidence, exposure, words):
    assert ONLY_ONE.reason({"distance": evidence[0], "statistic": evidence[1]}, exposure) == words
