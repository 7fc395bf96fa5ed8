"""From what a person asks to the result: the settings decide which engine trades, and by which rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import yaml

from trading_bot.backtest.fingerprints import fingerprints
from trading_bot.backtest.frozen import frozen
from trading_bot.backtest.ledger import run_ledger
from trading_bot.backtest.question import LedgerQuestion
from trading_bot.backtest.replay import Question, replay, without_news
from trading_bot.config.overrides import typed
from trading_bot.config.typed_settings import TradingBotSettings, load_config
from trading_bot.core import bot as assembly
from trading_bot.core.hours import TradingHours
from trading_bot.core.judges import strategy_manager
from trading_bot.domain.backtest import BacktestResult, Engine, FillAt, LastBar, Sizing, Terms
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.tournament import Candidate

HOW_TO_WRITE = "write it like sma_cross:fast=10,slow=30"
Tell = Callable[[date, Decimal], None]  # of a session and the equity after it


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for. What is left out is as in the settings."""

    config: Path | None = None
    strategies: tuple[str, ...] = ()  # each as `name` or `name:option=value,option=value`
    first: date | None = None  # None: data.start
    last: date | None = None  # None: the newest session there is
    source: str | None = None
    symbols: tuple[str, ...] = ()
    cash: Decimal | None = None
    engine: str | None = None
    assignments: tuple[str, ...] = ()  # each `section.key=value`
    trials: int = 1  # how many variants were tried, this one included


def backtest(wanted: Wanted, tell: Tell | None = None) -> BacktestResult:
    """Trade the past as wanted.

    Raises:
        SettingsError, PluginError: something is asked or set wrong.
        DataError, SourceUnavailable: the prices are not there.
        LooksAhead: a strategy knows on some session what came later.
    """
    if wanted.trials < 1:
        raise SettingsError(f"--trials {wanted.trials}: this one counts, too; write 1 or more.")
    return replace(_traded(wanted, tell), trials=wanted.trials)


def _traded(wanted: Wanted, tell: Tell | None) -> BacktestResult:
    settings = settings_for(wanted)
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    first, last = _span(settings, hours, wanted)
    label = label_of(settings)
    asked = dict(_in_words(settings, label))
    if settings.backtest.engine == Engine.VECTORISED:
        return _by_ledger(settings, hours, (first, last), label, asked)
    _require_live_terms(settings)
    question = Question(settings, first, last, label, asked)
    return replay(question, None if tell is None else lambda report: tell(report.session, report.equity))


def settings_for(wanted: Wanted, more: Mapping[str, object] = MappingProxyType({})) -> TradingBotSettings:
    """Return the settings with what was asked on top, `more` by dotted names included. Raises SettingsError."""
    overrides: dict[str, object] = dict(more)
    if wanted.strategies:
        overrides["strategy.team"] = [member_of(text) for text in wanted.strategies]
    if wanted.source is not None:
        overrides["data.source"] = wanted.source
    if wanted.symbols:
        overrides["data.symbols"] = list(wanted.symbols)
    if wanted.cash is not None:
        overrides["broker.starting_cash"] = str(wanted.cash)
    if wanted.engine is not None:
        overrides["backtest.engine"] = wanted.engine
    return load_config(wanted.config, overrides={**typed(wanted.assignments), **overrides})


def terms_of(settings: TradingBotSettings) -> Terms:
    """Return every rule that turns opinions into money, as the settings say."""
    made, costs = settings.backtest, settings.broker
    return Terms(
        fill=FillAt(made.fill),
        sizing=Sizing(made.sizing),
        size_at_fill=made.size_at_fill,
        fractional_shares=settings.risk.fractional_shares,
        short=made.short,
        cash_buffer=made.cash_buffer,
        slippage_bps=costs.slippage_bps,
        commission_per_share=costs.commission_per_share,
        commission_minimum=costs.commission_minimum,
        commission_pct=made.commission_pct,
        volume_share=costs.volume_share,
        last_bar=LastBar(made.last_bar),
    )


def label_of(settings: TradingBotSettings) -> str:
    """Return the team in words: `momentum + sma_cross(fast=10, slow=30)`."""
    return " + ".join(Candidate(member.name, member.options).label for member in settings.strategy.team)


def member_of(text: str) -> dict[str, Any]:
    """Return what `name:option=value,option=value` means, as `name` and `options`. Raises SettingsError."""
    name, _, rest = text.partition(":")
    if name.endswith(".py"):
        how = "`bensbot strategy new` prints how a file is installed"
        raise SettingsError(f"--strategy {text}: a strategy has a name here, once it is installed; {how}.")
    if set(name.strip()) & set("(),;= "):
        raise SettingsError(f"--strategy {text}: {HOW_TO_WRITE}, and --strategy again for another one")
    options: dict[str, Any] = {}
    for part in _parts(rest) if rest else ():
        option, equals, value = part.partition("=")
        if not (equals and option.strip() and value.strip()):
            raise SettingsError(f"--strategy {text}: {HOW_TO_WRITE}")
        options[option.strip()] = _value(value, text)
    return {"name": name.strip(), "options": options}


def _parts(text: str) -> Iterator[str]:
    """Split at the commas that stand in no list and no mapping: `a=[1,2],b={c: 3}` has two parts."""
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _value(text: str, whole: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise SettingsError(f"--strategy {whole}: {text!r} cannot be read as a value") from None


def _span(settings: TradingBotSettings, hours: TradingHours, wanted: Wanted) -> tuple[date, date]:
    """Return the first and the last day asked for. Raises SettingsError when no session lies in between."""
    data = assembly.data_manager(settings, hours)
    sessions = data.sessions()
    first = wanted.first or settings.data.start
    last = wanted.last or (cast("date", sessions[-1].item()) if len(sessions) else first)
    if first > last:
        begin = f"--from {first}" if wanted.first else f"data.start, {first}, where a backtest without --from begins,"
        end = f"--to, {last}" if wanted.last else f"the last session of the prices, {last}"
        raise SettingsError(f"{begin} is after {end}: nothing lies in between.")
    if len(sessions) and not ((sessions >= np.datetime64(first)) & (sessions <= np.datetime64(last))).any():
        raise SettingsError(
            f"The price source has no session from {first} to {last}. It has {sessions[0]} to {sessions[-1]}."
        )
    return first, last


def _by_ledger(
    settings: TradingBotSettings, hours: TradingHours, span: tuple[date, date], label: str, asked: Mapping[str, str]
) -> BacktestResult:
    past = assembly.data_manager(settings, hours).past(*span)
    strategies = strategy_manager(settings)
    question = LedgerQuestion(
        past=past,
        team=strategies.team,
        targets=strategies.targets,
        terms=terms_of(settings),
        opening=settings.broker.starting_cash,
        label=label,
        fingerprints=fingerprints(past, settings),
        settings=asked,
    )
    result = run_ledger(question)
    return replace(result, notes=(*frozen(past, result.prices), *without_news(settings)))


LIVE_TERMS: Mapping[str, object] = {
    "fill": "next-open",
    "sizing": "weighted",
    "size_at_fill": False,
    "short": False,
    "cash_buffer": Decimal(0),
    "commission_pct": Decimal(0),
    "last_bar": "keep",
}


def _require_live_terms(settings: TradingBotSettings) -> None:
    """Refuse what the replay would have to leave out. Raises SettingsError."""
    for name, live in LIVE_TERMS.items():
        wanted = getattr(settings.backtest, name)
        if wanted != live:
            raise SettingsError(
                f"backtest.{name} is {wanted}, but the replay trades as the bot does, and that is {live}. "
                "Add --engine vectorised, or leave the setting out."
            )


def _in_words(settings: TradingBotSettings, label: str) -> Iterator[tuple[str, str]]:
    """Give what was asked, in the order to be read."""
    yield "strategies", label
    yield "source", settings.data.source
    yield "symbols", ", ".join(settings.data.symbols) or "all"
    sections: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
        ("backtest", settings.backtest, tuple(type(settings.backtest).model_fields)),
        ("broker", settings.broker, COSTS),
        ("strategy", settings.strategy, TARGETS),
        ("risk", settings.risk, tuple(name for name in type(settings.risk).model_fields if name != "options")),
    )
    for section, values, names in sections:
        if section == "risk" and settings.backtest.engine == Engine.VECTORISED:
            names = ("fractional_shares",)  # noqa: PLW2901  # no rule is asked
        for name in names:
            yield f"{section}.{name}", str(getattr(values, name))


COSTS = ("starting_cash", "slippage_bps", "commission_per_share", "commission_minimum", "volume_share")
TARGETS = ("position_weight", "max_gross_exposure", "max_candidates", "min_score", "rebalance_threshold")
