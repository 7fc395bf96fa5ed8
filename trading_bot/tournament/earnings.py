"""What an opinion earns: an equal-part portfolio that changes at the next open, with every session at once.

The rules, so that a result can be computed by hand. Decided at the close of session t, from rows up to t:

- Every symbol that is listed gets an equal part of equity times its exposure; a symbol is listed while a close of it
  is known that is at most five sessions old. So nobody needs to know which company will be gone later.
- The parts are in place from the open of t + 1 to the open of t + 2, as the live bot's orders fill; there they are
  set anew. What prices made of them in between is put back free of charge: only changes of what is wanted cost.
- A change needs a close at t and an open at t + 1; where one is missing, the exposure from before stays. A position
  earns nothing while its symbol has no price, and all of the change when it has one again.
- A symbol that is listed no longer is sold at its last close.
- Each dollar that changes hands costs `cost_bps`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory

LISTED_SESSIONS = 5  # how old the newest close may be before a symbol counts as gone
BoolMatrix = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Where prices are missing, (T, N)."""

    kept: BoolMatrix  # what was decided at t can not be traded: the exposure before stays
    gone: BoolMatrix  # not listed at t


@dataclass(frozen=True, slots=True, eq=False)
class Earnings:
    """What one dollar in each symbol earns, by the session t at whose close it was decided. T sessions, N symbols."""

    intraday: FloatMatrix  # (T - 1, N): from the open of t + 1 to its close
    whole: FloatMatrix  # (T - 1, N): from the open of t + 1 to the open of t + 2; to the last close in the last row
    parts: FloatVector  # (T - 1,): share of equity for an exposure of 1
    gaps: Gaps | None  # None: every price is known


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What one candidate's portfolio did, by the session t at whose close it was decided. (T - 1,) each."""

    intraday: FloatVector  # return from the open of t + 1 to its close
    whole: FloatVector  # return from the open of t + 1 to the open of t + 2
    traded: FloatVector  # dollars that change hands at the open of t + 1, per dollar of equity
    gross: FloatVector  # share of equity invested after that, long and short added up


def earnings(history: MarketHistory) -> Earnings:
    """Return what every symbol earns between the opens and closes of `history`, two sessions at least."""
    known = np.isfinite(history.close) & np.isfinite(history.open)
    if known.all():
        opens, closes, gaps = history.open, history.close, None
        listed = np.full(len(closes) - 1, len(history.symbols))
    else:
        opens, closes, gone = _bridged(history, known)
        gaps = Gaps(kept=~(known[:-1] & known[1:]) & ~gone[:-1], gone=gone[:-1])
        listed = (~gaps.gone).sum(axis=1)
    following = np.concatenate([opens[2:], closes[-1:]])
    return Earnings(
        intraday=_return(opens[1:], closes[1:]),
        whole=_return(opens[1:], following),
        parts=1.0 / np.maximum(listed, 1),
        gaps=gaps,
    )


def held(exposure: FloatMatrix, earned: Earnings, *, short: bool) -> Held:
    """Return what a portfolio that follows `exposure`, (T - 1, N), does. Negative exposure counts only with `short`."""
    wanted = exposure if short or not (exposure < 0).any() else np.maximum(exposure, 0.0)
    if earned.gaps is None:  # one part for every session: the vectors are scaled, not the matrix
        part = earned.parts[0]
    else:
        wanted, part = _as_traded(wanted, earned.gaps) * earned.parts[:, None], 1.0
    change = np.empty_like(wanted)
    change[0] = wanted[0]
    np.subtract(wanted[1:], wanted[:-1], out=change[1:])
    return Held(
        intraday=part * np.einsum("tn,tn->t", wanted, earned.intraday),
        whole=part * np.einsum("tn,tn->t", wanted, earned.whole),
        traded=part * np.einsum("tn->t", np.abs(change, out=change)),
        gross=part * np.einsum("tn->t", np.abs(wanted) if short else wanted),
    )


def session_returns(rows: Held, *, cost_bps: float) -> FloatVector:
    """Return the portfolio's return from close to close, (T - 2,), costs taken off.

    The first one belongs to the third session of the history: it takes two decisions to get there, the one that was
    in place over night and the one that replaced it at the open.
    """
    overnight = np.divide(
        1.0 + rows.whole[:-1],
        1.0 + rows.intraday[:-1],
        out=np.zeros(len(rows.whole) - 1),
        where=rows.intraday[:-1] > -1,
    )
    kept = 1.0 - rows.traded[1:] * (cost_bps / 10_000)
    growth = np.maximum(overnight, 0.0) * np.maximum(kept, 0.0) * np.maximum(1.0 + rows.intraday[1:], 0.0)
    return growth - 1.0  # a short portfolio can lose everything, not more


def _return(bought: FloatMatrix, sold: FloatMatrix) -> FloatMatrix:
    """Return sold / bought - 1, and 0 where a price is not known."""
    change = sold / bought
    change -= 1.0
    return np.nan_to_num(change, copy=False, nan=0.0)


def _bridged(history: MarketHistory, known: BoolMatrix) -> tuple[FloatMatrix, FloatMatrix, BoolMatrix]:
    """Return opens and closes, the last known close where there is none, and where a symbol is not listed."""
    rows = np.arange(len(known))[:, None]
    newest = np.maximum.accumulate(np.where(known, rows, -1), axis=0)
    closes = np.take_along_axis(history.close, np.maximum(newest, 0), axis=0)
    closes[newest < 0] = np.nan
    before = np.concatenate([np.full((1, closes.shape[1]), np.nan), closes[:-1]])
    gone = (newest < 0) | (rows - newest > LISTED_SESSIONS)
    return np.where(known, history.open, before), closes, gone


def _as_traded(exposure: FloatMatrix, gaps: Gaps) -> FloatMatrix:
    """Return the exposure from before where it could not be changed, and none of what is gone."""
    there = np.where(gaps.gone, 0.0, exposure)
    there[0, gaps.kept[0]] = 0.0
    rows = np.arange(len(there))[:, None]
    decided = np.maximum.accumulate(np.where(gaps.kept, 0, rows), axis=0)
    return np.take_along_axis(there, decided, axis=0)
