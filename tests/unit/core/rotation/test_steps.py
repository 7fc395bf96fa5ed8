"""A rotation from the question whether one is due to the team that trades next, on packaged prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import FIRST, SECOND, THIRD, Desk, WallClock, WatchedOrchestrator, open_desk, settings_in
from trading_bot.core.bot import Bot, with_present_team
from trading_bot.core.cycle import run_cycle
from trading_bot.core.end_of_day import NotDue
from trading_bot.core.rotation.policy import RotationPolicy
from trading_bot.core.rotation.steps import (
    CHORE,
    due_before_the_cycle,
    make_up,
    policy_of,
    portions,
    read_contest,
    rotate_now,
    rotated,
    score_some,
    session_due,
)
from trading_bot.core.rotation.team import candidates, home_team
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import PluginError, SettingsError
from trading_bot.domain.tournament import Candidate, Criterion, Rotation, Seat, Weighting
from trading_bot.state.audit import check_ledger
from trading_bot.strategies.registry import STRATEGIES

ON = {"enable_strategy_rotation": True}
SMALL: dict[str, Any] = {
    "orchestrator": ON,
    "strategy": {"team": ["sma_cross"]},
    "rotation": {"windows": [60], "candidates": ["momentum", {"name": "sma_cross", "grid": {"fast": [5, 10]}}]},
}
CASH = {**SMALL, "rotation": {**SMALL["rotation"], "floor": 99}}
FRIDAY, MONDAY = date(2022, 1, 7), date(2022, 1, 10)


def trade(desk: Desk, sessions: int = 1) -> None:
    for number in range(sessions):
        run_cycle(with_present_team(desk.bot), run_id=f"run-{number}-{desk.clock.now()}")
        desk.clock.sleep(60)


def why(due: object) -> str:
    assert isinstance(due, NotDue)
    return due.why


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ── when ──────────────────────────────────────────────────────────────────────────────────────────


def test_on_history_a_session_is_due_once_it_was_traded(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        assert why(session_due(desk.bot)) == "No session was traded yet."
        trade(desk)
        assert session_due(desk.bot) == FIRST
        rotate_now(desk.bot, FIRST, run_id="run")
        assert why(session_due(desk.bot)) == (
            "The newest rotation is that of 2022-01-03. The next one is that of 2022-01-04, at 16:30 in New York."
        )
        trade(desk)
        assert session_due(desk.bot) == SECOND


def test_sessions_that_were_traded_meanwhile_have_one_rotation(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk, 3)

        assert session_due(desk.bot) == THIRD


def test_weekly_the_last_session_of_the_week_is_due(folder: Path):
    weekly = {**SMALL, "rotation": {**SMALL["rotation"], "frequency": "weekly"}}
    with open_desk(folder, **weekly) as desk:
        trade(desk, 4)
        assert why(session_due(desk.bot)) == (
            "There was no rotation yet. The next one is that of 2022-01-07, at 16:30 in New York."
        )
        trade(desk, 2)
        assert session_due(desk.bot) == FRIDAY  # and on Monday it still is


def test_on_live_prices_the_wall_clock_decides(folder: Path):
    clock = WallClock(utc("2022-03-16 20:00"))  # 16:00 in New York
    with open_desk(folder, clock, **SMALL) as desk:
        bot = desk.live()
        run_cycle(bot, run_id="close", scheduled=clock.now())

        clock.instant = utc("2022-03-16 20:29:59")
        assert why(session_due(bot)).startswith("There was no rotation yet. The next one is that of 2022-03-16")
        clock.instant = utc("2022-03-16 20:30")
        assert session_due(bot) == date(2022, 3, 16)
        clock.instant = utc("2022-03-18 13:00")  # two days later, before the open: the newest session only
        assert session_due(bot) == date(2022, 3, 17)


@pytest.mark.parametrize(
    ("close", "early", "due", "session"),
    [
        ("2022-03-11 21:00", "2022-03-11 21:29", "2022-03-11 21:30", date(2022, 3, 11)),  # winter time
        ("2022-03-14 20:00", "2022-03-14 20:29", "2022-03-14 20:30", date(2022, 3, 14)),  # the clocks went forward
        ("2022-11-04 20:00", "2022-11-04 20:29", "2022-11-04 20:30", date(2022, 11, 4)),
        ("2022-11-07 21:00", "2022-11-07 21:29", "2022-11-07 21:30", date(2022, 11, 7)),  # and back
        ("2022-11-25 18:00", "2022-11-25 21:29", "2022-11-25 21:30", date(2022, 11, 25)),  # a half day
    ],
)
def test_faults_42_and_43_there_is_one_rotation_at_half_past_four_in_new_york(
    folder: Path, close: str, early: str, due: str, session: date
):
    clock = WallClock(utc(close))
    with open_desk(folder, clock, **SMALL) as desk:
        bot = desk.live()
        run_cycle(bot, run_id="close", scheduled=clock.now())
        clock.instant = utc(early)
        assert isinstance(session_due(bot), NotDue)
        clock.instant = utc(due)
        assert session_due(bot) == session
        rotate_now(bot, session, run_id="run")
        assert isinstance(session_due(bot), NotDue)


def test_live_cycles_leave_the_rotation_to_its_schedule_and_the_plain_loop_does_it(folder: Path):
    clock = WallClock(utc("2022-03-16 20:00"))
    with open_desk(folder, clock, **SMALL) as desk:
        bot = desk.live()
        run_cycle(bot, run_id="close", scheduled=clock.now())
        clock.instant = utc("2022-03-16 20:31")

        assert due_before_the_cycle(bot) is None
        assert due_before_the_cycle(bot, loop=True) == date(2022, 3, 16)


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.PAUSED])
def test_while_trading_stands_still_nobody_rotates_and_it_is_made_up_for_later(folder: Path, state: TradingState):
    with open_desk(folder, **SMALL) as desk:
        trade(desk)
        desk.bot.book.control.set_state(state, cause="looks odd", who="owner")
        assert why(session_due(desk.bot)) == f"Trading is {state}: looks odd. The rotation is made up for later."

        desk.bot.book.control.set_state(TradingState.ACTIVE, cause="seen", who="owner", acknowledged=True)
        assert session_due(desk.bot) == FIRST


def test_without_rotation_nothing_is_due(folder: Path):
    with open_desk(folder, **{**SMALL, "orchestrator": {"enable_strategy_rotation": False}}) as desk:
        trade(desk)

        assert why(session_due(desk.bot)) == "Rotation is off: orchestrator.enable_strategy_rotation is false."


def test_a_session_may_be_asked_for_by_its_date(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk, 3)
        assert session_due(desk.bot, SECOND) == SECOND
        rotate_now(desk.bot, THIRD, run_id="run")

        assert session_due(desk.bot, THIRD) == THIRD  # to be shown again
        assert session_due(desk.bot, FIRST, dry_run=True) == FIRST
        with pytest.raises(SettingsError, match="2022-01-04 was not rotated, and 2022-01-05 was"):
            session_due(desk.bot, SECOND)
        with pytest.raises(SettingsError, match="2022-01-06 is not over yet; the last session that is: 2022-01-05"):
            session_due(desk.bot, date(2022, 1, 6))
        with pytest.raises(SettingsError, match="2022-01-08 is no session of the exchange"):
            session_due(desk.bot, date(2022, 1, 8))


# ── who competes ──────────────────────────────────────────────────────────────────────────────────


def test_members_of_the_settings_compete_and_equal_options_are_one_candidate(tmp_path: Path):
    settings = settings_in(
        tmp_path,
        strategy={"team": [{"name": "sma_cross", "weight": 3}, {"name": "momentum", "weight": 1}]},
        rotation={"candidates": [{"name": "sma_cross", "grid": {"fast": [20, 60], "slow": [50, 100]}}]},
    )

    assert [candidate.label for candidate in candidates(settings)] == [
        "sma_cross",
        "momentum",
        "sma_cross(slow=100)",
        "sma_cross(fast=60, slow=100)",  # fast=60, slow=50 is refused by the strategy
    ]
    assert [(seat.candidate.name, seat.weight) for seat in home_team(settings).seats] == [
        ("sma_cross", 0.75),
        ("momentum", 0.25),
    ]


def test_an_option_that_no_candidate_has_is_refused(tmp_path: Path):
    settings = settings_in(tmp_path, rotation={"candidates": [{"name": "momentum", "grid": {"look": [5]}}]})

    with pytest.raises(SettingsError, match="has no option 'look'"):
        candidates(settings)


def test_windows_that_the_history_is_too_short_for_are_left_out_and_told(folder: Path):
    long = {**SMALL, "rotation": {**SMALL["rotation"], "windows": [60, 2520]}, "data": {"source": "sample-ohlcv",
            "symbols": ["AAPL", "IBM"], "start": date(2005, 1, 3)}}  # fmt: skip
    with open_desk(folder, **long) as desk:
        trade(desk)
        done = rotate_now(desk.bot, date(2005, 1, 3), run_id="run")

        assert isinstance(done, Rotation)
        assert {score.window for score in done.scores} == {60}
        assert done.reason.endswith("of prices: the window of 2520.")


def test_portions_give_the_same_scores_as_all_at_once(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk)
        contest = read_contest(desk.bot, FIRST)
        assert not isinstance(contest, NotDue)

        apart = [score for one in contest.candidates for score in score_some(contest, [one])]
        assert tuple(apart) == score_some(contest, contest.candidates)
        assert [one for portion in portions(contest) for one in portion] == list(contest.candidates)


def test_the_settings_of_a_criterion_have_their_own_defaults(tmp_path: Path):
    by_drawdown = settings_in(tmp_path, rotation={"criterion": "drawdown", "keep": 2, "weights": "score"})
    told = settings_in(tmp_path, rotation={"hysteresis": 0, "floor": 0.5})

    assert policy_of(by_drawdown.rotation) == RotationPolicy(Criterion.DRAWDOWN, 2, Weighting.SCORE, 0.02, -0.25)
    assert policy_of(told.rotation) == RotationPolicy(Criterion.SHARPE, 3, Weighting.EQUAL, 0.0, 0.5)


# ── the next cycle trades it ──────────────────────────────────────────────────────────────────────


def wishes(desk: Desk, session: date) -> list[tuple[str, str]]:
    return desk.rows(
        "SELECT s.strategy, s.reason FROM signals AS s JOIN cycles AS c ON c.cycle_id = s.cycle_id"
        f" WHERE c.session = '{session}'"
    )


def test_the_next_cycle_asks_the_new_team(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk)
        assert {strategy for strategy, _ in wishes(desk, FIRST)} == {"sma_cross"}
        done = rotate_now(desk.bot, FIRST, run_id="run")
        assert isinstance(done, Rotation)
        bot = with_present_team(desk.bot)

        assert bot.team.since == FIRST
        assert [member.name for member in bot.strategies.team] == [seat.candidate.name for seat in done.new]
        assert done.changed


def test_in_cash_everything_is_sold_and_the_reason_says_so(folder: Path):
    with open_desk(folder, **CASH) as desk:
        trade(desk, 2)
        assert desk.rows("SELECT count(*) FROM v_positions") != [(0,)]
        done = rotate_now(desk.bot, SECOND, run_id="run")
        assert isinstance(done, Rotation)
        assert done.new == ()
        trade(desk, 2)

        assert desk.rows("SELECT count(*) FROM v_positions") == [(0,)]
        assert set(wishes(desk, THIRD)) == {
            ("rotation", "no longer wanted; the rotation of 2022-01-04 found nobody to trust, so it is cash")
        }
        assert wishes(desk, date(2022, 1, 6)) == []
        assert check_ledger(desk.bot.book.engine) == ()


def test_without_rotation_the_team_of_the_settings_decides_whatever_was_rotated(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk)
        rotate_now(desk.bot, FIRST, run_id="run")
    with open_desk(folder, **{**SMALL, "orchestrator": {"enable_strategy_rotation": False}}) as desk:
        assert desk.bot.team == home_team(desk.bot.settings)
        assert [member.name for member in desk.bot.strategies.team] == ["sma_cross"]


def test_a_window_whose_strategies_are_not_in_the_team_changes_nothing(folder: Path):
    hours = {"windows": [{"name": "regular", "strategies": ["sma_cross"]}]}
    with open_desk(folder, **{**SMALL, "hours": hours}) as desk:
        trade(desk, 2)
        seats = (Seat(Candidate("momentum", {}), 1.0),)
        put_in_the_book(
            desk.bot, Rotation(SECOND, home_team(desk.bot.settings).seats, seats, (), Criterion.SHARPE, "-")
        )
        held = desk.rows("SELECT * FROM v_positions")
        trade(desk)

        assert held != []
        assert wishes(desk, THIRD) == []
        assert desk.rows("SELECT * FROM v_positions") == held


def test_a_member_that_cannot_be_built_any_more_stops_the_bot_and_says_what_helps(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk)
        seats = (Seat(Candidate("gone_with_its_package", {}), 1.0),)
        put_in_the_book(desk.bot, Rotation(FIRST, home_team(desk.bot.settings).seats, seats, (), Criterion.SHARPE, "-"))

        with pytest.raises(PluginError, match=r"The rotation of 2022-01-03 put .*enable_strategy_rotation: false"):
            with_present_team(desk.bot)


def put_in_the_book(bot: Bot, rotation: Rotation) -> None:
    bot.book.rotations.record(rotation, run_id="run", settings_hash="settings", market_hash="market")


# ── telling, dry runs, failures ───────────────────────────────────────────────────────────────────


def test_people_are_told_of_a_new_team_and_not_of_one_that_stays(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk)
        desk.notices.sent.clear()
        rotate_now(desk.bot, FIRST, run_id="run")
        rotate_now(desk.bot, FIRST, run_id="again")
        level, message = desk.notices.told("New team after 2022-01-03")
        trade(desk)
        desk.notices.sent.clear()
        done = rotate_now(desk.bot, SECOND, run_id="run")

        assert (level, message.split(" ")[:4]) == ("info", ["The", "team", "is", "now"])
        assert isinstance(done, Rotation)
        assert (done.changed, desk.notices.sent) == (False, [])


def test_a_dry_run_tells_and_changes_nothing(folder: Path):
    with open_desk(folder, **{**SMALL, "rotation": {**SMALL["rotation"], "dry_run": True}}) as desk:
        trade(desk)
        desk.notices.sent.clear()

        bot = rotated(desk.bot, run_id="run")

        assert bot.team == home_team(bot.settings)
        _, message = desk.notices.told("Dry run of the rotation of 2022-01-03")
        assert message.startswith("Nothing was changed: this was a dry run. The team is now")
        assert desk.rows("SELECT * FROM rotations") == []
        assert due_before_the_cycle(bot) is None  # not again before each tick


@dataclass(frozen=True)
class Broken:
    """Raises whatever it is asked."""

    def opinion(self, history: Any) -> Any:
        raise ZeroDivisionError("divided by the moon")


def test_a_candidate_that_fails_is_told_of_once_and_the_team_trades_on(folder: Path):
    STRATEGIES.register("broken")(Broken)
    try:
        with open_desk(folder, **{**SMALL, "rotation": {"windows": [60], "candidates": ["broken"]}}) as desk:
            trade(desk)
            desk.notices.sent.clear()

            bot = rotated(rotated(desk.bot, run_id="first"), run_id="second")

            assert desk.notices.titles() == ["Strategy rotation failed"]
            assert "ZeroDivisionError: divided by the moon (test_steps.py, line " in desk.notices.sent[0][2]
            assert "The present team trades on" in desk.notices.sent[0][2]
            assert bot.team == home_team(bot.settings)
            assert bot.book.chores.newest(CHORE) == FIRST
            assert bot.book.control.read().consecutive_errors == 0
    finally:
        STRATEGIES._classes.pop("broken")


def test_a_rotation_that_was_killed_before_its_record_is_made_up(folder: Path):
    with open_desk(folder, **SMALL) as desk:
        trade(desk)
        killed = replace(desk.bot, data=replace(desk.bot.data, source=Killed()))
        with pytest.raises(KeyboardInterrupt):
            make_up(killed, FIRST, run_id="killed")

        assert rotated(desk.bot, run_id="next").team.since == FIRST


class Killed:
    historical = True

    def bars(self, as_of: date) -> Any:
        raise KeyboardInterrupt


# ── the plain loop ────────────────────────────────────────────────────────────────────────────────


def test_the_loop_rotates_after_each_session_before_it_trades_the_next(folder: Path):
    orchestrator = WatchedOrchestrator(settings_in(folder, **SMALL))

    orchestrator.run(cycles=3)

    with open_desk(folder, **SMALL) as desk:
        assert [row[0] for row in desk.rows("SELECT session FROM rotations ORDER BY 1")] == [str(FIRST), str(SECOND)]
        assert session_due(desk.bot) == THIRD
        assert [member.name for member in orchestrator.strategy_manager.team] == [
            seat.candidate.name for seat in desk.bot.team.seats
        ]
