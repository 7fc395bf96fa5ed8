"""What the documentation says is done here, as it stands there.

Each document is walked through from top to bottom in a folder of its own, as a reader would:

* `bash`: each line is run and has to succeed.
* `console`: what follows `$` is run, and the lines below it have to come out in that order; `…` stands for whatever.
* `python`: is run. `sql`: is asked of the book in the folder.
* `yaml`: has to be a correct settings file. One that begins with `# config.yaml` is in force for the next block.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.server import StartedServer
from trading_bot.config.typed_settings import load_config
from trading_bot.core.bot import check_plugins

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "CONTRIBUTING.md"
CONTROL = ROOT / "docs" / "control-api.md"  # is read with the loop running, as `bensbot up` starts it
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SETTINGS_FILE = "# config.yaml"
WRONG = "which is wrong"

# These install, and the tests would start themselves. `test_a_newcomer…` runs them in a fresh clone.
START = "pip install uv && uv run python flows/cycle.py"
TEST = "pip install uv && uv run pytest"
START_IN_A_VENV = "python3 -m venv .venv-uv && .venv-uv/bin/pip install uv && .venv-uv/bin/uv run python flows/cycle.py"
ACTIVATE = ". .venv/bin/activate"
RUN_IN_A_CLONE = (START, TEST, START_IN_A_VENV, ACTIVATE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and its lines."""

    language: str
    text: str

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command with the lines that are promised to come out."""
        if self.language == "bash":
            return [(line, []) for line in self.text.splitlines() if line.strip()]
        found: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
        return found


def blocks(document: Path) -> list[Block]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in fenced]


def is_slow(document: Path) -> bool:
    """Whether a Prefect server is needed: that takes minutes, and is done before a release."""
    shells = (block for block in blocks(document) if block.language in ("bash", "console"))
    commands = (command for block in shells for command, _ in block.commands)
    return any(
        ("flows/cycle.py" in command or "bensbot up" in command) and command not in RUN_IN_A_CLONE
        for command in commands
    )


def named(documents: list[Path]) -> list[object]:
    return [
        pytest.param(path, id=str(path.relative_to(ROOT)), marks=[pytest.mark.endurance] if is_slow(path) else [])
        for path in documents
    ]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BENSBOT_", "PREFECT_"))}
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_API_PORT": "9",  # whatever server this machine runs is not asked
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


def run(command: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a line as a shell would, stdout and stderr in one text."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def plain(line: str) -> str:
    return " ".join(line.split())


def assert_printed(promised: list[str], output: str) -> None:
    """Find the promised lines in the output, in that order; blanks do not count."""
    lines = iter(plain(line) for line in output.splitlines())
    for line in promised:
        pattern = ".*".join(re.escape(part) for part in plain(line).split("…"))
        if line.strip() not in ("", "…"):
            assert any(re.fullmatch(pattern, printed) for printed in lines), f"not printed: {line}\n\n{output}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which `flows/cycle.py` is found as in a clone."""
    (tmp_path / "flows").symlink_to(ROOT / "flows")
    return tmp_path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Prefect server for all documents that need one."""
    home = tmp_path_factory.mktemp("server")
    started = StartedServer(environment(home))
    try:
        started.wait(own_database=home / "prefect.db")
        yield started.address
    finally:
        started.stop()


@pytest.fixture
def loop(folder: Path) -> Iterator[dict[str, str]]:
    """The variables of a reader at whose side `bensbot up` serves the loop; no cycle is due by itself."""
    variables = {**environment(folder), "BENSBOT_ORCHESTRATOR__LOOP_INTERVAL_SECONDS": "3600"}
    try:
        done = run(f"bensbot up --port {free_port()}", folder, variables)
        assert done.returncode == 0, done.stdout
        room = folder / ".bensbot" / "server"
        address, password = ((room / name).read_text(encoding="utf-8").strip() for name in ("address", "auth"))
        yield {**variables, "PREFECT_API_URL": address, "PREFECT_API_AUTH_STRING": password}
    finally:
        run("bensbot down --now", folder, variables)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.endurance
def test_what_is_said_about_the_api_is_what_it_does(folder: Path, loop: dict[str, str]):
    for block in blocks(CONTROL):
        assert_it_happens(block, folder, loop)


@pytest.mark.parametrize("document", named([path for path in DOCUMENTS if path not in (EXAMPLES, CONTROL)]))
def test_what_a_document_says_is_what_happens(document: Path, folder: Path, request: pytest.FixtureRequest):
    variables = environment(folder)
    if is_slow(document):
        variables["PREFECT_API_URL"] = request.getfixturevalue("server")
    if document.name == "sql.md":  # it speaks of a book that is there
        assert run("bensbot run --sessions 2", folder, variables).returncode == 0
    try:
        for block in blocks(document):
            assert_it_happens(block, folder, variables)
            if not block.text.startswith(SETTINGS_FILE):
                (folder / "config.yaml").unlink(missing_ok=True)
    finally:
        if (folder / ".bensbot" / "server").exists():
            run("bensbot down --now", folder, variables)


def assert_it_happens(block: Block, folder: Path, variables: dict[str, str]) -> None:
    match block.language:
        case "bash" | "console":
            for command, promised in block.commands:
                if command not in RUN_IN_A_CLONE:
                    if command.startswith("bensbot up"):  # from here on the reader has a server of his own
                        variables.pop("PREFECT_API_URL", None)
                    done = run(command, folder, variables)
                    assert done.returncode == 0 or block.language == "console", f"{command}\n{done.stdout}"
                    assert_printed(promised, done.stdout)
        case "python":
            done = subprocess.run(
                [sys.executable, "-c", block.text],
                cwd=folder,
                env=variables,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        case "sql":
            book = sqlite3.connect(f"file:{folder}/.bensbot/bensbot.db?mode=ro", uri=True)
            try:
                assert book.execute(block.text).description
            finally:
                book.close()
        case "yaml":
            (folder / "config.yaml").write_text(block.text, encoding="utf-8")
            if WRONG not in block.text:
                check_plugins(load_config(folder / "config.yaml"))
        case other:
            assert other in ("text", "mermaid", "toml"), f"nobody knows what to do with {other!r}"


# ── the worked examples ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package with the worked examples in it, each where its first line says."""
    shutil.copytree(ROOT / "trading_bot", tmp_path / "trading_bot", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in worked_examples():
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def worked_examples() -> list[tuple[str, str]]:
    found = [block.text.partition("\n") for block in blocks(EXAMPLES) if block.language == "python"]
    return [(first.removeprefix("# "), rest) for first, _, rest in found]


def settings_of(plugin: str) -> str:
    texts = [block.text for block in blocks(EXAMPLES) if block.language == "yaml" and plugin in block.text]
    assert len(texts) == 1
    return texts[0]


@pytest.mark.parametrize(
    ("plugin", "seen"),
    [("breakout", '"strategy": "breakout"'), ("penny_stocks", 'a share is below $50"')],
)
def test_a_worked_example_trades_with_the_settings_below_it(house: Path, plugin: str, seen: str):
    (house / "config.yaml").write_text(settings_of(plugin), encoding="utf-8")
    variables = {**environment(house), "PYTHONPATH": str(house)}

    done = run("bensbot run --once --as-of 2022-03-30 --json", house, variables)

    assert done.returncode == 0, done.stdout
    assert seen in done.stdout


@pytest.mark.parametrize("path", [path for path, _ in worked_examples()])
def test_a_worked_example_is_in_the_style_of_the_house(house: Path, path: str):
    shutil.copy(ROOT / "pyproject.toml", house)
    ruff = shlex.quote(str(Path(sys.executable).with_name("ruff")))

    done = run(f"{ruff} check --no-cache {path} && {ruff} format --no-cache --check {path}", house, environment(house))

    assert done.returncode == 0, done.stdout


# ── a fresh clone ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", RUN_IN_A_CLONE)
def test_every_command_that_is_run_in_a_clone_only_is_in_the_documentation(command: str):
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the newest commit."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git repository")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "bensbot")], check=True)
    return tmp_path / "bensbot"


@pytest.fixture
def newcomer(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has Python and pip, and nothing else of what we need."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "python")], check=True)
    variables = environment(tmp_path)
    variables.pop("VIRTUAL_ENV", None)
    variables["PATH"] = os.pathsep.join([str(tmp_path / "python" / "bin"), "/usr/bin", "/bin"])
    return variables


@pytest.mark.endurance
@pytest.mark.timeout(1800)
def test_a_newcomer_trades_and_tests_with_the_commands_of_the_readme(clone: Path, newcomer: dict[str, str]):
    for command, promised in (
        (START, ["Session 2022-01-03, Monday cycle …"]),
        (f"{ACTIVATE} && bensbot status", ["Session 2022-01-03"]),
        (f"{TEST} tests/unit/domain", ["=… passed …="]),
        (START_IN_A_VENV, ["Session 2022-01-04, Tuesday cycle …"]),
    ):
        done = run(command, clone, newcomer)

        assert done.returncode == 0, done.stdout
        assert_printed(promised, done.stdout)


# ── links and the change log ──────────────────────────────────────────────────────────────────────


def links() -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for document in DOCUMENTS:
        text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        found += [(document, target) for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    return [(document, target) for document, target in found if "://" not in target]


@pytest.mark.parametrize(("document", "target"), links(), ids=lambda value: getattr(value, "name", value))
def test_a_link_leads_somewhere(document: Path, target: str):
    path, _, heading = target.partition("#")
    there = (document.parent / path).resolve() if path else document

    assert there.exists()
    if heading:
        titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert [path.name for path in folder.glob("0*.md") if f"({path.name})" not in index] == []


def test_the_change_log_has_a_section_for_this_version():
    import trading_bot

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.search(rf"^## (\[Unreleased\] )?\[?{re.escape(trading_bot.__version__)}", text, re.MULTILINE)
