"""`bensbot config show|check`: what is set, and whether it will do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from trading_bot.cli.options import Config, Json
from trading_bot.domain.errors import SettingsError
from trading_bot.terminal import DONE, say

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings

NO_FILE = "There is no config.yaml here; what is set without one"

app = App(name="config", help="Look at the settings.")


@app.command
def show(*, config: Config = None, as_json: Json = False) -> int:
    """Print every setting, its value and where that came from. Secrets are masked."""
    from trading_bot.config.show import origins_as_json, origins_as_text
    from trading_bot.config.typed_settings import explain_config

    origins = explain_config(config)
    sys.stdout.write((origins_as_json(origins) if as_json else origins_as_text(origins)) + "\n")
    return DONE


@app.command
def check(
    file: Annotated[
        Path | None, Parameter(alias="--config", help="Settings file; else config.yaml here, if there is one.")
    ] = None,
) -> int:
    """Check a settings file, its plug-ins with their options, and whether keys and prices are there."""
    from trading_bot.config.typed_settings import DEFAULT_FILE, load_config
    from trading_bot.core.bot import check_plugins, check_prices, check_setup

    settings = load_config(file)
    check_plugins(settings)
    check_setup(settings)
    check_prices(settings)
    refused = _refused_by_a_schedule(settings)
    what = file or (DEFAULT_FILE if DEFAULT_FILE.exists() else NO_FILE)
    say(f"{what} is fine for `bensbot run`, but not for `bensbot up`: {refused}" if refused else f"{what} is fine.")
    return DONE


def _refused_by_a_schedule(settings: TradingBotSettings) -> str | None:
    """Say what keeps a schedule from ticking so; the plain loop takes every interval."""
    from trading_bot.core.schedule import tick_times

    if not settings.orchestrator.market_hours_only:
        return None
    try:
        tick_times(settings.orchestrator.loop_interval_seconds, settings.hours.windows)
    except SettingsError as error:
        return str(error)
    return None
