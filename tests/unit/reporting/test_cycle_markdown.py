"""The Markdown report, read back by a Markdown reader."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.unit.reporting.cycle_reports import (
    approved,
    busy_report,
    cycle_report,
    market,
    order,
    portfolio,
    refused,
    trimmed,
)
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.orders import OrderStatus
from trading_bot.domain.words import one_line
from trading_bot.reporting.markdown import cycle_markdown, escaped, positions_table


class Reader(MarkdownIt):
    """A reader that, like a browser's, shows SVG images that stand in their own address."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  # its parent's name
        return url.startswith("data:image/svg+xml;base64,") or super().validateLink(url)


READER = Reader("commonmark").enable("table")


def leaves(text: str) -> Iterator[Token]:
    for token in READER.parse(text):
        yield token
        yield from token.children or ()


def rows(text: str) -> list[list[str]]:
    """Return every table row as a reader shows it: heads and cells as plain text."""
    found: list[list[str]] = []
    tokens = READER.parse(text)
    for token, following in pairwise(tokens):
        if token.type == "tr_open":
            found.append([])
        if token.type in {"th_open", "td_open"}:
            found[-1].append("".join(child.content for child in following.children or ()))
    return found


def test_the_decisions_are_a_table():
    report = cycle_report(decisions=(trimmed("AAPL", 98, 49), refused("KO", rule="cash", message="no money")))

    reason = "sma_cross: 20-day mean 411.20 is above the 50-day mean 390.15."
    assert rows(cycle_markdown(report)) == [
        ["Decision", "Order", "Why", "Rule", "The rule's words"],
        ["trimmed", "buy 49 of 98 AAPL", reason, "max_position", "at most 10 % of equity in one stock"],
        ["refused", "buy 10 KO", reason, "cash", "no money"],
    ]


def test_a_quiet_session_says_so_and_has_no_table():
    text = cycle_markdown(cycle_report())

    assert "No trade was wanted." in text
    assert rows(text) == []


def test_fills_orders_and_positions_have_their_numbers():
    found = rows(cycle_markdown(busy_report()))

    assert ["sell", "GE", "1,200", "$18.50", "$22,200.00", "$0.48", "2012-01-04"] in found
    assert ["buy", "F", "900", "0", "market", "expired", ""] in found
    assert ["GE", "120", "$18.80", "$18.01", "$2,161.20", "-$95.10"] in found


def test_the_equity_line_tells_both_changes():
    assert (
        "Equity $100,195.70, cash $61,234.50, -$104.30 (-0.10%) since 2012-01-03, "
        "+$195.70 (+0.20%) since the start on 2012-01-02."
    ) in cycle_markdown(busy_report())


def test_the_equity_curve_is_an_image_that_carries_its_own_svg():
    (source,) = re.findall(
        r"!\[equity\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", cycle_markdown(busy_report())
    )

    assert ET.fromstring(base64.b64decode(source)).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_state_other_than_active_is_told():
    assert "**Trading is halted.**" in cycle_markdown(cycle_report(state=TradingState.HALTED))


def test_warnings_and_quarantined_symbols_are_listed():
    text = cycle_markdown(busy_report())

    assert "- The close of T moved by 61 % in one session.\n- T is not traded: price jump without a split.\n" in text


def test_a_limit_order_shows_its_price():
    report = cycle_report(orders=(order("IBM", 5, limit="180.5", status=OrderStatus.PARTIALLY_FILLED, filled=2),))

    assert rows(cycle_markdown(report))[1] == ["buy", "IBM", "5", "2", "limit $180.50", "partially filled", ""]


def test_positions_are_rows_of_text_in_alphabetical_order():
    report = cycle_report(portfolio=portfolio(ZZ=(-3, "5"), AA=(2, "0.5123")))

    assert positions_table(report) == [
        {
            "Symbol": symbol,
            "Shares": shares,
            "Average price": average,
            "Last price": "unknown",
            "Value": "unknown",
            "Unrealised": "unknown",
        }
        for symbol, shares, average in (("AA", "2", "$0.5123"), ("ZZ", "-3", "$5.00"))
    ]


foreign = st.text(st.sampled_from("|\\`*_[]()<>!#~&:/$^{}-+.= \n\r\tab1\x00\x1b\u2028")) | st.text()


@given(foreign)
def test_foreign_text_is_shown_letter_by_letter(text: str):
    (_, paragraph, _) = READER.parse(f"x{escaped(text)}x")

    assert "".join(leaf.content for leaf in paragraph.children or ()) == f"x{one_line(text)}x"


@given(foreign, foreign, foreign)
def test_no_symbol_reason_or_message_breaks_a_table(symbol: str, reason: str, message: str):
    report = cycle_report(
        decisions=(approved(symbol, 5, reason=reason), refused(symbol, reason=reason, message=message)),
        orders=(order(symbol, 5, reason=message),),
    )

    assert [len(row) for row in rows(cycle_markdown(report))] == [5, 5, 5, 7, 7]


@given(foreign)
def test_no_foreign_text_adds_an_image_a_link_or_a_heading(text: str):
    report = cycle_report(decisions=(approved(text, 5, reason=text),), market=market(quarantined={"T": text}))

    kinds = [token.type for token in leaves(cycle_markdown(report))]

    assert (kinds.count("image"), kinds.count("link_open"), kinds.count("heading_open")) == (1, 0, 4)
    assert not {"html_inline", "html_block", "code_inline", "em_open", "strong_open"} & set(kinds)
