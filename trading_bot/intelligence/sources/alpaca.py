"""News from Alpaca: https://docs.alpaca.markets ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import SecretStr

from trading_bot.alpaca.connect import DATA_LINE, keys_of, news_wire
from trading_bot.alpaca.news import AlpacaNews
from trading_bot.domain.news import Delivery
from trading_bot.domain.symbols import Symbol
from trading_bot.intelligence.registry import news_source


@news_source("alpaca")
@dataclass(frozen=True, slots=True)
class Alpaca:
    """What Alpaca's news has about the stocks that are looked at. The keys are those of `broker`."""

    reads: ClassVar[bool] = True
    in_order: ClassVar[bool] = True

    data_url: str | None = None
    api_key: SecretStr | None = None
    secret_key: SecretStr | None = None

    def require_setup(self) -> None:
        """Raise SettingsError where there are no keys."""
        keys_of(self.api_key, self.secret_key)

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return them, the newest where there are very many.

        Raises:
            SourceUnavailable, DataError: as every source.
            SettingsError: there are no keys.
            CredentialsRefused: Alpaca does not know the keys.
        """
        wire = news_wire(keys_of(self.api_key, self.secret_key), self.data_url, DATA_LINE)
        try:
            return AlpacaNews(wire).published(since, until, symbols)
        finally:
            wire.close()
