"""Say which New York day each row of a file belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading_bot.domain.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

NEW_YORK = "America/New_York"
ISO_DATE = r"\d{4}-?\d\d-?\d\d(?:[T ].*)?"
OFFSET = r".*\d\d:\d\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)"  # only a time of day can carry one

Instants = np.ndarray  # (rows,), datetime64[ns]; NaT where the row has no date


def to_days(column: pd.Series, file: str) -> tuple[Instants, Instants, list[str]]:
    """Return each row's instant, its New York day as datetime64[D], and notes.

    A timestamp without a zone is New York time. One with a zone is converted first, except where every
    row of the file stands at midnight UTC: these are dates that a program has dressed as instants,
    and converting them would file each bar under the evening before.

    Raises:
        DataError: a date is not ISO 8601, or some rows have a zone and some have none.
    """
    stamps = _parsed(column, file)
    notes: list[str] = []
    missing = int(stamps.isna().sum())
    if missing:
        notes.append(f"{file}: {missing} row{'s' * (missing > 1)} without a date dropped.")
    if stamps.dt.tz is not None:
        utc = stamps.dt.tz_convert("UTC")
        if bool((utc.dropna() == utc.dropna().dt.normalize()).all()):
            notes.append(f"{file}: every row is at midnight UTC, so these are taken as dates.")
            stamps = utc
        else:
            stamps = utc.dt.tz_convert(NEW_YORK)
        stamps = stamps.dt.tz_localize(None)
    instants = stamps.to_numpy(dtype="datetime64[ns]")
    return instants, instants.astype("datetime64[D]"), notes


def _parsed(column: pd.Series, file: str) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    if pd.api.types.is_numeric_dtype(column):
        raise DataError(f"{file}: {column.name!r} holds numbers, wanted dates like 2022-03-01.")
    text = column.astype("string").str.strip()
    given = text.notna() & (text != "")
    wrong = text[given & ~text.str.fullmatch(ISO_DATE).fillna(value=False)]
    if len(wrong):
        raise DataError(f"{file}: date {wrong.iloc[0]!r} cannot be read without guessing, write it like 2022-12-31.")
    zoned = text[given].str.fullmatch(OFFSET)
    if zoned.any() and not zoned.all():
        raise DataError(f"{file}: some timestamps have a timezone and some have none. Give all of them one, or none.")
    try:
        return pd.to_datetime(text.where(given), format="ISO8601", utc=bool(zoned.any()))
    except ValueError:
        raise DataError(f"{file}: {_first_wrong(text[given])!r} is no date, write one like 2022-03-01.") from None


def _first_wrong(text: pd.Series[str]) -> str:
    """Return the first text that looks like a date and is none, e.g. 2022-02-30."""
    import pandas as pd

    days = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    return str(text[days.isna()].iloc[0])
