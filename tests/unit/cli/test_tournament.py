"""`bensbot tournament`: what a person types, and what it answers."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from trading_bot.cli import main
from trading_bot.cli.commands import app

STOCKS = ["tournament", "--source", "sample-ohlcv", "--symbols", "GOOG,IBM", "--from", "2010-01-04"]
CROSSES = [*STOCKS, "--strategy", "sma_cross:fast=[5,10,60],slow=50"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert app(arguments, result_action="return_value") == 0
    return capsys.readouterr().out


def numbers(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(told([*arguments, "--json", "-"], capsys))


def refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str]:
    monkeypatch.setattr("sys.argv", ["bensbot", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, " ".join(capsys.readouterr().err.split())


def test_it_ranks_what_is_typed_and_nobody_else(tmp_path, capsys):
    text = told(CROSSES, capsys)

    assert "2 candidates on 2 symbols up to 2013-03-01" in text
    assert "1 combination left out" in text
    assert "2 variants were tried." in text
    assert list(tmp_path.iterdir()) == []


def test_without_a_strategy_those_of_the_settings_compete(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text(
        "strategy: {team: [momentum]}\nrotation: {candidates: [{name: sma_cross, grid: {fast: [5, 10]}}]}\n"
    )

    found = numbers(STOCKS, capsys)

    assert sorted((each["strategy"], str(each["options"])) for each in found["candidates"]) == [
        ("momentum", "{}"),
        ("sma_cross", "{'fast': 10}"),
        ("sma_cross", "{'fast': 5}"),
    ]


def test_the_winner_is_the_one_that_the_rotation_would_take(capsys):
    found = numbers(CROSSES, capsys)

    # The rotation's number: the mean over the windows, each weighted with the root of its length.
    for each in found["candidates"]:
        by_window = {of["window"]: of["sharpe"] for of in each["windows"]}
        roots = math.sqrt(90), math.sqrt(504)
        assert each["score"] == pytest.approx((roots[0] * by_window[90] + roots[1] * by_window[504]) / sum(roots))
    assert found["candidates"][0]["score"] > found["candidates"][1]["score"]


def test_the_ratio_of_two_that_were_tried_is_deflated_by_the_luck_of_two(capsys):
    found = numbers(CROSSES, capsys)
    ratios = [each["windows"][1]["sharpe"] for each in found["candidates"]]
    normal, euler = NormalDist(), 0.5772156649
    # Bailey & López de Prado (2014), eq. 1, by hand for N = 2
    highest = (1 - euler) * normal.inv_cdf(0.5) + euler * normal.inv_cdf(1 - 0.5 / math.e)

    assert found["luck"]["trials"] == 2
    assert found["luck"]["sharpe"] == pytest.approx(ratios[0])
    assert found["luck"]["expected_by_luck"] == pytest.approx(np.std(ratios, ddof=1) * highest)
    # eq. 2 for normal returns; skewness and tails of two stocks move it by a little
    apart = (ratios[0] - found["luck"]["expected_by_luck"]) / math.sqrt(252)
    assert found["luck"]["deflated_sharpe"] == pytest.approx(normal.cdf(apart * math.sqrt(503)), abs=0.02)


def test_the_end_can_be_chosen_and_nothing_later_is_known(capsys):
    whole, early = numbers(CROSSES, capsys), numbers([*CROSSES, "--to", "2012-06-30"], capsys)

    assert (whole["last"], early["last"]) == ("2013-03-01", "2012-06-29")
    assert whole["candidates"][0]["score"] != early["candidates"][0]["score"]


def test_another_criterion_ranks_by_another_number(capsys):
    found = numbers([*CROSSES, "--criterion", "drawdown"], capsys)

    assert found["criterion"] == "drawdown"
    assert all(each["score"] < 0 for each in found["candidates"])


def test_walking_and_costs_are_told_when_asked_for(capsys):
    found = numbers([*CROSSES, "--walk-forward", "--costs"], capsys)

    walk = found["walk_forward"]
    assert date.fromisoformat(walk["steps"][0]["chosen_on"]) < date.fromisoformat(walk["first"])
    assert walk["last"] == "2013-03-01"
    assert [each["times"] for each in found["at_costs"]] == [0, 1, 2, 4]
    assert found["at_costs"][1]["score"] == found["candidates"][0]["windows"][1]


def test_windows_that_are_too_long_are_left_out_and_named(capsys):
    young = ["tournament", "--source", "sample-ohlcv", "--symbols", "FB", "--strategy", "momentum"]
    text = " ".join(told([*young, "--from", "2012-06-01"], capsys).split())

    assert "sessions of prices, too few for a window of 504." in text
    assert "a strategy that looks back further begins late in it." in text


def test_everything_is_written_where_it_is_wanted(tmp_path, capsys):
    text = told([*CROSSES, "--json", "numbers.json"], capsys)

    assert text.endswith("JSON: numbers.json\n")
    assert json.loads((tmp_path / "numbers.json").read_text())["format"] == 1


@pytest.mark.parametrize(
    ("typed", "code", "answer"),
    [
        (["--strategy", "sma_crss"], 2, "bensbot: There is no strategy called 'sma_crss'. Did you mean 'sma_cross'?"),
        (["--strategy", "sma_cross:fats=[3]"], 2, "has no option 'fats'. Did you mean 'fast'?"),
        (["--strategy", "sma_cross:fast"], 2, "write it like sma_cross:fast=10,slow=30"),
        (["--strategy", "sma_cross:fast=[60,70],slow=50"], 2, "no combination that the strategy accepts"),
        (["--strategy", "sma_cross:fast=[]"], 2, "fast must list at least one value to try"),
        (["--criterion", "luck"], 2, "it must be one of sharpe, sortino, return, drawdown"),
        (["--from", "2012-11-01"], 1, "Begin earlier with --from, or write --set rotation.windows=[80]."),
        (["--from", "2013-02-20"], 1, "there are 8, 2013-02-20 to 2013-03-01. Begin earlier with --from."),
        (["--from", "2012-10-01", "--walk-forward"], 1, "--walk-forward chooses by 90 sessions and follows for 21"),
        (["--from", "2022-06-01"], 2, "no session in the time asked for. It has 2000-03-01 to 2013-03-01."),
        (["--from", "2012-06-01", "--to", "2011-01-01"], 2, "nothing lies in between"),
        (["--json", "nowhere/numbers.json"], 2, "there is no folder nowhere"),
    ],
)
def test_what_is_typed_wrong_is_answered_with_what_to_type(typed, code, answer, monkeypatch, capsys):
    ended, said = refused(["tournament", "--source", "sample-ohlcv", *typed], monkeypatch, capsys)

    assert answer in said
    assert ended == code
