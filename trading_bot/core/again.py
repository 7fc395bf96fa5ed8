"""Take a recorded cycle's decisions again: with its own settings as a proof, with others to see what would change."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from trading_bot.config.typed_settings import TradingBotSettings, load_recorded
from trading_bot.core.deciding import as_filled, decide, wishes
from trading_bot.core.judges import risk_manager, strategy_manager
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.inputs import CycleRecord
from trading_bot.domain.orders import Decision, Ruling
from trading_bot.domain.stories import Change
from trading_bot.domain.track_record import NOTHING_YET

if TYPE_CHECKING:
    from trading_bot.domain.portfolio import Portfolio
    from trading_bot.domain.symbols import Symbol
    from trading_bot.strategies.manager import StrategyManager

JUDGES = ("risk", "strategy")  # sections of the settings that say what is made of a market
ROTATES = "orchestrator.enable_strategy_rotation"


def decide_again(
    record: CycleRecord, decided: Sequence[Decision], settings: TradingBotSettings | None = None
) -> tuple[Decision, ...]:
    """Return what follows from the record, in the order in which it is decided.

    Args:
        record: what the cycle knew.
        decided: what it decided. What the owner wanted is taken from there: nobody else knows it.
        settings: other settings than those of the record.

    Raises:
        SettingsError: this version does not understand the recorded settings.
        PluginError: a strategy or rule of then is not here.
    """
    chosen = settings or load_recorded(record.conditions.settings)
    risk = risk_manager(chosen)
    inputs = record.inputs
    if record.by_owner:
        signals = tuple(decision.signal for decision in decided)
    else:
        signals = wishes(team_then(record, chosen), risk, record.market, inputs, inputs.control, record.strategies)
    if inputs.buying_power is None:  # nothing was to be decided then: what the book has must do
        inputs = dataclasses.replace(inputs, buying_power=inputs.portfolio.cash, record=NOTHING_YET)
    return decide(risk, record.market, inputs, signals, window=record.window if record.exits_only else "")


def team_then(record: CycleRecord, settings: TradingBotSettings) -> StrategyManager:
    """Return those who decided: a rotation's choice, unless these settings want none. Raises PluginError."""
    rotates = settings.orchestrator.enable_strategy_rotation
    return strategy_manager(settings, record.conditions.team if rotates else None, looking_back=True)


def shadow_portfolio(record: CycleRecord) -> Portfolio:
    """Return what opinions were compared with: the portfolio as if every open order had filled."""
    return as_filled(record.inputs.portfolio, record.inputs.pending, record.market)


def other_settings(record: CycleRecord, overrides: Mapping[str, object]) -> TradingBotSettings:
    """Return the settings of then with these changes.

    Raises:
        SettingsError: a change is wrong, or is none to how a market that is known is judged.
    """
    others = TradingBotSettings.model_fields.keys() - JUDGES
    for name in overrides:
        if name.partition(".")[0] in others and name != ROTATES:
            raise SettingsError(
                f"{name} does not change what is made of a market that is on record. What does: settings under risk "
                f"and strategy, and {ROTATES}. To trade the past with other settings: bensbot backtest"
            )
    return load_recorded(record.conditions.settings, overrides=overrides)


def first_difference(then: Sequence[Decision], now: Sequence[Decision]) -> str:
    """Return the first difference in words, to the last bit of every number; "" when there is none."""
    for number, (old, new) in enumerate(itertools.zip_longest(then, now), start=1):
        about = f"decision {number}, {(old or new).signal.symbol}"
        for (place, was), (other, is_now) in itertools.zip_longest(_leaves(old), _leaves(new), fillvalue=("", "")):
            if (place, was) != (other, is_now):
                return f"{about}: {place or other} is {was or 'not there'} then, and {is_now or 'not there'} now"
    return ""


def changes(then: Sequence[Decision], now: Sequence[Decision]) -> tuple[Change, ...]:
    """Return what would be traded otherwise, or not, or for which another rule bound; a stop order stands by itself."""
    old, new = ({_subject(decision): decision for decision in side} for side in (then, now))
    found = (Change(each[0], old.get(each), new.get(each)) for each in dict.fromkeys((*old, *new)))
    return tuple(change for change in found if _gist(change.then) != _gist(change.now))


def _gist(decision: Decision | None) -> tuple[object, ...] | None:
    if decision is None:
        return None
    signal = decision.signal
    return signal.side, signal.stop_price, decision.requested, decision.quantity, decision.rule


def _subject(decision: Decision) -> tuple[Symbol, bool]:
    """Return what is decided about: a stock, or the stop order that guards it beside another decision."""
    return decision.signal.symbol, decision.signal.stop_price is not None


def _leaves(decision: Decision | None) -> Iterator[tuple[str, str]]:
    """Yield every number and word of a decision with its place. As text NaN equals NaN, and 0.0 is not -0.0."""
    if decision is not None:
        yield "outcome", type(decision).__name__.lower()
        yield from _flat(dataclasses.asdict(decision), "")


def _flat(value: object, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case Ruling():
            yield from _flat(value._asdict(), place)
        case dict():
            for key, inner in cast("dict[str, object]", value).items():
                yield from _flat(inner, f"{place}.{key}" if place else key)
        case tuple():
            for number, inner in enumerate(cast("tuple[object, ...]", value), start=1):
                yield from _flat(inner, f"{place} {number}")
        case _:
            yield place, repr(value) if isinstance(value, float) else str(value)
