"""The equity curve as a drawing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reporting.cycle_reports import curve
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.reporting.svg import equity_svg

SVG = "{http://www.w3.org/2000/svg}"


def labels(text: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(text).iter(f"{SVG}text")]


def line(text: str) -> list[tuple[float, float]]:
    (polyline,) = ET.fromstring(text).iter(f"{SVG}polyline")
    pairs = (pair.split(",") for pair in polyline.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


def many(count: int) -> list[EquityPoint]:
    start = date(1990, 1, 1)
    return [EquityPoint(start + timedelta(days=i), Decimal(0), Decimal(100 + i * i % 37)) for i in range(count)]


def test_a_curve_names_its_last_lowest_and_highest_worth_and_its_dates():
    assert labels(equity_svg(curve("100000", "100300", "99000", "100195.70"))) == [
        "$100,195.70",
        "2012-01-01",
        "2012-01-04",
        "max $100,300.00",
        "min $99,000.00",
    ]


def test_the_line_goes_from_left_to_right_and_more_is_higher():
    (x1, low), (x2, high) = line(equity_svg(curve("1", "2")))

    assert x1 < x2
    assert high < low  # an SVG's y grows downwards


def test_no_point_gives_a_sentence():
    assert labels(equity_svg(())) == ["No equity yet"]


def test_one_point_is_a_level_line_with_one_date():
    text = equity_svg(curve("100000"))

    assert len({y for _, y in line(text)}) == 1
    assert labels(text) == ["$100,000.00", "2012-01-04"]


def test_a_constant_worth_is_a_level_line_without_extremes():
    text = equity_svg(curve("5", "5", "5"))

    assert len({y for _, y in line(text)}) == 1
    assert labels(text) == ["$5.00", "2012-01-02", "2012-01-04"]


def test_a_curve_longer_than_its_pixels_is_thinned_and_keeps_its_end():
    spots = line(equity_svg(many(8000), width=640))

    assert len(spots) <= 643
    assert spots[-1][0] == 536.0


@pytest.mark.parametrize("size", [(640, 200), (320, 120)])
def test_the_drawing_has_the_size_asked_for(size: tuple[int, int]):
    root = ET.fromstring(equity_svg(curve("1", "2"), width=size[0], height=size[1]))

    assert (root.attrib["width"], root.attrib["height"]) == (str(size[0]), str(size[1]))


@given(st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=1, max_size=4))
def test_every_curve_is_valid_xml_inside_its_frame(worth: list[Decimal]):
    text = equity_svg(curve(*map(str, worth)))

    assert all(0 <= x <= 640 and 0 <= y <= 200 for x, y in line(text))
