from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategies.markets import NO_VALUE, history, holding, market, today
from trading_bot.domain.errors import WrongAnswer
from trading_bot.domain.market import FloatMatrix, MarketHistory, MarketState, Symbol
from trading_bot.domain.orders import Purpose, Side, Signal
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.manager import StrategyManager, Targets
from trading_bot.strategies.voting import Member

EQUITY = Decimal(1000)
NOTHING = holding(1000)


@dataclass(frozen=True)
class Says:
    """A strategy that wants what it is told, by symbol; 0 for the others."""

    wishes: Mapping[str, float]
    evidence: Mapping[str, float] = field(default_factory=dict)

    def opinion(self, history: MarketHistory) -> Opinion:
        exposure = np.zeros(history.close.shape)
        exposure[-1:] = [self.wishes.get(symbol, 0.0) for symbol in history.symbols]
        return Opinion(exposure, {name: np.full(exposure.shape, value) for name, value in self.evidence.items()})


@dataclass(frozen=True)
class Explaining(Says):
    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        return f"because {exposure:g} and {sorted(evidence)}"


@dataclass(frozen=True)
class Answers:
    exposure: FloatMatrix

    def opinion(self, history: MarketHistory) -> Opinion:
        return Opinion(self.exposure)


def targets(
    position: str = "0.1", *, gross: str = "1", most: int = 20, least: float = 0.0, threshold: str = "0"
) -> Targets:
    return Targets(Decimal(position), Decimal(gross), most, least, Decimal(threshold))


def team(*wishes: Mapping[str, float], weights: Sequence[float] = (), goal: Targets | None = None) -> StrategyManager:
    """Return a team of strategies called a, b, c …"""
    counts = weights or [1.0] * len(wishes)
    members = (Member(name, weight, Says(wish)) for name, weight, wish in zip("abcdefgh", counts, wishes, strict=False))
    return StrategyManager(tuple(members), goal or targets())


def asked(manager: StrategyManager, state: MarketState, portfolio: Portfolio = NOTHING) -> tuple[Signal, ...]:
    return manager.signals(state, portfolio, EQUITY)


def weights_of(signals: Sequence[Signal]) -> dict[str, float]:
    return {signal.symbol: signal.wanted_weight for signal in signals}


# ── the vote ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("votes", "weights", "score"),
    [
        ([1, 1, 1], [1, 1, 1], 1.0),
        ([1, 0, 0], [2, 1, 1], 0.5),
        ([1, 1, 0], [3, 1, 4], 0.5),
        ([1, -1, 0], [3, 1, 4], 0.25),
        ([0.5, 0.25], [1, 3], 0.3125),
        ([1, 0], [20, 60], 0.25),  # only the share of all weights matters
    ],
)
def test_the_score_is_the_weighted_mean_of_all_votes(votes, weights, score):
    (signal,) = asked(team(*({"AAA": vote} for vote in votes), weights=weights), today(AAA=10))

    assert signal.strength == pytest.approx(score, abs=1e-12)
    assert signal.wanted_weight == pytest.approx(score * 0.1, abs=1e-12)


@pytest.mark.parametrize("score", [0.0, -0.5, -1.0])
def test_what_is_not_liked_is_not_bought(score):
    assert asked(team({"AAA": score}), today(AAA=10)) == ()


@pytest.mark.parametrize(("score", "wanted"), [(0.299, 0), (0.3, 1), (0.301, 1)])
def test_a_score_below_the_minimum_is_not_wanted(score, wanted):
    assert len(asked(team({"AAA": score}, goal=targets(least=0.3)), today(AAA=10))) == wanted


def test_votes_that_sum_to_the_minimum_pass_it_in_spite_of_rounding():
    manager = team({"AAA": 1.0}, {"AAA": 1.0}, {}, weights=[1, 7, 2], goal=targets(least=0.8))  # 0.1 + 0.7 < 0.8

    assert len(asked(manager, today(AAA=10))) == 1


def test_a_part_of_the_team_decides_alone():
    manager = team({"AAA": 1.0}, {"BBB": 0.5}, {"CCC": 1.0})

    signals = manager.signals(today(AAA=10, BBB=10, CCC=10), NOTHING, EQUITY, only=("a", "b"))

    assert {signal.symbol: signal.strength for signal in signals} == {"AAA": 0.5, "BBB": 0.25}


def test_a_part_of_the_team_decides_about_what_the_others_bought_too():
    manager = team({"AAA": 1.0}, {"BBB": 1.0})

    (gone, wanted) = manager.signals(today(AAA=10, BBB=10), holding(900, AAA=(10, 10)), EQUITY, only=("b",))

    assert (gone.symbol, gone.purpose, wanted.symbol) == ("AAA", Purpose.EXIT, "BBB")


def test_an_empty_team_is_refused():
    with pytest.raises(ValueError, match="names no strategy"):
        StrategyManager((), targets())


# ── the ranking ───────────────────────────────────────────────────────────────────────────────────


def test_the_best_scores_are_wanted_and_ties_go_by_symbol():
    wishes = {"DDD": 0.5, "BBB": 0.5, "CCC": 0.9, "AAA": 0.4, "EEE": 0.5}
    state = today(EEE=10, DDD=10, CCC=10, BBB=10, AAA=10)

    assert [s.symbol for s in asked(team(wishes, goal=targets(most=3)), state)] == ["CCC", "BBB", "DDD"]


def test_scores_that_differ_by_rounding_only_are_tied():
    wishes = {"BBB": 0.1 + 0.2, "AAA": 0.3}

    assert [s.symbol for s in asked(team(wishes, goal=targets(most=1)), today(BBB=10, AAA=10))] == ["AAA"]


@pytest.mark.parametrize(("gross", "each"), [("1", 0.4), ("0.8", 0.4), ("0.6", 0.3), ("0.2", 0.1)])
def test_wanted_weights_are_scaled_down_to_the_gross_exposure(gross, each):
    wishes = {"AAA": 1.0, "BBB": 1.0}
    signals = asked(team(wishes, goal=targets("0.4", gross=gross)), today(AAA=10, BBB=10))

    assert weights_of(signals) == pytest.approx({"AAA": each, "BBB": each})


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.integers(1, 12), st.decimals("0.01", 1, places=2))
def test_wanted_weights_never_exceed_the_gross_exposure(scores, most, gross):
    names = [f"S{place}" for place in range(len(scores))]
    goal = Targets(Decimal(1), gross, most, 0.0, Decimal(0))
    signals = asked(
        team(dict(zip(names, scores, strict=True)), goal=goal), market(history([[10.0] * len(names)], names))
    )

    assert len(signals) <= most
    assert sum(weights_of(signals).values()) <= float(gross) + 1e-12


# ── the comparison with what is held ──────────────────────────────────────────────────────────────


def test_what_is_wanted_and_not_held_is_an_entry():
    (signal,) = asked(team({"AAA": 1.0}), today(AAA=10))

    assert (signal.side, signal.purpose, signal.wanted_weight) == (Side.BUY, Purpose.ENTRY, 0.1)


def test_what_is_held_and_not_wanted_is_an_exit_to_nothing():
    (signal,) = asked(team({}), today(AAA=10), holding(900, AAA=(10, 10)))

    assert (signal.side, signal.purpose, signal.wanted_weight) == (Side.SELL, Purpose.EXIT, 0)


def test_what_is_held_and_disliked_is_sold_and_never_short():
    (signal,) = asked(team({"AAA": -1.0}), today(AAA=10), holding(900, AAA=(10, 10)))

    assert (signal.side, signal.wanted_weight, signal.strength) == (Side.SELL, 0, -1.0)


@pytest.mark.parametrize(
    ("shares", "side", "purpose"),
    [
        (5, Side.BUY, Purpose.ENTRY),  # held 5 %, wanted 10 %
        (7, Side.BUY, Purpose.ENTRY),
        (8, None, None),  # off by the threshold of 2 % exactly
        (10, None, None),
        (12, None, None),
        (13, Side.SELL, Purpose.EXIT),
        (20, Side.SELL, Purpose.EXIT),
    ],
)
def test_a_holding_is_changed_when_it_is_off_by_more_than_the_threshold(shares, side, purpose):
    signals = asked(team({"AAA": 1.0}, goal=targets(threshold="0.02")), today(AAA=10), holding(0, AAA=(shares, 10)))

    assert [(s.side, s.purpose) for s in signals] == ([] if side is None else [(side, purpose)])


def test_a_new_position_and_an_end_are_made_however_small():
    goal = targets("0.01", threshold="0.5")
    signals = asked(team({"NEW": 1.0}, goal=goal), today(NEW=10, OLD=10), holding(990, OLD=(1, 10)))

    assert [(s.symbol, s.side) for s in signals] == [("OLD", Side.SELL), ("NEW", Side.BUY)]


def test_exits_come_first_then_the_stronger_score_then_the_symbol():
    wishes = {"AAA": 0.2, "BBB": 0.9, "CCC": 0.9, "YYY": -0.5}
    state = today(CCC=10, ZZZ=10, YYY=10, AAA=10, BBB=10)
    signals = asked(team(wishes), state, holding(0, YYY=(1, 10), ZZZ=(1, 10)))

    assert [s.symbol for s in signals] == ["ZZZ", "YYY", "BBB", "CCC", "AAA"]


@pytest.mark.parametrize("portfolio", [NOTHING, holding(900, AAA=(10, 10))])
@pytest.mark.parametrize("wish", [1.0, 0.0])
def test_a_symbol_in_quarantine_gets_no_signal(portfolio, wish):
    state = market(history([[10.0]], ["AAA"]), quarantined={"AAA": "its bars are odd"})

    assert asked(team({"AAA": wish}), state, portfolio) == ()


@pytest.mark.parametrize("portfolio", [NOTHING, holding(900, AAA=(10, 10))])
@pytest.mark.parametrize("wish", [1.0, 0.0])
def test_a_symbol_without_a_price_today_gets_no_signal(portfolio, wish):
    state = market(history([[10.0], [NO_VALUE]], ["AAA"]))

    assert asked(team({"AAA": wish}), state, portfolio) == ()


def test_a_symbol_that_cannot_be_traded_takes_no_place_among_the_candidates():
    wishes = {"AAA": 1.0, "BBB": 0.9, "CCC": 0.8}
    state = market(history([[NO_VALUE, 10.0, 10.0]], ["AAA", "BBB", "CCC"]), quarantined={"BBB": "odd"})

    assert [s.symbol for s in asked(team(wishes, goal=targets(most=1)), state)] == ["CCC"]


def test_a_holding_that_the_market_does_not_list_gets_no_signal():
    assert asked(team({}), today(AAA=10), holding(0, OLD=(1, 10))) == ()


@pytest.mark.parametrize("equity", [0, -5])
def test_without_equity_there_are_no_signals(equity):
    assert team({"AAA": 1.0}).signals(today(AAA=10), NOTHING, Decimal(equity)) == ()


def test_without_any_session_there_are_no_signals():
    assert asked(team({"AAA": 1.0}), market(history(np.empty((0, 1)), ["AAA"]))) == ()


@given(st.permutations(["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]))
def test_the_order_of_the_symbols_does_not_matter(names):
    wishes = {"AAA": 0.5, "BBB": 0.5, "CCC": 0.7, "DDD": 0.1, "EEE": -0.3, "FFF": 0.5}
    close = {"AAA": 10.0, "BBB": 11.0, "CCC": 12.0, "DDD": 13.0, "EEE": 14.0, "FFF": 15.0}
    goal = targets("0.3", gross="0.5", most=4)
    state = market(history([[close[name] for name in names]], names))

    assert asked(team(wishes, {"CCC": 0.3}, goal=goal), state, holding(0, EEE=(3, 9), FFF=(2, 9))) == asked(
        team(wishes, {"CCC": 0.3}, goal=goal), today(**close), holding(0, EEE=(3, 9), FFF=(2, 9))
    )


# ── the words ─────────────────────────────────────────────────────────────────────────────────────


def test_a_signal_names_those_in_favour_and_quotes_them():
    signals = asked(team({"AAA": 1.0}, {}, {"AAA": 0.5}), today(AAA=10))

    assert signals[0].strategy == "a+c"
    assert signals[0].reason == (
        "wanted at 5.0% of equity; a: exposure +1.00 (no evidence given); c: exposure +0.50 (no evidence given)"
    )


def test_what_no_number_can_say_ends_the_reason():
    @dataclass(frozen=True)
    class Remarks(Says):
        def opinion(self, history: MarketHistory) -> Opinion:
            return Opinion(np.ones(history.close.shape), remarks={history.column(Symbol("BBB")): ", with AAA"})

    signals = asked(StrategyManager((Member("a", 1.0, Remarks({})),), targets()), today(AAA=10, BBB=10))

    assert [signal.reason.endswith("evidence given), with AAA") for signal in signals] == [False, True]


def test_an_exit_names_those_who_do_not_want_it_any_more():
    goal = targets(least=0.6)
    signals = asked(team({"AAA": 1.0}, {}, goal=goal), today(AAA=10), holding(0, AAA=(1, 10)))

    assert signals[0].strategy == "b"
    assert signals[0].reason == "no longer wanted; b: exposure +0.00 (no evidence given)"


def test_an_exit_nobody_spoke_for_says_that_votes_are_too_weak():
    goal = targets(least=0.6)
    signals = asked(team({"AAA": 0.5}, goal=goal), today(AAA=10), holding(0, AAA=(1, 10)))

    assert signals[0].strategy == "team"
    assert signals[0].reason == "no longer wanted; the team's votes are too weak"


def test_a_change_says_what_is_wanted_and_what_is_held():
    signals = asked(team({"AAA": 1.0}), today(AAA=10), holding(0, AAA=(5, 10)))

    assert signals[0].reason.startswith("wanted at 10.0% of equity, held at 5.0%; a: ")


def test_a_strategy_that_explains_itself_is_quoted():
    member = Member("own", 1.0, Explaining({"AAA": 1.0}, {"speed": 3.0}))
    (signal,) = asked(StrategyManager((member,), targets()), today(AAA=10))

    assert signal.reason == "wanted at 10.0% of equity; own: because 1 and ['speed']"


def test_evidence_is_quoted_with_numbers_and_unknown_where_there_is_none():
    member = Member("own", 1.0, Says({"AAA": 1.0}, {"speed": 3.14159, "height": NO_VALUE}))
    (signal,) = asked(StrategyManager((member,), targets()), today(AAA=10))

    assert signal.reason.endswith("own: exposure +1.00 (speed 3.142, height unknown)")


def test_evidence_of_all_members_is_kept_by_name():
    members = (Member("a", 1.0, Says({"AAA": 1.0}, {"speed": 3.0})), Member("b", 1.0, Says({})))
    (signal,) = asked(StrategyManager(members, targets()), today(AAA=10))

    assert dict(signal.evidence) == {"a.exposure": 1.0, "a.speed": 3.0, "b.exposure": 0.0}


# ── strategies that answer wrong ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1,), (0, 1)])
def test_an_answer_of_another_shape_is_an_error_that_names_the_strategy(shape):
    members = (Member("fine", 1.0, Says({})), Member("odd one", 1.0, Answers(np.zeros(shape))))

    with pytest.raises(WrongAnswer, match="odd one answers with an array of shape"):
        asked(StrategyManager(members, targets()), today(AAA=10))


@pytest.mark.parametrize("value", [1.0001, -1.0001, np.inf, -np.inf, np.nan])
def test_an_exposure_outside_the_range_is_an_error_that_names_the_strategy(value):
    members = (Member("odd one", 1.0, Answers(np.array([[value]]))),)

    with pytest.raises(WrongAnswer, match=r"odd one wants .* of AAA on .*; an exposure lies from -1 to 1"):
        asked(StrategyManager(members, targets()), today(AAA=10))
