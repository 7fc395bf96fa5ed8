"""A chart as a picture that stands alone: an SVG document with its labels in it."""

from __future__ import annotations

from trading_bot.reporting.charts import Chart, Stroke
from trading_bot.reporting.svg import INK, label, opened

# Mid-tones, and no background: they stand out on white and on near-black alike.
_COLOURS = {"ours": "#3b82f6", "index": "#8b949e", "fall": "#ef4444", "invested": "#14b8a6"}
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 10, 24, 22  # pixels


def chart_svg(chart: Chart, *, width: int = 720, height: int = 260) -> str:
    """Return the chart as an SVG document of `width` by `height` pixels; without values it is a sentence."""
    across, down = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    head = opened(width, height, chart.title)
    if not chart.strokes:
        return f"{head}{label('Nothing to show', _LEFT, height / 2)}</svg>"
    heights = [(_TOP + down * tick.at, tick.text) for tick in chart.up]
    shapes = [
        *(f'<path d="M{_LEFT} {y:.1f}H{width - _RIGHT}" stroke="{INK}" stroke-opacity="0.25"/>' for y, _ in heights),
        *(label(text, _LEFT - 6, y + 4, anchor="end") for y, text in heights),
        *(label(tick.text, _LEFT + across * tick.at, height - 6, anchor="middle") for tick in chart.across),
        *(_drawn(stroke, across, down) for stroke in reversed(chart.strokes)),  # the first one on top
        *_legend(chart),
    ]
    return f"{head}{''.join(shapes)}</svg>"


def line_path(stroke: Stroke, across: float, down: float) -> str:
    """Return the `d` of a line in a frame of that many units, from its left upper corner."""
    return "".join(
        "M" + "L".join(f"{x * across:.1f} {y * down:.1f}" for x, y in (run if len(run) > 1 else run * 2))
        for run in stroke.runs
    )


def area_path(stroke: Stroke, across: float, down: float) -> str:
    """Return the `d` of the area between a line and 0."""
    base = (stroke.base or 0.0) * down
    return "".join(
        f"M{run[0][0] * across:.1f} {base:.1f}L"
        + "L".join(f"{x * across:.1f} {y * down:.1f}" for x, y in run)
        + f"L{run[-1][0] * across:.1f} {base:.1f}Z"
        for run in stroke.runs
    )


def _drawn(stroke: Stroke, across: float, down: float) -> str:
    colour = _COLOURS[stroke.style]
    area = "" if stroke.base is None else f'<path d="{area_path(stroke, across, down)}" fill="{colour}" opacity="0.2"/>'
    line = f'<path d="{line_path(stroke, across, down)}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
    return f'<g transform="translate({_LEFT} {_TOP})">{area}{line}</g>'


def _legend(chart: Chart) -> list[str]:
    shapes: list[str] = []
    x = float(_LEFT)
    for stroke in chart.strokes:
        shapes.append(f'<path d="M{x:.0f} 10h14" stroke="{_COLOURS[stroke.style]}" stroke-width="2.5"/>')
        shapes.append(label(stroke.name, x + 19, 14))
        x += 19 + 6.2 * len(stroke.name) + 16  # about as wide as the letters are
    return shapes
