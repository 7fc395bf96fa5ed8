"""The day's result as text, as Markdown and as JSON."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reporting.day_reports import booked_day, busy_day, control, positions, quiet_day
from tests.unit.reporting.test_cycle_markdown import READER, leaves, rows
from trading_bot.domain.day import DayCycles
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.reporting.day import DayReport, day_report
from trading_bot.reporting.day_json import day_as_json
from trading_bot.reporting.day_markdown import day_markdown
from trading_bot.reporting.day_text import MOST_CHARACTERS, day_summary, day_text, fitted


def long_replay() -> DayReport:
    """A report that has 39 sessions to tell of besides its own."""
    days = [date(2012, 1, day) for day in range(1, 32)] + [date(2012, 2, day) for day in range(1, 10)]
    curve = tuple(EquityPoint(day, Decimal(100), Decimal(100)) for day in days)
    return day_report(booked_day(session=days[-1], equity_curve=curve), control(), prices={}, after=date.min)


# ── text ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_quiet_first_day_is_four_lines():
    assert day_text(quiet_day()) == (
        "Day        2012-01-04\n"
        "Result     Equity $100,000.00, $0.00 (0.00%) since the start on 2012-01-04. Cash $50,000.00, 0 positions. "
        "0 fills, fees $0.00.\n"
        "Decisions  No trade was wanted.\n"
        "Cycles     1 completed."
    )


def test_a_busy_day_names_everything():
    assert day_text(busy_day()).splitlines()[1:] == [
        "Result     Equity $100,195.70, -$104.30 (-0.10%) since 2012-01-03, +$195.70 (+0.20%) since the start on "
        "2012-01-02. Cash $50,000.00, 3 positions. 3 fills, fees $2.48. Trading is reducing.",
        "Warning    The price source does not know ZZ.",
        "Warning    Trading is reducing since 2012-01-04 21:00 UTC: looks odd.",
        "Warning    A cycle failed: the source did not answer.",
        "Warning    buy 900 F: rejected. no borrow.",
        "Warning    Whether the broker has buy 49 AAPL is unknown; the next cycle asks.",
        "Warning    2 fills came after the equity of 2012-01-04 was marked; that of the next session counts them.",
        "Trade      buy 80 CVX at $109.22: $8,738.00, fees $2.00",
        "Trade      sell 1,200 GE at $18.50: $22,200.00, fees $0.48",
        # 26 dollars lost on CVX and 120 on GE, of 8,712 + 22,320 dollars
        "Slippage   47.0 basis points worse than the prices decided at, over 3 fills.",
        "Decisions  10 signals: 3 approved, 1 trimmed, 6 refused (max_open_trades 5, max_sector 1).",
        "Cycles     388 completed, 1 failed, 3 skipped (backing off 2, stale tick 1), 2 attempts begun again.",
        "Open       buy 53 IBM: accepted, 0 filled",
        "Open       buy 49 AAPL: unknown, 9 filled",
        "Holding    80 CVX, bought at $109.22 on average, now $8,800.00 (+$62.00)",
        "Holding    120 GE, bought at $18.80 on average, now $2,161.20 (-$95.10)",
        "Holding    -3 ZZ, bought at $5.00 on average",
        "Earlier    2012-01-03: equity $100,300.00, +$300.00 (+0.30%), 4 fills",
    ]


def test_what_was_interrupted_is_told():
    report = quiet_day(cycles=DayCycles(completed=2, cancelled=1, running=1))

    assert "2 completed, 1 interrupted, 1 without an end." in day_text(report)


def test_of_many_earlier_days_the_newest_thirty_have_a_line():
    lines = [line for line in day_text(long_replay()).splitlines() if line.startswith("Earlier")]

    assert (len(lines), lines[0][11:21], lines[-1][11:21]) == (30, "2012-01-10", "2012-02-08")
    assert day_text(long_replay()).endswith("and 9 sessions more since 2012-01-01.")


# ── as long as a channel takes ────────────────────────────────────────────────────────────────────


def test_what_fits_is_left_as_it_is():
    assert fitted(["one", "two"], most=7) == "one\ntwo"


def test_what_does_not_fit_is_cut_between_lines_and_counted():
    assert fitted(["a" * 10, "b" * 10, "c" * 10], most=30) == "aaaaaaaaaa\n… and 2 more lines"


@given(st.lists(st.text(max_size=200), max_size=60))
def test_the_notices_details_never_exceed_their_length(lines: list[str]):
    assert len(fitted(lines)) <= MOST_CHARACTERS


def test_a_notice_with_hundreds_of_positions_fits_into_a_message():
    held = positions(**{f"S{number}": (10, "100") for number in range(500)})
    report = busy_day(positions=held)

    whole = f"Day of {report.session}\n{day_summary(report)}\n\n{fitted(day_text(report).splitlines())}"

    assert len(whole) <= 4096


# ── Markdown ──────────────────────────────────────────────────────────────────────────────────────


def test_the_markdown_has_a_table_of_trades_positions_orders_and_days():
    assert rows(day_markdown(busy_day())) == [
        ["Trade", "Symbol", "Shares", "Average price", "Amount", "Fees", "Fills"],
        ["buy", "CVX", "80", "$109.22", "$8,738.00", "$2.00", "2"],
        ["sell", "GE", "1,200", "$18.50", "$22,200.00", "$0.48", "1"],
        ["Symbol", "Shares", "Average price", "Last price", "Value", "Unrealised"],
        ["CVX", "80", "$109.22", "$110.00", "$8,800.00", "+$62.00"],
        ["GE", "120", "$18.80", "$18.01", "$2,161.20", "-$95.10"],
        ["ZZ", "-3", "$5.00", "unknown", "unknown", "unknown"],
        ["Order", "Symbol", "Shares", "Filled", "Status"],
        ["buy", "IBM", "53", "0", "accepted"],
        ["buy", "AAPL", "49", "9", "unknown"],
        ["Rule", "Refused"],
        ["max_open_trades", "5"],
        ["max_sector", "1"],
        ["Session", "Equity", "Change", "Fills"],
        ["2012-01-03", "$100,300.00", "+$300.00 (+0.30%) since 2012-01-02", "4"],
    ]


def test_the_markdown_of_a_quiet_day_has_no_table():
    assert rows(day_markdown(quiet_day())) == []


def test_the_markdown_shows_the_equity_curve():
    images = [token for token in leaves(day_markdown(busy_day())) if token.type == "image"]

    assert [str(image.attrs["src"])[:26] for image in images] == ["data:image/svg+xml;base64,"]


def test_no_words_from_outside_become_markup():
    ran = DayCycles(completed=1, failed=1, failures=("[click](http://evil.example) <b>now</b> | **x**",))

    html = READER.render(day_markdown(quiet_day(cycles=ran)))

    assert "<a " not in html
    assert "<b>" not in html
    assert "<strong>x" not in html


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_json_has_the_promised_keys():
    document = json.loads(day_as_json(busy_day()))

    assert " ".join(document) == (
        "format session state cash equity opening_cash fees today since_start cash_moved slippage trades positions "
        "open_orders decisions cycles earlier equity_curve warnings"
    )
    assert " ".join(document["trades"][0]) == "side symbol shares average_price amount fees fills"
    assert " ".join(document["positions"][0]) == "symbol quantity average_price price value unrealised"
    assert " ".join(document["open_orders"][0]) == "client_order_id symbol side quantity filled status"
    assert " ".join(document["cycles"]) == "completed failed cancelled running begun_again skipped failures"
    assert " ".join(document["earlier"][0]) == "session equity change fills"
    assert " ".join(document["equity_curve"][0]) == "session cash equity"


def test_the_json_has_money_as_text_and_counts_as_numbers():
    document = json.loads(day_as_json(busy_day()))

    assert (document["equity"], document["fees"], document["trades"][0]["average_price"]) == (
        "100195.70",
        "2.48",
        "109.225",
    )
    assert document["decisions"] == {
        "approved": 3,
        "trimmed": 1,
        "refused": 6,
        "refusals": {"max_open_trades": 5, "max_sector": 1},
    }
    assert document["cycles"]["skipped"] == {"backing_off": 2, "stale_tick": 1}


def test_what_is_not_known_is_null_in_the_json():
    document = json.loads(day_as_json(quiet_day(positions=positions(KO=(1, "60")))))

    assert (document["today"], document["slippage"], document["positions"][0]["price"]) == (None, None, None)
