"""Where lines and labels of a chart stand, and the picture made of them."""

from __future__ import annotations

import math
from datetime import date
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.reporting.backtest_results import weekdays
from trading_bot.reporting.chart_svg import chart_svg
from trading_bot.reporting.charts import Chart, Line, chart, kept_rows, time_ticks, wants_logarithm

SVG = "{http://www.w3.org/2000/svg}"


def line(*values: float, filled: bool = False) -> Line:
    return Line("Equity", "ours", np.array(values, dtype=np.float64), filled)


def of(*lines: Line, logarithmic: bool = False) -> Chart:
    sessions = weekdays(len(lines[0].values))
    return chart("Equity", sessions, lines, lambda value: f"{value:g}", logarithmic=logarithmic)


def points(drawn: Chart) -> list[tuple[float, float]]:
    return [point for stroke in drawn.strokes for run in stroke.runs for point in run]


def test_time_goes_to_the_right_and_more_is_higher():
    (x1, low), (x2, high) = points(of(line(1, 2)))

    assert (x1, x2) == (0.0, 1.0)
    assert high < low  # shares count from the top


def test_labels_are_round_numbers_inside_the_frame():
    drawn = of(line(99_000, 102_500))

    assert [tick.text for tick in drawn.up] == ["99000", "100000", "101000", "102000"]
    assert all(0 <= tick.at <= 1 for tick in drawn.up)


def test_equal_factors_are_equally_high_on_a_logarithmic_chart():
    (_, one), (_, ten), (_, hundred) = points(of(line(1, 10, 100), logarithmic=True))

    assert one - ten == pytest.approx(ten - hundred)


def test_what_reaches_nought_is_never_logarithmic():
    (_, first), (_, second), (_, third) = points(of(line(0, 10, 20), logarithmic=True))

    assert first - second == pytest.approx(second - third)


@pytest.mark.parametrize(
    ("values", "wanted"), [((100, 301), True), ((100, 250), False), ((-1, 100), False), ((math.nan, math.nan), False)]
)
def test_a_logarithm_is_wanted_where_values_are_far_apart(values: tuple[float, ...], wanted: bool):
    assert wants_logarithm([line(*values)]) is wanted


def test_a_filled_line_is_filled_to_nought():
    drawn = of(line(-0.1, -0.3, filled=True))

    assert drawn.strokes[0].base == 0.0  # nought is the upper border
    assert drawn.up[-1].text == "0"


def test_a_gap_interrupts_the_line():
    (stroke,) = of(line(1, 2, math.nan, 4, 5)).strokes

    assert [len(run) for run in stroke.runs] == [2, 2]


def test_a_constant_line_stands_inside_the_frame():
    assert {0 < y < 1 for _, y in points(of(line(5, 5, 5)))} == {True}


@pytest.mark.parametrize("values", [(), (1.0,), (math.nan, math.nan)])
def test_without_two_sessions_and_a_value_there_is_nothing_to_draw(values: tuple[float, ...]):
    assert of(line(*values)) == Chart("Equity", (), (), ())


def test_a_long_line_is_thinned_and_keeps_its_extremes():
    values = np.sin(np.arange(8_000) / 50)
    values[4_321], values[5_432] = 7.0, -7.0

    rows = kept_rows(values, columns=100)

    assert len(rows) <= 400
    assert {0, 4_321, 5_432, 7_999} <= set(rows)


@pytest.mark.parametrize(
    ("number", "labels"),
    [
        (3, ["03 Jan", "04 Jan", "05 Jan"]),
        (100, ["Feb 2022", "Mar 2022", "Apr 2022", "May 2022"]),
        (1_400, ["2023", "2024", "2025", "2026", "2027"]),
        (8_000, ["2023", "2028", "2033", "2038", "2043", "2048"]),
    ],
)
def test_time_is_labelled_with_as_much_as_can_be_read(number: int, labels: list[str]):
    assert [tick.text for tick in time_ticks(weekdays(number, date(2022, 1, 3)))] == labels


# ── as a picture ──────────────────────────────────────────────────────────────────────────────────


def labels_of(text: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(text).iter(f"{SVG}text")]


def test_a_picture_has_its_labels_and_its_legend_in_it():
    text = chart_svg(of(line(1, 2), Line("R & D <b>", "index", np.array([1.0, 3.0]))))

    assert {"Equity", "R & D <b>", "1", "2", "3", "03 Jan", "04 Jan"} <= set(labels_of(text))
    assert ET.fromstring(text).findtext(f"{SVG}title") == "Equity"


def test_a_picture_without_values_says_so():
    assert labels_of(chart_svg(of(line()))) == ["Nothing to show"]


@given(
    st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(math.nan)), min_size=2, max_size=40), st.booleans(), st.booleans()
)
@example([0.0, 5e-324], False, False)
@example([5e-324, 5e-324], False, True)
@example([1e9, 1e-300], False, True)
def test_every_line_is_valid_xml_inside_its_frame(values: list[float], filled: bool, logarithmic: bool):
    drawn = of(line(*values, filled=filled), logarithmic=logarithmic)

    assert all(-1e-9 <= x <= 1 + 1e-9 and -1e-9 <= y <= 1 + 1e-9 for x, y in points(drawn))
    assert all(-1e-6 <= tick.at <= 1 + 1e-6 for tick in (*drawn.up, *drawn.across))
    ET.fromstring(chart_svg(drawn))
