"""A chart in a page: the drawing is stretched to the page's width, its labels keep their size."""

from __future__ import annotations

from trading_bot.reporting.chart_svg import area_path, line_path
from trading_bot.reporting.charts import Chart, Stroke, Tick
from trading_bot.reporting.html import Html, joined, raw, tag

_ACROSS, _DOWN = 1000.0, 300.0  # units of the drawing; the page decides on the pixels


def chart_html(chart: Chart, *, tall: bool = False) -> Html:
    """Return the chart with its legend; without values a sentence."""
    if not chart.strokes:
        return tag("p", "There is nothing to show.", class_="nothing")
    frame = (
        _drawing(chart),
        *(tag("span", tick.text, class_="up", style=f"top:{tick.at:.2%}") for tick in chart.up),
        *(_below(tick, minor=bool(number % 2)) for number, tick in enumerate(chart.across)),
    )
    return joined((_legend(chart), tag("div", *frame, class_="chart tall" if tall else "chart")))


def _below(tick: Tick, *, minor: bool) -> Html:
    """Return a label of the lower border; a narrow page leaves the minor ones out."""
    edge = "first" if tick.at < 0.04 else "last" if tick.at > 0.96 else ""
    classes = " ".join(filter(None, ["across", edge, "minor" if minor else ""]))
    return tag("span", tick.text, class_=classes, style=f"left:{tick.at:.2%}")


def _legend(chart: Chart) -> Html | None:
    if len(chart.strokes) < 2:
        return None
    return tag(
        "p", *(tag("span", stroke.name, class_=f"key {stroke.style}") for stroke in chart.strokes), class_="keys"
    )


def _drawing(chart: Chart) -> Html:
    levels = "".join(f'<path class="level" d="M0 {tick.at * _DOWN:.1f}H{_ACROSS:.0f}"/>' for tick in chart.up)
    years = "".join(f'<path class="level" d="M{tick.at * _ACROSS:.1f} 0V{_DOWN:.0f}"/>' for tick in chart.across)
    lines = "".join(_drawn(stroke) for stroke in reversed(chart.strokes))  # the first one on top
    return raw(
        f'<svg viewBox="0 0 {_ACROSS:.0f} {_DOWN:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{joined([chart.title])}">{levels}{years}{lines}</svg>'
    )


def _drawn(stroke: Stroke) -> str:
    area = "" if stroke.base is None else f'<path class="area {stroke.style}" d="{area_path(stroke, _ACROSS, _DOWN)}"/>'
    return f'{area}<path class="line {stroke.style}" d="{line_path(stroke, _ACROSS, _DOWN)}"/>'
