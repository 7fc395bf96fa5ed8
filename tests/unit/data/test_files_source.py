"""The user's own folder of prices: what is understood, and what is refused with what words."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.data.sources.files import Files
from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.domain.ports import RawBars

LATE = date(2030, 1, 1)
FULL = "Date,Open,High,Low,Close,Volume\n2022-02-28,10,12,9,11,100\n2022-03-01,11,13,10,12,200\n"


def write(folder: Path, **files: str) -> Path:
    """Write CSV files: the keyword is the name without its ending."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path) -> RawBars:
    return Files(folder).bars(LATE)


def refusal(folder: Path) -> str:
    with pytest.raises((DataError, SettingsError)) as caught:
        read(folder)
    return str(caught.value)


def test_one_file_a_symbol_is_called_by_its_name(tmp_path):
    raw = read(write(tmp_path, AAPL=FULL, msft=FULL))

    assert raw.symbols == ("AAPL", "MSFT")
    assert raw.sessions.astype(str).tolist() == ["2022-02-28", "2022-03-01"]
    bar = [array[1, 0] for array in (raw.open, raw.high, raw.low, raw.close, raw.volume)]
    assert bar == [11, 13, 10, 12, 200]


def test_a_dot_in_the_symbol_stays(tmp_path):
    (tmp_path / "BRK.B.csv").write_text(FULL, encoding="utf-8")

    assert read(tmp_path).symbols == ("BRK.B",)


def test_one_long_table_is_spread_by_its_symbol_column(tmp_path):
    raw = read(write(tmp_path, all="date,Ticker,close\n2022-03-01,BBB,20\n2022-02-28,AAA,9\n2022-03-01,AAA,10\n"))

    assert raw.symbols == ("AAA", "BBB")
    assert raw.close[1].tolist() == [10, 20]
    assert raw.close[0, 0] == 9
    assert np.isnan(raw.close[0, 1])


def test_long_tables_may_come_in_several_files(tmp_path):
    one, other = "date,symbol,close\n2022-03-01,AAA,10\n", "date,symbol,close\n2022-03-01,BBB,20\n"

    assert read(write(tmp_path, one=one, other=other)).symbols == ("AAA", "BBB")


@pytest.mark.parametrize("symbol", ["NA", "TRUE", "NAN", "NULL"])
def test_a_symbol_that_looks_like_something_else_is_still_a_symbol(tmp_path, symbol):
    assert read(write(tmp_path, all=f"date,symbol,close\n2022-03-01,{symbol},10\n")).symbols == (symbol,)


@pytest.mark.parametrize(
    "header",
    [
        "date,open,high,low,close,volume",
        "DATE,OPEN,HIGH,LOW,CLOSE,VOLUME",
        "Timestamp,o,h,l,c,v",
        "datetime,Open,High,Low,Close,Vol",
        "time, Open , High,Low,Close,volume",
        ",Open,High,Low,Close,Volume",
        "\ufeffDate,Open,High,Low,Close,Volume",
    ],
)
def test_columns_may_have_any_of_their_usual_names(tmp_path, header):
    raw = read(write(tmp_path, AAPL=f"{header}\n2022-03-01,11,13,10,12,200\n"))

    assert [array[0, 0] for array in (raw.open, raw.high, raw.low, raw.close, raw.volume)] == [11, 13, 10, 12, 200]


def test_closes_alone_stand_for_open_high_and_low_and_volume_is_unknown(tmp_path):
    raw = read(write(tmp_path, AAPL="date,close\n2022-03-01,12.5\n"))

    assert [array[0, 0] for array in (raw.open, raw.high, raw.low, raw.close)] == [12.5] * 4
    assert np.isnan(raw.volume[0, 0])


@pytest.mark.parametrize("adjusted", ["Adj Close", "adj_close", "AdjClose", "Adjusted Close"])
def test_of_two_closes_the_unadjusted_one_is_used_and_this_is_told(tmp_path, adjusted):
    raw = read(write(tmp_path, AAPL=f"date,close,{adjusted}\n2022-03-01,12,3\n"))

    assert raw.close[0, 0] == 12
    assert raw.notes == (f"AAPL.csv: 'close' is used, {adjusted!r} is left aside.",)


def test_an_adjusted_close_is_used_where_there_is_no_other_and_then_alone(tmp_path):
    raw = read(write(tmp_path, AAPL="date,open,high,low,adj close\n2022-03-01,11,13,10,3\n"))

    assert [array[0, 0] for array in (raw.open, raw.high, raw.low, raw.close)] == [3] * 4
    assert raw.notes == ("AAPL.csv has an adjusted close only: 'adj close' is used for open, high, low and close.",)


@pytest.mark.parametrize("empty", ["", "NaN", "null", "N/A", "-"])
def test_an_empty_price_is_unknown(tmp_path, empty):
    assert np.isnan(read(write(tmp_path, AAPL=f"date,close\n2022-03-01,{empty}\n")).close[0, 0])


# ── dates ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("2022-03-01", "2022-03-01"),
        ("20220301", "2022-03-01"),
        ("2022-03-01 16:00:00", "2022-03-01"),
        ("2022-03-01T16:00:00-05:00", "2022-03-01"),
        ("2022-03-01T21:00:00Z", "2022-03-01"),
        ("2022-03-02T01:00:00Z", "2022-03-01"),  # eight in the evening in New York
        ("2022-03-01T05:00:00+00:00", "2022-03-01"),  # midnight in New York
        ("2022-07-01T03:59:00Z", "2022-06-30"),  # summer: 23:59 in New York
    ],
)
def test_fault_39_a_timestamp_belongs_to_its_new_york_day(tmp_path, stamp, day):
    assert read(write(tmp_path, AAPL=f"timestamp,close\n{stamp},12\n")).sessions.astype(str).tolist() == [day]


def test_fault_39_dates_dressed_as_midnight_utc_are_not_moved_to_the_evening_before(tmp_path):
    raw = read(write(tmp_path, AAPL="date,close\n2022-02-28T00:00:00Z,11\n2022-03-01T00:00:00Z,12\n"))

    assert raw.sessions.astype(str).tolist() == ["2022-02-28", "2022-03-01"]
    assert raw.notes == ("AAPL.csv: every row is at midnight UTC, so these are taken as dates.",)


def test_fault_39_offsets_of_summer_and_winter_may_be_mixed(tmp_path):
    raw = read(write(tmp_path, AAPL="date,close\n2022-03-11 00:00:00-05:00,11\n2022-03-14 00:00:00-04:00,12\n"))

    assert raw.sessions.astype(str).tolist() == ["2022-03-11", "2022-03-14"]


def test_fault_39_unsorted_rows_are_sorted(tmp_path):
    raw = read(write(tmp_path, AAPL="date,close\n2022-03-01,12\n2022-02-28,11\n"))

    assert raw.close[:, 0].tolist() == [11, 12]


def test_fault_39_a_row_without_a_date_is_dropped_and_told(tmp_path):
    raw = read(write(tmp_path, AAPL="date,close\n2022-03-01,12\n,13\n"))

    assert raw.close[:, 0].tolist() == [12]
    assert raw.notes == ("AAPL.csv: 1 row without a date dropped.",)


def test_fault_39_a_repeated_row_is_dropped_and_told(tmp_path):
    raw = read(write(tmp_path, AAPL="date,close\n2022-03-01,12\n2022-03-01,12\n"))

    assert raw.close[:, 0].tolist() == [12]
    assert raw.notes == ("Rows that repeat another row exactly were dropped: 1.",)


def test_fault_39_contradicting_rows_leave_no_price(tmp_path):
    raw = read(write(tmp_path, AAPL="date,close\n2022-02-28,11\n2022-03-01,12\n2022-03-01,13\n"))

    assert raw.close[0, 0] == 11
    assert np.isnan(raw.close[1, 0])
    assert raw.notes == ("Bars refused because several rows contradict each other, the first is AAPL on 2022-03-01.",)


def test_intraday_bars_are_refused(tmp_path):
    text = "timestamp,close\n2022-03-01 09:30,11\n2022-03-01 09:31,12\n"

    assert refusal(write(tmp_path, AAPL=text)) == (
        "AAPL has several times on 2022-03-01: these are intraday bars, wanted one bar a day."
    )


@pytest.mark.parametrize("text", ["03/01/2022", "1.3.2022", "2022", "2022-03", "1646092800", "yesterday", "2022-13-01"])
def test_a_date_that_takes_guessing_is_refused(tmp_path, text):
    assert "AAPL.csv: " in refusal(write(tmp_path, AAPL=f"date,close\n{text},12\n"))


def test_timestamps_with_and_without_a_timezone_are_refused(tmp_path):
    text = "date,close\n2022-02-28 16:00,11\n2022-03-01 16:00-05:00,12\n"

    assert "some timestamps have a timezone and some have none" in refusal(write(tmp_path, AAPL=text))


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────


def test_without_a_folder_the_message_says_what_to_set():
    with pytest.raises(DataError, match="needs the option folder"):
        Files().sessions()


def test_a_missing_folder_is_named(tmp_path):
    assert refusal(tmp_path / "nowhere").endswith("nowhere does not exist.")


def test_an_empty_folder_is_an_error(tmp_path):
    write(tmp_path, splits="symbol,date,ratio\n")
    (tmp_path / "README.txt").write_text("no prices", encoding="utf-8")

    assert "holds no price file: put one CSV or Parquet file a symbol in it" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,close\n2022-03-01,1\n", "AAPL.csv has no date column. Its columns: when, close."),
        ("date,price\n2022-03-01,1\n", "AAPL.csv has no close column. Its columns: date, price."),
        ("date,time,close\n2022-03-01,09:30,1\n", "AAPL.csv has two columns for date: 'date' and 'time'. Keep one."),
        ("date,open,close\n2022-03-01,1,1\n", "AAPL.csv has open but no high and no low: give all three or none."),
        (
            "date,close\n2022-03-01,12\n2022-03-02,twelve\n",
            "AAPL.csv: close of row 2 is 'twelve', wanted a plain number",
        ),
        ("date,symbol,close\n2022-03-01,,12\n", "AAPL.csv: row 1 has no symbol."),
        ("", "AAPL.csv cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_table_of_bars_is_refused_by_name(tmp_path, text, message):
    assert message in refusal(write(tmp_path, AAPL=text))


def test_two_layouts_in_one_folder_are_refused(tmp_path):
    folder = write(tmp_path, AAPL=FULL, all="date,symbol,close\n2022-03-01,BBB,20\n")

    assert refusal(folder) == (
        "all.csv has a symbol column and AAPL.csv has none: use one layout for the whole folder."
    )


def test_one_symbol_in_two_files_is_refused(tmp_path):
    write(tmp_path, aapl=FULL)
    pd.DataFrame({"date": ["2022-03-01"], "close": [12.0]}).to_parquet(tmp_path / "AAPL.parquet")

    assert refusal(tmp_path) == "AAPL is in AAPL.parquet and in aapl.csv: keep one of them."


def test_a_misspelt_option_is_an_error_that_lists_what_exists():
    with pytest.raises(Exception, match=r"no option 'fodler'\. Did you mean 'folder'"):
        PRICE_SOURCES.build("files", {"fodler": "prices"})


# ── splits and sectors ────────────────────────────────────────────────────────────────────────────


def test_splits_and_sectors_come_from_their_own_files(tmp_path):
    folder = write(
        tmp_path, AAPL=FULL, splits="symbol,date,ratio\naapl,2022-03-01,4\n", sectors="Symbol,Sector\nAAPL,Energy\n"
    )

    raw = read(folder)

    assert [f"{split.symbol} {split.session} {split.ratio}" for split in raw.splits] == ["AAPL 2022-03-01 4"]
    assert raw.sectors == {"AAPL": "Energy"}
    assert raw.symbols == ("AAPL",)


def test_a_split_after_as_of_is_not_delivered(tmp_path):
    folder = write(tmp_path, AAPL=FULL, splits="symbol,date,ratio\nAAPL,2022-03-01,4\n")

    assert Files(folder).bars(date(2022, 2, 28)).splits == ()


def test_splits_and_sectors_of_symbols_without_prices_are_left_aside(tmp_path):
    folder = write(
        tmp_path, AAPL=FULL, splits="symbol,date,ratio\nMSFT,2022-03-01,4\n", sectors="symbol,sector\nMSFT,Energy\n"
    )

    raw = read(folder)

    assert (raw.splits, raw.sectors) == ((), {})


@pytest.mark.parametrize("line", ["AAPL,1/3/2022,4", "AAPL,2022-03-01,four", "AAPL,2022-03-01,4:1"])
def test_a_split_that_cannot_be_read_is_refused(tmp_path, line):
    folder = write(tmp_path, AAPL=FULL, splits=f"symbol,date,ratio\n{line}\n")

    assert "is no split, wanted for example AAPL,2020-08-31,4" in refusal(folder)


def test_splits_without_their_header_are_refused(tmp_path):
    folder = write(tmp_path, AAPL=FULL, splits="AAPL,2022-03-01,4\n")

    assert refusal(folder) == "splits.csv lacks symbol, date, ratio: its first line must be symbol,date,ratio"


@pytest.mark.parametrize("line", ["AAPL,2022-03-01", "AAPL"])
def test_a_short_line_of_splits_is_refused(tmp_path, line):
    assert "is no split" in refusal(write(tmp_path, AAPL=FULL, splits=f"symbol,date,ratio\n{line}\n"))


# ── Parquet ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("indexed", [True, False])
def test_parquet_files_read_like_csv_files(tmp_path, indexed):
    frame = pd.DataFrame({"Date": pd.to_datetime(["2022-02-28", "2022-03-01"]), "Close": [11.0, 12.0]})
    (frame.set_index("Date") if indexed else frame).to_parquet(tmp_path / "AAPL.parquet")

    raw = read(tmp_path)

    assert raw.symbols == ("AAPL",)
    assert raw.sessions.astype(str).tolist() == ["2022-02-28", "2022-03-01"]
    assert raw.close[:, 0].tolist() == [11, 12]


def test_a_nameless_date_index_of_parquet_is_the_date(tmp_path):
    index = pd.DatetimeIndex(["2022-03-01 16:00"], tz="America/New_York")
    pd.DataFrame({"close": [12.0]}, index=index).to_parquet(tmp_path / "AAPL.parquet")

    assert read(tmp_path).sessions.astype(str).tolist() == ["2022-03-01"]


def test_parquet_dates_and_whole_numbers_are_understood(tmp_path):
    frame = pd.DataFrame({"date": [date(2022, 3, 1)], "close": [12], "volume": [3_000_000_000]})
    frame.to_parquet(tmp_path / "AAPL.parquet")

    raw = read(tmp_path)

    assert (raw.close[0, 0], raw.volume[0, 0]) == (12, 3_000_000_000)


def test_a_file_that_only_calls_itself_parquet_is_refused(tmp_path):
    (tmp_path / "AAPL.parquet").write_text(FULL, encoding="utf-8")

    assert "AAPL.parquet cannot be read as Parquet" in refusal(tmp_path)


def test_without_the_parquet_reader_the_message_says_what_to_install(tmp_path, monkeypatch):
    pd.DataFrame({"date": ["2022-03-01"], "close": [12.0]}).to_parquet(tmp_path / "AAPL.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    assert refusal(tmp_path) == 'To read AAPL.parquet, install the Parquet reader: pip install "bensbot[parquet]"'


# ── reading once ──────────────────────────────────────────────────────────────────────────────────


def test_the_folder_is_read_once(tmp_path):
    write(tmp_path, AAPL=FULL)

    assert Files(tmp_path).sessions() is Files(tmp_path).sessions()


def test_a_changed_file_is_read_again(tmp_path):
    write(tmp_path, AAPL=FULL)
    assert read(tmp_path).close[1, 0] == 12

    write(tmp_path, AAPL=FULL.replace(",12,200", ",13,200"))
    os.utime(tmp_path / "AAPL.csv", ns=(1, 1))

    assert read(tmp_path).close[1, 0] == 13
