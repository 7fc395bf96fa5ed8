"""A file of stories: what a line may be, and what is said of one that is none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.domain.news import Delivery
from trading_bot.intelligence.sources.file import File

THEN, NOW = datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 2, 1, tzinfo=UTC)
GOOD = b'{"published": "2022-01-03T09:30:00-05:00", "headline": "AMD beats"}'


def delivered(folder: Path, *lines: bytes) -> Delivery:
    path = folder / "news.jsonl"
    path.write_bytes(b"\n".join(lines))
    return File(path).stories(THEN, NOW, ())


def test_a_line_needs_an_instant_and_a_headline_only(tmp_path: Path):
    (story,) = delivered(tmp_path, GOOD).stories

    assert story.published == datetime(2022, 1, 3, 14, 30, tzinfo=UTC)
    assert (story.source, story.headline, story.summary, story.url, story.symbols) == ("file", "AMD beats", "", "", ())
    assert len(story.story_id) == len("file:") + 16


def test_a_story_keeps_its_id_wherever_it_stands_and_its_own_where_it_has_one(tmp_path: Path):
    with_id = b'{"id": 77, "published": "2022-01-04T00:00:00Z", "headline": "B"}'
    before = delivered(tmp_path, GOOD, with_id).stories
    after = delivered(tmp_path, with_id, b"", GOOD).stories

    assert {story.story_id for story in before} == {story.story_id for story in after}
    assert "file:77" in {story.story_id for story in after}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"beats", "it is no JSON: Expecting value at character 1"),
        (b'{"headline": "A", "published": ', "it is no JSON: Expecting value at character 32"),
        (b"[]", "it is no JSON object but list"),
        (b"\xff\xfe{}", "it is not UTF-8 at byte 0"),
        (b"[" * 90_000, "it is nested too deeply"),
        (b'"' + b"x" * 100_000 + b'"', "it has 100,002 bytes, and a line may have 100,000"),
        (b'{"published": "2022-01-03T00:00:00Z"}', "headline is missing"),
        (b'{"headline": "A"}', "published is missing"),
        (b'{"headline": 7, "published": "2022-01-03T00:00:00Z"}', "headline is no text but int"),
        (
            b'{"headline": "A", "published": "yesterday"}',
            "published is 'yesterday'; write an instant like 2022-01-31T14:30:00Z",
        ),
        (
            b'{"headline": "A", "published": "2022-01-03T00:00:00"}',
            "published is '2022-01-03T00:00:00' without a time zone; write one, like 2022-01-31T14:30:00Z",
        ),
        (
            b'{"headline": "A", "published": "0001-01-01T00:00:00+14:00"}',
            "published is '0001-01-01T00:00:00+14:00', which is no instant in UTC",
        ),
        (
            b'{"headline": "A", "published": "2022-01-03T00:00:00Z", "symbols": "AMD"}',
            'symbols is no list of tickers; write one like ["AAPL", "MSFT"]',
        ),
        (
            b'{"headline": "A", "published": "2022-01-03T00:00:00Z", "score": 1}',
            "there is no field 'score'. There are: id, source, published, headline, summary, url, symbols",
        ),
    ],
)
def test_a_line_that_is_no_story_is_named_and_costs_no_other(tmp_path: Path, line: bytes, reason: str):
    found = delivered(tmp_path, GOOD, line, GOOD.replace(b"AMD", b"IBM"))

    assert [story.headline for story in found.stories] == ["AMD beats", "IBM beats"]
    assert found.refused == (f"news.jsonl, line 2: {reason}",)


def test_a_file_that_changes_is_read_again(tmp_path: Path):
    assert len(delivered(tmp_path, GOOD).stories) == 1
    assert len(delivered(tmp_path, GOOD, GOOD.replace(b"AMD", b"IBM")).stories) == 2


def test_stories_of_later_are_counted(tmp_path: Path):
    later = GOOD.replace(b"2022-01-03", b"2022-03-03")

    assert (delivered(tmp_path, GOOD, later).later, len(delivered(tmp_path, GOOD, later).stories)) == (1, 1)


def test_without_a_file_nothing_is_made_up(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"news\.file"):
        File().stories(THEN, NOW, ())
    with pytest.raises(DataError, match="cannot be read: No such file or directory"):
        File(tmp_path / "gone.jsonl").stories(THEN, NOW, ())
