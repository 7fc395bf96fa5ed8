"""A backtest as a page: read by a parser, and once by a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.unit.reporting.backtest_results import FINGERPRINTS, fill, many_years, result, small, weekdays
from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import figures, trades_in
from trading_bot.domain.honesty import notes_about
from trading_bot.reporting.backtest_html import backtest_html
from trading_bot.reporting.backtest_rows import figure_rows
from trading_bot.reporting.backtest_tables import MOST_EXECUTIONS, MOST_TRADES, SHOWN

VOID = {"meta", "link", "br", "img", "input"}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str | None]
    children: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(each if isinstance(each, str) else f"{each.text} " for each in self.children).split())

    def all(self, tag: str, name: str = "") -> list[Node]:
        """Every element inside with that tag and class."""
        found: list[Node] = []
        for child in self.children:
            if isinstance(child, Node):
                if child.tag == tag and (not name or name in (child.attributes.get("class") or "").split()):
                    found.append(child)
                found += child.all(tag, name)
        return found

    def section(self, heading: str) -> Node:
        (found,) = [each for each in self.all("section") if [h.text for h in each.all("h2")] == [heading]]
        return found


class Reader(HTMLParser):
    """Builds a tree; an element that is closed before what is in it, or never, fails."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.stack[-1].children.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop().tag == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.stack[-1].children.append(Node(tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)


def page(about: BacktestResult) -> Node:
    reader = Reader()
    reader.feed(backtest_html(about))
    reader.close()
    assert len(reader.stack) == 1
    return reader.stack[0]


@cache
def long_page() -> Node:
    return page(many_years())


NASTY = '"><script>alert(1)</script>'


def nasty() -> BacktestResult:
    day = weekdays(5)[1].astype(object)
    made = (fill(day, "buy", "1", NASTY, "10", strategy=NASTY), fill(day, "sell", "1", NASTY, "11", strategy=NASTY))
    return replace(
        small(),
        label=NASTY,
        executions=tuple(replace(each, reason=NASTY) for each in made),
        benchmark_name=NASTY,
        notes=(NASTY,),
        settings={NASTY: NASTY},
        fingerprints=replace(FINGERPRINTS, data=NASTY),
        decisions={NASTY: 1},
        rejections={NASTY: 1},
    )


# ── by a parser ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("about", [small(), result(), result(100_000.0), nasty()])
def test_every_result_gives_a_page_whose_elements_are_closed(about: BacktestResult):
    assert [each.tag for each in page(about).all("html")[0].children if isinstance(each, Node)] == ["head", "body"]


def test_a_page_needs_nothing_from_outside_and_lets_nothing_in():
    text = backtest_html(many_years())

    assert re.findall(r"\b(?:src|href|srcset|action)=|url\(|@import|https?://", text) == []
    (policy,) = [meta for meta in page(small()).all("meta") if meta.attributes.get("http-equiv")]
    assert (policy.attributes["content"] or "").startswith("default-src 'none'")


@pytest.mark.parametrize("about", [nasty(), replace(nasty(), executions=())])
def test_what_comes_from_outside_is_text(about: BacktestResult):
    read = page(about)

    assert read.all("script") == []
    assert read.all("h1")[0].text == NASTY
    assert NASTY in read.all("aside")[0].text


def test_it_is_made_for_phones_and_for_the_dark():
    metas = {meta.attributes.get("name"): meta.attributes.get("content") for meta in page(small()).all("meta")}

    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert "prefers-color-scheme: dark" in page(small()).all("style")[0].text


def test_the_doubts_stand_before_the_numbers():
    body = page(small()).all("main")[0]

    order = [child.tag for child in body.children if isinstance(child, Node)]
    assert order[:2] == ["header", "aside"]
    assert [item.text for item in body.all("aside")[0].all("li")] == list(notes_about(small(), figures(small())))


def test_every_figure_is_there_with_its_words():
    pairs = [(div.all("dt")[0].text, div.all("dd")[0].text) for div in long_page().all("dl") for div in div.all("div")]

    assert pairs == [(row.label, row.text) for row in figure_rows(figures(many_years()))]


def test_without_a_benchmark_nothing_is_said_of_one():
    assert "Its total return" not in page(result(100_000, 100_001)).text
    assert "Its total return" in page(small()).text


def test_every_chart_is_a_drawing_with_a_name():
    drawings = re.findall(r"<svg.*?</svg>", backtest_html(many_years()))

    assert [ET.fromstring(each).attrib["aria-label"] for each in drawings] == [
        *("Equity", "Drawdown", "Exposure", "Rolling Sharpe ratio")
    ]
    equity = ET.fromstring(drawings[0])
    assert [each.attrib["class"] for each in equity if "line" in each.attrib["class"]] == ["line index", "line ours"]


def test_there_is_a_row_of_months_for_each_year():
    rows = long_page().section("Months").all("tbody")[0].all("tr")

    assert [row.all("th")[0].text for row in rows] == [str(year) for year in range(2010, 2023)]
    assert [cell.text for cell in rows[0].all("td")][:3] == ["-7.3", "4.5", "5.7"]
    assert rows[0].all("td")[0].attributes["class"] == "loss"
    assert rows[0].all("td", "total")[0].text == "0.8"


def test_months_that_were_not_traded_are_empty():
    (row,) = page(small()).section("Months").all("tbody")[0].all("tr")

    assert [cell.text for cell in row.all("td")] == ["1.5", *[""] * 11, "1.5"]


def test_every_closed_trade_is_there_the_newest_first_and_the_old_ones_folded():
    part = long_page().section("Closed trades")
    shown, folded = part.all("tbody")
    trades = trades_in(many_years()).closed

    assert len(shown.all("tr")) == SHOWN
    assert len(folded.all("tr")) == len(trades) - SHOWN
    assert [cell.text for cell in shown.all("tr")[0].all("td")][:3] == [
        trades[-1].symbol,
        str(trades[-1].opened),
        str(trades[-1].closed),
    ]
    assert part.all("summary")[0].text == "59 earlier trades"


def test_a_page_leaves_trades_without_number_to_the_json():
    days: list[date] = weekdays(5).tolist()
    one = (fill(days[0], "buy", "1", "A", "10"), fill(days[0], "sell", "1", "A", "11"))
    part = page(replace(small(), executions=one * (MOST_TRADES + 200))).section("Closed trades")

    assert part.all("summary")[0].text == "985 earlier trades and 200 more in the JSON"
    assert sum(len(body.all("tr")) for body in part.all("tbody")) == MOST_TRADES
    assert part.all("tfoot")[0].all("td")[0].text == "1,200 trades"


def test_the_totals_are_below_the_trades():
    (foot,) = page(small()).section("Closed trades").all("tfoot")

    assert [cell.text for cell in foot.all("td") if cell.text] == ["1 trade", "100% gained", "$2.00", "+$1,998.00"]


def test_each_strategy_has_what_it_brought_and_a_bar():
    rows = page(small()).section("Who brought it").all("tbody")[0].all("tr")

    assert [row.all("td", "name")[0].text for row in rows] == ["sma_cross", "momentum + sma_cross"]
    assert [row.all("td")[6].text for row in rows] == ["+$1,998.00", "-$501.00"]
    assert [row.all("i")[0].attributes["style"] for row in rows] == ["width:100.0%", "width:25.1%"]
    assert rows[1].all("i", "loss")


def test_executions_are_folded_with_their_reasons():
    part = page(small()).all("details")[-1]

    assert part.all("summary")[0].text == "3 executions with their reasons"
    assert part.all("td", "why")[0].text == "The mean of the last 10 closes crossed that of the last 30."
    days = weekdays(400).tolist()
    many = replace(small(), sessions=weekdays(5), executions=tuple(fill(days[1], "buy", "1", "A", "1") for _ in days))
    assert len(page(many).all("details")[-1].all("tr")) == MOST_EXECUTIONS + 1


def test_settings_and_hashes_are_there():
    text = page(small()).section("What was asked").text

    assert "slippage_bps 5" in text
    assert f"Data hash {'a1' * 32} Code hash {'b2' * 32} Settings hash {'c3' * 32}" in text
    assert "rejected by max_position 2" in text


def test_a_page_of_thirteen_years_is_small():
    assert len(backtest_html(many_years()).encode()) < 300_000


# ── by a browser ──────────────────────────────────────────────────────────────────────────────────

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--allow-file-access-from-files", "--dump-dom"),
)
MEASURE = """<!doctype html><title>not measured</title>
<iframe src="page.html" style="width:{width}px;height:800px;border:0"></iframe>
<script>onload = () => {{
  const page = document.querySelector("iframe").contentDocument.documentElement;
  const wide = [page, ...page.querySelectorAll(".scroll")].filter(part => part.scrollWidth > part.clientWidth);
  document.title = "wider than their frame: " + wide.length;
}}</script>"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [360, 390, 660, 768, 1200])
def test_neither_the_page_nor_a_table_is_wider_than_its_frame(width: int, tmp_path: Path):
    (tmp_path / "page.html").write_text(backtest_html(many_years()), encoding="utf-8")
    (tmp_path / "measure.html").write_text(MEASURE.format(width=width), encoding="utf-8")

    done = subprocess.run(
        ["chromium", *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "measure.html").as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert re.findall(r"<title>(.*?)</title>", done.stdout) == ["wider than their frame: 0"]
