"""A result names the code it came from, that of plug-ins included."""

from __future__ import annotations

from pathlib import Path

import pytest

from trading_bot.core.program import code_fingerprint, whole_fingerprint


@pytest.mark.parametrize(
    ("module", "file"),
    [("mine", "mine.py"), ("ours.idea", "ours/idea.py"), ("ours.idea", "ours/numbers.py")],  # its neighbours, too
)
def test_the_code_of_a_plug_in_is_in_the_hash(module: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine-1.dist-info").mkdir()
    (tmp_path / "mine-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (tmp_path / "mine-1.dist-info" / "entry_points.txt").write_text(f"[bensbot.plugins]\nmine = {module}\n")
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / module.replace(".", "/")).with_suffix(".py").write_text("ONE = 1\n")
    alone = whole_fingerprint()
    monkeypatch.syspath_prepend(str(tmp_path))

    before = whole_fingerprint()
    (tmp_path / file).write_text("TWO = 2\n")

    assert alone == code_fingerprint()
    assert len({alone, before, whole_fingerprint()}) == 3
