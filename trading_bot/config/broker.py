"""The settings of the broker."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field, SecretStr

from trading_bot.config.section import Section
from trading_bot.config.values import Address, Dollars, Number, Options, Share, StreamAddress


class BrokerSettings(Section):
    """Where orders go, and what trading costs at the paper broker."""

    name: str = Field(
        default="paper", min_length=1, description="The broker plug-in: `paper` simulates an account, or `alpaca`."
    )
    starting_cash: Dollars = Field(
        default=Decimal(100000), gt=0, description="Dollars in a new paper account, to the cent."
    )
    slippage_bps: Number = Field(
        default=Decimal(5), ge=0, le=1000, description="Hundredths of a per cent of the price, always against us."
    )
    commission_per_share: Number = Field(default=Decimal(0), ge=0, description="Dollars a share.")
    commission_minimum: Number = Field(default=Decimal(0), ge=0, description="Dollars an order, at the least.")
    volume_share: Share = Field(
        default=Decimal("0.1"),
        description="The most of a bar's volume that one order may fill, where the volume is known.",
    )
    paper_url: SecretStr | None = Field(
        default=None,
        description="Database URL of the paper account; none is paper.db in the state folder. "
        "A URL with a password belongs into BENSBOT_BROKER__PAPER_URL.",
    )
    paper: bool = Field(default=True, description="Play money. Set to false to trade a live account.")
    live_confirm: str | None = Field(
        default=None, description="The number of the live account that may be traded, as its broker shows it."
    )
    api_key: SecretStr | None = Field(
        default=None, description="Alpaca's key. BENSBOT_BROKER__API_KEY is the place for it."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="Alpaca's secret key. BENSBOT_BROKER__SECRET_KEY is the place for it."
    )
    trading_url: Address | None = Field(
        default=None, description="Where orders go, https or on this machine; none is Alpaca's paper or live host."
    )
    data_url: Address | None = Field(
        default=None, description="Where Alpaca's prices come from, https or on this machine; none is Alpaca's host."
    )
    stream_url: StreamAddress | None = Field(
        default=None,
        description="Where Alpaca tells of orders as they move, like wss://paper-api.alpaca.markets/stream, or on this "
        "machine; none is no stream. It only says when to ask.",
    )
    queue_for_open: bool = Field(
        default=False,
        description="Send market orders to a real broker while the market is closed, too; they fill at the next open.",
    )
    options: Options = Field(default_factory=dict[str, Any], description="Options of a broker from another package.")
