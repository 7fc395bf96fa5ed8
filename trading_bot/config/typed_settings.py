"""Load the settings: environment over `.env` over the file over the defaults, every value checked.

`load_config` returns them, `explain_config` says where each one came from.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, cast

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator

from trading_bot.config.broker import BrokerSettings
from trading_bot.config.files import read_file, read_json
from trading_bot.config.origins import Layered, SettingPath, layered
from trading_bot.config.overrides import from_command
from trading_bot.config.problems import in_words
from trading_bot.config.risk import RiskSettings
from trading_bot.config.rotation import CandidateSettings, RotationSettings
from trading_bot.config.sections import (
    BacktestSettings,
    DataSettings,
    IntelligenceSettings,
    NewsSettings,
    NotificationSettings,
    OrchestratorSettings,
    Section,
    SourceOfNews,
    StateSettings,
    StrategySettings,
    TeamMember,
)
from trading_bot.config.values import advice, passwords_in
from trading_bot.config.variables import Catalogue, entries_of, from_dotenv, from_environment
from trading_bot.config.windows import HoursSettings, WindowSettings
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.records import dataclass

__all__ = [
    "BacktestSettings",
    "BrokerSettings",
    "CandidateSettings",
    "DataSettings",
    "HoursSettings",
    "IntelligenceSettings",
    "NewsSettings",
    "NotificationSettings",
    "OrchestratorSettings",
    "RiskSettings",
    "RotationSettings",
    "SettingOrigin",
    "SourceOfNews",
    "StateSettings",
    "StrategySettings",
    "TeamMember",
    "TradingBotSettings",
    "WindowSettings",
    "explain_config",
    "load_config",
    "load_recorded",
]

DEFAULT_FILE = Path("config.yaml")
DOTENV_FILE = Path(".env")


class TradingBotSettings(Section):
    """All settings. Building it by hand reads no file and no variable."""

    orchestrator: OrchestratorSettings = Field(default_factory=OrchestratorSettings)
    hours: HoursSettings = Field(default_factory=HoursSettings)
    broker: BrokerSettings = Field(default_factory=BrokerSettings)
    risk: RiskSettings = Field(default_factory=RiskSettings)
    data: DataSettings = Field(default_factory=DataSettings)
    strategy: StrategySettings = Field(default_factory=StrategySettings)
    rotation: RotationSettings = Field(default_factory=RotationSettings)
    backtest: BacktestSettings = Field(default_factory=BacktestSettings)
    intelligence: IntelligenceSettings = Field(default_factory=IntelligenceSettings)
    news: NewsSettings = Field(default_factory=NewsSettings)
    notification: NotificationSettings = Field(default_factory=NotificationSettings)
    state: StateSettings = Field(default_factory=StateSettings)

    @model_validator(mode="after")
    def _windows_know_the_team(self) -> Self:
        """Refuse a window with a strategy that can never be in the team."""
        rotating = self.orchestrator.enable_strategy_rotation
        members = (*self.strategy.team, *(self.rotation.candidates if rotating else ()))
        known = list(dict.fromkeys(member.name for member in members))
        where = "neither strategy.team nor rotation.candidates has" if rotating else "strategy.team does not have"
        for window in self.hours.windows:
            strangers = [name for name in window.strategies if name not in known]
            if strangers:
                raise advice(
                    f"hours.windows: {window.name} wants the strategy {strangers[0]}, which {where}; there are "
                    f"{', '.join(known)}. Add it there, or name another one here"
                )
        return self

    def fingerprint(self) -> str:
        """Return the SHA-256, in hex, of every setting that can change a decision.

        Notices, news that nobody reads, the state's place, the logging level, how backtests are made and all secrets
        are left out.
        Equal settings have equal fingerprints on every machine; `0.10` and `0.1` are equal.
        """
        return hashlib.sha256(self._deciding(_canonical).encode()).hexdigest()

    def as_recorded(self) -> str:
        """Return the settings of the fingerprint as JSON with every digit as it was given; `load_recorded` reads it."""
        return self._deciding(_without_secrets)

    def _deciding(self, form: Callable[[Any], Any]) -> str:
        unimportant: Any = {
            "backtest": True,
            "notification": True,
            "state": True,
            "orchestrator": {"logging_level"},
            "rotation": {"runner", "runner_address"},
            "broker": {"paper_url"},
        }
        if not self.news.are_read:  # nothing is read, so nothing about reading it can change a decision
            unimportant["news"] = True
        dumped = form(self.model_dump(exclude=unimportant))
        return json.dumps(dumped, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    def secret_values(self) -> tuple[str, ...]:
        """Return every secret in the settings as plain text, for the filter that hides them in logs.

        The passwords of a database URL are listed by themselves too: a driver may show one alone.
        """
        return tuple(_secrets(self.model_dump()))


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """One setting for people: its dotted key, its value with secrets masked, and who set it."""

    key: str
    value: str
    origin: str  # "default", "file config.yaml", ".env" or "environment BENSBOT_X"


def load_config(
    path: str | Path | None = None, *, overrides: Mapping[str, object] = MappingProxyType({})
) -> TradingBotSettings:
    """Return the settings from `path`, `.env` and the environment.

    Args:
        path: a YAML or JSON file. Without it, `config.yaml` in the current directory if there is
            one, else the defaults.
        overrides: dotted names like `risk.max_open_trades` → values, which win over everything else.

    Raises:
        SettingsError: with every wrong setting in one message, and what to write instead.
    """
    return _checked(_layers(path, overrides))


def load_recorded(recorded: str, *, overrides: Mapping[str, object] = MappingProxyType({})) -> TradingBotSettings:
    """Return settings as they were recorded: no file and no variable counts, only the text and the overrides.

    Raises:
        SettingsError: this version has other settings, or an override is wrong.
    """
    entries = list(read_json(recorded, "the recorded settings"))
    found, wrong = from_command(overrides, _catalogue())
    return _checked(layered([*entries, *found], wrong))


def explain_config(path: str | Path | None = None) -> tuple[SettingOrigin, ...]:
    """Return every setting as `load_config(path)` sees it, with its origin. The same errors."""
    layers = _layers(path, {})
    return tuple(_explained(_checked(layers), layers))


# ── reading ───────────────────────────────────────────────────────────────────────────────────────


def _layers(path: str | Path | None, overrides: Mapping[str, object]) -> Layered:
    file = Path(path) if path is not None else DEFAULT_FILE
    wanted = path is not None or file.exists() or file.is_symlink()  # a link to nowhere is a missing file
    entries = list(read_file(file)) if wanted else []
    complaints: list[str] = []
    for variables in (from_dotenv(DOTENV_FILE), from_environment(os.environ)):
        found, wrong = entries_of(variables, _catalogue())
        entries += found
        complaints += wrong
    found, wrong = from_command(overrides, _catalogue())
    return layered([*entries, *found], [*complaints, *wrong])


def _catalogue() -> Catalogue:
    return {name: tuple(section.model_fields) for name, section in _sections().items()}


def _sections() -> Mapping[str, type[BaseModel]]:
    fields = TradingBotSettings.model_fields.items()
    return {name: cast("type[BaseModel]", field.annotation) for name, field in fields}


def _checked(layers: Layered) -> TradingBotSettings:
    complaints = list(layers.complaints)
    try:
        settings = TradingBotSettings.model_validate(layers.values)
    except ValidationError as error:
        settings = None
        complaints += [in_words(item, TradingBotSettings, layers) for item in error.errors(include_url=False)]
    if settings is None or complaints:  # raised here, not above: pydantic's error knows the secret values
        raise SettingsError(_one_message(complaints))
    return settings


def _one_message(complaints: list[str]) -> str:
    if len(complaints) == 1:
        return complaints[0]
    return "\n- ".join((f"{len(complaints)} settings are wrong:", *complaints))


# ── telling ───────────────────────────────────────────────────────────────────────────────────────


def _explained(settings: TradingBotSettings, layers: Layered) -> Iterator[SettingOrigin]:
    for name, section in _sections().items():
        for key in section.model_fields:
            yield from _leaves((name, key), getattr(getattr(settings, name), key), layers)


def _leaves(path: SettingPath, value: Any, layers: Layered) -> Iterator[SettingOrigin]:
    if isinstance(value, dict) and value:
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _leaves((*path, key), inner, layers)
        return
    origin = layers.set_by(path)
    masked = _masked(value)
    text = masked if isinstance(masked, str) else json.dumps(masked, ensure_ascii=False)
    yield SettingOrigin(".".join(path), text, origin.layer if origin else "default")


def _masked(value: Any) -> Any:
    """Return a value that JSON can write, secrets as asterisks."""
    match value:
        case BaseModel():
            return _masked(value.model_dump())
        case dict():
            return {str(key): _masked(inner) for key, inner in cast("dict[Any, Any]", value).items()}
        case list() | tuple():
            return [_masked(inner) for inner in cast("list[Any]", value)]
        case bool() | int() | float() | None:
            return value
        case _:
            return str(value)


def _canonical(value: Any) -> Any:
    """Return the same JSON for the same meaning, without secrets."""
    return _without_secrets(value, digits=lambda amount: str(amount.normalize()))


def _without_secrets(value: Any, *, digits: Callable[[Decimal], str] = str) -> Any:
    match value:
        case dict():
            items = cast("dict[Any, Any]", value).items()
            return {
                str(key): _without_secrets(inner, digits=digits)
                for key, inner in items
                if not isinstance(inner, SecretStr)
            }
        case list() | tuple():
            items = cast("list[Any]", value)
            return [_without_secrets(inner, digits=digits) for inner in items if not isinstance(inner, SecretStr)]
        case Decimal():
            return digits(value)
        case bool() | int() | float() | str() | None:
            return value
        case _:  # dates and paths
            return value.as_posix() if isinstance(value, Path) else str(value)


def _secrets(value: Any) -> Iterator[str]:
    match value:
        case SecretStr():
            text = value.get_secret_value()
            yield text
            yield from passwords_in(text)
        case dict():
            for inner in cast("dict[Any, Any]", value).values():
                yield from _secrets(inner)
        case list() | tuple():
            for inner in cast("list[Any]", value):
                yield from _secrets(inner)
        case _:
            return
