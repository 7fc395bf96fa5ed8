"""The `risk` section of the settings: every limit with its default, unit and range. docs/risk.md has the formulas."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from trading_bot.config.section import Section
from trading_bot.config.values import Count, Number, Options, Score, Share


class RiskSettings(Section):
    """The limits of every order. Shares are fractions of equity: 0.05 is 5 %."""

    max_position_pct: Share = Field(default=Decimal("0.05"), description="The most of equity in one stock.")
    max_risk_pct: Share = Field(
        default=Decimal("0.01"), description="The most of equity that one position may lose down to its stop."
    )
    max_portfolio_risk: Share = Field(
        default=Decimal("0.25"),
        description="The most of equity that all positions together may lose down to their stops.",
    )
    max_correlated_positions: Count = Field(default=3, ge=1, description="The most positions that move together.")
    correlation_threshold: Score = Field(
        default=0.7, description="Correlation of daily returns from which two stocks move together."
    )
    max_sector_allocation: Share = Field(default=Decimal("0.30"), description="The most of equity in one sector.")
    max_open_trades: Count = Field(default=5, ge=1, description="The most positions at the same time.")
    portfolio_stop_loss_pct: Share = Field(
        default=Decimal("0.05"), description="Fall from the highest equity at which nothing is bought any more."
    )
    portfolio_stop_action: Literal["entries", "reducing", "flatten"] = Field(
        default="entries",
        description="What follows: `entries` waits until equity recovers, `reducing` lets exits through only until "
        "`bensbot resume`, `flatten` sells everything, too.",
    )
    daily_loss_pct: Share = Field(
        default=Decimal("0.03"), description="Loss since the end of the session before at which nothing is bought."
    )
    weekly_loss_pct: Share = Field(
        default=Decimal("0.05"), description="Loss over 5 sessions at which nothing is bought."
    )
    monthly_loss_pct: Share = Field(
        default=Decimal("0.10"), description="Loss over 21 sessions at which nothing is bought."
    )
    stop_guard_stops: Count = Field(
        default=4, ge=0, description="Losing stops within stop_guard_sessions at which nothing is bought; 0 is off."
    )
    stop_guard_sessions: Count = Field(default=5, ge=1, le=60, description="Sessions in which those stops are counted.")
    cooldown_sessions: Count = Field(
        default=1, ge=0, le=60, description="Sessions until a stock that was sold may be bought again; 0 is off."
    )
    low_profit_trades: Count = Field(
        default=3,
        ge=0,
        description="Trades in one stock within low_profit_sessions after which it is not bought when they lost money "
        "together; 0 is off.",
    )
    low_profit_sessions: Count = Field(
        default=20, ge=1, le=60, description="Sessions in which the trades of a stock are counted."
    )
    max_orders_per_day: Count = Field(default=50, ge=1, description="Orders a session after which nothing is bought.")
    max_orders_per_cycle: Count = Field(default=20, ge=1, description="Orders a cycle after which nothing is bought.")
    max_orders_per_minute: Count = Field(
        default=150, ge=1, description="Orders within a minute after which none is sent, exits included."
    )
    position_stop: bool = Field(default=True, description="Sell a position that has fallen by position_stop_pct.")
    position_stop_pct: Share = Field(
        default=Decimal("0.10"), description="Fall below the average price paid at which a position is sold."
    )
    position_stop_by: Literal["percent", "atr"] = Field(
        default="percent",
        description="`percent` counts the stop by position_stop_pct, `atr` by how much the stock usually moves.",
    )
    position_stop_atr: Number = Field(
        default=Decimal(3), gt=0, le=100, description="Average true ranges below the price paid, for `atr`."
    )
    atr_sessions: Count = Field(default=14, ge=2, le=250, description="Sessions of the average true range.")
    trailing_stop_pct: Share | None = Field(
        default=None,
        description="Fall below the highest close since it was bought at which a position is sold; null is off.",
    )
    take_profit_pct: Number | None = Field(
        default=None,
        gt=0,
        le=100,
        description="Gain on the price paid at which a position is sold, 0.5 is 50 %; null is off.",
    )
    time_stop_sessions: Count | None = Field(
        default=None, ge=1, description="Sessions after which a position is sold; null is off."
    )
    protective_orders: Literal["bot", "broker"] = Field(
        default="bot",
        description="`bot` checks stop-loss and trailing stop in each cycle; `broker` also keeps them as stop orders "
        "there, which work while the bot does not.",
    )
    min_price: Number = Field(default=Decimal(1), ge=0, description="Dollars a share below which nothing is bought.")
    max_jump_pct: Number = Field(
        default=Decimal("0.5"),
        gt=0,
        le=100,
        description="Move of a close without a split after which nothing is bought; 0.5 is 50 %.",
    )
    jump_sessions: Count = Field(default=3, ge=1, le=60, description="Sessions for which such a move counts.")
    max_volume_share: Share = Field(
        default=Decimal("0.01"),
        description="The most of a stock's mean volume of 20 sessions in one position, where volumes are known.",
    )
    max_gross_exposure: Share = Field(
        default=Decimal(1), description="The most of equity in positions, long and short added up."
    )
    max_net_exposure: Share = Field(default=Decimal(1), description="The most of equity in long positions less short.")
    volatility_target: Share | None = Field(
        default=None,
        description="The most that the portfolio may move in a year, a fraction of equity, if all stocks move as one; "
        "null is off.",
    )
    news_veto: Share = Field(
        default=Decimal("0.8"), description="Sentiment so far below 0 forbids to buy, where news is read."
    )
    news_influence: Score = Field(
        default=0.5, description="The most that milder bad news takes off a wanted position, a fraction."
    )
    max_spread_pct: Share = Field(
        default=Decimal("0.01"), description="Gap of bid and ask above which nothing is bought, where there are quotes."
    )
    max_quote_age_seconds: Count = Field(
        default=60, ge=1, description="Age of a quote above which nothing is bought, where there are quotes."
    )
    price_collar_pct: Share = Field(
        default=Decimal("0.10"),
        description="Distance of the quote from the price an order was sized with above which it is not sent.",
    )
    min_order_value: Number = Field(default=Decimal(1), ge=0, description="Dollars an order must come to.")
    fractional_shares: bool = Field(default=False, description="Buy parts of a share, where the broker takes them.")
    options: dict[str, Options] = Field(
        default_factory=dict[str, Options],
        description="Options that a rule has besides, by its name: earnings_blackout, and rules of other packages.",
    )
