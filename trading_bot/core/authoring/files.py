"""Strategies in files: bringing one in to look at it, and writing a new one with its test."""

from __future__ import annotations

import importlib.util
import keyword
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from trading_bot.domain.errors import PluginError, SettingsError
from trading_bot.strategies.registry import STRATEGIES

TEMPLATES = Path(__file__).with_name("templates")
STRATEGIES_HERE, TESTS_HERE = Path("trading_bot/strategies"), Path("tests/unit/strategies")


def names_in_file(file: Path) -> tuple[str, ...]:
    """Import a file and return the names of the strategies in it.

    Raises:
        PluginError: there is no such file, it cannot be imported, or it registers no strategy.
    """
    path = file.resolve()
    if not path.is_file():
        raise PluginError(f"{file} is no file.")
    STRATEGIES.names()  # whatever is installed comes first: the file may be one of those
    module = _imported(path) or _import(path)
    names = STRATEGIES.names_in(module)
    if not names:
        raise PluginError(f'{file} registers no strategy: put @strategy("name") above a frozen dataclass.')
    return names


def _imported(path: Path) -> str | None:
    """Return the name under which a file has been imported already."""
    for name, module in list(sys.modules.items()):
        known = getattr(module, "__file__", None)
        if known is not None and Path(known) == path:
            return name
    return None


def _import(path: Path) -> str:
    name = f"checked_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for their module there
    sys.path.insert(0, str(path.parent))  # for its neighbours
    try:
        spec.loader.exec_module(module)
    except PluginError:
        raise
    except (Exception, SystemExit) as error:  # foreign code: whatever it raises says why it cannot be imported
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f" (line {lines[-1]})" if lines else ""
        raise PluginError(f"{path} cannot be imported: {type(error).__name__}: {error}{where}") from error
    finally:
        sys.path.remove(str(path.parent))
    return name


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_strategy` wrote, and whether the bot finds it there by itself."""

    strategy: Path
    test: Path
    is_scanned: bool


def write_strategy(name: str, folder: Path | None, here: Path) -> Written:
    """Write a strategy that passes every check, and its test: into the project that `here` is, or into `folder`.

    Raises:
        SettingsError: the name is not one that a file, a class and a setting can have, or a file is there already.
        PluginError: a strategy has that name.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower() or name.startswith("_"):
        raise SettingsError(f"{name!r} is no name for a strategy; write small letters, digits and _, e.g. new_highs.")
    if name in STRATEGIES.names():
        raise PluginError(f"There is a strategy called {name!r} already. Take another name.")
    in_project = folder is None and (here / STRATEGIES_HERE).is_dir() and (here / TESTS_HERE).is_dir()
    folders = (here / STRATEGIES_HERE, here / TESTS_HERE) if in_project else (folder or here,) * 2
    strategy, test = folders[0] / f"{name}.py", folders[1] / f"test_{name}.py"
    for file in (strategy, test):
        if file.exists():
            raise SettingsError(f"{file} is there already, and nothing is ever overwritten.")
    module = f"trading_bot.strategies.{name}" if in_project else name
    words = {"NAME": name, "CLASS": "".join(part.capitalize() for part in name.split("_")), "MODULE": module}
    for file, template in ((strategy, "strategy.txt"), (test, "test_strategy.txt")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_filled(template, words), encoding="utf-8")
    return Written(strategy, test, in_project)


def _filled(template: str, words: dict[str, str]) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(f"<{mark}>", word)
    return text
