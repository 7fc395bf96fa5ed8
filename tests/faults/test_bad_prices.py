"""Bad bars in the user's own files, through whole cycles. The numbers are the cases of the list of faults."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from tests.unit.core.trading import Desk, open_desk
from trading_bot.core.cycle import run_cycle
from trading_bot.core.hours import TradingHours
from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Rejected
from trading_bot.state import check_ledger

BEGIN, EVE, LAST = date(2022, 1, 3), date(2022, 6, 14), date(2022, 6, 15)
GOOD, BAD = Symbol("GOOD"), Symbol("BADD")
Row = list[str]


def sessions() -> list[str]:
    return [str(day) for day in TradingHours().sessions_between(BEGIN, LAST)]


def rising() -> list[Row]:
    """Return bars that every strategy which follows a trend wants to hold: a dollar up each session."""
    return [[day, *[f"{100 + number}.00"] * 4, "1000000"] for number, day in enumerate(sessions())]


def write(folder: Path, symbol: str, rows: Sequence[Row]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"{symbol}.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["date", "open", "high", "low", "close", "volume"], *rows])


@contextmanager
def desk_with(
    tmp_path: Path, bad: Sequence[Row], *, names: Sequence[str] = (BAD,), min_coverage: float = 0.5
) -> Iterator[Desk]:
    """Open a bot that reads one good symbol and some with the given bars, and trades a session at a time."""
    prices = tmp_path / "prices"
    write(prices, GOOD, rising())
    for name in names:
        write(prices, name, bad)
    data = {"source": "files", "folder": prices, "symbols": [], "start": BEGIN, "min_coverage": min_coverage}
    team = {"team": ["sma_cross", "momentum"]}
    with open_desk(tmp_path / "state", data=data, strategy=team, risk={"max_correlated_positions": 9}) as desk:
        yield desk


def with_last(price: str) -> list[Row]:
    """Return good bars of which the last one has this price."""
    *before, last = rising()
    return [*before, [last[0], price, price, price, price, last[5]]]


def trade(desk: Desk) -> CycleReport:
    return run_cycle(desk.bot, run_id="run", as_of=LAST)


def entered(report: CycleReport) -> set[str]:
    return {order.symbol for order in report.orders}


def test_good_bars_are_bought(tmp_path: Path):
    with desk_with(tmp_path, rising()) as desk:
        assert entered(trade(desk)) == {GOOD, BAD}


@pytest.mark.parametrize("price", ["nan", "", "inf", "-inf", "0", "-12.50", "1e300"])
def test_fault_32_a_price_that_is_none_quarantines_its_symbol_and_no_other(tmp_path: Path, price: str):
    with desk_with(tmp_path, with_last(price)) as desk:
        report = trade(desk)

        assert entered(report) == {GOOD}
        assert set(report.market.quarantined) == {BAD}
        assert str(LAST) in report.market.quarantined[BAD]
        assert check_ledger(desk.bot.book.engine) == ()


def test_fault_32_a_high_below_the_low_refuses_the_bar(tmp_path: Path):
    *before, last = rising()
    with desk_with(tmp_path, [*before, [last[0], "100", "90", "110", "100", "1"]]) as desk:
        report = trade(desk)

    assert entered(report) == {GOOD}
    assert "high" in report.market.quarantined[BAD]


@pytest.mark.parametrize("price", ["nan", "0", "-5"])
def test_fault_32_a_holding_without_a_price_is_kept_at_its_last_one_and_not_traded(tmp_path: Path, price: str):
    with desk_with(tmp_path, rising()) as desk:
        run_cycle(desk.bot, run_id="one", as_of=date(2022, 6, 13))
        run_cycle(desk.bot, run_id="two", as_of=EVE)
        write(tmp_path / "prices", BAD, with_last(price))

        report = trade(desk)

        assert report.portfolio.held(BAD) > 0
        assert BAD not in entered(report)
        assert report.prices[BAD] == 100 + len(rising()) - 2
        assert check_ledger(desk.bot.book.engine) == ()


def test_fault_39_the_order_of_the_rows_does_not_matter(tmp_path: Path):
    with desk_with(tmp_path, list(reversed(rising()))) as desk:
        report = trade(desk)

    assert entered(report) == {GOOD, BAD}
    assert report.market.session == LAST


def test_fault_39_a_row_that_repeats_another_counts_once(tmp_path: Path):
    with desk_with(tmp_path, [*rising(), rising()[-1], rising()[0]]) as desk:
        report = trade(desk)

    assert entered(report) == {GOOD, BAD}
    assert any("repeat another row exactly" in note for note in report.market.notes)


def test_fault_39_rows_that_contradict_each_other_are_refused(tmp_path: Path):
    with desk_with(tmp_path, [*rising(), [str(LAST), "50", "50", "50", "50", "1"]]) as desk:
        report = trade(desk)

    assert entered(report) == {GOOD}
    assert any("contradict each other" in note for note in report.market.notes)


def test_fault_39_missing_days_do_not_shift_the_others(tmp_path: Path):
    with desk_with(tmp_path, [row for number, row in enumerate(rising()) if number % 7]) as desk:
        report = trade(desk)

    assert entered(report) <= {GOOD, BAD}
    assert GOOD in entered(report)
    assert [str(day) for day in report.market.history.sessions] == sessions()


def test_fault_39_a_missing_last_bar_is_no_reason_to_use_the_one_before(tmp_path: Path):
    with desk_with(tmp_path, rising()[:-1]) as desk:
        report = trade(desk)

    assert entered(report) == {GOOD}
    assert report.market.quarantined[BAD] == f"no bar for {LAST}; last one {EVE}"


def test_fault_39_bars_after_the_session_are_not_seen(tmp_path: Path):
    with desk_with(tmp_path, rising()) as desk:
        report = run_cycle(desk.bot, run_id="run", as_of=EVE)

    assert report.market.history.last_session == EVE


@pytest.mark.parametrize("stamp", ["{}T16:00:00", "{} 16:00:00-04:00", "{}T20:00:00+00:00"])
def test_fault_39_timestamps_of_any_kind_mean_their_day(tmp_path: Path, stamp: str):
    summer = [[stamp.format(day), *rest] for day, *rest in rising() if day >= "2022-03-14"]  # four hours behind UTC
    with desk_with(tmp_path, summer) as desk:
        report = trade(desk)

    assert set(report.market.quarantined) == set()


def test_fault_39_files_that_are_no_prices_stop_the_cycle_with_their_name(tmp_path: Path):
    with desk_with(tmp_path, rising()) as desk:
        (tmp_path / "prices" / "HTML.csv").write_text("<html><body>Too many requests</body></html>\n")

        with pytest.raises(DataError, match=r"HTML\.csv"):
            run_cycle(desk.bot, run_id="run")

        assert desk.rows("SELECT * FROM intents") == []


def test_fault_40_half_of_the_universe_missing_leaves_the_rest_to_be_traded(tmp_path: Path):
    with desk_with(tmp_path, rising()[:-1], min_coverage=0.5) as desk:
        report = trade(desk)

    assert (report.market.coverage.usable, report.market.coverage.wanted) == (1, 2)
    assert not report.market.below_minimum_coverage
    assert entered(report) == {GOOD}


def test_fault_40_below_the_minimum_nothing_is_bought(tmp_path: Path):
    with desk_with(tmp_path, rising()[:-1], names=["BADA", "BADB"], min_coverage=0.5) as desk:
        report = trade(desk)

    assert (report.market.coverage.usable, report.market.coverage.wanted) == (1, 3)
    assert report.market.below_minimum_coverage
    assert report.orders == ()
    assert [(type(d), d.rule) for d in report.decisions] == [(Rejected, "coverage")]


def test_fault_40_below_the_minimum_exits_still_work(tmp_path: Path):
    with desk_with(tmp_path, rising(), names=["BADA", "BADB"], min_coverage=0.5) as desk:
        run_cycle(desk.bot, run_id="one", as_of=date(2022, 6, 13))
        run_cycle(desk.bot, run_id="two", as_of=EVE)
        for name in ("BADA", "BADB"):
            write(tmp_path / "prices", name, rising()[:-1])
        # GOOD loses two thirds on its last day: the position stop wants out
        *before, last = rising()
        write(tmp_path / "prices", GOOD, [*before, [last[0], "70.00", "70.00", "70.00", "70.00", "1000000"]])

        report = trade(desk)

    assert report.market.below_minimum_coverage
    assert [(order.symbol, order.side) for order in report.orders] == [(GOOD, "sell")]
