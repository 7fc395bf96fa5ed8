"""Gather how things stand: from the book where it is here, from the Prefect server where it is elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

from deployments.loop import (
    GRACE,
    NEWEST_RUNS,
    Asked,
    Expectation,
    Finding,
    Loop,
    Verdict,
    find,
    loop_as_json,
    loop_lines,
)
from deployments.place import Server, find_server
from flows.server import ServerUnavailable
from trading_bot import __version__
from trading_bot.config.typed_settings import TradingBotSettings, load_config
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import DataError, NoMoreSessions, SourceUnavailable, StateError
from trading_bot.reporting.as_json import Json
from trading_bot.reporting.standing import document_of_rows, standing_as_json, standing_as_text
from trading_bot.terminal import hide

STATUS_TABLE, METRICS_TABLE = "bensbot-status", "bensbot-metrics"
INTERVALS = 3  # without a completed cycle, and monitoring is told


@dataclass(frozen=True, slots=True)
class Desk:
    """What this machine has: settings, perhaps the book, perhaps a server."""

    settings: TradingBotSettings
    server: Server | None

    @property
    def has_book(self) -> bool:
        """Whether the book is here."""
        return has_book(self.settings)

    def reached(self) -> Server:
        """Return the server that answers. Raises ServerUnavailable."""
        if self.server is None:
            raise ServerUnavailable(
                "No Prefect server is known here. `bensbot up` starts one; for one that runs elsewhere set "
                "PREFECT_API_URL and PREFECT_API_AUTH_STRING. Without Prefect: `bensbot run`."
            )
        if not self.server.answers:
            raise ServerUnavailable(
                f"The Prefect server {self.server.address} does not answer. Start it, or write another PREFECT_API_URL."
            )
        return self.server

    def elsewhere(self) -> Server:
        """Return the server that stands in for the book. Raises StateError when nobody named one."""
        if self.server is None or not self.server.meant:
            raise no_book(self.settings)
        return self.reached()


def desk(config: Path | None) -> Desk:
    """Look around. Raises SettingsError."""
    settings = load_config(config)
    hide(settings.secret_values())
    return Desk(settings, find_server(settings))


def has_book(settings: TradingBotSettings) -> bool:
    """Say whether the settings lead to a book on this machine or in a database."""
    return settings.state.url is not None or (settings.state.folder / "bensbot.db").exists()


def no_book(settings: TradingBotSettings) -> StateError:
    """Return the error of a folder without a book."""
    return StateError(f"{settings.state.folder} holds no book yet. The first cycle makes one: bensbot run --once")


def ask_for_loop(server: Server | None) -> Asked:
    """Ask the server for the loop. What goes wrong is part of the answer."""
    if server is None:
        return Asked()
    if not server.answers:
        return Asked(server.address, None, f"the Prefect server {server.address} does not answer")
    from deployments.api import NotDeployed, connected

    try:
        with connected(server) as prefect:
            return Asked(server.address, prefect.loop())
    except (ServerUnavailable, NotDeployed) as error:
        return Asked(server.address, None, str(error) if server.meant else "")


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything `bensbot status` knows."""

    state: TradingState
    text: str  # without the loop
    document: Mapping[str, Json]  # without the loop
    asked: Asked
    finding: Finding

    def as_text(self, *, check: bool) -> str:
        """Return it for people: the state first, the loop next, then money and shares."""
        first, *rest = self.text.splitlines()
        verdict = [f"Check    {self.finding.reason}"] if check else []
        return "\n".join([first, *verdict, *loop_lines(self.asked, self.state), *rest])

    def as_json(self, *, check: bool) -> str:
        """Return it for machines."""
        verdict: dict[str, Json] = {"code": int(self.finding.verdict), "reason": self.finding.reason}
        parts: dict[str, Json] = {**self.document, "loop": loop_as_json(self.asked)}
        return json.dumps({**parts, "check": verdict} if check else parts, indent=2)


def picture_of_book(found: Desk, *, check: bool) -> Picture:
    """Read the book, and ask the server for the loop."""
    from trading_bot.core.book import book_url
    from trading_bot.core.standing import read_standing
    from trading_bot.state.manager import open_read_only

    settings = found.settings
    with open_read_only(book_url(settings), busy_timeout_seconds=settings.state.busy_timeout_seconds) as book:
        completed, standing = book.cycles.newest_completed(), read_standing(book)
    asked, state = ask_for_loop(found.server), standing.control.state
    now = datetime.now(UTC)
    since = _completed_since(settings, now, standing.control.changed_at) if check else None
    expected = Expectation(completed.ended_at if completed else None, since, now)
    document = cast("dict[str, Json]", json.loads(standing_as_json(standing)))
    document |= {"version": __version__, "updated_at": now.isoformat(timespec="seconds")}
    finding = find(state, asked, expected)
    if check and finding.verdict is Verdict.STALE and _is_traded_out(settings, standing.last_session):
        finding = Finding(Verdict.AT_REST, f"the prices end on {standing.last_session}, and all of them are traded")
    return Picture(state, standing_as_text(standing), document, asked, finding)


def picture_from_server(found: Desk) -> Picture:
    """Take what the last cycle left on the server, and ask for the loop.

    Raises:
        StateError: nobody named a server.
        ServerUnavailable: it does not answer, or not for us.
        NotDeployed: it knows no loop.
    """
    from deployments.api import connected

    server = found.elsewhere()
    with connected(server) as prefect:
        loop, sign = prefect.loop(), prefect.last_sign_of_life()
        rows = document_of_rows(prefect.table(STATUS_TABLE) or {})
    rows.pop("deployment_paused", None)  # the loop says it, as of now
    text = table_as_text(rows) if rows else "Trading  unknown: no cycle has left its status on the server yet"
    state = TradingState(str(rows.get("state", TradingState.ACTIVE)))
    asked = Asked(server.address, loop)
    return Picture(state, text, rows, asked, find(state, asked, _expected_of(loop, sign, rows.get("changed_at"))))


def _expected_of(loop: Loop, sign: datetime | None, changed_at: Json) -> Expectation:
    """Expect one sign of life of the last three runs: the settings, which know the hours, are elsewhere."""
    due = min((run.due for run in loop.newest if run.due), default=None) if len(loop.newest) == NEWEST_RUNS else None
    changed = datetime.fromisoformat(changed_at) if isinstance(changed_at, str) else None
    if due is not None and changed is not None and changed > due:  # it was paused or halted then
        due = None
    return Expectation(sign, due)


def show_status(found: Desk, *, paused: bool) -> None:
    """Have the server show the book as it is now: a book that stands still has no next cycle that would."""
    from deployments.api import client_of
    from tasks.status import publish_status
    from trading_bot.core.book import book_url
    from trading_bot.state.manager import open_read_only

    with client_of(found.reached()), open_read_only(book_url(found.settings)) as book:
        publish_status(book, at=datetime.now(UTC), deployment_paused="yes" if paused else "no")


def _is_traded_out(settings: TradingBotSettings, newest: date | None) -> bool:
    """Say whether a price source of the past has no session left."""
    from trading_bot.core.bot import data_manager, is_historical
    from trading_bot.core.hours import TradingHours

    if newest is None or not is_historical(settings):
        return False
    try:
        data_manager(settings, TradingHours()).next_session(newest)
    except NoMoreSessions:
        return True
    except (DataError, SourceUnavailable):
        return False
    return False


def table_as_text(rows: Mapping[str, Json]) -> str:
    """Return names and values, one a line; of a list, one line for each entry."""
    width = max((len(name) for name in rows), default=0)
    return "\n".join(f"{name:{width}}  {_in_words(part)}" for name, value in rows.items() for part in _entries(value))


def _entries(value: Json) -> list[Json]:
    return value or [None] if isinstance(value, list) else [value]


def _in_words(value: Json) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_in_words(part)}" for name, part in value.items())
    return "–" if value is None else str(value)


def _completed_since(settings: TradingBotSettings, now: datetime, changed_at: datetime) -> datetime | None:
    """Return since when a cycle should have completed; None where we need not trade, or may not for so long yet."""
    from trading_bot.core.bot import is_historical
    from trading_bot.core.hours import TradingHours

    since = now - max(timedelta(seconds=INTERVALS * settings.orchestrator.loop_interval_seconds), GRACE)
    if changed_at > since:
        return None
    if is_historical(settings) or not settings.orchestrator.market_hours_only:
        return since
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    return since if hours.is_trading_time(now) and hours.is_trading_time(since) else None
