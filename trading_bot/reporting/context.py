"""What happens around the holdings, for `bensbot context`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from trading_bot.domain.context import SPANS, Advice, HoldingView, MarketContext, SectorView
from trading_bot.domain.words import counted, dollars, one_line, sentence, signed_percent
from trading_bot.reporting.news import story_document, story_line

UNKNOWN = "-"
NO_NEWS = "The bot reads no news (news.source: none), so nothing is said about them."


def print_context(context: MarketContext, console: Console) -> None:
    """Print the weather, a table of sectors, what the news means for the holdings, and what could be done."""
    console.print(Text(f"After {context.session}: {sentence(one_line(context.regime.sentence))}"))
    console.print()
    console.print(_sectors(context))
    console.print()
    for line in (*_news(context), "", *_advice(context)):
        words = line.lstrip()
        console.print(Padding(Text(words), (0, 0, 0, len(line) - len(words)), expand=False) if words else "")


def context_as_json(context: MarketContext) -> str:
    """Return the same for machines: dollars as text that `Decimal` reads, returns and sentiments as numbers."""
    document = {
        "session": context.session.isoformat(),
        "trend": context.regime.trend.value,
        "volatility": context.regime.volatility.value,
        "equity": str(context.equity),
        "reads_news": context.reads_news,
        "sectors": [_sector_document(each) for each in context.sectors],
        "holdings": [_holding_document(each) for each in context.holdings],
        "advice": [_advice_document(each) for each in context.advice],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _sectors(context: MarketContext) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("sector")
    for name in ("stocks", *(counted(span, "day") for span in SPANS), "news", "held"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in context.sectors:
        share = f"{each.held / context.equity:.1%}" if each.held and context.equity > 0 else UNKNOWN
        numbers = (
            str(each.symbols),
            *(UNKNOWN if moved is None else signed_percent(Decimal(repr(moved))) for moved in each.returns),
            UNKNOWN if each.mood is None else f"{each.mood:+.2f}",
            share,
        )
        table.add_row(Text(one_line(each.name)), *(Text(number) for number in numbers))
    return table


def _news(context: MarketContext) -> Iterator[str]:
    if not context.reads_news:
        yield NO_NEWS
        return
    if not context.holdings:
        yield "No news about what is held."
        return
    yield "News about what is held"
    for each in context.holdings:
        moves = each.usual_move
        usual = "" if moves is None else f"; a usual day moves it by {dollars(Decimal(repr(moves)))}"
        worth = f"{dollars(each.value)}, {each.share:.1%} of equity{usual}"
        yield f"  {each.symbol}  sentiment {each.mood:+.2f}, {each.stories[0].impact} impact; {worth}"
        yield f"    {story_line(each.stories[0])}"


def _advice(context: MarketContext) -> Iterator[str]:
    if not context.advice:
        yield "Nothing to recommend."
        return
    yield "What you could do (the bot does none of it by itself)"
    for each in context.advice:
        yield f"  {each.action} {one_line(each.about)}: {each.reason}. See: {each.command}"


def _sector_document(each: SectorView) -> dict[str, Any]:
    returns = {f"return_{span}": moved for span, moved in zip(SPANS, each.returns, strict=True)}
    return {"name": each.name, "symbols": each.symbols, **returns, "sentiment": each.mood, "held": str(each.held)}


def _holding_document(each: HoldingView) -> dict[str, Any]:
    return {
        "symbol": each.symbol,
        "value": str(each.value),
        "share_of_equity": f"{each.share:.6f}",
        "sentiment": each.mood,
        "usual_move": each.usual_move,
        "stories": [story_document(story) for story in each.stories],
    }


def _advice_document(each: Advice) -> dict[str, str]:
    return {"action": each.action.value, "about": each.about, "reason": each.reason, "command": each.command}
