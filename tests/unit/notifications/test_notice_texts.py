"""What the standard notices say."""

from __future__ import annotations

from tests.unit.reporting.cycle_reports import approved, busy_report, cycle_report, order, refused, trimmed
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.orders import OrderStatus
from trading_bot.notifications.texts import Alert, cycle_alerts, emergency_shutdown, loop_error


def test_a_quiet_cycle_tells_its_status_only():
    assert cycle_alerts(cycle_report()) == (
        Alert(
            "info",
            "Cycle of 2012-01-04",
            "0 signals, 0 approved, 0 orders sent, 0 fills. Equity $100,000.00, cash $100,000.00, 0 positions.",
        ),
    )


def test_the_status_says_when_trading_is_not_active():
    (status,) = cycle_alerts(cycle_report(state=TradingState.REDUCING))

    assert status.message.endswith("Trading is reducing.")


def test_warnings_raise_the_status_to_a_warning():
    (status,) = cycle_alerts(cycle_report(warnings=("The close of T jumped", "Old prices")))

    assert (status.level, status.details) == ("warning", "The close of T jumped.\nOld prices.")


def test_executed_trades_are_told_with_price_and_fee():
    trades = next(alert for alert in cycle_alerts(busy_report()) if alert.title.startswith("Trades"))

    assert trades == Alert(
        "info",
        "Trades executed on 2012-01-04",
        "buy 80 CVX, sell 1,200 GE.",
        "buy 80 CVX at $109.23: $8,738.40, fee $1.00\nsell 1,200 GE at $18.50: $22,200.00, fee $0.48",
    )


def test_bound_rules_are_a_warning_that_groups_equal_refusals():
    report = cycle_report(
        decisions=(approved("IBM", 5), trimmed("AAPL", 98, 49), *(refused(symbol) for symbol in ("KO", "PG", "T")))
    )

    _, risk = cycle_alerts(report)

    assert risk == Alert(
        "warning",
        "Risk limits on 2012-01-04",
        "Of 5 signals 3 refused and 1 trimmed by the risk rules.",
        "buy 49 of 98 AAPL: trimmed by max_position. at most 10 % of equity in one stock."
        + "\n3 refused by max_open_trades: 5 of 5 positions are taken: KO, PG, T.",
    )


def test_signals_that_all_pass_are_no_risk_warning():
    assert len(cycle_alerts(cycle_report(decisions=(approved("IBM", 5),)))) == 1


def test_orders_without_a_clear_end_are_a_warning():
    report = cycle_report(orders=(order("IBM", 5, status=OrderStatus.REJECTED, reason="not enough buying power"),))

    assert cycle_alerts(report)[-1] == Alert(
        "warning",
        "Order problems on 2012-01-04",
        "1 order without the wanted end.",
        "buy 5 IBM: rejected. not enough buying power.",
    )


def test_a_loop_error_reads_as_the_documentation_says():
    assert loop_error(ValueError("boom"), "traceback") == Alert(
        "error", "Trading loop error", "Error in main trading loop: boom", "traceback"
    )


def test_a_loop_error_without_words_gives_its_name():
    assert loop_error(KeyboardInterrupt(), "").message == "Error in main trading loop: KeyboardInterrupt"


def test_an_emergency_shutdown_reads_as_the_documentation_says():
    assert emergency_shutdown() == Alert(
        "critical", "EMERGENCY SHUTDOWN", "Trading system emergency shutdown triggered", ""
    )
