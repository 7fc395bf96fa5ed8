"""`bensbot data`: history stores, as a user makes, fills and looks at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot, bensbot, logs_as_before

__all__ = ["bensbot", "logs_as_before"]  # fixtures

HEADER = "date,open,high,low,close,volume"
ROWS = [f"2022-03-0{day},1{day},1{day}.5,1{day - 1},1{day},1000" for day in range(1, 5)]


def write(folder: Path, symbol: str, rows: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{symbol}.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """A folder with three sessions of two symbols."""
    for symbol in ("AAA", "BBB"):
        write(tmp_path / "prices", symbol, ROWS[:3])
    return tmp_path / "prices"


@pytest.fixture
def imported(bensbot: Bensbot, prices: Path) -> Bensbot:
    assert bensbot("data", "import", "history", "--from", "files", "--folder", "prices").code == 0
    return bensbot


def test_import_says_what_the_store_holds(bensbot: Bensbot, prices: Path):
    said = bensbot("data", "import", "history", "--from", "files", "--folder", "prices")

    assert said.code == 0
    assert said.out.startswith(
        "history: 3 sessions × 2 symbols, 0.0 MB\n"
        "  from 2022-03-01 to 2022-03-03\n"
        f"  source files, folder {prices}, changed "
    )
    assert said.out.endswith("\n  0 splits, sectors of 0, benchmark none\n")


def test_the_packaged_prices_can_be_imported_and_traded(bensbot: Bensbot, tmp_path: Path):
    said = bensbot("data", "import", "history", "--from", "sample", "--json")
    (tmp_path / "config.yaml").write_text("data: {source: store, folder: history}\n")

    assert (said.document["sessions"], said.document["benchmark"]) == (8313, "The S&P 500")
    from_store = bensbot("run", "--once", "--json").document
    (tmp_path / "config.yaml").write_text("state: {folder: other}\nbroker: {name: paper}\n")
    from_sample = bensbot("run", "--once", "--json").document
    assert from_store["decisions"]
    assert from_store["decisions"] == from_sample["decisions"]


def test_list_says_the_same_as_import(imported: Bensbot):
    assert "3 sessions × 2 symbols" in imported("data", "list", "history").out
    assert imported("data", "list", "history", "--json").document["last"] == "2022-03-03"


def test_append_knows_the_source_and_adds_what_is_new_only(imported: Bensbot, prices: Path):
    for symbol in ("AAA", "BBB"):
        write(prices, symbol, ROWS)

    assert imported("data", "append", "history").out == "history: 1 session, 0 new symbols; it ends with 2022-03-04.\n"
    assert imported("data", "append", "history").out == "Nothing new: history ends with 2022-03-04.\n"


def test_append_as_json_says_what_was_added(imported: Bensbot, prices: Path):
    write(prices, "NEW", ROWS)

    document = imported("data", "append", "history", "--json").document

    assert (document["added"], document["new_symbols"], document["rewritten"]) == (["2022-03-04"], ["NEW"], True)
    assert (document["symbols"], document["sessions"]) == (3, 4)


def test_append_takes_no_contradiction_without_a_word(imported: Bensbot, prices: Path):
    write(prices, "AAA", [ROWS[0].replace(",11,1000", ",11,2000"), *ROWS[1:3]])

    refused = imported("data", "append", "history")
    assert (refused.code, refused.out) == (1, "")
    assert "volume of AAA on 2022-03-01: 1000 here, 2000 there. Nothing was changed." in refused.err
    assert refused.is_one_paragraph

    taken = imported("data", "append", "history", "--corrections")
    assert taken.out == "history: 0 sessions, 0 new symbols, 1 day corrected; it ends with 2022-03-03.\n"


def test_import_replaces_only_when_told_to(imported: Bensbot):
    again = ("data", "import", "history", "--from", "files", "--folder", "prices")

    refused = imported(*again)

    assert refused.code == 2
    assert "bensbot data append history" in refused.err
    assert imported(*again, "--replace").code == 0


def test_check_finds_the_day_that_is_damaged_and_says_how_to_mend_it(imported: Bensbot, tmp_path: Path, prices: Path):
    assert imported("data", "check", "history").out == "history is sound: 3 sessions.\n"
    bars = tmp_path / "history" / "bars-1.f64"
    content = bytearray(bars.read_bytes())
    content[100] ^= 1
    bars.write_bytes(content)

    said = imported("data", "check", "history")

    assert said.code == 1
    assert "the bars of 2022-03-02 do not match their checksum" in said.out
    assert f"bensbot data import history --from files --folder {prices} --replace\n" in said.out
    assert imported("data", "check", "history", "--json").document == {"ok": False, "damaged_sessions": ["2022-03-02"]}


def test_a_damaged_store_trades_nothing(imported: Bensbot, tmp_path: Path):
    (tmp_path / "config.yaml").write_text("data: {source: store, folder: history, start: 2022-03-01}\n")
    (tmp_path / "history" / "manifest.json").write_text("{}")

    said = imported("run", "--once")

    assert said.code == 1
    assert "manifest.json does not match its checksum" in said.out + said.err


def test_options_of_a_source_are_kept_for_the_next_time(imported: Bensbot):
    said = imported("data", "import", "short", "--from", "store", "--folder", "history", "--option", "last=2", "--json")

    assert (said.document["first"], said.document["options"]["last"]) == ("2022-03-02", "2")
    assert imported("data", "append", "short").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "other", "--from", "fils"), "Did you mean 'files'?"),
        (("import", "other", "--from", "files"), "needs the option folder"),
        (("import", "other", "--from", "files", "--folder", "nowhere"), "does not exist"),
        (("import", "other", "--from", "sample", "--option", "last"), "write NAME=VALUE"),
        (("import", "other", "--from", "sample", "--option", "last=2"), "has no option 'last'"),
        (("import", "history", "--from", "store", "--folder", "history", "--replace"), "cannot be filled from itself"),
        (("append", "history", "--folder", "prices"), "name it with --from"),
        (("append", "nowhere"), "holds no history store"),
        (("list", "nowhere"), "holds no history store"),
        (("check", "nowhere"), "holds no history store"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(imported: Bensbot, tmp_path: Path, words: tuple[str, ...], message: str):
    said = imported("data", *words)

    assert said.code in (1, 2)
    assert said.out == ""
    assert message in said.err
    assert said.is_one_paragraph
    assert not (tmp_path / "other").exists()
