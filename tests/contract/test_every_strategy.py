"""What every strategy promises, asked of every one that is registered."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.strategies import markets
from tests.unit.strategies.markets import letters, market
from trading_bot.core.authoring.check import problems
from trading_bot.domain.errors import PluginError
from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import Explains, Opinion, Strategy
from trading_bot.domain.sharing import sharing
from trading_bot.domain.snapshot import fingerprint
from trading_bot.strategies.manager import StrategyManager, Targets
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.strategies.voting import Member

NAMES = STRATEGIES.names()
SESSIONS = 320  # more than any default lookback
A_NUMBER_THAT_IS_NONE = re.compile(r"\b(nan|inf)\b", re.IGNORECASE)
few_examples = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def strategy(name: str) -> Strategy:
    return STRATEGIES.build(name, {})


def random_walk(seed: int, sessions: int = SESSIONS, symbols: int = 6) -> FloatMatrix:
    # From calm to wild, and not rounded: sums of changes of a calm price are exact and hide the order of summing.
    daily = np.geomspace(0.005, 0.4, symbols)
    steps = np.random.default_rng(seed).normal(0.0, daily, (sessions, symbols))
    return 100.0 * np.exp(np.cumsum(steps, axis=0))


def with_gaps(close: FloatMatrix, seed: int) -> FloatMatrix:
    """Return the closes with single holes, long holes, a late listing and a delisting."""
    rng = np.random.default_rng(seed)
    holed = close.copy()
    holed[rng.random(close.shape) < 0.02] = np.nan
    for column in rng.choice(close.shape[1], 3, replace=False):
        start = int(rng.integers(len(close)))
        holed[start : start + int(rng.integers(1, 30)), column] = np.nan
    holed[: int(rng.integers(len(close) // 2)), 0] = np.nan
    holed[int(rng.integers(len(close) // 2, len(close))) :, 1] = np.nan
    return holed


def history(close: FloatMatrix, symbols: Sequence[str] | None = None) -> MarketHistory:
    """Return these closes with ranges around them and with news, where there was much to report."""
    close = np.array(close)
    bars = markets.history(close, symbols)
    news = np.full(close.shape, np.nan)
    if len(close):
        news[1:] = np.tanh(20 * np.diff(np.log(close), axis=0))
        news[np.abs(news) < 0.2] = np.nan
    return dataclasses.replace(bars, high=close * 1.01, low=close * 0.985, sentiment=news)


def arrays_of(opinion: Opinion) -> dict[str, FloatMatrix]:
    return {"exposure": opinion.exposure, **opinion.evidence}


def bits(opinion: Opinion, rows: int) -> dict[str, bytes]:
    """Return the first rows of every array, bit for bit; every NaN counts as the same one."""
    return {
        name: np.where(np.isnan(array[:rows]), np.nan, array[:rows]).tobytes()
        for name, array in arrays_of(opinion).items()
    }


def reasons_of(name: str, strategy: Strategy, bars: MarketHistory) -> list[str]:
    """Return the words the strategy has for every symbol on the last session."""
    opinion = strategy.opinion(bars)
    if not isinstance(strategy, Explains):
        pytest.skip(f"{name} is quoted by its evidence: it has no words of its own")
    return [
        strategy.reason(
            {evidence: float(values[-1, column]) for evidence, values in opinion.evidence.items()},
            float(opinion.exposure[-1, column]),
        )
        for column in range(len(bars.symbols))
    ]


def options_of(name: str) -> dict[str, Any]:
    """Return the options of a strategy with their defaults."""
    fields = dataclasses.fields(cast("Any", STRATEGIES.get(name)))
    return {field.name: field.default for field in fields if field.init}


def test_there_are_strategies():
    assert {
        "bollinger_reversion",
        "donchian_breakout",
        "dual_momentum",
        "ema_cross",
        "ensemble",
        "inverse_volatility",
        "macd",
        "minimum_variance",
        "momentum",
        "news_sentiment",
        "pairs",
        "rsi_reversion",
        "sma_cross",
        "volatility_breakout",
        "zscore_reversion",
    } <= set(NAMES)


def test_exposure_and_evidence_have_one_number_a_session_and_symbol(strategy):
    opinion = strategy.opinion(history(random_walk(1)))

    assert opinion.evidence
    for name, array in arrays_of(opinion).items():
        assert array.shape == (SESSIONS, 6), name
        assert array.dtype == np.float64, name


@few_examples
@given(seed=st.integers(0, 2**32 - 1))
def test_exposure_is_a_number_from_minus_one_to_one(strategy, seed):
    exposure = strategy.opinion(history(with_gaps(random_walk(seed), seed))).exposure

    assert (np.abs(exposure) <= 1).all()  # NaN is not


def test_the_default_options_have_an_opinion_at_times_and_not_always(strategy):
    exposure = strategy.opinion(history(random_walk(3, symbols=40))).exposure

    assert 0 < np.count_nonzero(exposure) < exposure.size


@few_examples
@given(seed=st.integers(0, 2**32 - 1), kept=st.integers(0, SESSIONS))
def test_dropping_later_sessions_changes_no_earlier_opinion(strategy, seed, kept):
    bars = history(random_walk(seed))

    assert bits(strategy.opinion(bars.rows(slice(0, kept))), kept) == bits(strategy.opinion(bars), kept)


@few_examples
@given(seed=st.integers(0, 2**32 - 1), kept=st.integers(0, SESSIONS))
def test_dropping_later_sessions_changes_nothing_where_prices_are_missing(strategy, seed, kept):
    bars = history(with_gaps(random_walk(seed), seed))

    assert bits(strategy.opinion(bars.rows(slice(0, kept))), kept) == bits(strategy.opinion(bars), kept)


@few_examples
@given(seed=st.integers(0, 2**32 - 1), changed=st.integers(1, SESSIONS - 1))
def test_later_prices_change_no_earlier_opinion(strategy, seed, changed):
    close = with_gaps(random_walk(seed), seed)
    other = close.copy()
    other[changed:] = with_gaps(random_walk(seed + 1), seed + 1)[changed:]

    assert bits(strategy.opinion(history(close)), changed) == bits(strategy.opinion(history(other)), changed)


@pytest.mark.parametrize("kept", [119, 318])
def test_dropping_later_sessions_changes_nothing_where_there_are_many_symbols(strategy, kept):
    close = random_walk(12, symbols=300)
    close[:, :6] = with_gaps(close[:, :6], 12)
    bars = history(close)

    assert bits(strategy.opinion(bars.rows(slice(0, kept))), kept) == bits(strategy.opinion(bars), kept)


@pytest.mark.parametrize("sessions", [0, 1, 2, 3, 10])
def test_too_little_history_gives_no_exposure(strategy, sessions):
    opinion = strategy.opinion(markets.history(random_walk(4)[:sessions]))

    assert opinion.exposure.shape == (sessions, 6)
    assert not opinion.exposure.any()


def test_a_symbol_without_any_price_gives_no_exposure_and_disturbs_no_other(strategy):
    close = random_walk(5)
    close[:, 2] = np.nan
    exposure = strategy.opinion(history(close)).exposure

    assert not exposure[:, 2].any()
    assert np.array_equal(exposure[:, [0, 1]], strategy.opinion(history(close)).exposure[:, [0, 1]])


def test_no_exposure_before_the_first_price(strategy):
    close = random_walk(6)
    close[:200, 0] = np.nan

    assert not strategy.opinion(history(close)).exposure[:200].T[0].any()


def test_a_symbol_that_stopped_trading_is_not_wanted_any_more(strategy):
    close = random_walk(7)
    close[-30:] = np.nan

    assert not strategy.opinion(history(close)).exposure[-1].any()


def test_a_market_without_any_price_gives_no_exposure(strategy):
    assert not strategy.opinion(history(np.full((SESSIONS, 4), np.nan))).exposure.any()


def test_a_market_without_symbols_gives_an_empty_opinion(strategy):
    assert strategy.opinion(history(np.empty((SESSIONS, 0)))).exposure.shape == (SESSIONS, 0)


def test_prices_that_never_move_give_no_exposure(strategy):
    assert not strategy.opinion(history(np.full((SESSIONS, 3), 42.17))).exposure.any()


def test_asking_twice_gives_the_same_opinion_bit_for_bit(strategy):
    bars = history(with_gaps(random_walk(8), 8))

    assert bits(strategy.opinion(bars), SESSIONS) == bits(strategy.opinion(bars), SESSIONS)


@few_examples
@given(seed=st.integers(0, 2**32 - 1), holed=st.booleans())
def test_an_opinion_is_the_same_bits_for_whoever_shares_its_indicators(strategy, seed, holed):
    close = random_walk(seed)
    bars = history(with_gaps(close, seed) if holed else close)
    alone = bits(strategy.opinion(bars), SESSIONS)

    with sharing():
        assert [bits(strategy.opinion(bars), SESSIONS) for _ in range(2)] == [alone, alone]


def test_an_opinion_leaves_the_history_as_it_was(strategy):
    bars = history(with_gaps(random_walk(9), 9))
    before = fingerprint(bars)
    strategy.opinion(bars)

    assert fingerprint(bars) == before


def test_the_check_for_users_finds_nothing(strategy):
    assert problems(strategy) == []


def test_the_order_of_the_symbols_does_not_matter(strategy):
    close = random_walk(10)
    turned = [3, 5, 0, 4, 1, 2]

    assert np.array_equal(
        strategy.opinion(history(close[:, turned])).exposure, strategy.opinion(history(close)).exposure[:, turned]
    )


@pytest.mark.parametrize("sessions", [1, 5, 60, SESSIONS])
def test_every_symbol_has_a_reason_in_words_without_a_number_nobody_knows(name, strategy, sessions):
    close = random_walk(11)[:sessions]
    close[:, 1] = np.nan
    close[: sessions - 1, 2] = np.nan

    for reason in reasons_of(name, strategy, history(close)):
        assert reason.strip()
        assert not A_NUMBER_THAT_IS_NONE.search(reason), reason


def test_every_signal_tells_who_wants_it_and_why(name, strategy):
    targets = Targets(
        position_weight=Decimal(1),
        max_gross_exposure=Decimal(1),
        max_candidates=50,
        min_score=0.1,
        rebalance_threshold=Decimal(0),
    )
    team = StrategyManager((Member(name, 1.0, strategy),), targets)
    signals = team.signals(market(history(random_walk(3, symbols=40), letters(40))), Portfolio(Decimal(1)), Decimal(1))

    assert signals
    for signal in signals:
        assert name in signal.strategy
        assert f"{name}: " in signal.reason
        assert not A_NUMBER_THAT_IS_NONE.search(signal.reason)
        assert f"{name}.exposure" in signal.evidence


def test_a_misspelt_option_is_refused_with_a_list_of_those_there_are(name):
    known = sorted(options_of(name))
    with pytest.raises(PluginError, match=f"no option '{known[0]}x'.*Did you mean '{known[0]}'") as refusal:
        STRATEGIES.build(name, {f"{known[0]}x": 1})

    for option in known:
        assert option in str(refusal.value)


def numeric_options() -> list[tuple[str, str]]:
    return [
        (name, option)
        for name in NAMES
        for option, default in options_of(name).items()
        if isinstance(default, int | float) and not isinstance(default, bool)
    ]


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "many", None])
@pytest.mark.parametrize(("name", "option"), numeric_options())
def test_an_option_that_makes_no_sense_is_refused_by_name(name: str, option: str, wrong: Any):
    with pytest.raises(PluginError, match=re.escape(repr(name))):
        STRATEGIES.build(name, {option: wrong})


def test_an_unknown_strategy_is_refused_with_the_nearest_name():
    with pytest.raises(PluginError, match=r"no strategy called 'momentun'\. Did you mean 'momentum'\?"):
        STRATEGIES.build("momentun", {})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sma_cross", {"fast": 50, "slow": 50}, "fast=50 must be below slow=50"),
        ("rsi_reversion", {"oversold": 50.0, "recovered": 50.0}, "oversold=50.0 must be below recovered=50.0"),
        ("rsi_reversion", {"oversold": 100.5}, "oversold"),
        ("rsi_reversion", {"period": 1}, "period"),
        ("momentum", {"lookback": 21}, "skip=21 must be below lookback=21"),
        ("momentum", {"top": 0}, "top"),
        ("momentum", {"top": 1.01}, "top"),
        ("ema_cross", {"fast": 26}, "fast=26 must be below slow=26"),
        ("macd", {"slow": 12}, "fast=12 must be below slow=12"),
        ("macd", {"act_on": "level"}, "act_on"),
        ("macd", {"tolerance": -0.01}, "tolerance"),
        ("macd", {"tolerance": 0.01, "act_on": "crossings"}, "tolerance=0.01 goes with act_on: levels"),
        ("zscore_reversion", {"begin": 2.0}, r"begin=2\.0 must be below full=2\.0"),
        ("bollinger_reversion", {"window": 1}, "window"),
        ("pairs", {"exit": 2.0}, r"exit=2\.0 must be below entry=2\.0"),
        ("pairs", {"pairs": [["KO", "KO"]]}, "pairs has KO with itself"),
        ("pairs", {"pairs": [["KO"]]}, "pairs"),
        ("pairs", {"significance": "2%"}, "significance"),
        ("news_sentiment", {"threshold": 1}, "threshold"),
        ("ensemble", {"members": []}, "members names no strategy"),
        ("ensemble", {"members": ["ensemble"]}, "an ensemble cannot be a member of an ensemble"),
        ("ensemble", {"members": ["macdd"]}, r"no strategy called 'macdd'\. Did you mean 'macd'\?"),
        ("ensemble", {"members": [{"name": "macd", "options": {"fats": 3}}]}, "no option 'fats'. Did you mean 'fast'"),
        ("ensemble", {"members": [{"name": "macd", "weight": 0}]}, "weight"),
    ],
)
def test_options_that_contradict_each_other_or_the_range_are_refused(name, options, message):
    with pytest.raises(PluginError, match=message):
        STRATEGIES.build(name, options)
