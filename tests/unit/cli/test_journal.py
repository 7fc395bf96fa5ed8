"""`bensbot why`, `journal`, `replay`, `what-if`, `orders`, `account` and `reconcile` as a user meets them."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import change
from trading_bot import cli

SETTINGS = """
data: {symbols: [AAPL, AMD, HD, LLY, MSFT, RRC]}
orchestrator: {enable_strategy_rotation: false}
risk: {max_open_trades: 2, max_position_pct: 0.030}
"""

Said = tuple[int, str, str]  # exit code, standard output, standard error
Bensbot = Callable[..., Said]


@pytest.fixture
def bensbot(
    traded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bensbot:
    """Run `bensbot WORDS` beside a book of three sessions."""
    (tmp_path / "config.yaml").write_text(f"{SETTINGS}state: {{folder: {traded}}}\n")
    return caller(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a book in which three sessions were traded."""
    folder = tmp_path_factory.mktemp("traded")
    (folder / "config.yaml").write_text(SETTINGS)
    logs = logging.getLogger("trading_bot")
    before = list(logs.handlers), logs.level, logs.propagate
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["bensbot", "run", "--sessions", "3"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 0
    for handler in logs.handlers:
        if handler not in before[0]:
            handler.close()
    logs.handlers, logs.propagate = before[0], before[2]
    logs.setLevel(before[1])
    return folder / ".bensbot"


def caller(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bensbot:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["bensbot", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


def document(said: Said) -> Any:
    code, out, _ = said
    assert code == 0
    return json.loads(out)


# ── what they need ────────────────────────────────────────────────────────────────────────────────

ONLY_TRADERS_NEED = {
    "alembic",
    "exchange_calendars",
    "pandas",
    "prefect",
    "sqlalchemy.orm",
    "trading_bot.brokers",
    "trading_bot.data",
    "trading_bot.domain.cash",
    "trading_bot.domain.statistics",
    "trading_bot.risk.manager",
    "trading_bot.risk.rules",
    "trading_bot.state.audit_money",
    "trading_bot.state.journal",
    "trading_bot.state.ledger",
    "trading_bot.state.records",
    "trading_bot.strategies.pairs",
    "trading_bot.tournament",
}
ONLY_THINKING_NEEDS = {"numpy", "trading_bot.core.again", "trading_bot.domain.inputs", "trading_bot.domain.ports"}


@pytest.mark.parametrize(
    ("words", "needless"),
    [(["why", "AMD"], ONLY_TRADERS_NEED), (["journal"], ONLY_TRADERS_NEED | ONLY_THINKING_NEEDS)],
)
def test_who_asks_the_book_waits_for_no_import_of_what_others_need(traded: Path, words: list[str], needless: set[str]):
    code = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); from trading_bot import cli; cli.main()"

    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=traded.parent, capture_output=True, text=True, check=True
    )

    imported = set(done.stdout.splitlines()[-1].split())
    assert "trading_bot.state.stories" in imported
    assert imported & needless == set()


# ── why ───────────────────────────────────────────────────────────────────────────────────────────


def test_why_tells_what_was_bought_by_whom_and_what_came_of_it(bensbot: Bensbot):
    code, out, _ = bensbot("why", "amd", "--cycle", "2022-01-03")

    assert code == 0
    assert out.splitlines()[:2] == [
        "AMD in the cycle of 2022-01-03 (20220103T210000Z)",
        "Buy 19 of 22 AMD: 19 filled at $144.50.",
    ]
    for said in (
        "Signal  wanted at 3.3% of equity; sma_cross: the 20-session mean 143.16 is above",
        "Before  none held; close $150.24",
        "Team    from the settings (strategy.team); all votes together",
        "rsi_reversion: RSI 55.5 has not fallen below 30",
        "max_position: 19.968 of 22 allowed; a position may be 3.0% of equity, asked were 3.3%.",
        "(POSITION_EXCEEDS_MAX_PCT: observed 0.0331, limit 0.03 share of equity)",
        "also passed: price_sanity, trading_state",
        "Order   bb-20220103T210000Z-AMD-buy-entry is filled",
        "Fill    2022-01-04: 19 at $144.50",
        "Market  The S&P 500 closed",
        "bensbot replay 20220103T210000Z",
    ):
        assert said in out


def test_why_tells_why_nothing_was_bought(bensbot: Bensbot):
    refused = document(bensbot("journal", "--outcome", "rejected", "--json"))["decisions"][0]

    _, out, _ = bensbot("why", refused["symbol"], "--cycle", refused["cycle_id"])

    assert f"Nothing was traded: buy {refused['requested']} {refused['symbol']} was refused by max_open_trades" in out


def test_why_tells_why_there_was_nothing_to_decide(bensbot: Bensbot):
    _, out, _ = bensbot("why", "RRC", "--cycle", "2022-01-04")

    assert "Nothing was done: it is wanted at 3.3% of equity and held at 3." in out
    assert "no further apart than strategy.rebalance_threshold (2.0%)." in out
    assert "Last    2022-01-03: trimmed, buy 165 of 183 RRC (bensbot why RRC --cycle 20220103T210000Z)" in out


def test_why_has_everything_for_machines(bensbot: Bensbot):
    told = document(bensbot("why", "AMD", "--cycle", "20220103T210000Z", "--json"))

    assert told["decision"]["outcome"] == "resized"
    assert told["decision"]["rule"] == "max_position"
    check = next(check for check in told["decision"]["rulings"] if check["allowed"] != check["asked"])
    assert set(check) == {"rule", "code", "asked", "allowed", "observed", "limit", "unit", "message"}
    assert check["limit"] == "0.03"
    assert len(told["thinking"]["market_hash"]) == 64
    assert [seat["strategy"] for seat in told["thinking"]["team"]] == ["sma_cross", "rsi_reversion", "momentum"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("why", "APL"), "APL is not among the 6 symbols that the cycle looked at. Did you mean AAPL?"),
        (("why", "AAPL", "--cycle", "2022-02-01"), "No cycle 2022-02-01 has decided anything. The nearest: "),
        (("replay", "20220104T2100"), "The nearest: 20220103T210000Z, 20220104T210000Z."),
        (("replay", "--from", "2023-01-01"), "No cycle has decided anything since 2023-01-01."),
    ],
)
def test_what_is_not_in_the_book_is_said_with_what_is(bensbot: Bensbot, words: tuple[str, ...], said: str):
    code, out, err = bensbot(*words)

    assert (code, out) == (1, "")
    assert said in err


def test_without_a_book_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    code, _, err = caller(tmp_path, monkeypatch, capsys)("why", "AAPL")

    assert code == 1
    assert "holds no book yet. The first cycle makes one: bensbot run --once" in err


# ── journal ───────────────────────────────────────────────────────────────────────────────────────


def test_the_journal_begins_with_the_newest(bensbot: Bensbot):
    found = document(bensbot("journal", "--json", "--limit", "0"))

    sessions = [entry["session"] for entry in found["decisions"]]
    assert sessions == sorted(sessions, reverse=True)
    assert found["more"] is False
    assert set(sessions) == {"2022-01-03", "2022-01-04", "2022-01-05"}


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (("--symbol", "amd"), "symbol", "AMD"),
        (("--rule", "max_open_trades"), "rule", "max_open_trades"),
        (("--outcome", "resized"), "outcome", "resized"),
        (("--outcome", "refused"), "outcome", "rejected"),
        (("--from", "2022-01-04", "--to", "2022-01-04"), "session", "2022-01-04"),
        (("--cycle", "2022-01-05"), "cycle_id", "20220105T210000Z"),
    ],
)
def test_the_journal_is_filtered(bensbot: Bensbot, words: tuple[str, ...], key: str, value: str):
    every = document(bensbot("journal", "--json", "--limit", "0"))["decisions"]

    found = document(bensbot("journal", "--json", *words))

    assert found["decisions"] == [entry for entry in every if entry[key] == value]
    assert found["decisions"]


def test_the_journal_says_that_there_are_more(bensbot: Bensbot):
    _, out, _ = bensbot("journal", "--limit", "2")

    assert "2 decisions, and there are older ones (--limit)." in out
    assert out.count("2022-01-05") == 2


def test_a_stock_without_a_decision_leads_to_what_was_thought_of_it(bensbot: Bensbot):
    said = "No decision is like that. What was thought of KO: bensbot why KO\n"

    assert bensbot("journal", "--symbol", "ko") == (0, said, "")
    assert bensbot("journal", "--rule", "stop_guard") == (0, "No decision is like that.\n", "")


def test_the_journal_opens_in_a_spreadsheet(bensbot: Bensbot):
    _, out, _ = bensbot("journal", "--csv", "--symbol", "AMD", "--to", "2022-01-03")

    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["symbol"], row["quantity"], row["order_status"]) == ("AMD", "19", "filled")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--json", "--csv"), "write one of them"),
        (("--limit", "-1"), "--limit -1 is no number of decisions"),
        (("--rule", "max_open_trade"), "max_open_trades"),
        (("--states", "--symbol", "AMD", "--rule", "coverage"), "which know no --symbol, --rule"),
        (("--from", "2022-02-01", "--to", "2022-01-03"), "--from 2022-02-01 is after --to 2022-01-03"),
    ],
)
def test_a_question_without_an_answer_is_refused(bensbot: Bensbot, words: tuple[str, ...], said: str):
    code, _, err = bensbot("journal", *words)

    assert code == 2
    assert said in err


def test_the_journal_of_states_says_who_changed_them_when_and_why(traded: Path, bensbot: Bensbot, tmp_path: Path):
    shutil.copytree(traded, tmp_path / "copy")
    (tmp_path / "config.yaml").write_text(f"{SETTINGS}state: {{folder: {tmp_path / 'copy'}}}\n")
    none = "There is no such change of the trading state. What holds now: bensbot status\n"
    assert bensbot("journal", "--states") == (0, none, "")
    bensbot("pause", "--because", "lunch")
    bensbot("halt", "--because", "a strange quote")
    bensbot("halt", "--because", "still strange")

    newest, middle, oldest = document(bensbot("journal", "--states", "--json"))["changes"]
    assert [change["new_state"] for change in (newest, middle, oldest)] == ["halted", "halted", "paused"]
    assert (oldest["old_state"], oldest["cause"]) == ("active", "lunch")
    assert oldest["changed_by"]

    _, out, _ = bensbot("journal", "--states", "--limit", "2")
    words = [" ".join(line.split()) for line in out.splitlines()]
    assert words[0] == "when (UTC) change by why"
    assert words[1].endswith("still strange")
    assert "halted, again" in words[1]
    assert "paused → halted" in words[2]
    assert words[3] == "2 changes, and there are older ones (--limit). What holds now: bensbot status"

    _, out, _ = bensbot("journal", "--states", "--csv", "--from", oldest["changed_at"][:10])
    assert [row["cause"] for row in csv.DictReader(io.StringIO(out))] == ["still strange", "a strange quote", "lunch"]


# ── replay and what-if ────────────────────────────────────────────────────────────────────────────


def test_every_cycle_is_decided_again_bit_for_bit(bensbot: Bensbot):
    code, out, _ = bensbot("replay", "--from", "2022-01-01")

    assert code == 0
    assert [line.partition(" ")[0] for line in out.splitlines()] == [
        "20220103T210000Z", "20220104T210000Z", "20220105T210000Z",
    ]  # fmt: skip
    assert all(line.endswith("and the same again, bit for bit.") for line in out.splitlines())


def test_what_does_not_come_out_again_is_shown_and_fails(traded: Path, bensbot: Bensbot, tmp_path: Path):
    bent = tmp_path / "bent"
    bent.mkdir()
    (bent / "bensbot.db").write_bytes((traded / "bensbot.db").read_bytes())
    change(bent / "bensbot.db", "UPDATE signals SET strength = '0.5' WHERE cycle_id LIKE '20220103%' AND number = 0")
    (tmp_path / "config.yaml").write_text(f"{SETTINGS}state: {{folder: {bent}}}\n")

    code, out, _ = bensbot("replay", "2022-01-03")

    assert code == 1
    assert "and not the same again: decision 1, " in out
    assert "signal.strength is 0.5 then, and " in out


def test_what_if_shows_what_would_have_changed(bensbot: Bensbot):
    told = document(bensbot("what-if", "2022-01-03", "--set", "risk.max_position_pct=0.02", "--json"))

    amd = next(change for change in told["changes"] if change["symbol"] == "AMD")
    assert (amd["then"]["approved"], amd["now"]["approved"]) == ("19", "13")
    assert told["settings"] == ["risk.max_position_pct=0.02"]


def test_what_if_in_words(bensbot: Bensbot):
    _, out, _ = bensbot("what-if", "2022-01-03", "--set", "risk.max_position_pct=0.02")

    heads, amd = (next(line for line in out.splitlines() if line.startswith(word)) for word in ("symbol", "AMD"))
    assert heads.split() == ["symbol", "then", "now"]
    assert re.split("  +", amd.strip()) == [
        "AMD",
        "buy 19 of 22 AMD, trimmed by max_position: a position may be 3.0% of equity, asked were 3.3%",
        "buy 13 of 22 AMD, trimmed by max_position: a position may be 2.0% of equity, asked were 3.3%",
    ]


def test_what_if_says_why_something_is_wanted_that_was_not(bensbot: Bensbot):
    _, out, _ = bensbot("what-if", "2022-01-05", "--set", "risk.time_stop_sessions=1")

    assert "no decision, nothing was wanted" in out
    assert ", approved: time_stop: held for 1 session since 2022-01-04, 1 are the limit" in out


def test_what_changes_nothing_says_so(bensbot: Bensbot):
    _, out, _ = bensbot("what-if", "2022-01-03", "--set", "risk.max_sector_allocation=0.9")

    assert "Nothing changes: the same " in out


def test_what_if_refuses_what_cannot_matter(bensbot: Bensbot):
    code, _, err = bensbot("what-if", "--set", "data.source=files")

    assert code == 2
    assert "data.source does not change what is made of a market that is on record." in err


# ── orders, account and reconcile ─────────────────────────────────────────────────────────────────


def test_orders_are_listed_with_what_became_of_them(bensbot: Bensbot):
    _, out, _ = bensbot("orders", "--symbol", "amd")

    assert out.splitlines() == [
        "2022-01-05  sell 19 AMD          accepted",
        "2022-01-03  buy 19 AMD           filled at $144.50",
    ]


def test_open_orders_alone(bensbot: Bensbot):
    (order,) = document(bensbot("orders", "--open", "--json"))

    assert (order["symbol"], order["order"]["status"]) == ("AMD", "accepted")


def test_an_order_that_nobody_sent_is_said_so(bensbot: Bensbot):
    assert bensbot("orders", "--symbol", "KO") == (0, "No order in KO was sent yet.\n", "")
    assert bensbot("orders", "--symbol", "RRC", "--open") == (0, "No order in RRC is open.\n", "")


def test_the_account_stands_beside_the_book(bensbot: Bensbot):
    code, out, _ = bensbot("account")
    told = document(bensbot("account", "--json"))

    assert code == 0
    assert out.startswith("paper account PAPER\n  cash          $")
    assert out.endswith("Our book and the broker's agree, to the share and to the cent.\n")
    assert told["agrees_with_book"] is True
    assert {held["symbol"] for held in told["positions"]} == {"AMD", "RRC"}


def test_reconcile_finds_nothing_to_do(bensbot: Bensbot):
    told = document(bensbot("reconcile", "--json"))

    assert (told["agrees"], told["fills"], told["state"]) == (True, [], "active")
    assert bensbot("reconcile")[1] == "Our book and the broker's agree, to the share and to the cent.\n"


def test_reconcile_says_what_differs_and_fails(traded: Path, bensbot: Bensbot, tmp_path: Path):
    bent = tmp_path / "bent"
    shutil.copytree(traded, bent)
    change(bent / "paper.db", "UPDATE paper_account SET cash = '1.00'")
    (tmp_path / "config.yaml").write_text(f"{SETTINGS}state: {{folder: {bent}}}\n")

    code, out, _ = bensbot("reconcile")

    assert code == 1
    assert "$1.00 at the broker" in out
    assert out.endswith("Only exits are let through until: bensbot resume\n")

    code, out, _ = bensbot("reconcile", "--accept-cash", "--because", "I bent it")

    assert code == 0
    assert "cash    unexplained -$" in out
    assert " (bensbot): I bent it)" in out
    assert "Our book and the broker's agree, to the share and to the cent.\nOnly exits are let through" in out


@pytest.mark.parametrize("words", [("--accept-cash",), ("--because", "it is so"), ("--accept-cash", "--because", " ")])
def test_the_owners_word_needs_a_reason(bensbot: Bensbot, words: tuple[str, ...]):
    code, _, err = bensbot("reconcile", *words)

    assert code == 2
    assert '--accept-cash and --because "…" belong together: the book keeps your reason.' in err
