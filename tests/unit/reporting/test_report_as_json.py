"""The report for machines."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np

from tests.unit.reporting.cycle_reports import busy_report, cycle_report, order, portfolio, signal
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Approved, Signal
from trading_bot.reporting.as_json import report_as_json, skip_as_json


def read(**changes: Any) -> dict[str, Any]:
    return json.loads(report_as_json(busy_report(**changes)))


def test_the_keys_of_a_report_are_the_promised_ones():
    assert list(read()) == [
        "format",
        "status",
        "cycle_id",
        "session",
        "state",
        "market",
        "decisions",
        "orders",
        "settled",
        "fills",
        "cash",
        "equity",
        "positions",
        "equity_curve",
        "cash_moved",
        "warnings",
    ]


def test_the_keys_of_every_part_are_the_promised_ones():
    report = read()

    assert " ".join(report["market"]) == "at regime coverage below_minimum_coverage quarantined notes"
    assert " ".join(report["decisions"][0]) == (
        "symbol side purpose verdict requested quantity rule reason strategy wanted_weight strength "
        "signal_reason evidence stop_price rulings"
    )
    assert " ".join(report["decisions"][1]["rulings"][0]) == "rule code asked allowed observed limit unit message"
    assert " ".join(report["fills"][0]) == (
        "execution_id client_order_id symbol side quantity price fee session filled_at"
    )
    order_keys = (
        "broker_order_id client_order_id filled limit_price quantity reason side status stop_price symbol type "
        "updated_at"
    )
    assert " ".join(sorted(report["orders"][0])) == order_keys
    assert " ".join(sorted(report["settled"][0])) == order_keys
    assert " ".join(report["positions"][0]) == "symbol quantity average_price price value unrealised"
    assert " ".join(report["equity_curve"][0]) == "session cash equity gross paid_in"


def test_money_and_shares_are_strings_and_dates_iso():
    report = read()

    assert (report["equity"], report["cash"], report["session"]) == ("100195.70", "61234.50", "2012-01-04")
    assert report["market"]["at"] == "2012-01-04T21:00:00+00:00"
    assert (report["fills"][0]["quantity"], report["fills"][0]["price"]) == ("80", "109.23")


def test_a_round_number_of_shares_is_not_in_scientific_notation():
    report = cycle_report(decisions=(Approved(signal("KO"), Decimal("1E+3"), Decimal("1E+3"), "", "", ()),))

    assert json.loads(report_as_json(report))["decisions"][0]["quantity"] == "1000"


def test_evidence_that_is_not_finite_is_null():
    assert read()["decisions"][0]["evidence"] == {"fast": 411.2, "slow": None}


def test_statistics_from_arrays_are_plain_numbers():
    wanted = signal("KO")
    from_array = Signal(
        wanted.symbol, wanted.side, wanted.purpose, np.float64(0.25), np.float64("inf"), "s", "r", {"x": np.float64(2)}
    )
    report = cycle_report(decisions=(Approved(from_array, Decimal(1), Decimal(1), "", "", ()),))

    (decision,) = json.loads(report_as_json(report))["decisions"]

    assert (decision["wanted_weight"], decision["strength"], decision["evidence"]) == (0.25, None, {"x": 2.0})


def test_a_holding_without_a_price_has_null_for_what_depends_on_it():
    report = cycle_report(portfolio=portfolio(ZZ=(-3, "5")))

    assert json.loads(report_as_json(report))["positions"] == [
        {"symbol": "ZZ", "quantity": "-3", "average_price": "5", "price": None, "value": None, "unrealised": None}
    ]


def test_a_holding_with_a_price_tells_its_profit_to_the_cent():
    report = cycle_report(portfolio=portfolio(GE=(120, "18.8025")), prices={Symbol("GE"): Decimal("18.01")})

    (position,) = json.loads(report_as_json(report))["positions"]

    assert (position["value"], position["unrealised"]) == ("2161.20", "-95.10")


def test_a_market_order_has_no_limit_price():
    report = cycle_report(orders=(order("KO", 5), order("KO", 5, limit="61.5")))

    assert [o["limit_price"] for o in json.loads(report_as_json(report))["orders"]] == [None, "61.5"]


def test_text_that_is_no_valid_unicode_can_still_be_written_out():
    written = report_as_json(cycle_report(warnings=("half a letter \ud800",))).encode()

    assert b"half a letter" in written


def test_a_skipped_cycle_has_its_code_and_its_message():
    assert json.loads(skip_as_json("market_closed", "The market opens on Monday.")) == {
        "format": 1,
        "status": "skipped",
        "code": "market_closed",
        "message": "The market opens on Monday.",
    }
