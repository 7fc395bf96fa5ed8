"""A sandbox on packaged prices, its history ending today: what a user without keys can trade at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from trading_bot.core.hours import TradingHours
from trading_bot.data.bars import read_only, take_rows
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.ports import RawBars
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.market import SandboxClock, SandboxMarket
from trading_bot.sandbox.server import API_KEY, SECRET_KEY, Sandbox

YEARS_BACK = 4
DAYS_AHEAD = 90  # of prices that come in day by day while the sandbox runs
FOLDER = ".bensbot-sandbox"  # one book in it for each account: a book belongs to one for good


def sandbox_of_today(now: datetime, *, port: int = 0) -> Sandbox:
    """Return a sandbox that is always open and has not begun to listen; its clock is the machine's."""
    hours, clock = TradingHours(), SandboxClock()
    market = SandboxMarket(prices_of_today(now.date(), hours), hours, clock.now, always_open=True)
    exchange = SandboxExchange(market, account_number=f"PA{now:%y%m%d%H%M%S}")
    exchange.behaviour = replace(exchange.behaviour, fees="accrued")  # as on a live account
    return Sandbox(exchange, clock, port=port, stream=True)


def prices_of_today(today: date, hours: TradingHours) -> RawBars:
    """Return the newest packaged prices as if they had come in over the last years, and were still coming in.

    The last of the packaged sessions is put on the last session before `today` + DAYS_AHEAD, the one before on the
    session before that, and so on: real moves on other days.
    """
    last = today + timedelta(days=DAYS_AHEAD)
    days = hours.sessions_between(date(today.year - YEARS_BACK, 1, 1), last)
    everything = Sample().bars(Sample().sessions()[-1].item())
    newest = take_rows(everything, slice(-len(days), None))
    return read_only(replace(newest, sessions=days, benchmark=None, benchmark_name=""))


def variables(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment in which the bot trades at this sandbox."""
    stream = {"BENSBOT_BROKER__STREAM_URL": sandbox.stream.url} if sandbox.stream else {}
    return {
        "BENSBOT_BROKER__NAME": "alpaca",
        "BENSBOT_BROKER__API_KEY": API_KEY,
        "BENSBOT_BROKER__SECRET_KEY": SECRET_KEY,
        "BENSBOT_BROKER__TRADING_URL": sandbox.url,
        "BENSBOT_BROKER__DATA_URL": sandbox.url,
        **stream,
        "BENSBOT_BROKER__QUEUE_FOR_OPEN": "true",  # the sandbox fills at any hour
        "BENSBOT_DATA__SOURCE": "alpaca",
        "BENSBOT_DATA__SYMBOLS": ",".join(sandbox.exchange.market.bars.symbols),
        "BENSBOT_ORCHESTRATOR__MARKET_HOURS_ONLY": "false",
        "BENSBOT_STATE__FOLDER": f"{FOLDER}/{sandbox.exchange.account_number}",
    }
