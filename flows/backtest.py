"""A backtest from Prefect's UI: a typed form, and the result as an artifact with its pictures.

It reads prices and settings and writes nothing: neither the book nor the account of the bot knows of it.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from flows.logs import prepared
from tasks.asking import whole
from tasks.backtest import publish, trade_the_past
from trading_bot.backtest.run import Wanted, settings_for
from trading_bot.domain.secrets import masked_errors
from trading_bot.reporting.backtest_text import headline


class BacktestParams(BaseModel):
    """What a person may ask of the past. What is left empty is as in the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(
        default=None,
        description="Settings file on the machine that runs the bot. Empty: config.yaml there, or the defaults.",
    )
    strategies: list[str] = Field(
        default=[], description="Strategies like sma_cross:fast=10,slow=30. Empty: the team of the settings."
    )
    first: date | None = Field(default=None, description="First session. Empty: data.start.")
    last: date | None = Field(default=None, description="Last session. Empty: the newest one there is.")
    source: str | None = Field(default=None, description="Price source, like sample or sample-ohlcv.")
    symbols: list[str] = Field(default=[], description="Only these. Empty: data.symbols.")
    cash: Decimal | None = Field(default=None, gt=0, description="Dollars to begin with.")
    engine: Literal["replay", "vectorised"] | None = Field(
        default=None, description="replay: as the bot trades. vectorised: a plain ledger without risk rules."
    )
    trials: int = Field(default=1, ge=1, description="How many variants were tried, this one included.")
    settings: list[str] = Field(
        default=[],
        description="More settings, like risk.max_open_trades=10. Readable by everybody: no secrets.",
    )

    def wanted(self) -> Wanted:
        """Return the same for the engines."""
        return Wanted(
            config=self.config,
            strategies=tuple(self.strategies),
            first=self.first,
            last=self.last,
            source=self.source,
            symbols=tuple(self.symbols),
            cash=self.cash,
            engine=self.engine,
            assignments=tuple(self.settings),
            trials=self.trials,
        )


AS_SET = BacktestParams()


@flow(
    name="backtest",
    description="Trade the past with the code that trades today, and show what came of it.",
    persist_result=False,
)
async def backtest(params: BacktestParams = AS_SET) -> State[Any]:
    """Trade the past and publish the result; the state says in a line what it was."""
    with masked_errors():
        prepared(settings_for(params.wanted()))
        result = trade_the_past(whole(params.wanted()))
        await publish(whole(result))
        return Completed(message=headline(result))
