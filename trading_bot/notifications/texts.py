"""What the standard notices say. Pure: records in, notices out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.orders import Approved, Decision, Fill, OrderStatus, OrderUpdate, Rejected
from trading_bot.domain.tournament import Rotation
from trading_bot.domain.words import (
    asked_and_allowed,
    counted,
    dollars,
    listed,
    objection,
    one_line,
    ordered,
    price_text,
    same_refusals,
    sentence,
    trade,
    verdict,
)

MOST_NAMED = 12  # symbols or fills named in a message; the details name all


@dataclass(frozen=True, slots=True)
class Alert:
    """One notice, as `Notifier.send_alert` takes it."""

    level: str  # info, warning, error or critical
    title: str
    message: str
    details: str = ""


def cycle_alerts(report: CycleReport) -> tuple[Alert, ...]:
    """Return the notices of one cycle, most important last: status, trades, risk, orders gone wrong.

    The status is always there; the others only where there is something to tell.
    """
    found = (_status(report), _trades(report), _risk(report), _troubled_orders(report))
    return tuple(alert for alert in found if alert is not None)


def loop_error(error: BaseException | str, details: str) -> Alert:
    """Return the notice of a failed cycle. `details` is the traceback. An error without words gives its name."""
    words = str(error) or type(error).__name__
    return Alert("error", "Trading loop error", f"Error in main trading loop: {words}", details)


def emergency_shutdown(details: str = "") -> Alert:
    """Return the notice that trading has stopped for good. `details` may say why."""
    return Alert("critical", "EMERGENCY SHUTDOWN", "Trading system emergency shutdown triggered", details)


def end_of_day(session: date, summary: str, details: str, *, warnings: int) -> Alert:
    """Return the notice of a day's result; `warnings` counts those among the details."""
    return Alert("warning" if warnings else "info", f"Day of {session}", summary, details)


def end_of_day_failed(error: BaseException | str, details: str = "") -> Alert:
    """Return the notice that a day's result could not be told. Trading goes on. `details` is the traceback."""
    words = str(error) or type(error).__name__
    message = f"The day's result could not be told: {sentence(words)} Trading goes on; `bensbot report` shows the day."
    return Alert("error", "End of day failed", message, details)


def team_changed(rotation: Rotation, *, dry_run: bool = False) -> Alert:
    """Return the notice that other strategies decide from now on, or that a dry run would have chosen them."""
    if dry_run:
        message = f"Nothing was changed: this was a dry run. {rotation.reason}"
        return Alert("info", f"Dry run of the rotation of {rotation.session}", message)
    if not rotation.new:
        return Alert("warning", f"No team after {rotation.session}: cash", rotation.reason)
    return Alert("info", f"New team after {rotation.session}", rotation.reason)


def rotation_failed(error: BaseException | str, details: str = "") -> Alert:
    """Return the notice that no team was chosen. Trading goes on with the present one. `details` is the traceback."""
    words = str(error) or type(error).__name__
    message = (
        f"No team was chosen: {sentence(words)} The present team trades on; `bensbot strategies` shows it. The next "
        "rotation tries again."
    )
    return Alert("error", "Strategy rotation failed", message, details)


def _status(report: CycleReport) -> Alert:
    approved = sum(not isinstance(decision, Rejected) for decision in report.decisions)
    parts = [
        f"{counted(len(report.decisions), 'signal')}, {approved} approved, "
        f"{counted(len(report.orders), 'order')} sent, {counted(len(report.fills), 'fill')}.",
        f"Equity {dollars(report.equity)}, cash {dollars(report.portfolio.cash)}, "
        f"{counted(len(report.portfolio.positions), 'position')}.",
        "" if report.state is TradingState.ACTIVE else f"Trading is {report.state}.",
    ]
    warnings = "\n".join(sentence(warning) for warning in report.warnings)
    level = "warning" if report.warnings else "info"
    return Alert(level, f"Cycle of {report.session}", " ".join(filter(None, parts)), warnings)


def _trades(report: CycleReport) -> Alert | None:
    if not report.fills:
        return None
    done = [trade(fill.side, fill.quantity, fill.symbol) for fill in report.fills]
    details = "\n".join(_fill(fill) for fill in report.fills)
    return Alert("info", f"Trades executed on {report.session}", f"{listed(done, most=MOST_NAMED)}.", details)


def _fill(fill: Fill) -> str:
    amount = dollars(fill.quantity * fill.price)
    done = trade(fill.side, fill.quantity, fill.symbol)
    return f"{done} at {price_text(fill.price)}: {amount}, fee {dollars(fill.fee)}"


def _risk(report: CycleReport) -> Alert | None:
    bound = [decision for decision in report.decisions if not isinstance(decision, Approved)]
    if not bound:
        return None
    refused = sum(isinstance(decision, Rejected) for decision in bound)
    trimmed = len(bound) - refused
    counts = [f"{refused} refused" if refused else "", f"{trimmed} trimmed" if trimmed else ""]
    message = f"Of {counted(len(report.decisions), 'signal')} {' and '.join(filter(None, counts))} by the risk rules."
    groups = same_refusals(bound)
    told = {id(decision) for group in groups for decision in group.decisions}
    lines = [_bound(decision) for decision in bound if id(decision) not in told]
    lines += [f"{group.told(more=False, most=MOST_NAMED)}." for group in groups]
    return Alert("warning", f"Risk limits on {report.session}", message, "\n".join(lines))


def _bound(decision: Decision) -> str:
    by = f" by {one_line(decision.rule)}" if decision.rule else ""
    return f"{asked_and_allowed(decision)}: {verdict(decision)}{by}. {sentence(objection(decision))}".rstrip()


_TROUBLE = (OrderStatus.REJECTED, OrderStatus.UNKNOWN, OrderStatus.EXPIRED_UNSENT)


def _troubled_orders(report: CycleReport) -> Alert | None:
    troubled = [update for update in (*report.orders, *report.settled) if update.status in _TROUBLE]
    if not troubled:
        return None
    message = f"{counted(len(troubled), 'order')} without the wanted end."
    return Alert("warning", f"Order problems on {report.session}", message, "\n".join(map(_troubled, troubled)))


def _troubled(update: OrderUpdate) -> str:
    status = update.status.replace("_", " ")
    return f"{ordered(update)}: {status}. {sentence(update.reason)}".rstrip()
