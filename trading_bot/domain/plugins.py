"""Find plug-ins: classes that a decorator put in a registry, one file each.

A registry scans its own folder and the entry-point group `bensbot.plugins` the first time it is
asked. An entry point names a module (`my-strategy = "my_package.my_strategy"`); importing it runs
its decorators. A plug-in that cannot be imported stops the bot. Who only looks back may ask for one name alone.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from trading_bot.domain.errors import OptionsClash, PluginError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

ENTRY_POINT_GROUP = "bensbot.plugins"

Port = TypeVar("Port")
Plugin = TypeVar("Plugin")


def installed_modules() -> tuple[str, ...]:
    """Return the names of the modules that other packages bring along, in alphabetical order."""
    return _installed_on(tuple(sys.path))


@functools.cache  # to look through all packages takes milliseconds, and a registry does it once, too
def _installed_on(path: tuple[str, ...]) -> tuple[str, ...]:
    del path  # where they were looked for
    entries = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    return tuple(sorted({entry.value.partition(":")[0] for entry in entries}))


class Registry(Generic[Port]):
    """Named plug-ins of one kind. `kind` is the word used in messages, `package` the folder scanned."""

    def __init__(self, kind: str, package: str) -> None:
        """Remember where to look; nothing is imported yet."""
        self._kind = kind
        self._package = package
        self._classes: dict[str, Callable[..., Port]] = {}
        self._scanned = False

    def register(self, name: str) -> Callable[[type[Plugin]], type[Plugin]]:
        """Return a decorator that files a class under `name`. Raises PluginError on a second owner."""

        def file(cls: type[Plugin]) -> type[Plugin]:
            owner = self._classes.get(name)
            if owner is not None and getattr(owner, "__module__", "") != cls.__module__:
                raise PluginError(f"Two {self._kind} plug-ins are called {name!r}: {owner} and {cls}. Rename one.")
            self._classes[name] = cls  # pyright: ignore[reportArgumentType]  # the contract suite checks the port
            return cls

        return file

    def names(self) -> tuple[str, ...]:
        """Return every registered name in alphabetical order."""
        self._scan()
        return tuple(sorted(self._classes))

    def names_in(self, module: str) -> tuple[str, ...]:
        """Return the names that the imported `module` registered, in alphabetical order."""
        return tuple(sorted(name for name, cls in self._classes.items() if cls.__module__ == module))

    def get(self, name: str) -> Callable[..., Port]:
        """Return the class called `name`. Raises PluginError that names the nearest one."""
        self._scan()
        if name not in self._classes:
            raise PluginError(f"There is no {self._kind} called {name!r}.{nearest(name, self._classes)}")
        return self._classes[name]

    def build(self, name: str, options: Mapping[str, Any], *, alone: bool = False) -> Port:
        """Return the plug-in `name`, its options checked against the class's typed fields.

        With `alone` its own file is imported and no other one, where the folder has a file of that name. That is enough
        to look back; whoever trades wants to be told that a plug-in is broken, or that two have the same name.

        Raises:
            OptionsClash: every value is right by itself, but the plug-in refuses them together.
            PluginError: no such plug-in, no such option, or a value of the wrong type or range.
        """
        cls = (self._alone(name) if alone else None) or self.get(name)
        from pydantic import ValidationError

        from trading_bot.domain.options import what_is_wrong

        if not dataclasses.is_dataclass(cls):
            raise PluginError(
                f"The {self._kind} {name!r} is no dataclass: write @dataclass(frozen=True, slots=True) above its "
                "class, below the line that registers it."
            )
        known = tuple(field.name for field in dataclasses.fields(cls) if field.init)
        for option in options:
            if option not in known:
                raise PluginError(f"The {self._kind} {name!r} has no option {option!r}.{nearest(option, known)}")
        try:
            return cast("Port", _checker_of(cls).validate_python(dict(options)))
        except (ValidationError, ValueError) as error:
            said = what_is_wrong(error) if isinstance(error, ValidationError) else str(error)
            of_one = isinstance(error, ValidationError) and any(item["loc"] for item in error.errors())
            kind = PluginError if of_one else OptionsClash
            raise kind(f"The {self._kind} {name!r} cannot be built: {said}") from error

    def _alone(self, name: str) -> Callable[..., Port] | None:
        """Return the class in the file of that name, None where there is no such file or it has another name."""
        module = f"{self._package}.{name}"
        if name not in self._classes and name.isidentifier() and importlib.util.find_spec(module):
            self._import(module)
        return self._classes.get(name)

    def _scan(self) -> None:
        if self._scanned:
            return
        package = importlib.import_module(self._package)
        for found in pkgutil.iter_modules(package.__path__, prefix=f"{self._package}."):
            self._import(found.name)
        for module in installed_modules():
            self._import(module)
        self._scanned = True

    def _import(self, module: str) -> None:
        try:
            importlib.import_module(module)
        except Exception as error:  # a plug-in is foreign code: whatever it raises stops the bot, with its name
            raise PluginError(f"The plug-in {module} cannot be imported: {type(error).__name__}: {error}") from error


@functools.cache
def _checker_of(cls: Callable[..., Any]) -> TypeAdapter[Any]:
    """Return what checks the options of a class; making one takes fifty times as long as using it."""
    from pydantic import TypeAdapter

    return TypeAdapter[Any](cls)  # pyright: ignore[reportArgumentType]  # a class, typed as its constructor


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'? There are: …` for a message, from any iterable of names."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"{guess} There are: {', '.join(names) or 'none'}."
