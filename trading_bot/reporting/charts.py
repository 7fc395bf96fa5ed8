"""Where lines, ticks and labels of a chart stand, as shares of its frame; `chart_svg` and `chart_html` draw them.

A drawing in a page is stretched to the page's width while its labels keep their size, a drawing in an artifact is one
picture with the labels in it. Both come from the same record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from trading_bot.domain.market import FloatVector, SessionAxis

COLUMNS = 360  # a line with more sessions is thinned to the first, lowest, highest and last of each of these
MOST_TICKS = 6
LEAST_LOGARITHM = 1e-12  # of a value: what is worth less would take all of the height
NO_HEIGHT = 1e-300  # values this close cannot be told apart: a sixth of less is rounded to nothing
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Values over the sessions, (T,); NaN interrupts it."""

    name: str  # in the legend
    style: str  # what it stands for: "ours", "index", "fall", "invested"
    values: FloatVector
    filled: bool = False  # the area down (or up) to 0, too


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a border of the frame."""

    at: float  # share of the frame from its left or its top
    text: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line as points, shares of the frame from its left and its top; each run has no gap."""

    name: str
    style: str
    runs: tuple[tuple[tuple[float, float], ...], ...]
    base: float | None  # the height an area is filled down to; None: a line alone


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart without a size."""

    title: str  # one line, for those who cannot see it
    strokes: tuple[Stroke, ...]
    across: tuple[Tick, ...]  # sessions
    up: tuple[Tick, ...]  # values


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    logarithmic: bool

    def at(self, value: float) -> float:
        """Return how far below the top a value stands, as a share of the height."""
        low, high, value = (math.log(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return 1 - (value - low) / (high - low)


def chart(
    title: str,
    sessions: SessionAxis,
    lines: Sequence[Line],
    say: Callable[[float], str],
    *,
    logarithmic: bool = False,
) -> Chart:
    """Return the chart of lines over the same sessions; without two values it has no strokes and no ticks.

    Args:
        title: what is shown.
        sessions: the sessions, (T,).
        lines: each (T,). A filled one makes 0 part of the scale.
        say: words for a value at the border.
        logarithmic: equal changes in per cent have equal height; only for values above 0.
    """
    values = np.concatenate([line.values for line in lines]) if lines else np.empty(0)
    seen = values[np.isfinite(values)]
    if len(sessions) < 2 or not len(seen):
        return Chart(title, (), (), ())
    if any(line.filled for line in lines):
        seen = np.append(seen, 0.0)
    scale, marks = _scaled(float(seen.min()), float(seen.max()), logarithmic=logarithmic and bool(seen.min() > 0))
    strokes = tuple(_stroke(line, scale) for line in lines)
    return Chart(title, strokes, time_ticks(sessions), tuple(Tick(scale.at(mark), say(mark)) for mark in marks))


def wants_logarithm(lines: Sequence[Line]) -> bool:
    """Say whether the values are all above 0 and so far apart that a linear scale would hide the early ones."""
    values = np.concatenate([line.values for line in lines])
    seen = values[np.isfinite(values)]
    return bool(len(seen)) and bool(seen.min() > 0) and bool(seen.max() > 3 * seen.min())


def time_ticks(sessions: SessionAxis) -> tuple[Tick, ...]:
    """Return the beginnings of years, months or sessions, whichever are few enough to be read."""
    days: list[date] = sessions.tolist()
    last = len(days) - 1
    for unit, shape in (("Y", "%Y"), ("M", "%b %Y"), ("D", "%d %b")):
        periods = sessions.astype(f"datetime64[{unit}]")
        starts = [row for row in range(1, len(days)) if periods[row] != periods[row - 1]]
        starts = [0, *starts] if unit == "D" else starts
        if unit == "D" or len(starts) >= 3:
            step = -(-len(starts) // MOST_TICKS)  # rounded up
            return tuple(Tick(row / last, f"{days[row]:{shape}}") for row in starts[:: max(step, 1)])
    return ()


def _scaled(low: float, high: float, *, logarithmic: bool) -> tuple[_Scale, tuple[float, ...]]:
    logarithmic = logarithmic and low >= LEAST_LOGARITHM
    if high - low < NO_HEIGHT:
        low, high = (
            (low * 0.9, high * 1.1) if logarithmic else (low - abs(low) / 10 - 0.01, high + abs(high) / 10 + 0.01)
        )
    room = (math.log(high / low) if logarithmic else high - low) * 0.04  # no line touches the frame
    if logarithmic:
        low, high = low / math.exp(room), high * math.exp(room)
        marks = tuple(_round_in_logarithm(low, high))
        return _Scale(low, high, logarithmic=True), marks if len(marks) > 1 else tuple(_round_between(low, high))
    low, high = (low - room if low else low), (high + room if high else high)  # 0 is a frame of its own
    return _Scale(low, high, logarithmic=False), tuple(_round_between(low, high))


def _round_between(low: float, high: float) -> Iterator[float]:
    rough = (high - low) / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(nice for nice in _NICE if nice * power >= rough * (1 - 1e-9))
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield number * step


def _round_in_logarithm(low: float, high: float) -> Iterator[float]:
    digits = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for digit in digits:
            if low <= digit * 10.0**power <= high:
                yield digit * 10.0**power


def _stroke(line: Line, scale: _Scale) -> Stroke:
    last = len(line.values) - 1
    runs: list[list[tuple[float, float]]] = [[]]
    for row in kept_rows(line.values):
        value = float(line.values[row])
        if math.isfinite(value):
            runs[-1].append((row / last, scale.at(value)))
        elif runs[-1]:
            runs.append([])
    drawn = tuple(tuple(run) for run in runs if run)
    return Stroke(line.name, line.style, drawn, scale.at(0.0) if line.filled else None)


def kept_rows(values: FloatVector, columns: int = COLUMNS) -> list[int]:
    """Return the rows to draw: all of them, or the first, lowest, highest and last of each column of many."""
    if len(values) <= 2 * columns:
        return list(range(len(values)))
    borders = np.linspace(0, len(values), columns + 1).astype(int).tolist()
    kept: set[int] = set()
    for begin, end in pairwise(borders):
        part = values[begin:end]
        kept |= {begin, end - 1}
        if np.isfinite(part).any():
            kept |= {begin + int(np.nanargmin(part)), begin + int(np.nanargmax(part))}
    return sorted(kept)
