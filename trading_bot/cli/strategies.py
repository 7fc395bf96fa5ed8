"""`bensbot strategies`: who decides now, since when, and the last rotations with their reasons."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from trading_bot.cli.options import Config, Json
from trading_bot.domain.merit import chosen_by
from trading_bot.domain.tournament import Rotation, Seat, Team
from trading_bot.terminal import DONE, hide

SHOWN = 5  # rotations


def strategies(*, config: Config = None, as_json: Json = False) -> int:
    """Show the team that decides now, and the last five rotations with their reasons."""
    from trading_bot.config.typed_settings import load_config
    from trading_bot.core.book import book_url
    from trading_bot.core.rotation.team import home_team, present_team
    from trading_bot.state.manager import open_read_only

    settings = load_config(config)
    hide(settings.secret_values())
    rotates = settings.orchestrator.enable_strategy_rotation
    team, last = home_team(settings), ()
    if settings.state.url is not None or (settings.state.folder / "bensbot.db").exists():
        with open_read_only(book_url(settings), busy_timeout_seconds=settings.state.busy_timeout_seconds) as book:
            team, last = present_team(settings, book), book.rotations.last(SHOWN)
    if as_json:
        sys.stdout.write(_as_json(team, last, rotates=rotates) + "\n")
    else:
        _print(team, last, rotates=rotates)
    return DONE


def _as_json(team: Team, last: Sequence[Rotation], *, rotates: bool) -> str:
    document = {
        "rotation": "on" if rotates else "off",
        "since": str(team.since) if team.since else None,
        "team": _seats(team.seats),
        "rotations": [
            {
                "session": str(rotation.session),
                "changed": rotation.changed,
                "criterion": str(rotation.criterion),
                "old": _seats(rotation.old),
                "new": _seats(rotation.new),
                "reason": rotation.reason,
            }
            for rotation in last
        ],
    }
    return json.dumps(document, indent=2)


def _seats(seats: Sequence[Seat]) -> list[dict[str, Any]]:
    return [
        {"strategy": seat.candidate.name, "options": dict(seat.candidate.options), "weight": seat.weight}
        for seat in seats
    ]


def _print(team: Team, last: Sequence[Rotation], *, rotates: bool) -> None:
    console = Console(highlight=False, soft_wrap=False)
    console.print(f"Team, {chosen_by(team)}")
    members = [(f"{seat.weight:.1%}", seat.candidate.label) for seat in team.seats]
    console.print(_columns(members or [("–", "nobody: the bot holds cash")], right=True))
    console.print()
    if last:
        console.print("Last rotations" if rotates else "Last rotations, before it was turned off")
        console.print(_columns([(str(rotation.session), rotation.reason) for rotation in last]))
    else:
        off = "Rotation is off: orchestrator.enable_strategy_rotation is false."
        console.print("No rotation yet." if rotates else off)


def _columns(rows: Sequence[tuple[str, str]], *, right: bool = False) -> Padding:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right" if right else "left", no_wrap=True)
    for first, second in rows:
        table.add_row(first, escape(second))
    return Padding(table, (0, 0, 0, 2))
