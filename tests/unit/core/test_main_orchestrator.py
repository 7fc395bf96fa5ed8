"""The loop of the specification: its steps in their order, its alerts word for word, its emergency shutdown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import (
    FIRST,
    SECOND,
    LiveSample,
    Notices,
    WallClock,
    WatchedOrchestrator,
    change,
    locked,
    rows,
    settings_in,
)
from trading_bot.brokers.registry import BROKERS
from trading_bot.core.main_orchestrator import MainOrchestrator
from trading_bot.data.manager import DataManager
from trading_bot.domain.cycle import SkipReason, TradingState
from trading_bot.domain.errors import CredentialsRefused, SettingsError, StateCorrupt, StateError, StateFull
from trading_bot.domain.orders import Signal
from trading_bot.domain.ports import BrokerAdapter, BrokerSetup
from trading_bot.risk.manager import RiskManager
from trading_bot.strategies.manager import StrategyManager

STEPS = [
    "is_trading_time",
    "update_market_data",
    "generate_signals",
    "apply_risk_checks",
    "execute_signals",
    "update_portfolio_state",
    "send_status_updates",
    "wait_for_next_cycle",
]
MARKET_NOON = datetime(2022, 3, 16, 16, 0, tzinfo=UTC)  # a Wednesday
AT_NIGHT = datetime(2022, 3, 17, 3, 0, tzinfo=UTC)


class Listing(WatchedOrchestrator):
    """Lists the steps as they are called."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.steps: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in (*STEPS, "initialize", "handle_loop_error", "shutdown"):
            self.steps.append(name)
        return found


class Failing(WatchedOrchestrator):
    """Fails in the middle of every cycle, until it has failed often enough; then it trades once and stops."""

    failures = 1000

    def generate_signals(self) -> tuple[Signal, ...]:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the model is upside down")
        return super().generate_signals()

    def send_status_updates(self) -> None:
        super().send_status_updates()
        self.should_stop = True


class Live(WatchedOrchestrator):
    """Trades the packaged prices as if they came in today, and stops after some passes."""

    passes = 3

    def initialize(self) -> None:
        super().initialize()
        self._bot = replace(self._bot, data=replace(self._bot.data, source=LiveSample()))

    def wait_for_next_cycle(self) -> None:
        super().wait_for_next_cycle()
        self.passes -= 1
        self.should_stop = self.passes == 0


@contextmanager
def initialized(orchestrator: MainOrchestrator) -> Iterator[None]:
    orchestrator.initialize()
    try:
        yield
    finally:
        orchestrator.shutdown()


# ── as the specification shows it ─────────────────────────────────────────────────────────────────


def test_the_steps_run_in_the_order_of_the_specification(folder: Path):
    orchestrator = Listing(settings_in(folder))

    orchestrator.run(cycles=2)

    assert orchestrator.steps == ["initialize", *STEPS, *STEPS, "shutdown"]


def test_a_pass_that_may_not_trade_only_waits(folder: Path):
    orchestrator = Listing(settings_in(folder, data={"start": date(2022, 12, 29)}))

    orchestrator.run()

    assert orchestrator.steps == ["initialize", "is_trading_time", "wait_for_next_cycle", "shutdown"]


def test_initialize_opens_every_component(folder: Path):
    orchestrator = MainOrchestrator(settings_in(folder))

    with initialized(orchestrator):
        assert isinstance(orchestrator.data_manager, DataManager)
        assert isinstance(orchestrator.strategy_manager, StrategyManager)
        assert isinstance(orchestrator.risk_manager, RiskManager)
        broker: BrokerAdapter = orchestrator.broker
        assert broker.account().account_id == "PAPER"
        orchestrator.notifier.send_alert(level="info", title="Hello", message="there")
        assert orchestrator.portfolio.cash == 100_000
        assert orchestrator.state_manager.control.read().state is TradingState.ACTIVE
        assert orchestrator.consecutive_errors == 0
        assert not orchestrator.should_stop


def test_initialize_says_when_it_begins_and_when_it_is_done(folder: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "trading_bot"), initialized(MainOrchestrator(settings_in(folder))):
        pass

    said = [record.getMessage() for record in caplog.records if record.name == "trading_bot.core.main_orchestrator"]
    assert said[:2] == ["Initializing MainOrchestrator...", "MainOrchestrator initialization complete."]


def test_the_steps_can_be_called_by_hand(folder: Path):
    orchestrator = MainOrchestrator(settings_in(folder))

    with initialized(orchestrator):
        assert orchestrator.is_trading_time()
        orchestrator.update_market_data()
        signals = orchestrator.generate_signals()
        approved = orchestrator.apply_risk_checks(signals)
        orchestrator.execute_signals(approved)
        orchestrator.update_portfolio_state()
        orchestrator.send_status_updates()

    assert len(approved) == len(signals) > 0
    assert [report.session for report in orchestrator.reports] == [FIRST]


@pytest.mark.parametrize("step", ["update_market_data", "generate_signals"])
def test_a_step_out_of_turn_says_which_one_comes_first(folder: Path, step: str):
    orchestrator = MainOrchestrator(settings_in(folder))

    with initialized(orchestrator), pytest.raises(RuntimeError, match="first"):
        getattr(orchestrator, step)()


# ── when it stops ─────────────────────────────────────────────────────────────────────────────────


def test_it_trades_as_many_cycles_as_asked(folder: Path):
    orchestrator = WatchedOrchestrator(settings_in(folder))

    orchestrator.run(cycles=3, as_of=date(2022, 3, 16))

    assert [str(report.session) for report in orchestrator.reports] == ["2022-03-16", "2022-03-17", "2022-03-18"]


def test_it_ends_with_the_data(folder: Path):
    orchestrator = WatchedOrchestrator(settings_in(folder, data={"start": date(2022, 12, 27)}))

    orchestrator.run()

    assert [str(report.session) for report in orchestrator.reports] == ["2022-12-27", "2022-12-28"]
    assert orchestrator.last_skip is not None
    assert orchestrator.last_skip.code == SkipReason.END_OF_DATA
    assert orchestrator.wall.slept == []


def test_should_stop_ends_the_loop_after_the_pass(folder: Path):
    orchestrator = WatchedOrchestrator(settings_in(folder))

    class Stopper(Notices):
        def send_alert(self, **alert: str) -> None:
            orchestrator.should_stop = True

    orchestrator.notices = Stopper()
    orchestrator.run()

    assert len(orchestrator.reports) == 1


def test_a_halted_bot_does_not_loop(folder: Path):
    change(folder / "bensbot.db", "UPDATE control SET state = 'halted', cause = 'smoke'")
    orchestrator = WatchedOrchestrator(settings_in(folder))

    orchestrator.run()

    assert orchestrator.last_skip is not None
    assert orchestrator.last_skip.code == SkipReason.HALTED
    assert orchestrator.reports == []


def test_wrong_settings_stop_it_and_are_no_failure_of_trading(folder: Path):
    orchestrator = WatchedOrchestrator(settings_in(folder))

    with pytest.raises(SettingsError, match="2022-03-19"):
        orchestrator.run(as_of=date(2022, 3, 19))

    assert rows(folder / "bensbot.db", "SELECT consecutive_errors, next_allowed_at FROM control") == [(0, None)]
    assert orchestrator.notices.sent == []


# ── when it waits ─────────────────────────────────────────────────────────────────────────────────


def test_a_live_loop_sleeps_its_interval_between_passes(folder: Path):
    settings = settings_in(folder, orchestrator={"loop_interval_seconds": 90})
    orchestrator = Live(settings, clock=WallClock(MARKET_NOON))

    orchestrator.run()

    assert orchestrator.wall.slept == [90, 90, 90]
    assert [report.cycle_id for report in orchestrator.reports] == [
        "20220316T160000Z",
        "20220316T160130Z",
        "20220316T160300Z",
    ]


def test_a_live_loop_sleeps_through_the_night_pass_by_pass(folder: Path):
    orchestrator = Live(settings_in(folder), clock=WallClock(AT_NIGHT))

    orchestrator.run()

    assert orchestrator.wall.slept == [60, 60, 60]
    assert orchestrator.reports == []


def test_a_paused_replay_waits_too_instead_of_spinning(folder: Path):
    change(folder / "bensbot.db", "UPDATE control SET state = 'paused', cause = 'lunch'")

    class Patient(WatchedOrchestrator):
        def wait_for_next_cycle(self) -> None:
            super().wait_for_next_cycle()
            self.should_stop = len(self.wall.slept) == 2

    orchestrator = Patient(settings_in(folder))
    orchestrator.run()

    assert orchestrator.wall.slept == [60, 60]


def test_whoever_asks_for_a_number_of_cycles_is_told_at_once_why_there_are_none(folder: Path):
    change(folder / "bensbot.db", "UPDATE control SET state = 'paused', cause = 'lunch'")
    orchestrator = WatchedOrchestrator(settings_in(folder))

    orchestrator.run(cycles=3)

    assert orchestrator.wall.slept == []
    assert "lunch" in str(orchestrator.outcome.skipped)


# ── when something fails ──────────────────────────────────────────────────────────────────────────


def test_a_failure_sends_the_alert_of_the_specification(folder: Path):
    orchestrator = Failing(settings_in(folder))

    orchestrator.run(cycles=1)

    ((level, title, message, details),) = orchestrator.notices.sent
    assert (level, title) == ("error", "Trading loop error")
    assert message == "Error in main trading loop: the model is upside down"
    assert details.startswith("Traceback (most recent call last)")
    assert details.rstrip().endswith("RuntimeError: the model is upside down")


def test_a_failure_is_logged_with_its_traceback(folder: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "trading_bot"):
        Failing(settings_in(folder)).run(cycles=1)

    (record,) = [r for r in caplog.records if r.exc_info and r.levelname == "ERROR"]
    assert record.getMessage() == "Error in main loop: the model is upside down"
    assert caplog.messages.count(record.getMessage()) == 1
    assert "Failed cycles in a row: 1" in caplog.messages
    assert "Backing off for 60 seconds before next cycle" in caplog.messages


def test_after_a_failure_it_backs_off_and_goes_on_with_the_session(folder: Path):
    orchestrator = Failing(settings_in(folder))
    orchestrator.failures = 2

    orchestrator.run()

    assert orchestrator.wall.slept == [60, 120]
    assert [report.session for report in orchestrator.reports] == [FIRST]
    assert rows(folder / "bensbot.db", "SELECT consecutive_errors, next_allowed_at FROM control") == [(0, None)]


def test_whoever_asks_for_a_number_of_cycles_is_told_at_once_of_a_failure(folder: Path):
    orchestrator = Failing(settings_in(folder))

    orchestrator.run(cycles=3)

    assert orchestrator.wall.slept == []
    assert str(orchestrator.outcome.error) == "the model is upside down"


def test_five_failures_in_a_row_are_an_emergency(folder: Path):
    orchestrator = Failing(settings_in(folder))

    orchestrator.run()

    assert orchestrator.wall.slept == [60, 120, 240, 480]
    assert orchestrator.should_stop
    assert orchestrator.notices.titles() == [*["Trading loop error"] * 5, "EMERGENCY SHUTDOWN"]
    assert orchestrator.notices.told("EMERGENCY SHUTDOWN") == (
        "critical",
        "Trading system emergency shutdown triggered",
    )
    assert rows(folder / "bensbot.db", "SELECT state, consecutive_errors FROM control") == [("halted", 5)]


def test_failures_are_counted_across_restarts(folder: Path):
    for _ in range(5):
        orchestrator = Failing(settings_in(folder, orchestrator={"recovery_backoff_seconds": 0}))
        orchestrator.run(cycles=1)

    assert rows(folder / "bensbot.db", "SELECT state, consecutive_errors FROM control") == [("halted", 5)]


def test_without_the_emergency_switch_it_goes_on_and_waits_an_hour_at_most(folder: Path):
    orchestrator = Failing(settings_in(folder, orchestrator={"enable_emergency_shutdown": False}))
    orchestrator.failures = 9

    orchestrator.run()

    assert orchestrator.wall.slept == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert [report.session for report in orchestrator.reports] == [FIRST]


def test_an_interruption_cancels_the_cycle_and_gives_the_lease_back(folder: Path):
    class Interrupted(WatchedOrchestrator):
        def execute_signals(self, approved_signals: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted(settings_in(folder)).run()

    book = folder / "bensbot.db"
    assert rows(book, "SELECT status, message FROM cycles") == [("cancelled", "interrupted by the owner")]
    assert rows(book, "SELECT owner FROM lease") == [(None,)]
    assert rows(book, "SELECT consecutive_errors FROM control") == [(0,)]


def test_an_interrupted_session_is_traded_by_the_next_run_without_an_error(folder: Path):
    class Interrupted(WatchedOrchestrator):
        def execute_signals(self, approved_signals: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted(settings_in(folder)).run()
    orchestrator = WatchedOrchestrator(settings_in(folder))
    orchestrator.run(cycles=1)

    assert [report.session for report in orchestrator.reports] == [FIRST]
    assert "Trading loop error" not in orchestrator.notices.titles()


def test_a_component_that_cannot_be_opened_leaves_nothing_open(folder: Path):
    class NoAnswer(WatchedOrchestrator):
        def initialize(self) -> None:
            super().initialize()
            raise StateError("no answer")

    orchestrator = NoAnswer(settings_in(folder))
    with pytest.raises(StateError, match="no answer"):
        orchestrator.run()

    assert not (folder / "bensbot.db-wal").exists()  # the last connection takes it away when it closes


@dataclass(frozen=True, slots=True)
class Locksmith:
    """A broker that does not let us in."""

    setup: BrokerSetup

    def __post_init__(self) -> None:
        raise CredentialsRefused("401: who are you?")


@pytest.fixture
def locked_out() -> Iterator[str]:
    BROKERS.names()
    BROKERS.register("locked-out")(Locksmith)  # pyright: ignore[reportArgumentType]  # it never gets as far as a port
    yield "locked-out"
    del BROKERS._classes["locked-out"]


def test_a_broker_that_does_not_know_us_halts_at_once_and_people_are_told(
    folder: Path, locked_out: str, caplog: pytest.LogCaptureFixture
):
    with pytest.raises(CredentialsRefused, match="who are you"):
        WatchedOrchestrator(settings_in(folder, broker={"name": locked_out})).run()

    assert rows(folder / "bensbot.db", "SELECT state, cause, consecutive_errors FROM control") == [
        ("halted", "CredentialsRefused: 401: who are you?", 1)
    ]
    assert "Emergency shutdown triggered: CredentialsRefused: 401: who are you?" in caplog.text


def test_a_broker_that_cannot_be_opened_counts_as_a_failure(folder: Path):
    (folder / "paper.db").write_bytes(b"garbage" * 1000)

    with pytest.raises(StateCorrupt, match=r"paper\.db"):
        WatchedOrchestrator(settings_in(folder)).run()

    assert rows(folder / "bensbot.db", "SELECT state, consecutive_errors FROM control") == [("active", 1)]


def test_a_loop_started_again_waits_before_it_tries_a_broker_that_cannot_be_opened(folder: Path):
    (folder / "paper.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(StateCorrupt):
        WatchedOrchestrator(settings_in(folder)).run()

    again = WatchedOrchestrator(settings_in(folder))
    again.run()

    # an interval of 60 s brings it behind the first wait of 60 s, the others double; the fifth failure halts
    assert again.wall.slept == [60, 120, 240, 480]
    assert again.notices.titles() == ["Trading loop error"] * 4 + ["EMERGENCY SHUTDOWN"]
    assert rows(folder / "bensbot.db", "SELECT state, consecutive_errors FROM control") == [("halted", 5)]


def test_a_loop_started_again_after_a_halt_leaves_the_broker_alone(folder: Path, locked_out: str):
    settings = settings_in(folder, broker={"name": locked_out})
    with pytest.raises(CredentialsRefused):
        WatchedOrchestrator(settings).run()

    again = WatchedOrchestrator(settings)
    again.run()

    assert again.last_skip is not None
    assert again.last_skip.code == "halted"
    assert rows(folder / "bensbot.db", "SELECT count(*) FROM failures") == [(1,)]


# ── when the book cannot be written ───────────────────────────────────────────────────────────────


def test_a_failure_that_a_locked_book_cannot_count_is_counted_once_it_can(folder: Path):
    class Locked(WatchedOrchestrator):
        broken = True

        def generate_signals(self) -> tuple[Signal, ...]:
            if self.broken:
                raise RuntimeError("boom")
            return super().generate_signals()

        def handle_loop_error(self, error: Exception) -> None:
            with locked(folder / "bensbot.db"):
                super().handle_loop_error(error)
            self.broken = False

        def send_status_updates(self) -> None:
            super().send_status_updates()
            self.should_stop = True

    orchestrator = Locked(settings_in(folder))
    orchestrator.run()

    assert orchestrator.notices.told("Trading loop error") == ("error", "Error in main trading loop: boom")
    assert rows(folder / "bensbot.db", "SELECT error FROM failures") == [("boom",)]
    assert orchestrator.wall.slept == [60, 60]  # for the book, and for the failure once it was counted
    assert [report.session for report in orchestrator.reports] == [FIRST]


def test_a_book_without_room_ends_the_loop_and_people_are_told(folder: Path):
    class Full(WatchedOrchestrator):
        def generate_signals(self) -> tuple[Signal, ...]:
            with self._bot.book.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA query_only = ON")
            raise StateFull("No room to write the book")

    orchestrator = Full(settings_in(folder))
    orchestrator.run()

    assert isinstance(orchestrator.last_error, StateFull)
    assert orchestrator.notices.told("EMERGENCY SHUTDOWN") == (
        "critical",
        "Trading system emergency shutdown triggered",
    )
    assert orchestrator.should_stop


def test_a_loop_that_runs_for_long_does_not_keep_the_bars_of_every_cycle(folder: Path):
    orchestrator = WatchedOrchestrator(settings_in(folder))

    orchestrator.run(cycles=2)

    assert [len(report.market.history.sessions) for report in orchestrator.reports] == [1, 1]
    assert [report.market.history.last_session for report in orchestrator.reports] == [FIRST, SECOND]
    assert orchestrator.market_state is not None
    assert len(orchestrator.market_state.history.sessions) > 8000
