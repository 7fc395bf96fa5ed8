"""What a result depends on, as hashes: the same three give the same result, on any machine."""

from __future__ import annotations

import hashlib

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.program import whole_fingerprint
from trading_bot.data.past import Past
from trading_bot.domain.backtest import Fingerprints


def fingerprints(past: Past, settings: TradingBotSettings) -> Fingerprints:
    """Return the hashes of every bar, of the program, plug-ins included, and of all settings that change the result."""
    return Fingerprints(data_fingerprint(past), whole_fingerprint(), settings_fingerprint(settings))


def settings_fingerprint(settings: TradingBotSettings) -> str:
    """Return the SHA-256 of all that can change a decision of the bot, and of how the backtest is made."""
    made = settings.backtest.model_dump_json()
    return hashlib.sha256(f"{settings.fingerprint()}\n{made}".encode()).hexdigest()


def data_fingerprint(past: Past) -> str:
    """Return the SHA-256 of bars, splits, sectors and benchmark as the source gave them, and of the sessions traded."""
    raw = past.raw
    digest = hashlib.sha256("\x00".join(raw.symbols).encode())
    for array in (raw.sessions, past.days, raw.open, raw.high, raw.low, raw.close, raw.volume, raw.benchmark):
        digest.update(b"\x01" if array is None else array.tobytes())
    digest.update(repr(sorted(map(str, raw.splits))).encode())
    digest.update(repr(sorted(raw.sectors.items())).encode())
    return digest.hexdigest()
