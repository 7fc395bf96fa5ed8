"""`bensbot resume` where the book is and no Prefect server is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments import control
from trading_bot.config.typed_settings import load_config
from trading_bot.core.book import open_book
from trading_bot.core.failures import RECOVERY
from trading_bot.domain.cycle import TradingState

MAY_BE_PAUSED = "its deployment may still be paused"


@pytest.mark.parametrize(
    ("state", "who", "told"),
    [
        (TradingState.HALTED, RECOVERY, True),
        (TradingState.PAUSED, "Ben", True),
        (TradingState.HALTED, "Ben", False),
        (TradingState.REDUCING, "Ben", False),
        (TradingState.ACTIVE, "Ben", False),
    ],
)
def test_a_resume_without_a_server_tells_what_may_hold_the_loop_back(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: TradingState,
    who: str,
    told: bool,
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "9")
    with open_book(load_config()) as book:
        book.control.set_state(state, cause="a test", who=who)

    control.resume(ack=True)

    assert (MAY_BE_PAUSED in capsys.readouterr().err) is told
