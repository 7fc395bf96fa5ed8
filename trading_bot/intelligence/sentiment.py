"""Score a text with VADER and words of the trade, and class a story by what it is about.

Score: VADER's compound of the headline, in [-1, 1]; where there is a summary, two parts headline and one part
summary, of which the first `SCORED` characters count. Source: Hutto & Gilbert (2014), VADER: A Parsimonious
Rule-based Model for Sentiment Analysis of Social Media Text, ICWSM-14; `lexicon/words.txt` is added to its lexicon.

Impact: the highest class of the events in `lexicon/events.txt` that headline or summary names; at least high where the
score is `LOUD` or more away from 0, and at least medium where it is `PLAIN` or more away. Everything else is low.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from trading_bot.domain.news import Impact

SCORED = 300  # characters of a summary: VADER's cost grows faster than the text
LOUD, PLAIN = 0.8, 0.5  # distance of a score from 0


@dataclass(frozen=True, slots=True)
class Scorer:
    """Knows the words. Making one reads VADER's lexicon, so there is one a process (`scorer`)."""

    vader: Any
    phrases: re.Pattern[str]
    events: Mapping[str, Impact]
    named: re.Pattern[str]  # any of the events

    def score(self, headline: str, summary: str) -> float:
        """Return how good the story is for its stocks, in [-1, 1]; 0 says neither. The same text, the same score."""
        first = self._compound(headline)
        if not summary:
            return first
        return (2 * first + self._compound(summary[:SCORED])) / 3

    def impact(self, headline: str, summary: str, score: float) -> Impact:
        """Return the class of the story."""
        found = {self.events[match.casefold()] for match in self.named.findall(f"{headline} | {summary}")}
        if Impact.HIGH in found or abs(score) >= LOUD:
            return Impact.HIGH
        return Impact.MEDIUM if Impact.MEDIUM in found or abs(score) >= PLAIN else Impact.LOW

    def _compound(self, text: str) -> float:
        joined = self.phrases.sub(lambda phrase: _token(phrase.group()), text)
        return max(-1.0, min(1.0, float(self.vader.polarity_scores(joined)["compound"])))


@cache
def scorer() -> Scorer:
    """Return the scorer of this process. VADER is imported by the first call."""
    from vaderSentiment.vaderSentiment import (  # pyright: ignore[reportMissingTypeStubs]
        SentimentIntensityAnalyzer,
    )

    vader: Any = SentimentIntensityAnalyzer()
    words = {word: float(value) for value, word in _lines("words.txt")}
    for word, value in words.items():
        if value:
            vader.lexicon[_token(word)] = value
        else:
            vader.lexicon.pop(word, None)
    events = {event: Impact(word) for word, event in _lines("events.txt")}
    return Scorer(vader, _any_of(word for word in words if " " in word), events, _any_of(events))


def _token(phrase: str) -> str:
    """Return a phrase as one word, in the form in which VADER looks it up."""
    return "_".join(phrase.casefold().split())


def _lines(name: str) -> Iterator[tuple[str, str]]:
    text = (files("trading_bot.intelligence.lexicon") / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            first, _, rest = line.partition(" ")
            yield first, rest


def _any_of(words: Iterator[str] | Mapping[str, object]) -> re.Pattern[str]:
    """Return what finds whole words and phrases, the longest first."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)
