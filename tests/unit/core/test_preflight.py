"""What `bensbot doctor` finds before money depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import WallClock, change, open_desk, settings_in
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.core.preflight import Finding, Verdict, examine
from trading_bot.domain.errors import CredentialsRefused
from trading_bot.domain.ports import BrokerAccount

NOW = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)  # the day before Thanksgiving


def found(folder: Path, **sections: dict[str, Any]) -> dict[str, Finding]:
    return by_part(examine(settings_in(folder, **sections), WallClock(NOW)))


def by_part(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.part: finding for finding in findings}


def verdicts(findings: dict[str, Finding]) -> dict[str, str]:
    return {part: finding.verdict.value for part, finding in findings.items()}


def test_before_the_first_cycle_all_is_well_but_nobody_is_told_and_nothing_is_made(tmp_path: Path):
    findings = found(tmp_path / "state")

    assert verdicts(findings) == {
        "plug-ins": "pass", "disk": "pass", "book": "pass", "prices": "pass", "news": "pass",
        "calendar": "pass", "broker": "pass", "notices": "warn",
    }  # fmt: skip
    assert findings["notices"].fix.startswith("set notification.urls")
    assert list(tmp_path.iterdir()) == []


def test_a_book_that_breaks_a_law_fails_with_the_row(folder: Path):
    with open_desk(folder) as desk:
        cycle.run_cycle(desk.bot, run_id="run")
    change(folder / "bensbot.db", "UPDATE cash_ledger SET amount = '1000000.00'")

    book = found(folder)["book"]

    assert book.verdict is Verdict.FAIL
    assert book.violations
    assert "restore a backup" in book.fix


def test_a_book_of_an_older_version_is_brought_up_to_date_by_the_next_cycle(folder: Path):
    change(folder / "bensbot.db", "UPDATE bensbot_version SET version_num = '0004'")

    book = found(folder)["book"]

    assert book.verdict is Verdict.WARN
    assert "has schema 0004; the next cycle migrates it to 0010" in book.said


def test_the_book_of_another_account_fails(folder: Path):
    with open_desk(folder) as desk:
        cycle.run_cycle(desk.bot, run_id="run")
    change(folder / "bensbot.db", "UPDATE account SET account_id = 'SOMEBODY'")

    broker = found(folder)["broker"]

    assert broker.verdict is Verdict.FAIL
    assert "the book belongs to paper SOMEBODY" in broker.said


def test_the_broker_is_asked_for_what_the_book_has(folder: Path):
    with open_desk(folder) as desk:
        for _ in range(2):  # orders of the first session fill at the next one
            cycle.run_cycle(desk.bot, run_id="run")
    agreed = found(folder)["account"]
    assert found(folder)["positions"].said == "5 positions held and priced"
    (folder / "paper.db").unlink()  # the next cycle makes another one, with what a new account has

    account = found(folder)["account"]

    said = "Our book and the broker's agree, to the share and to the cent."
    assert (agreed.verdict, agreed.said) == (Verdict.PASS, said)
    assert account.verdict is Verdict.FAIL
    assert account.said.startswith(
        "Our book and the broker's differ. AAPL: 9 shares in our book, 0 at the broker; AMD: "
    )
    assert account.said.endswith("; cash: $88,682.85 in our book, $100,000.00 at the broker")
    assert account.fix.startswith("bensbot reconcile ")
    assert not (folder / "paper.db").exists()


def test_what_is_held_and_not_priced_any_more_fails(folder: Path):
    with open_desk(folder) as desk:
        for _ in range(2):
            cycle.run_cycle(desk.bot, run_id="run")

    unknown = found(folder, data={"symbols": ["AAPL"]})["positions"]

    assert (unknown.verdict, unknown.fix) == (Verdict.FAIL, "no cycle trades while something that is held has no price")
    assert unknown.said.startswith("AMD is held, but the price source does not know it. Add it to data.symbols")


def test_what_a_cycle_has_not_booked_yet_is_no_failure(folder: Path):
    with open_desk(folder) as desk:
        cycle.run_cycle(desk.bot, run_id="run")  # its five orders fill at the next session
    opened = "UPDATE paper_account SET cash = '99000.00'"
    bought = "INSERT INTO paper_positions VALUES ('AMD', '10', '100.00')"
    change(folder / "paper.db", opened, bought)
    open_order = found(folder)["account"]
    change(folder / "bensbot.db", "UPDATE orders SET status = 'filled', settled = 1")
    nothing_open = found(folder)["account"]
    with open_desk(folder) as desk:
        admit(desk.bot, run_id="another")
        trading = found(folder)["account"]

    assert (open_order.verdict, open_order.fix) == (
        Verdict.WARN,
        "the next cycle books what became of open orders; bensbot reconcile does so now",
    )
    assert nothing_open.verdict is Verdict.FAIL
    assert (trading.verdict, trading.fix.startswith("a cycle is trading")) == (Verdict.WARN, True)


def test_news_are_counted_and_lines_that_are_none_named(folder: Path, tmp_path: Path):
    (tmp_path / "n.jsonl").write_text('{"published": "2022-01-03T15:00:00Z", "headline": "A"}\nnews?', encoding="utf-8")
    news = found(folder, news={"source": "file", "file": tmp_path / "n.jsonl"})["news"]
    gone = found(folder, news={"source": "file", "file": tmp_path / "gone.jsonl"})["news"]

    assert (news.verdict, news.fix) == (Verdict.WARN, "mend the lines that are named")
    assert news.said == ("file: 1 story; n.jsonl, line 2: it is no JSON: Expecting value at character 1")
    assert (gone.verdict, "cannot be read" in gone.said) == (Verdict.FAIL, True)


def test_each_news_source_is_looked_at_by_itself(folder: Path, tmp_path: Path):
    (tmp_path / "n.jsonl").write_text('{"published": "2022-01-03T15:00:00Z", "headline": "A"}', encoding="utf-8")
    wanted = {"sources": ["file", "alpaca"], "file": tmp_path / "n.jsonl"}
    findings = examine(settings_in(folder, news=wanted), WallClock(NOW))
    file, alpaca = (finding for finding in findings if finding.part == "news")

    assert (file.verdict, file.said) == (Verdict.PASS, "file: 1 story")
    assert (alpaca.verdict, "BENSBOT_BROKER__API_KEY" in alpaca.said) == (Verdict.FAIL, True)
    assert alpaca.fix == "look at the settings under news, and at what docs/news.md says of alpaca"
    assert found(folder, news={"sources": ["astrology"]})["news"].verdict is Verdict.FAIL


def test_prices_that_are_not_there_fail(folder: Path, tmp_path: Path):
    prices = found(folder, data={"source": "files", "folder": str(tmp_path / "nowhere"), "symbols": []})["prices"]

    assert prices.verdict is Verdict.FAIL
    assert "nowhere" in prices.said


def test_a_history_that_is_at_its_end_fails(folder: Path):
    prices = found(folder, data={"start": "2023-06-01"})["prices"]

    assert prices.verdict is Verdict.FAIL
    assert "data.start" in prices.fix


def test_a_strategy_that_is_not_here_fails(folder: Path):
    assert found(folder, strategy={"team": ["astrology"]})["plug-ins"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("free", "verdict"), [(50_000_000, Verdict.FAIL), (500_000_000, Verdict.WARN), (5_000_000_000, Verdict.PASS)]
)
def test_room_on_the_disk(folder: Path, free: int, verdict: Verdict):
    findings = by_part(examine(settings_in(folder), WallClock(NOW), free_bytes=lambda _: free))

    assert findings["disk"].verdict is verdict


CLOSES, EARLY = time(21, tzinfo=UTC), time(18, tzinfo=UTC)  # four o'clock and one o'clock in New York, in winter
FRIDAY = date(2026, 12, 4)
SESSIONS = {date(2026, 11, 25): CLOSES, date(2026, 11, 27): EARLY} | {
    date(2026, 11, 30) + timedelta(days=n): CLOSES for n in (0, 1, 2, 3, 4, 7, 8, 9)
}


class Elsewhere:
    """A broker that answers what a test wants it to."""

    def __init__(
        self,
        account: BrokerAccount | None = None,
        *,
        ahead: float = 0.0,
        sessions: Mapping[date, time] = SESSIONS,
    ) -> None:
        self._account, self._ahead, self._sessions = account, timedelta(seconds=ahead), sessions
        self.closed = False

    def account(self) -> BrokerAccount:
        if self._account is None:
            raise CredentialsRefused("the keys are not known")
        return self._account

    def time_there(self) -> datetime:
        return NOW + self._ahead

    def session_times(self, first: date, last: date) -> dict[date, tuple[datetime, datetime]]:
        opens = time(14, 30, tzinfo=UTC)
        return {
            day: (datetime.combine(day, opens), datetime.combine(day, closes))
            for day, closes in self._sessions.items()
            if first <= day <= last
        }

    def close(self) -> None:
        self.closed = True


def at(broker: Elsewhere, folder: Path, **sections: dict[str, Any]) -> dict[str, Finding]:
    def connect(*_: object, folder: Path | None) -> Any:
        del folder
        return broker

    return by_part(examine(settings_in(folder, **sections), WallClock(NOW), connect=connect))


def account(mode: str = "paper", buying_power: str = "100", *, blocked: bool = False) -> BrokerAccount:
    return BrokerAccount("A1", mode, Decimal(100), Decimal(buying_power), blocked)


@pytest.mark.parametrize(
    ("there", "closed", "verdict", "said"),
    [
        (SESSIONS, [], Verdict.PASS, "the broker has the same 10 sessions to 2026-12-09"),
        (
            {day: closes for day, closes in SESSIONS.items() if day != FRIDAY},
            [],
            Verdict.WARN,
            "the broker has other hours on 2026-12-04",
        ),
        (SESSIONS | {FRIDAY: EARLY}, [], Verdict.WARN, "the broker has other hours on 2026-12-04"),
        (SESSIONS, ["2026-12-04"], Verdict.PASS, "the broker has the same 10 sessions to 2026-12-09"),
    ],
    ids=["the same", "a day off that we do not know", "an early close that we do not know", "closed for us alone"],
)
def test_the_next_sessions_are_compared_with_the_brokers(
    folder: Path, there: dict[date, time], closed: list[str], verdict: Verdict, said: str
):
    finding = at(Elsewhere(account(), sessions=there), folder, hours={"closed_dates": closed})["sessions"]

    assert (finding.verdict, finding.said) == (verdict, said)


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(1.9, Verdict.PASS), (-2.1, Verdict.WARN), (29.0, Verdict.WARN), (-31.0, Verdict.FAIL)]
)
def test_the_clock_is_compared_with_the_brokers(folder: Path, ahead: float, verdict: Verdict):
    assert at(Elsewhere(account(), ahead=ahead), folder)["clock"].verdict is verdict


@pytest.mark.parametrize(
    ("broker", "verdict", "said"),
    [
        (Elsewhere(account()), Verdict.PASS, "paper account A1 at paper, $100.00 to buy with"),
        (Elsewhere(account(blocked=True)), Verdict.FAIL, "is blocked"),
        (Elsewhere(account(buying_power="0")), Verdict.WARN, "has nothing to buy with"),
        (Elsewhere(account("live")), Verdict.FAIL, "broker.live_confirm: 'A1'"),
        (Elsewhere(None), Verdict.FAIL, "the keys are not known"),
    ],
)
def test_the_account_is_looked_at(folder: Path, broker: Elsewhere, verdict: Verdict, said: str):
    finding = at(broker, folder)["broker"]

    assert finding.verdict is verdict
    assert said in finding.said
    assert broker.closed
