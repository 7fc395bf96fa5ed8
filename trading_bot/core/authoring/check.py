"""What every strategy promises, asked of one: `bensbot strategy check`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from trading_bot.core.authoring.cases import Cases, all_cases
from trading_bot.core.authoring.lookahead import EXPOSURE, LookAhead, look_ahead
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.opinions import kind_of, line_of
from trading_bot.domain.ports import Explains, Opinion, Strategy

A_NUMBER_THAT_IS_NONE = re.compile(r"\b(nan|inf)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise, and how it is broken; an empty problem: it is kept."""

    promise: str
    problem: str = ""
    advice: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether nothing was found."""
        return not self.problem


class BrokenPromise(Exception):
    """A strategy does not do what strategies promise: what it did, and what to change."""

    def __init__(self, problem: str, advice: str) -> None:
        """Keep both."""
        super().__init__(problem)
        self.problem, self.advice = problem, advice


def findings(strategy: Strategy) -> list[Finding]:
    """Return a finding for every promise; where the answers cannot be read, for those up to there."""
    cases = all_cases()
    found: list[Finding] = []
    for promise, check in PROMISES.items():
        try:
            check(strategy, cases)
        except BrokenPromise as broken:
            found.append(Finding(promise, broken.problem, broken.advice))
            if promise in (ANSWERS, SHAPE):
                break
        else:
            found.append(Finding(promise))
    return found


def problems(strategy: Strategy) -> list[str]:
    """Return what is wrong with a strategy, a sentence each; empty: it keeps every promise."""
    return [f"{found.promise}: {found.problem}" for found in findings(strategy) if not found.is_kept]


def remarks(strategy: Strategy) -> list[str]:
    """Return what is allowed and still worth a thought."""
    opinion = strategy.opinion(all_cases()["20 packaged stocks"])
    said: list[str] = []
    if not opinion.exposure.any():
        said.append(
            "It wants nothing at all on 600 sessions of 20 packaged stocks. Is an option too long or too strict?"
        )
    if not opinion.evidence:
        said.append("It gives no evidence, so that no trade can be explained. Return the numbers behind the exposure.")
    elif not isinstance(strategy, Explains):
        said.append("It has no method `reason`; trades are explained by the bare numbers of its evidence.")
    return said


def _answers(strategy: Strategy, cases: Cases) -> None:
    for name, bars in cases.items():
        _asked(strategy, name, bars)


def _asked(strategy: Strategy, case: str, bars: MarketHistory) -> Opinion:
    try:
        opinion = strategy.opinion(bars)
    except (Exception, SystemExit) as error:  # foreign code: whatever it raises is what it did
        advice = "Every case has to be answered: too little history with exposure 0, missing prices (NaN), too."
        if "read-only" in str(error):
            advice = (
                "The history belongs to everybody and cannot be written to: work on a copy, `history.close.copy()`."
            )
        what = f"{type(error).__name__}: {error}{line_of(error, strategy)}"
        raise BrokenPromise(f"on {case} it raised {what}", advice) from error
    if not isinstance(opinion, Opinion):  # pyright: ignore[reportUnnecessaryIsInstance]  # foreign code
        raise BrokenPromise(f"on {case} it returned {type(opinion).__name__}", "Return an `Opinion`.")
    return opinion


def _read(strategy: Strategy, case: str, bars: MarketHistory) -> Opinion:
    """Ask, and look at the shape, too: a strategy may answer a part of a history in another way than the whole."""
    opinion = _asked(strategy, case, bars)
    evidence = opinion.evidence
    if not isinstance(evidence, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # foreign code
        raise BrokenPromise(
            f"on {case} evidence is {kind_of(evidence)}, wanted a mapping",
            'Give the numbers by name, `evidence={"close": history.close}`, or leave evidence out.',
        )
    for name, numbers in (("exposure", opinion.exposure), *evidence.items()):
        _require_shape(case, name, numbers, bars)
    return opinion


def _require_shape(case: str, name: str, numbers: object, bars: MarketHistory) -> None:
    wanted = f"wanted an array of {bars.close.shape} of float64"
    if not isinstance(numbers, np.ndarray):
        advice = (
            "Make it an array: `frame.to_numpy(dtype=np.float64)`, or `np.array(rows, dtype=np.float64)` of a list."
        )
        raise BrokenPromise(f"on {case} {name} is {kind_of(numbers)}, {wanted}", advice)
    array = cast("NDArray[Any]", numbers)
    if array.shape != bars.close.shape:
        advice = "Give a number for every session and symbol: start from `np.zeros(history.close.shape)`."
        raise BrokenPromise(f"on {case} {name} has shape {array.shape} of {array.dtype}, {wanted}", advice)
    if array.dtype != np.float64:
        raise BrokenPromise(
            f"on {case} {name} has shape {array.shape} of {array.dtype}, {wanted}",
            f"Make numbers of it: `{name}.astype(np.float64)`.",
        )


def _has_the_shape(strategy: Strategy, cases: Cases) -> None:
    for case, bars in cases.items():
        _read(strategy, case, bars)


def _stays_in_bounds(strategy: Strategy, cases: Cases) -> None:
    for case, bars in cases.items():
        exposure = _read(strategy, case, bars).exposure
        wrong = np.argwhere(~(np.abs(exposure) <= 1))  # NaN, too
        if wrong.size:
            row, column = wrong[0]
            where = f"{bars.symbols[column]} on {bars.sessions[row]}"
            raise BrokenPromise(
                f"on {case} the exposure to {where} is {exposure[row, column]:g}",
                "Bring it into [-1, 1]: `np.clip` for what is too large, `np.nan_to_num` or `np.where` for NaN.",
            )


def _does_not_look_ahead(strategy: Strategy, cases: Cases) -> None:
    for case, bars in cases.items():
        found = look_ahead(
            lambda part, case=case: _read(strategy, f"{case}, {len(part.sessions)} of its sessions,", part), bars
        )
        if found is not None:
            raise BrokenPromise(f"on {case} {_words(found)}", _what_to_change(found))


def _words(found: LookAhead) -> str:
    number = found.number if found.number == EXPOSURE else f"evidence {found.number!r}"
    size = f": a difference of {found.size:.3g}" if np.isfinite(found.size) else ""
    return (
        f"row {found.row} (session {found.session}, {found.symbol}) has {number} {found.known_then:.6g} when history "
        f"ends with row {found.kept - 1}, and {found.known_later:.6g} when it goes on{size}"
    )


def _what_to_change(found: LookAhead) -> str:
    if found.is_near:
        return (
            "A row reads rows after it. Look for shift(-1), np.roll, [t + 1:], centred windows and filling backwards; "
            "row t may use rows up to t only."
        )
    return (
        "A number of the whole history reaches every row: a mean, maximum, rank or fit over all sessions, or the last "
        "price. Take it over a window that ends at row t, or over rows up to t (np.maximum.accumulate)."
    )


def _is_deterministic(strategy: Strategy, cases: Cases) -> None:
    for case, bars in cases.items():
        first, second = _read(strategy, case, bars), _read(strategy, case, bars)
        if not np.array_equal(first.exposure, second.exposure, equal_nan=True):
            raise BrokenPromise(
                f"on {case} it gave two answers to the same question",
                "No chance, no clock, no memory of the last question: everything has to come from `history`.",
            )


def _forgets_what_does_not_trade(strategy: Strategy, cases: Cases) -> None:
    for case, bars in cases.items():
        exposure = _read(strategy, case, bars).exposure
        for column, symbol in enumerate(bars.symbols):
            gone = len(exposure) >= 30 and np.isnan(bars.close[-30:, column]).all()
            if gone and abs(exposure[-1, column]) > 0:  # that NaN is none is another promise
                raise BrokenPromise(
                    f"on {case} it wants {exposure[-1, column]:+g} of {symbol}, which has no price for 30 sessions",
                    "Want nothing where `carried(history.close)` is NaN.",
                )


def _minds_no_order(strategy: Strategy, cases: Cases) -> None:
    case = "20 packaged stocks"
    bars = cases[case]
    turned = list(reversed(range(len(bars.symbols))))
    fields = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    other = MarketHistory(
        bars.sessions, tuple(bars.symbols[column] for column in turned), *(field[:, turned] for field in fields)
    )
    of_other, of_these = (_read(strategy, case, each).exposure for each in (other, bars))
    away = np.abs(np.nan_to_num(of_other) - np.nan_to_num(of_these[:, turned]))
    if away.max(initial=0.0) > 1e-9:
        row, column = np.unravel_index(np.argmax(away), away.shape)
        raise BrokenPromise(
            f"the exposure to {other.symbols[column]} on {bars.sessions[row]} changes when the symbols are listed in "
            "another order",
            "Let nothing depend on a column's place; ties go by symbol, or to both.",
        )


def _explains_itself(strategy: Strategy, cases: Cases) -> None:
    if not isinstance(strategy, Explains):
        return
    for case, bars in cases.items():
        opinion = _read(strategy, case, bars)
        for column in range(len(bars.symbols) if len(bars.sessions) else 0):
            evidence = {name: float(numbers[-1, column]) for name, numbers in opinion.evidence.items()}
            _reason(strategy, case, evidence, float(opinion.exposure[-1, column]))


def _reason(strategy: Explains, case: str, evidence: Mapping[str, float], exposure: float) -> None:
    try:
        words = strategy.reason(evidence, exposure)
    except Exception as error:  # foreign code, as above
        raise BrokenPromise(
            f"on {case} `reason` raised {type(error).__name__}: {error}{line_of(error, strategy)}",
            "Evidence may be NaN: say what is missing then.",
        ) from error
    if not words.strip() or A_NUMBER_THAT_IS_NONE.search(words):
        raise BrokenPromise(
            f"on {case} `reason` says {words!r}", "Say in words why a number is not known: too few closes, no news."
        )


ANSWERS = "it answers whatever the market is like"
SHAPE = "exposure and evidence have a number for each session and symbol"
PROMISES: Mapping[str, Callable[[Strategy, Cases], None]] = {
    ANSWERS: _answers,
    SHAPE: _has_the_shape,
    "exposure is within [-1, 1]": _stays_in_bounds,
    "it does not look ahead": _does_not_look_ahead,
    "it gives the same answer twice": _is_deterministic,
    "it wants nothing that stopped trading": _forgets_what_does_not_trade,
    "the order of the symbols does not matter": _minds_no_order,
    "its reasons are words": _explains_itself,
}
