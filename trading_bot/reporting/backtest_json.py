"""A backtest for machines. The keys are a promise: they are added to, never renamed.

Money, prices and shares are strings (a Decimal, never a float), dates ISO 8601; statistics are numbers, null where they
cannot be computed. `docs/backtest-report.md` explains the names under `figures`.

```
format        1
label, engine ("replay" | "vectorised"), benchmark (its name, or null), trials
figures       {name: value}                              every figure
notes         [text]                                     what to doubt, and what the engine has to say
months        [{year, month, return}]
attribution   [{strategy, closed, hit_rate, profit, open, open_profit, fees}]
equity        [{session, equity, cash, gross, benchmark}]   benchmark is its close, a number, or null
executions    [{session, symbol, side, quantity, price, fee, strategy, reason}]
splits        [{symbol, session, ratio, remainder, cash}]
trades        [{symbol, side, strategy, opened, closed, sessions, shares, entry_price, exit_price, exits, fees,
                profit, gain, ended_by}]                 closed ones, in the order they ended
open_trades   [{symbol, side, strategy, opened, sessions, quantity, fees, profit}]
decisions     {outcome: count}
rejections    {rule: count}
settings      {name: text}
fingerprints  {data, code, settings}                     SHA-256
```
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from decimal import Decimal
from typing import TYPE_CHECKING

from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import figures, trades_in
from trading_bot.domain.honesty import notes_about
from trading_bot.reporting.as_json import Json, plain, plain_record
from trading_bot.reporting.backtest_rows import figure_rows

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FORMAT = 1
_PLACES = Decimal("0.00000001")  # of a price: an average has as many digits as one likes


def backtest_as_json(result: BacktestResult) -> str:
    """Return the result as indented JSON with the keys listed above."""
    trades = trades_in(result)
    found = figures(result, trades)
    document: dict[str, Json] = {
        "format": FORMAT,
        "label": result.label,
        "engine": str(result.engine),
        "benchmark": None if result.benchmark is None else result.benchmark_name,
        "trials": result.trials,
        "figures": {row.name: plain(row.value) for row in figure_rows(found)},
        "notes": list(notes_about(result, found)),
        "months": [{"year": each.year, "month": each.month, "return": plain(each.value)} for each in found.months],
        "attribution": _records(found.attribution),
        "equity": _equity(result),
        "executions": _records(result.executions),
        "splits": _records(result.splits),
        "trades": _records(trades.closed),
        "open_trades": _records(trades.open),
        "decisions": dict(result.decisions),
        "rejections": dict(result.rejections),
        "settings": dict(result.settings),
        "fingerprints": plain_record(asdict(result.fingerprints)),
    }
    return json.dumps(document, indent=2, allow_nan=False)


def _records(records: Iterable[DataclassInstance]) -> list[Json]:
    # No `asdict`: it copies every value, and there may be ten thousands of them.
    return [{part.name: plain(_short(getattr(each, part.name))) for part in fields(each)} for each in records]


def _short(value: object) -> object:
    """Return a Decimal without digits that division left."""
    if isinstance(value, Decimal) and value.is_finite() and value != (rounded := value.quantize(_PLACES)):
        return rounded
    return value


def _equity(result: BacktestResult) -> list[Json]:
    closes = [None] * len(result.sessions) if result.benchmark is None else result.benchmark.tolist()
    rows = zip(result.sessions.tolist(), result.equity, result.cash, result.gross, closes, strict=True)
    return [
        {
            "session": plain(day),
            "equity": f"{equity:.2f}",
            "cash": f"{cash:.2f}",
            "gross": f"{gross:.2f}",
            "benchmark": plain(close),
        }
        for day, equity, cash, gross, close in rows
    ]
