"""A folder of its own and no `BENSBOT_` variable of the machine's, for every test about settings."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trading_bot.config.typed_settings import load_config
from trading_bot.domain.errors import SettingsError

WriteConfig = Callable[[str], Path]
Refusal = Callable[[], str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, with none of our variables set."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("BENSBOT_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def config(folder: Path) -> WriteConfig:
    """Write the text to `config.yaml`."""

    def write(text: str) -> Path:
        path = folder / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def refusal() -> Refusal:
    """Load the settings and return the message they are refused with."""

    def message() -> str:
        with pytest.raises(SettingsError) as caught:
            load_config()
        return str(caught.value)

    return message
