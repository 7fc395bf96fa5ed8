"""`bensbot backtest`: what a person types, and what it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trading_bot.cli import main
from trading_bot.cli.commands import app

SHORT = ["backtest", "--from", "2022-01-03", "--to", "2022-01-14"]
GOOGLE = [
    *("backtest", "--engine", "vectorised", "--source", "sample-ohlcv", "--symbols", "GOOG", "--cash", "10000"),
    *("--strategy", "sma_cross:fast=10,slow=30,act_on=crossings,short=true", "--from", "2004-08-19"),
    *("--set", "backtest.sizing=all-in", "--set", "backtest.size_at_fill=true", "--set", "backtest.short=true"),
    *("--set", "backtest.last_bar=close-at-open", "--set", "broker.slippage_bps=0", "--set", "broker.volume_share=1"),
]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ran(arguments: list[str]) -> None:
    assert app(arguments, result_action="return_value") == 0


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    ran(arguments)
    return capsys.readouterr().out


def refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr("sys.argv", ["bensbot", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_it_says_what_was_traded_and_what_came_of_it(capsys):
    text = told([*SHORT, "--strategy", "sma_cross:fast=5,slow=20"], capsys)

    assert "sma_cross(fast=5, slow=20), replay engine" in text
    assert "2022-01-03 to 2022-01-14, 10 sessions" in text
    assert "$100,000.00 became $" in text
    assert "The S&P 500 made" in text


def test_nothing_is_left_behind(tmp_path):
    ran(SHORT)

    assert list(tmp_path.iterdir()) == []


def test_page_and_numbers_are_written_where_they_are_wanted(tmp_path, capsys):
    text = told([*SHORT, "--report", "page.html", "--json", "numbers.json"], capsys)

    assert "Page: page.html" in text
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert json.loads((tmp_path / "numbers.json").read_text())["engine"] == "replay"


def test_who_has_tried_many_variants_is_told_what_luck_alone_would_show(tmp_path, capsys):
    text = told([*GOOGLE, "--trials", "200", "--json", "numbers.json"], capsys)

    assert "200 variants were tried. The best of as many without any skill" in " ".join(text.split())
    assert json.loads((tmp_path / "numbers.json").read_text())["trials"] == 200


def test_numbers_alone_can_be_piped(capsys):
    assert json.loads(told([*SHORT, "--json", "-"], capsys))["engine"] == "replay"


def test_the_result_of_another_engine_comes_from_one_line(capsys):
    # What backtesting.py comes to on the packaged bars of Google: tests/unit/backtest/test_reference_results.py
    text = told(GOOGLE, capsys)

    assert "$10,000.00 became $51,406.51" in text
    assert "66 closed" in text


def test_either_engine_says_that_the_past_has_no_news(capsys):
    for more in ([], ["--engine", "vectorised"]):
        text = told([*SHORT, *more, "--set", "news.source=alpaca"], capsys)

        assert "The bot reads news (alpaca), the past has none" in " ".join(text.split())


def test_a_settings_file_can_say_the_same(tmp_path, capsys):
    (tmp_path / "google.yaml").write_text(
        "data: {source: sample-ohlcv, symbols: [GOOG], start: 2004-08-19}\n"
        "broker: {starting_cash: 10000, slippage_bps: 0, volume_share: 1}\n"
        "strategy: {team: [{name: sma_cross, options: {fast: 10, slow: 30, act_on: crossings, short: true}}]}\n"
        "backtest: {engine: vectorised, sizing: all-in, size_at_fill: true, short: true, last_bar: close-at-open}\n"
    )

    assert "$10,000.00 became $51,406.51" in told(["backtest", "--config", "google.yaml"], capsys)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (["--strategy", "sma_crss"], "no strategy called 'sma_crss'. Did you mean 'sma_cross'?"),
        (["--strategy", "sma_cross:fats=3"], "has no option 'fats'. Did you mean 'fast'?"),
        (["--strategy", "sma_cross:fast"], "write it like sma_cross:fast=10,slow=30"),
        (
            ["--strategy", "sma_cross(fast=10, slow=30)"],
            "write it like sma_cross:fast=10,slow=30, and --strategy again",
        ),
        (["--strategy", "sma_cross,macd"], "write it like sma_cross:fast=10,slow=30, and --strategy again"),
        (["--strategy", "mine.py"], "`bensbot strategy new` prints how a file is installed."),
        (["--strategy", "sma_cross:fast=["], "cannot be read as a value"),
        (["--strategy", "sma_cross:fast=[5,10]"], "fast is [5, 10]; it must be a whole number; several to compare"),
        (["--strategy", "momentum:top=2"], "top is 2; it must be at most 1"),
        (["--strategy", "pairs:significance=7"], "significance is 7; it must be one of '1%', '5%' or '10%'"),
        (["--strategy", "sma_cross:fast=50,slow=10"], "cannot be built: fast=50 must be below slow=10"),
        (["--set", "risk.max_open=3"], "risk.max_open is no setting. Did you mean risk.max_open_trades?"),
        (["--set", "risk"], "write a setting and its value, as in --set risk.max_open_trades=3"),
        (["--set", "backtest.engine=fast"], "it must be one of replay, vectorised"),
        (["--set", "backtest.short=true"], "Add --engine vectorised, or leave the setting out."),
        (["--set", "data.start=x", "--set", "data.start=y"], "--set data.start is there twice"),
        (["--from", "2022-06-01", "--to", "2021-01-01"], "nothing lies in between"),
        (["--to", "1990-01-01"], "data.start, 2022-01-03, where a backtest without --from begins, is after --to"),
        (
            ["--from", "2022-06-04", "--to", "2022-06-05"],  # a weekend
            "no session from 2022-06-04 to 2022-06-05. It has 1990-01-02 to 2022-12-28.",
        ),
        (["--symbols", "AAPL,MFST"], "no symbol 'MFST'. Did you mean 'MSFT'?"),
        (["--report", "nowhere/page.html"], "there is no folder nowhere"),
        (["--report", "."], "--report . is a folder; name a file in it."),
        (["--report", 300 * "a"], "cannot be written: File name too long. Name another file."),
        (["--symbols", ","], "--symbols names none"),
        (["--symbols", ""], "--symbols names none"),
        (["--from", "3.1.2022"], "--from 3.1.2022 is no day; write one like 2022-01-31."),
        (["--cash", "10k"], "--cash 10k is no number; write one like 100000 or 99.50."),
        (["--cash", "0"], "broker.starting_cash"),
        (["--trials", "0"], "this one counts, too; write 1 or more"),
    ],
)
def test_what_is_typed_wrong_is_answered_with_what_to_type(typed, answer, monkeypatch, capsys):
    assert answer in " ".join(refused(["backtest", *typed], monkeypatch, capsys).split())


def test_a_backtest_that_fails_leaves_its_files_as_they_were(monkeypatch, capsys):
    Path("page.html").write_text("of yesterday", encoding="utf-8")

    refused(["backtest", "--cash", "0", "--report", "page.html", "--json", "numbers.json"], monkeypatch, capsys)

    assert Path("page.html").read_text(encoding="utf-8") == "of yesterday"
    assert not Path("numbers.json").exists()


def test_lists_and_mappings_can_be_typed(tmp_path, capsys):
    team = "ensemble:members=[{name: sma_cross, options: {fast: 5, slow: 9}},macd],least=0.1"

    text = " ".join(
        told([*SHORT, "--strategy", team, "--strategy", "pairs:pairs=[[KO,PEP],[CVX,XOM]]"], capsys).split()
    )

    assert "strategies = ensemble(least=0.1, members=[{'name': 'sma_cross'," in text
    assert "pairs(pairs=[['KO', 'PEP'], ['CVX', 'XOM']])" in text


def test_a_secret_does_not_belong_on_a_command_line(monkeypatch, capsys):
    said = refused(["backtest", "--set", "broker.options.api_key=planted"], monkeypatch, capsys)

    assert "set BENSBOT_BROKER__OPTIONS__API_KEY instead" in said
    assert "planted" not in said


def test_help_is_there_without_the_engines(capsys):
    with pytest.raises(SystemExit):
        app(["backtest", "--help"])
    text = capsys.readouterr().out

    assert "--strategy" in text
    assert "--empty" not in text


def test_a_reader_who_has_read_enough_gets_no_traceback(tmp_path):
    command = f"{Path(sys.executable).with_name('bensbot')} backtest --to 2022-01-05 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] in ("0", "141")  # the pipe may have held everything
    assert done.stderr == ""
