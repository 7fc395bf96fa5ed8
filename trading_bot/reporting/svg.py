"""The equity curve as a small drawing that needs no library and no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.words import dollars

# Mid-tones, and no background: they stand out on white and on near-black alike.
_LINE = "#3b82f6"
INK = "#8b949e"
FONT = 11  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 104, 22, 24  # pixels; the last value's label stands on the right


@dataclass(frozen=True, slots=True)
class _Spot:
    x: float  # pixels
    y: float


def equity_svg(points: Sequence[EquityPoint], *, width: int = 640, height: int = 200) -> str:
    """Return the curve as an SVG document of `width` by `height` pixels.

    The lowest, highest and last worth are written out, and the first and last session. No point
    gives a sentence, a single or constant one a level line. More points than pixels are thinned;
    the lowest, highest and last stay.
    """
    if not points:
        return f"{opened(width, height, 'Equity')}{label('No equity yet', _LEFT, height / 2)}</svg>"
    first, last = points[0], points[-1]
    title = f"Equity from {first.session} to {last.session}: {dollars(first.equity)} to {dollars(last.equity)}"
    shapes = "".join(_curve(points, width=width, height=height))
    return f"{opened(width, height, title)}{shapes}</svg>"


def _curve(points: Sequence[EquityPoint], *, width: int, height: int) -> list[str]:
    spots = _spots(points, width=width, height=height)
    worth = [point.equity for point in points]
    lowest, highest = worth.index(min(worth)), worth.index(max(worth))
    line = " ".join(f"{spots[i].x:.1f},{spots[i].y:.1f}" for i in _kept(len(points), width, (lowest, highest)))
    end = spots[-1]
    shapes = [
        f'<polyline points="{_LEFT},{end.y:.1f} {line}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>'
        if len(points) == 1
        else f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="1.5"/>',
        f'<circle cx="{end.x:.1f}" cy="{end.y:.1f}" r="2.5" fill="{_LINE}"/>',
        label(dollars(worth[-1]), end.x + 6, end.y + 4),
        label(str(points[0].session), _LEFT, height - 6),
    ]
    if len(points) > 1:
        shapes.append(label(str(points[-1].session), end.x, height - 6, anchor="end"))
    if lowest != highest:
        shapes.append(_mark("max", dollars(worth[highest]), spots[highest], end=end.x, above=True))
        shapes.append(_mark("min", dollars(worth[lowest]), spots[lowest], end=end.x, above=False))
    return shapes


def _spots(points: Sequence[EquityPoint], *, width: int, height: int) -> list[_Spot]:
    worth = [float(point.equity) for point in points]
    low, spread = min(worth), max(worth) - min(worth)
    across, down = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM - FONT
    steps = max(len(points) - 1, 1)
    return [
        _Spot(
            x=_LEFT + across * (i / steps if len(points) > 1 else 1),
            y=_TOP + down * (1 - (value - low) / spread if spread else 0.5),
        )
        for i, value in enumerate(worth)
    ]


def _kept(count: int, width: int, always: tuple[int, int]) -> list[int]:
    step = -(-count // width)  # rounded up
    return sorted({*range(0, count, step), *always, count - 1})


def _mark(name: str, worth: str, spot: _Spot, *, end: float, above: bool) -> str:
    # A label in the middle of its spot would leave the drawing at either edge.
    share = (spot.x - _LEFT) / (end - _LEFT) if end > _LEFT else 0
    anchor = "start" if share < 0.2 else "end" if share > 0.8 else "middle"
    return label(f"{name} {worth}", spot.x, spot.y + (-6 if above else FONT + 3), anchor=anchor)


def label(text: str, x: float, y: float, *, anchor: str = "start") -> str:
    """Return a text whose left end (or `anchor`) stands at a place, in pixels."""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}">{escape(text)}</text>'


def opened(width: int, height: int, title: str) -> str:
    """Return the beginning of a document of that many pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="sans-serif" font-size="{FONT}"><title>{escape(title)}</title>'
    )
