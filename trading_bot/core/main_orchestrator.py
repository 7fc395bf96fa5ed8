"""The trading loop without a scheduler: `MainOrchestrator(settings).run()`.

The same steps and the same recovery policy as the flow, in a plain loop. A failure is caught here and
nowhere else: this is the outermost place that knows what to do about it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import uuid4

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core import bot as assembly
from trading_bot.core import cycle
from trading_bot.core.admission import admit, is_at_rest
from trading_bot.core.clock import SystemClock
from trading_bot.core.failures import handle_failure, handle_interruption
from trading_bot.core.rotation.steps import rotated
from trading_bot.domain.cycle import CycleReport, CycleTicket, Settlement, SkipReason, TradingState
from trading_bot.domain.errors import BensBotError, CycleSkipped, PluginError, SettingsError, StateError
from trading_bot.domain.market import MarketHistory, MarketState
from trading_bot.domain.orders import Decision, OrderUpdate, Signal
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import Clock
from trading_bot.reporting.outcome import Outcome

MOST_REPORTS = 1_000  # a loop may run for months


@dataclass(slots=True)
class _Cycle:
    """What the steps of the running cycle have found so far."""

    run_id: str
    ticket: CycleTicket | None = None
    settlement: Settlement = field(default_factory=Settlement)
    decisions: tuple[Decision, ...] = ()
    orders: tuple[OrderUpdate, ...] = ()
    report: CycleReport | None = None


class MainOrchestrator:
    """Coordinates data, strategies, risk, broker, notices and the book in one loop.

    With a historical price source the data's clock runs the loop: every pass trades the next session, and
    the loop ends with the data. With a live one it sleeps `loop_interval_seconds` between passes.
    """

    def __init__(
        self,
        settings: TradingBotSettings,
        *,
        clock: Clock | None = None,
        tell: Callable[[CycleReport], None] | None = None,
    ) -> None:
        """Remember the settings; nothing is opened before `initialize`.

        `tell` is called with the report of every cycle, after its notices were sent.
        """
        self.settings = settings
        self.logger = logging.getLogger(__name__)
        self.should_stop = False
        self.reports: list[CycleReport] = []  # of this process, oldest first; the newest 1,000, with one bar each
        self.last_skip: CycleSkipped | None = None  # why the newest pass did not trade
        self.last_error: Exception | None = None  # why the newest pass failed
        self._clock = clock or SystemClock()
        self._tell = tell
        self._open = ExitStack()
        self._cycle = _Cycle(run_id="")
        self._uncounted: Exception | None = None  # a failure that could not be written down
        self._passes_left: int | None = None
        self._as_of: date | None = None

    def run(self, *, cycles: int | None = None, as_of: date | None = None) -> None:
        """Trade until stopped: by `should_stop`, an emergency, the end of the data, or after `cycles` passes.

        A run of a given number of cycles also ends with the first one that fails or may not trade.
        `as_of` names the session of the first pass, for a historical price source.
        """
        self._passes_left, self._as_of = cycles, as_of
        try:
            self.initialize()
            while not self.should_stop:
                self._count_pass()
                try:
                    if self.is_trading_time():
                        self.update_market_data()
                        signals = self.generate_signals()
                        approved_signals = self.apply_risk_checks(signals)
                        self.execute_signals(approved_signals)
                        self.update_portfolio_state()
                        self.send_status_updates()
                    self.wait_for_next_cycle()
                except (SettingsError, PluginError):  # waiting does not mend them
                    handle_interruption(self._bot, run_id=self._cycle.run_id, reason="stopped by wrong settings")
                    raise
                except Exception as error:  # noqa: BLE001  the loop outlives every failure; the policy says how
                    self.handle_loop_error(error)
        except KeyboardInterrupt:
            if self._cycle.run_id:
                handle_interruption(self._bot, run_id=self._cycle.run_id)
            raise
        finally:
            self.shutdown()

    def _count_pass(self) -> None:
        """Begin a pass; on the last one that was asked for, make the loop end after it."""
        self.last_skip = self.last_error = None
        if self._passes_left is not None:
            self._passes_left -= 1
            self.should_stop = self._passes_left <= 0

    def initialize(self) -> None:
        """Open every component.

        Raises:
            SettingsError, PluginError: something is set wrong.
            BensBotError: a component cannot be opened. Where the book can, that is counted as a failure and told.
        """
        self.logger.info("Initializing MainOrchestrator...")
        try:
            self._bot = self._open.enter_context(assembly.open_bot(self.settings, clock=self._clock))
            self.portfolio = self._known_portfolio()
        except (SettingsError, PluginError):
            raise
        except BensBotError as error:
            self._tell_of_what_stays_shut(error)
            raise
        self.data_manager = self._bot.data
        self.strategy_manager = self._bot.strategies
        self.risk_manager = self._bot.risk
        self.broker = self._bot.broker
        self.notifier = self._bot.notifier
        self.state_manager = self._bot.book
        self.market_state: MarketState | None = None  # read by the first cycle: before it nobody knows which session
        self.logger.info("MainOrchestrator initialization complete.")

    def _known_portfolio(self) -> Portfolio:
        """Ask the broker; the book while no cycle may trade, for the broker may be why."""
        return self._bot.book.ledger.portfolio() if is_at_rest(self._bot) else self._bot.broker.get_portfolio()

    def _tell_of_what_stays_shut(self, error: BensBotError) -> None:
        """Count it, wait or halt as after a failed cycle. A book that stays shut itself is the caller's to tell."""
        with suppress(StateError), assembly.open_clerk(self.settings, clock=self._clock) as clerk:
            handle_failure(clerk, run_id=f"loop-{uuid4()}", error=error, details=traceback.format_exc())

    @property
    def outcome(self) -> Outcome:
        """What came of the cycles of this process."""
        return Outcome(tuple(self.reports), self.last_skip, self.last_error)

    @property
    def consecutive_errors(self) -> int:
        """Failed cycles in a row, as the book counts them: a restart forgets nothing."""
        return self._bot.book.control.read().consecutive_errors

    def is_trading_time(self) -> bool:
        """Rotate when that is due, ask to be let in, say whether this pass trades. Why one may not is in the log."""
        if self._uncounted is not None:  # the run of the pass before; its lease is still held
            handle_failure(self._bot, run_id=self._cycle.run_id, error=self._uncounted)
            self._uncounted = None
        self._cycle = _Cycle(run_id=f"loop-{uuid4()}")
        self.rotate_strategies()
        scheduled = None if self._bot.data.historical else self._clock.now()
        as_of, self._as_of = self._as_of, None
        try:
            self._cycle.ticket = admit(self._bot, run_id=self._cycle.run_id, as_of=as_of, scheduled=scheduled)
        except CycleSkipped as skipped:
            self.logger.info("Skipped: %s", skipped)
            self.last_skip = skipped
            # Whoever asked for a number of cycles is waiting for an answer; a loop waits for better times.
            for_good = skipped.code in (SkipReason.END_OF_DATA, SkipReason.HALTED)
            self.should_stop = self.should_stop or for_good or self._passes_left is not None
            return False
        return True

    def rotate_strategies(self) -> None:
        """Choose the team anew when that is due; whatever team decides now is asked from here on."""
        self._bot = rotated(self._bot, run_id=self._cycle.run_id, loop=True)
        self.strategy_manager = self._bot.strategies

    def update_market_data(self) -> None:
        """Read the market, settle what earlier orders have become, and read the news where somebody wants them."""
        self.market_state = cycle.update_market_data(self._bot, self._ticket)
        self._cycle.settlement = cycle.settle_orders(self._bot, self._ticket, self.market_state)
        if self._bot.news is not None:
            self.market_state = cycle.read_the_news(self._bot, self._ticket, self.market_state)

    def generate_signals(self) -> tuple[Signal, ...]:
        """Return what strategies and stops want to change."""
        return cycle.generate_signals(self._bot, self._ticket, self._market)

    def apply_risk_checks(self, signals: tuple[Signal, ...]) -> tuple[Decision, ...]:
        """Return one committed decision per signal."""
        self._cycle.decisions = cycle.apply_risk_checks(self._bot, self._ticket, self._market, signals)
        return self._cycle.decisions

    def execute_signals(self, approved_signals: tuple[Decision, ...]) -> None:
        """Send the orders of the decisions."""
        self._cycle.orders = cycle.execute_signals(self._bot, self._ticket, self._market, approved_signals)

    def update_portfolio_state(self) -> None:
        """Book the cycle and end it."""
        done = self._cycle
        report = cycle.update_portfolio_state(
            self._bot, self._ticket, self._market, done.settlement, done.decisions, done.orders
        )
        self.portfolio, done.report = report.portfolio, report
        self.reports.append(_without_old_bars(report))
        del self.reports[:-MOST_REPORTS]

    def send_status_updates(self) -> None:
        """Send the cycle's notices."""
        if self._cycle.report is not None:
            cycle.send_status_updates(self._bot, self._cycle.report)
            if self._tell is not None:
                self._tell(self._cycle.report)

    def wait_for_next_cycle(self) -> None:
        """Sleep until the next pass. A historical source needs no waiting, unless it could not be traded just now."""
        if not self.should_stop and (self.last_skip is not None or not self._bot.data.historical):
            self._clock.sleep(self.settings.orchestrator.loop_interval_seconds)

    def handle_loop_error(self, error: Exception) -> None:
        """Count the failure, send the alerts, and back off or stop for good.

        A book that cannot even count is tried again when it is only locked; otherwise the loop ends.
        """
        self.last_error, self._uncounted = error, None
        self.logger.error("Error in main loop: %s", error, exc_info=error)
        try:
            handle_failure(self._bot, run_id=self._cycle.run_id, error=error, details=traceback.format_exc())
            control = self._bot.book.control.read()
        except StateError as shut:
            self._wait_for_the_book(error, shut)
            return
        if control.state is TradingState.HALTED or self._passes_left is not None:
            self.should_stop = True  # who asked for a number of cycles wants to be told, not to wait
        if not self.should_stop and control.next_allowed_at is not None:
            self._clock.sleep(max((control.next_allowed_at - self._clock.now()).total_seconds(), 0.0))

    def _wait_for_the_book(self, error: Exception, shut: StateError) -> None:
        if not shut.may_be_tried_again:
            self.should_stop = True
            return
        self.logger.error("The failure is counted later: %s", shut)
        self._uncounted = error
        if not self.should_stop:
            self._clock.sleep(self.settings.orchestrator.recovery_backoff_seconds)

    def shutdown(self) -> None:
        """Let go of every component."""
        self._open.close()
        self.logger.info("MainOrchestrator has shut down.")

    @property
    def _ticket(self) -> CycleTicket:
        if self._cycle.ticket is None:
            raise RuntimeError("no cycle has been let in: call is_trading_time() first")
        return self._cycle.ticket

    @property
    def _market(self) -> MarketState:
        if self.market_state is None:
            raise RuntimeError("the market has not been read: call update_market_data() first")
        return self.market_state


def _without_old_bars(report: CycleReport) -> CycleReport:
    """Return the report with the last bar and three points of the curve: decades weigh megabytes a cycle."""
    old = report.market.history
    fields = (old.open, old.high, old.low, old.close, old.volume)
    last = MarketHistory(old.sessions[-1:].copy(), old.symbols, *(bars[-1:].copy() for bars in fields))
    curve = (*report.equity_curve[:-2][:1], *report.equity_curve[-2:])  # the start, the previous one, this one
    return replace(report, market=replace(report.market, history=last), equity_curve=curve)
