"""`bensbot news`: list the stories that decisions knew. It writes nothing."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from trading_bot.cli.options import Config, Json, book_to_read
from trading_bot.domain.errors import SettingsError
from trading_bot.terminal import DONE


def news(
    symbol: str | None = None,
    *,
    limit: Annotated[int, Parameter(help="So many at the most; 0 is all.")] = 50,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """List the news that the bot has read, the newest first: all, or those about SYMBOL."""
    if limit < 0:
        raise SettingsError(f"--limit {limit} is no number of stories; write 0 (all) or more.")
    from trading_bot.domain.symbols import Symbol
    from trading_bot.reporting.news import news_as_json, print_news

    about = Symbol(symbol.upper()) if symbol else None
    with book_to_read(config) as book:
        found = book.news.newest(about, limit=limit + 1 if limit else None)
    stories = found[:limit] if limit else found
    more = len(found) > len(stories)
    if as_json:
        sys.stdout.write(news_as_json(stories, more=more) + "\n")
        return DONE
    from rich.console import Console

    print_news(stories, Console(highlight=False, soft_wrap=False), about=about, more=more)
    return DONE
