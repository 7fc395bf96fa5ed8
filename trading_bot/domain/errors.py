"""Every error the bot raises on purpose.

BensBotError
├── SettingsError           a setting is missing, misspelt or out of range: say what to write instead
├── PluginError             a plug-in cannot be imported, is unknown, or has a wrong option
│   └── OptionsClash        each option is right by itself, but they do not go together
├── DataError               a source answered, and the answer is wrong: asking again changes nothing
│   └── NoMoreSessions      the price history has no session left to trade
├── SourceUnavailable       a source did not answer: may be asked again
├── BrokerError
│   ├── NotSent             the request never left this machine: nothing happened at the broker
│   ├── BrokerUnavailable   no clear answer: what happened is UNKNOWN until the broker is asked
│   └── CredentialsRefused  the broker does not know us: stop trading at once
├── StateError              the book cannot be read or written: no trading
│   ├── StateBusy           locked by somebody else for too long: may be tried again
│   ├── StateFull           no room to write
│   ├── StateCorrupt        the file is damaged: it is kept, restore a copy
│   ├── SchemaMismatch      written by another version of the bot
│   │   └── SchemaOutdated  by an older one; the next cycle migrates it
│   └── WrongAccount        the book belongs to another account
├── LooksAhead              a strategy knew what came later: its result is worth nothing
├── WrongAnswer             a strategy failed, or answered with what is no opinion
├── LeaseLost               another process trades now: this one may neither write nor send
└── CycleSkipped            this cycle may not trade, for a good reason that is no failure

Only one question is asked of an error: may it be tried again (`may_be_tried_again`)?
"""

from __future__ import annotations

from typing import ClassVar


class BensBotError(Exception):
    """The root: catch it to catch all of them."""

    may_be_tried_again: ClassVar[bool] = False


class SettingsError(BensBotError):
    """A setting is missing, misspelt or out of range. The message says what to write instead."""


class PluginError(BensBotError):
    """A plug-in cannot be imported, is unknown, or was given a wrong option."""


class OptionsClash(PluginError):
    """Each option is right by itself, but a rule of the plug-in refuses them together."""


class DataError(BensBotError):
    """A source answered, and the answer is wrong."""


class NoMoreSessions(DataError):
    """The price history has no session left to trade."""


class SourceUnavailable(BensBotError):
    """A source did not answer."""

    may_be_tried_again = True


class BrokerError(BensBotError):
    """The broker could not be used. A rejected order is not an error but an `OrderUpdate`."""


class NotSent(BrokerError):
    """The request never left this machine, so nothing happened at the broker."""

    may_be_tried_again = True


class BrokerUnavailable(BrokerError):
    """No clear answer: whether the order exists is UNKNOWN until the broker is asked for it by id."""


class CredentialsRefused(BrokerError):
    """The broker refuses our keys. Trading halts at once; retrying would lock the account."""


class StateError(BensBotError):
    """The book cannot be read or written, so nothing may be traded."""


class StateBusy(StateError):
    """The database stayed locked for longer than the busy timeout."""

    may_be_tried_again = True


class StateFull(StateError):
    """There is no room to write the book."""


class StateCorrupt(StateError):
    """The database file is damaged. It is left as it is."""


class SchemaMismatch(StateError):
    """The database was written by another version of the bot."""


class SchemaOutdated(SchemaMismatch):
    """By an older one: the next cycle brings it up to date."""


class WrongAccount(StateError):
    """The book was opened for another broker account or mode."""


class LooksAhead(BensBotError):
    """A strategy's opinion on a session changes when later sessions are known: what it earns cannot be earned."""


class WrongAnswer(BensBotError):
    """A strategy raised an error, or its answer is no opinion: another shape, NaN, an exposure outside [-1, 1]."""


class LeaseLost(BensBotError):
    """Another process holds the trading lease now."""


class CycleSkipped(BensBotError):
    """This cycle may not trade. `code` is for machines, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        """Keep both: `code` is one of `domain.cycle.SkipReason`."""
        super().__init__(message)
        self.code = code
