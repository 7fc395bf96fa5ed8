import subprocess
import sys
from pathlib import Path

import pytest

from trading_bot.config.typed_settings import TradingBotSettings


def settings(**sections: object) -> TradingBotSettings:
    return TradingBotSettings.model_validate(sections)


@pytest.mark.parametrize(
    "sections",
    [
        {"risk": {"max_open_trades": 6}},
        {"risk": {"options": {"max_gap": {"limit": 2}}}},
        {"broker": {"slippage_bps": 6}},
        {"data": {"symbols": ["AAPL"]}},
        {"data": {"start": "2021-01-04"}},
        {"strategy": {"team": ["momentum"]}},
        {"hours": {"windows": ["pre-market"]}},
        {"orchestrator": {"rotation_time": "15:00"}},
        {"news": {"source": "alpaca"}},
        {"news": {"sources": ["alpaca"]}},
    ],
)
def test_what_can_change_a_decision_changes_the_fingerprint(sections):
    assert settings(**sections).fingerprint() != settings().fingerprint()


@pytest.mark.parametrize(
    "sections",
    [
        {"notification": {"urls": ["json://localhost"], "min_level": "error"}},
        {"state": {"folder": "/elsewhere", "url": "sqlite:///x.db", "lease_seconds": 60}},
        {"orchestrator": {"logging_level": "DEBUG"}},
        {"broker": {"paper_url": "sqlite:///x.db"}},
        {"broker": {"options": {"api_key": "abc"}}},
        {"risk": {"max_position_pct": "0.0500"}},
        {"news": {"max_age_hours": 12}},  # nobody reads them
    ],
)
def test_what_cannot_change_a_decision_leaves_the_fingerprint(sections):
    assert settings(**sections).fingerprint() == settings().fingerprint()


def test_the_order_of_options_does_not_matter():
    one = settings(broker={"options": {"a": 1, "b": 2}})
    other = settings(broker={"options": {"b": 2, "a": 1}})

    assert one.fingerprint() == other.fingerprint()


def test_the_fingerprint_is_the_same_in_another_process():
    program = "from trading_bot.config.typed_settings import *; print(TradingBotSettings().fingerprint())"
    root = Path(__file__).resolve().parents[3]

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(root), "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == settings().fingerprint()


def test_the_fingerprint_is_a_sha_256_in_hex():
    assert len(bytes.fromhex(settings().fingerprint())) == 32
