"""The settings of the rotation: who may join the team, what decides, and how readily the team changes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from trading_bot.config.section import Section
from trading_bot.config.values import LISTED, Count, Number, Statistic, advice, any_case

Grid = dict[str, tuple[Any, ...]]


def _lists_of_values(grid: object) -> object:
    """Refuse a plain value, which is likely meant as the only one to try, and an empty list."""
    if isinstance(grid, Mapping):
        for option, values in grid.items():  # pyright: ignore[reportUnknownVariableType]  # checked by the model next
            if not isinstance(values, list | tuple):
                raise advice(f"{option} must be a list of the values to try, like [10, 20]")
            if not values:
                raise advice(f"{option} must list at least one value to try")
    return grid  # pyright: ignore[reportUnknownVariableType]


class CandidateSettings(Section):
    """A strategy that may join the team, with every combination of the options in its grid."""

    name: str = Field(min_length=1, description="The strategy plug-in.")
    grid: Annotated[Grid, BeforeValidator(_lists_of_values)] = Field(
        default_factory=dict[str, tuple[Any, ...]],
        description="Option → the values to try. A combination that the strategy refuses as a whole is left out.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


def _some_and_no_twins(candidates: tuple[CandidateSettings, ...]) -> tuple[CandidateSettings, ...]:
    if not candidates:
        raise advice("it must name at least one strategy; to keep strategy.team, set enable_strategy_rotation: false")
    return candidates


def _known_to_ray(address: str | None, known: ValidationInfo) -> str | None:
    """Refuse to start a Ray cluster: its processes listen on every interface, and nothing that this bot starts does."""
    if address is None and known.data.get("runner") == "ray":
        raise advice(
            "runner: ray needs the address of a cluster that runs already, as `ray start --head` prints it; for "
            "processes of this machine alone write runner: dask"
        )
    return address


def _ascending(windows: tuple[int, ...]) -> tuple[int, ...]:
    if not windows:
        raise advice("it must name at least one, like [90, 504]")
    if len(set(windows)) < len(windows):
        raise advice("each window may be listed once")
    return tuple(sorted(windows))


Windows = Annotated[
    tuple[Annotated[Count, Field(ge=20, le=2520)], ...], LISTED, AfterValidator(_ascending)
]  # twenty returns are the fewest that anybody would take a mean of; 2520 sessions are ten years
Candidates = Annotated[tuple[CandidateSettings, ...], LISTED, AfterValidator(_some_and_no_twins)]
CriterionName = Annotated[
    Literal["sharpe", "sortino", "return", "drawdown"], any_case("sharpe", "sortino", "return", "drawdown")
]

FIRST_CANDIDATES = (
    CandidateSettings(name="sma_cross", grid={"fast": (5, 10, 20), "slow": (50, 100, 150, 200)}),
    CandidateSettings(name="momentum", grid={"lookback": (63, 126, 189, 252), "skip": (0, 21)}),
    CandidateSettings(name="donchian_breakout", grid={"entry": (20, 40, 55, 100), "exit": (10, 20)}),
    CandidateSettings(name="rsi_reversion", grid={"period": (7, 14), "oversold": (25, 30, 35), "recovered": (50, 60)}),
    CandidateSettings(name="bollinger_reversion", grid={"window": (10, 20, 50), "width": (1.5, 2.0, 2.5)}),
)


class RotationSettings(Section):
    """How the team is chosen anew: docs/rotation.md. orchestrator.enable_strategy_rotation turns it on and off."""

    frequency: Annotated[Literal["daily", "weekly", "monthly"], any_case("daily", "weekly", "monthly")] = Field(
        default="daily", description="After every session, the last one of a week, or the last one of a month."
    )
    windows: Windows = Field(
        default=(90, 504),
        description="Sessions to look back on, 20 to 2520 each; a candidate's score is its mean over all windows.",
    )
    criterion: CriterionName = Field(default="sharpe", description="What candidates are compared by, after costs.")
    keep: Count = Field(default=3, ge=1, description="Seats in the team; each strategy takes one at the most.")
    weights: Annotated[
        Literal["equal", "score", "inverse-volatility"], any_case("equal", "score", "inverse-volatility")
    ] = Field(default="equal", description="How much the vote of each member counts.")
    hysteresis: Statistic | None = Field(
        default=None,
        ge=0,
        description="By how much a newcomer's score must exceed that of the member whose seat it takes; null is 0.25 "
        "for sharpe, 0.35 for sortino, 0.05 for return and 0.02 for drawdown.",
    )
    floor: Statistic | None = Field(
        default=None,
        description="The least score of a member; where nobody reaches it the bot holds cash. null is 0, and -0.25 for "
        "drawdown, whose score is the loss from the high: -0.1 is better than -0.2.",
    )
    costs_bps: Number = Field(
        default=Decimal(10),
        ge=0,
        le=1000,
        description="What trading costs in the comparison, in hundredths of a per cent of the dollars traded.",
    )
    candidates: Candidates = Field(
        default=FIRST_CANDIDATES,
        description="Who may join, with the options to try: every combination of a grid competes. The members of "
        "strategy.team compete, too.",
    )
    runner: Annotated[Literal["threads", "dask", "ray"], any_case("threads", "dask", "ray")] = Field(
        default="threads",
        description="What works out the scores in the flow strategy-rotation. dask and ray need the extra named so.",
    )
    runner_address: Annotated[str | None, AfterValidator(_known_to_ray)] = Field(
        default=None,
        validate_default=True,
        description="Address of a Dask scheduler or Ray cluster that runs already; null starts Dask's on this machine.",
    )
    dry_run: bool = Field(default=False, description="Decide and tell, but change nothing.")
