"""What somebody can do beyond the port he stands behind: asked once of each class, for looking takes its time."""

from __future__ import annotations

from typing import Protocol, TypeGuard, TypeVar, runtime_checkable

Port = TypeVar("Port")

_KNOWN: dict[tuple[type, type], bool] = {}


@runtime_checkable
class NeedsSetup(Protocol):
    """A source of prices or news that cannot be asked before something is set, like a key. Optional."""

    def require_setup(self) -> None:
        """Raise SettingsError that names what is missing. Nobody is asked, and nothing is opened."""
        ...


def offers(somebody: object, port: type[Port]) -> TypeGuard[Port]:
    """Say whether an object has all that an optional port wants, as `isinstance` does in a hundredth of the time.

    What one object of a class has, all of them have: whoever adds methods to a single object is not seen.
    """
    asked = (type(somebody), port)
    known = _KNOWN.get(asked)
    if known is None:
        known = _KNOWN[asked] = isinstance(somebody, port)
    return known
