"""`bensbot` as a user meets it: what it prints, where, and with which exit code. Called in this process."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import rows
from trading_bot import __version__, cli


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def is_one_paragraph(self) -> bool:
        return "Traceback" not in self.err and "\n\n" not in self.err.strip() and self.err.strip() != ""


Bensbot = Callable[..., Said]


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Take back what the command does to the logs of the process."""
    ours = logging.getLogger("trading_bot")
    before = (list(ours.handlers), ours.level, ours.propagate)
    yield
    for handler in ours.handlers:
        if handler not in before[0]:
            handler.close()
    ours.handlers, ours.propagate = before[0], before[2]
    ours.setLevel(before[1])
    everything = logging.getLogger()  # a command that asks for Prefect lets it log to a terminal that is gone later
    for handler in [each for each in everything.handlers if type(each).__module__.startswith("prefect.")]:
        everything.removeHandler(handler)


@pytest.fixture
def bensbot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bensbot:
    """Run `bensbot WORDS` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "9")  # whatever Prefect server the machine runs is not asked

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["bensbot", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)

    return call


@pytest.fixture
def traded(bensbot: Bensbot, tmp_path: Path) -> Bensbot:
    """The same, after the first session was traded."""
    (tmp_path / "config.yaml").write_text("data: {symbols: [AAPL, AMD, HD, LLY, MSFT, RRC]}\n")
    assert bensbot("run", "--once").code == 0
    return bensbot


def break_book(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / ".bensbot" / "bensbot.db")) as connection:
        connection.execute(statement)
        connection.commit()


def let_months_pass(folder: Path) -> None:
    """Make the book as old as if nothing had happened since January 2026."""
    break_book(folder, "UPDATE control SET changed_at = '2026-01-02T20:00:00.000000+00:00'")
    break_book(folder, "UPDATE cycles SET ended_at = '2026-01-02T21:00:05.000000+00:00'")


# ── run ───────────────────────────────────────────────────────────────────────────────────────────


def test_run_once_says_what_it_did_and_why_on_stdout(bensbot: Bensbot):
    said = bensbot("run", "--once")

    assert said.code == 0
    assert "2022-01-03" in said.out
    assert "buy" in said.out
    assert said.err == ""


def test_run_once_again_trades_the_session_after(traded: Bensbot):
    assert "2022-01-04" in traded("run", "--once").out


def test_run_as_json_is_one_document_for_one_cycle(traded: Bensbot):
    document = traded("run", "--once", "--json").document

    assert (document["status"], document["session"]) == ("completed", "2022-01-04")


def test_run_as_json_is_a_list_for_several_cycles(traded: Bensbot):
    documents = traded("run", "--sessions", "2", "--json").document

    assert [document["session"] for document in documents] == ["2022-01-04", "2022-01-05"]


def test_a_skipped_cycle_is_no_error_and_says_why(traded: Bensbot):
    traded("pause", "--because", "lunch")

    said = traded("run", "--once")

    assert said.code == 0
    assert said.err.startswith("BensBot did not trade: Trading is paused by ")
    assert "lunch" in said.err


def test_a_skipped_cycle_as_json_has_the_reason_as_a_code(traded: Bensbot):
    traded("halt")

    document = traded("run", "--once", "--json").document

    assert (document["status"], document["code"]) == ("skipped", "halted")


def test_the_end_of_the_data_is_no_error(bensbot: Bensbot):
    assert bensbot("run", "--once", "--as-of", "2022-12-28").code == 0

    said = bensbot("run", "--once")

    assert said.code == 0
    assert "There is no session after 2022-12-28" in said.err


def no_prices(folder: Path) -> None:
    """Make a folder of price files that are none, and settings that want them."""
    (folder / "prices").mkdir()
    (folder / "prices" / "AAA.csv").write_text("date,colour\n2022-01-03,green\n")
    (folder / "config.yaml").write_text("data: {source: files, folder: prices}\n")


def test_a_misspelt_symbol_is_a_wrong_setting_and_no_failure(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "config.yaml").write_text("data: {symbols: [AAPL, APPL]}\n")

    said = bensbot("run", "--once")

    assert said.code == 2
    assert "data.symbols: the source has no symbol 'APPL'. Did you mean 'AAPL'?" in said.err
    assert bensbot("status", "--json").document["consecutive_errors"] == 0


def test_a_failed_cycle_is_one_paragraph_and_exit_1(bensbot: Bensbot, tmp_path: Path):
    no_prices(tmp_path)

    said = bensbot("run", "--once")

    assert said.code == 1
    assert said.is_one_paragraph
    assert "DataError: " in said.err
    assert "AAA.csv" in said.err
    assert "bensbot status" in said.err


def test_a_failed_cycle_as_json_says_so(bensbot: Bensbot, tmp_path: Path):
    no_prices(tmp_path)

    said = bensbot("run", "--once", "--json")

    assert said.code == 1
    assert (said.document["status"], said.document["code"]) == ("failed", "DataError")


@pytest.mark.parametrize("as_of", ["2022-03-19", "1989-12-29", "2030-01-02"])
def test_a_day_that_cannot_be_traded_is_a_wrong_setting_and_no_failure(bensbot: Bensbot, as_of: str):
    said = bensbot("run", "--once", "--as-of", as_of)

    assert said.code == 2
    assert said.is_one_paragraph
    assert f"--as-of {as_of}" in said.err
    assert bensbot("status", "--json").document["consecutive_errors"] == 0


def test_no_number_of_sessions_is_a_wrong_setting(bensbot: Bensbot):
    said = bensbot("run", "--sessions", "0")

    assert (said.code, said.err) == (2, "bensbot: --sessions 0 is no number of cycles; write 1 or more.\n")


def test_a_state_folder_that_is_a_file_is_a_wrong_setting(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / ".bensbot").write_text("in the way")

    said = bensbot("run", "--once")

    assert said.code == 2
    assert said.is_one_paragraph
    assert "state.folder = '.bensbot' cannot be used" in said.err


def test_a_run_keeps_its_log_beside_the_book(traded: Bensbot, tmp_path: Path):
    assert "Cycle of 2022-01-03" in (tmp_path / ".bensbot" / "bensbot.log").read_text()


# ── switches ──────────────────────────────────────────────────────────────────────────────────────


def test_pause_and_resume(traded: Bensbot):
    assert traded("pause").err == "Trading is paused, in the book .bensbot/bensbot.db.\n"
    assert traded("status", "--json").document["state"] == "paused"
    assert traded("resume").err.startswith("Trading is active, in the book .bensbot/bensbot.db.")
    assert traded("status", "--json").document["state"] == "active"


def test_a_halt_is_ended_by_an_acknowledged_resume_only(traded: Bensbot):
    traded("halt", "--because", "smoke")

    said = traded("resume")

    assert said.code == 2
    assert ": smoke. When you know that it is safe to go on: bensbot resume --ack" in said.err
    assert traded("status", "--json").document["state"] == "halted"
    assert traded("resume", "--ack").code == 0
    assert traded("status", "--json").document["state"] == "active"


def test_a_halt_cannot_be_softened_to_a_pause(traded: Bensbot):
    traded("halt", "--because", "smoke")

    said = traded("pause")

    assert said.code == 1
    assert said.is_one_paragraph
    assert "HALTED (smoke)" in said.err


def test_a_switch_says_who_and_why_in_the_journal(traded: Bensbot):
    traded("pause", "--because", "lunch")

    document = traded("status", "--json").document

    assert document["cause"] == "lunch"
    assert document["changed_by"].endswith("(bensbot)")


def test_flatten_sells_what_is_held_and_buys_nothing_more(traded: Bensbot):
    traded("run", "--once")

    said = traded("flatten", "--because", "going away", "--yes")

    assert said.code == 0
    assert "going away" in said.out
    document = traded("status", "--json").document
    assert document["state"] == "reducing"
    assert {order["side"] for order in document["open_orders"]} == {"sell"}
    assert len(document["open_orders"]) == 5


def test_flatten_without_a_terminal_wants_to_be_meant(traded: Bensbot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))

    said = traded("flatten", "--because", "going away")

    assert said.code == 2
    assert said.err.endswith("there is no terminal to ask whether you are sure: add --yes.\n")
    assert traded("status", "--json").document["state"] == "active"


def test_flatten_of_a_halted_book_wants_to_be_acknowledged(traded: Bensbot):
    traded("halt", "--because", "smoke")

    said = traded("flatten", "--because", "going away", "--yes")

    assert said.code == 2
    assert "bensbot flatten --ack" in said.err
    assert traded("status", "--json").document["state"] == "halted"


@pytest.mark.parametrize("command", ["start", "stop", "serve"])
def test_where_no_server_is_known_a_command_for_the_loop_says_how_to_get_one(traded: Bensbot, command: str):
    said = traded(command)

    assert said.code == 1
    assert said.err.startswith("bensbot: No Prefect server is known here. `bensbot up` starts one;")


def test_down_where_nothing_runs_says_so_and_is_no_failure(traded: Bensbot):
    said = traded("down")

    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("Nothing is up")


# ── looking ───────────────────────────────────────────────────────────────────────────────────────


def test_status_shows_state_session_orders_and_cash(traded: Bensbot):
    said = traded("status")

    assert said.code == 0
    assert said.out.startswith("Trading  active since ")
    assert "Session  2022-01-03\n" in said.out
    assert "Cash     $100,000.00\n" in said.out
    assert "Order    buy 22 AMD: accepted\n" in said.out


def test_status_as_json(traded: Bensbot):
    document = traded("status", "--json").document

    assert (document["last_session"], document["cash"]) == ("2022-01-03", "100000.00")
    assert {order["symbol"] for order in document["open_orders"]} == {"AAPL", "AMD", "HD", "LLY", "RRC"}


def test_without_a_book_looking_makes_none(bensbot: Bensbot, tmp_path: Path):
    said = bensbot("status")

    assert said.code == 1
    assert said.err == "bensbot: .bensbot holds no book yet. The first cycle makes one: bensbot run --once\n"
    assert not (tmp_path / ".bensbot").exists()


def test_doctor_finds_nothing_in_a_sound_book(traded: Bensbot):
    said = traded("doctor")

    assert said.code == 0
    assert "pass  book      The book obeys every law of the ledger.\n" in said.out
    assert "fail" not in said.out


def test_doctor_looks_before_the_first_cycle_and_makes_nothing(bensbot: Bensbot, tmp_path: Path):
    said = bensbot("doctor")

    assert said.code == 0
    assert "pass  book      .bensbot holds none yet; the first cycle makes it\n" in said.out
    assert not (tmp_path / ".bensbot").exists()


def test_doctor_finds_money_that_was_made_up(traded: Bensbot, tmp_path: Path):
    break_book(tmp_path, "UPDATE cash_ledger SET amount = '1000000.00'")

    said = traded("doctor")

    assert said.code == 1
    assert "cash" in said.out


def test_doctor_as_json(traded: Bensbot, tmp_path: Path):
    document = traded("doctor", "--json").document
    assert (document["ok"], document["violations"]) == (True, [])
    assert [check["part"] for check in document["checks"]][:3] == ["plug-ins", "disk", "book"]
    break_book(tmp_path, "UPDATE cash_ledger SET amount = '1000000.00'")

    said = traded("doctor", "--json")

    assert said.code == 1
    assert said.document["ok"] is False
    assert set(said.document["violations"][0]) == {"law", "subject", "message"}


def test_the_check_without_a_server_believes_a_book_that_is_up_to_date(traded: Bensbot, tmp_path: Path):
    assert traded("status", "--check").code == 0
    let_months_pass(tmp_path)

    said = traded("status", "--check", "--json")

    assert said.code == 5
    assert said.document["check"]["reason"].startswith("no cycle has completed since 2026-01-02 ")


@pytest.mark.parametrize(("switch", "code"), [("pause", 3), ("halt", 4)])
def test_the_check_of_a_book_that_does_not_trade(traded: Bensbot, switch: str, code: int):
    traded(switch)

    assert traded("status", "--check").code == code
    assert traded("status").code == 0


def test_metrics_count_what_was_done(traded: Bensbot):
    assert traded("metrics").out.startswith("Sessions   1, 2022-01-03 to 2022-01-03\n")
    assert traded("metrics", "--json").document["metrics"]["cycles.completed"] == 1


def test_deployments_say_when_they_run(bensbot: Bensbot):
    said = bensbot("deployments")

    assert said.code == 0
    assert said.out.startswith("trading-cycle/bensbot\n  around-the-clock: every 60 s\n")


def test_deployments_are_written_for_workers(bensbot: Bensbot, tmp_path: Path):
    assert bensbot("deployments", "--write", "prefect.yaml").code == 0
    assert "name: bensbot\n" in (tmp_path / "prefect.yaml").read_text()


@pytest.mark.parametrize("words", [["status"], ["pause"], ["resume"], ["orders"]])
def test_where_there_is_no_server_neither_prefect_nor_arrays_are_imported(
    traded: Bensbot, tmp_path: Path, words: list[str]
):
    needless = "print(sorted({'prefect', 'numpy', 'pandas'} & set(sys.modules)))"
    code = f"import atexit, sys; atexit.register(lambda: {needless}); from trading_bot import cli"

    done = subprocess.run(
        [sys.executable, "-c", f"{code}; cli.main()", *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.endswith("[]\n")


# ── settings ──────────────────────────────────────────────────────────────────────────────────────


def test_config_show_says_every_setting_and_who_set_it(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "config.yaml").write_text("risk: {max_open_trades: 3}\n")

    said = bensbot("config", "show")

    assert said.code == 0
    (line,) = [line for line in said.out.splitlines() if "max_open_trades" in line]
    assert "3" in line
    assert "file config.yaml" in line


def test_config_show_as_json(bensbot: Bensbot):
    said = bensbot("config", "show", "--json")

    assert said.code == 0
    assert "risk.max_open_trades" in json.dumps(said.document)


def test_config_check_praises_a_good_file(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "good.yaml").write_text("risk: {max_open_trades: 3}\n")

    said = bensbot("config", "check", "good.yaml")

    assert (said.code, said.err) == (0, "good.yaml is fine.\n")
    assert not (tmp_path / ".bensbot").exists()


def test_config_check_without_a_name_looks_at_what_the_bot_would_read(bensbot: Bensbot, tmp_path: Path):
    assert bensbot("config", "check").err == "There is no config.yaml here; what is set without one is fine.\n"

    (tmp_path / "config.yaml").write_text("risk: {max_open_trades: 3}\n")
    assert bensbot("config", "check").err == "config.yaml is fine.\n"
    assert bensbot("config", "check", "--config", "config.yaml").err == "config.yaml is fine.\n"

    (tmp_path / "config.yaml").write_text("risk: {max_open_trades: 0}\n")
    assert bensbot("config", "check").code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strategy: {team: [sma_crossed]}", "There is no strategy called 'sma_crossed'. Did you mean 'sma_cross'?"),
        ("broker: {name: alpaca}", "Alpaca needs keys. Put them into the environment or into .env:"),
        ("broker: {paper: false}", "broker.paper is false, but the broker 'paper' is a paper account."),
        ("broker: {name: papper}", "There is no broker called 'papper'. Did you mean 'paper'?"),
        (
            "state: {url: 'mysql://ben:hush@db/book'}",
            "write a URL that begins with sqlite:/// or postgresql+psycopg://",
        ),
        ("data: {source: files, folder: wrong.yaml}", "wrong.yaml is a file. Name the folder that it is in."),
        ("news: {source: alphavantage}", "Alpha Vantage needs a key. Put it into the environment or into .env:"),
        ("news: {source: rss}", "rss has no feeds. Write them there, like options: {feeds: "),
        ("news: {source: newsdata}", "newsdata has nothing to ask for: none of the stocks has a name"),
        ("news: {source: alpaca}", "Alpaca needs keys. Put them into the environment or into .env:"),
        ("data: {source: alpaca}", "data.source: alpaca needs data.symbols, like"),
        ("data: {source: alpaca, symbols: [AAPL]}", "Alpaca needs keys. Put them into the environment or into .env:"),
        ("data: {source: simple}", "There is no price source called 'simple'. Did you mean 'sample'?"),
        (
            "strategy: {team: [{name: sma_cross, options: {fsat: 3}}]}",
            "The strategy 'sma_cross' has no option 'fsat'. Did you mean 'fast'?",
        ),
        (
            "rotation: {candidates: [{name: sma_cross, grid: {fast: [5, x]}}]}",
            "The strategy 'sma_cross' cannot be built: fast is 'x'; it must be a whole number",
        ),
    ],
)
def test_config_check_finds_what_does_not_exist(bensbot: Bensbot, tmp_path: Path, text: str, said: str):
    (tmp_path / "wrong.yaml").write_text(text)

    ended = bensbot("config", "check", "wrong.yaml")

    assert ended.code == 2
    assert ended.is_one_paragraph
    assert said in ended.err
    assert "hush" not in ended.err


# ── the command itself ────────────────────────────────────────────────────────────────────────────


def test_version(bensbot: Bensbot):
    said = bensbot("--version")

    assert (said.code, said.out.strip()) == (0, __version__)


@pytest.mark.parametrize(
    ("words", "wrong", "helps"),
    [
        ("runn", 'Unknown command "runn". Did you mean "run"?', "bensbot"),
        ("config chek", 'Unknown command "chek". Did you mean "check"?', "bensbot config"),
        ("run --nope", "Unknown option: --nope.", "bensbot run"),
        ("run --as-of yesterday", "--as-of yesterday is no day; write one like 2022-01-31.", "bensbot run"),
        ("run --sessions few", "--sessions few is no whole number.", "bensbot run"),
        ("why", "`bensbot why` needs SYMBOL.", "bensbot why"),
        ("why AMD MSFT", "MSFT is more than `bensbot why` takes.", "bensbot why"),
        ("what-if", "`bensbot what-if` needs --set (A setting and its value: ", "bensbot what-if"),
        ("journal --from", "--from wants a value (Sessions from this day on, e.g. 2022-01-31).", "bensbot journal"),
    ],
)
def test_a_wrong_command_line_is_told_with_where_the_right_one_is(bensbot: Bensbot, words: str, wrong: str, helps: str):
    said = bensbot(*words.split())
    first, last = said.err.strip().rsplit("\n", 1)

    assert (said.code, said.out) == (2, "")
    assert " ".join(first.split()).startswith(f"bensbot: {wrong}")
    assert last == f"What it takes: {helps} --help"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_loop_with_one_line_and_no_failure(tmp_path: Path, number: signal.Signals, code: int):
    listening = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a job in the background is deaf
    )
    command = [sys.executable, "-c", f"{listening}; from trading_bot.cli import main; main()", "run"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:  # until it is under way
            if "equity" in line:
                child.send_signal(number)
                break
        _, said = child.communicate(timeout=300)

    assert child.returncode == code
    assert said.rstrip().endswith("Whatever was sent before is in the book; the next run goes on from there.")
    assert "Traceback" not in said
    assert rows(tmp_path / ".bensbot" / "bensbot.db", "SELECT COUNT(*) FROM failures") == [(0,)]
    assert rows(tmp_path / ".bensbot" / "bensbot.db", "SELECT owner FROM lease") == [(None,)]


def test_a_full_disk_is_said_in_one_line(bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        said = bensbot("config", "show")

    assert (said.code, said.err) == (1, "bensbot: No space left on device. Make room, and ask again.\n")


@pytest.mark.parametrize("words", [["journal"], ["journal", "--json"]])  # rich prints the one, we the other
def test_a_reader_who_has_read_enough_ends_every_command_alike(
    traded: Bensbot, monkeypatch: pytest.MonkeyPatch, words: list[str]
):
    unread, written = os.pipe()
    os.close(unread)
    with os.fdopen(written, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        said = traded(*words)

    assert (said.code, said.err) == (141, "")


@pytest.mark.parametrize("word", ["status", "halt", "down"])
def test_a_file_in_the_place_of_the_state_folder_is_said_in_one_line(bensbot: Bensbot, tmp_path: Path, word: str):
    (tmp_path / ".bensbot").write_text("")

    said = bensbot(word)

    assert (said.code, said.out) == (1, "")
    assert said.is_one_paragraph
    assert "Not a directory. Something else is in the way there" in said.err


def test_switching_without_a_book_makes_none(bensbot: Bensbot, tmp_path: Path):
    said = bensbot("halt", "--because", "smoke")

    assert (said.code, said.out) == (1, "")
    assert "holds no book yet" in said.err
    assert not (tmp_path / ".bensbot").exists()


@pytest.mark.parametrize("words", [("--once", "--sessions", "3"), ("--as-of", "2022-03-16")])
def test_arguments_that_contradict_each_other_are_refused(bensbot: Bensbot, words: tuple[str, ...]):
    said = bensbot("run", *words)

    assert (said.code, said.out) == (2, "")
    assert "--once" in said.err


def test_the_password_of_a_database_is_not_quoted_at_the_terminal(bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BENSBOT_STATE__URL", "postgresql+psycopg://ben:hush-hush@127.0.0.1:1/book")

    said = bensbot("doctor")

    assert said.code == 1
    assert "fail  book" in said.out
    assert "hush-hush" not in said.out + said.err
