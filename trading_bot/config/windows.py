"""The settings of trading hours: which windows of the day, and who decides in them."""

from __future__ import annotations

from typing import Annotated, Any, Self, cast

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from trading_bot.config.section import Section
from trading_bot.config.values import LISTED, NAMED_WINDOWS, Days, Names, TimeOfDay, advice, window_of_times


class WindowSettings(Section):
    """A span of the day in which the bot may trade. A bare name means the whole team, entries and exits."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Field(min_length=1, description="regular, pre-market, after-hours, or a name of your own.")
    starts: TimeOfDay | None = Field(
        default=None, alias="from", description="New York time, in quotes, after which a window of your own begins."
    )
    ends: TimeOfDay | None = Field(
        default=None, alias="to", description="New York time, in quotes, at which it ends; a tick at it still trades."
    )
    strategies: Names = Field(
        default=(), description="Members of strategy.team that decide alone meanwhile; an empty list is all of them."
    )
    exits_only: bool = Field(default=False, description="Let sales through only.")

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, value: object) -> object:
        match value:
            case str() if value in NAMED_WINDOWS or window_of_times(value):
                return _with_times({"name": value})
            case str():
                raise advice(f'it must be one of {", ".join(NAMED_WINDOWS)}, or two times like "09:30-16:00"')
            case dict():
                return _with_times(cast("dict[str, object]", value))
            case WindowSettings():
                return value
            case _:
                raise advice('it must be a name like regular, two times like "09:30-16:00", or a mapping with a name')

    @model_validator(mode="after")
    def _times_are_known(self) -> Self:
        if self.name in NAMED_WINDOWS:
            if self.starts or self.ends:
                raise advice(f"{self.name} has its own times; leave out from and to, or choose another name")
        elif self.starts is None or self.ends is None:
            raise advice(f'say when {self.name} begins and ends, like from: "12:00" and to: "13:00"')
        elif self.starts >= self.ends:
            raise advice(f"the window must start before it ends, and {self.starts} is not before {self.ends}")
        return self

    @model_serializer(mode="wrap")
    def _plainly(self, dump: SerializerFunctionWrapHandler) -> Any:
        """Write what a bare name says as a bare name."""
        plain = self.name in NAMED_WINDOWS or window_of_times(self.name) == (self.starts, self.ends)
        return self.name if plain and not self.strategies and not self.exits_only else dump(self)


def _with_times(window: dict[str, object]) -> dict[str, object]:
    """Return the mapping with the times that its name says, like `09:45-15:30`."""
    times = window_of_times(str(window.get("name")))
    return {"from": times[0], "to": times[1], **window} if times else window


def _some_windows(windows: tuple[WindowSettings, ...]) -> tuple[WindowSettings, ...]:
    if not windows:
        raise advice("it must name at least one; an empty list would stop all trading")
    return windows


Windows = Annotated[tuple[WindowSettings, ...], LISTED, AfterValidator(_some_windows)]


class HoursSettings(Section):
    """The hours in which the bot may trade. docs/hours.md has examples."""

    windows: Windows = Field(
        default=(WindowSettings(name="regular"),),
        description='Each is regular, pre-market, after-hours or New York times like "09:30-16:00"; or a mapping '
        "with name, from, to, strategies and exits_only. Where two overlap, the first counts.",
    )
    closed_dates: Days = Field(
        default=(), description="Days the exchange closes that its calendar does not know, as 2025-01-09."
    )
