"""What holds for all tests: the user's own settings, books and Prefect profile are out of reach."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

# Before anything of ours or of Prefect is imported: both read these once.
for name in [name for name in os.environ if name.startswith(("BENSBOT_", "PREFECT_"))]:
    del os.environ[name]
_prefect_home = tempfile.mkdtemp(prefix="bensbot-tests-")
atexit.register(shutil.rmtree, _prefect_home, ignore_errors=True)
os.environ["PREFECT_HOME"] = _prefect_home
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

settings.register_profile("house", deadline=None)  # a busy machine is no wrong answer
settings.load_profile("house")
