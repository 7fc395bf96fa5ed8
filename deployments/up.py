"""`bensbot up`, `down`, `serve` and `deployments`: the loop on this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deployments import stack
from deployments.control import TIMEOUT_SECONDS, Config, Timeout
from deployments.loop import Loop
from deployments.place import Server, ServerRoom, server_room
from deployments.plan import plan
from deployments.processes import Unfinished
from deployments.standing import desk
from flows.server import answers, without_proxy
from trading_bot.config.typed_settings import TradingBotSettings, load_config
from trading_bot.domain.errors import SettingsError
from trading_bot.terminal import DONE, FAILED, Stopped, exit_code_of, hide, say, stop_on_signals

SECONDS_BETWEEN_LOOKS = 1.0


def up(
    *,
    config: Config = None,
    port: Annotated[int | None, Parameter(help="Port of the server; else 4200, or a free one.")] = None,
    foreground: Annotated[bool, Parameter(negative="", help="Stay until stopped, for service managers.")] = False,
    show_password: Annotated[bool, Parameter(negative="", help="Print user:password and do nothing else.")] = False,
) -> int:
    """Start a Prefect server and serve the loop on it. Both outlive this terminal; `bensbot down` ends them."""
    settings = load_config(config)
    hide(settings.secret_values())
    room = server_room(settings)
    if show_password:
        return _print_password(room)
    _check(settings)
    stop_on_signals()
    stack.made(room)
    with stack.alone(room):
        began = _both_run(room)
        if began and foreground:
            raise SettingsError("BensBot is up already, in the background. End that first: bensbot down")
        _make_book(settings)
        server, loop = _brought_up(room, config, port, detached=not foreground)
    sys.stdout.write(_told(room, server, loop, already=began) + "\n")
    sys.stdout.flush()
    return _stay(settings) if foreground else DONE


def down(
    *,
    now: Annotated[bool, Parameter(negative="", help="Cancel the running cycle instead of waiting for it.")] = False,
    timeout: Timeout = TIMEOUT_SECONDS,
    config: Config = None,
) -> int:
    """End what `bensbot up` started, when the running cycle has ended."""
    settings = load_config(config)
    hide(settings.secret_values())
    stop_on_signals()  # a closed terminal ends the waiting, and with it the pause
    _take_down(settings, now=now, timeout=timeout)
    return DONE


def serve(*, config: Config = None) -> int:
    """Serve the loop on the Prefect server that is known here, until stopped."""
    found = desk(config)
    server = found.reached()
    plan(found.settings)
    os.environ["PREFECT_API_URL"] = server.address
    if server.auth:
        os.environ["PREFECT_API_AUTH_STRING"] = server.auth
    without_proxy(server.address)
    from deployments.serve import serve as serve_until_stopped

    say(f"Serving on {server.address}, until stopped.")
    serve_until_stopped(config)
    return DONE


def _check(settings: TradingBotSettings) -> None:
    """Find whatever is wrong with the settings before anything is started."""
    from trading_bot.core.bot import check_plugins, check_prices, check_setup

    check_plugins(settings)
    check_setup(settings)
    check_prices(settings)
    plan(settings)


def _make_book(settings: TradingBotSettings) -> None:
    """Make or migrate the book now, so that every command finds it before the first cycle."""
    from trading_bot.core.book import open_book

    with open_book(settings):
        pass


def _brought_up(room: ServerRoom, config: Path | None, port: int | None, *, detached: bool) -> tuple[Server, Loop]:
    """Start what does not run yet. Whatever we started is ended again when it does not come up."""
    with ExitStack() as undo:
        process, address = room.server_process, room.address()
        if process is None or address is None:
            process = stack.start_server(room, stack.chosen_port(port), detached=detached)
            undo.callback(stack.end_server, room)
            address = room.address() or ""
            with _wheel(f"Starting Prefect's server at {address.removesuffix('/api')} …"):
                stack.wait_for_server(process, address, room.server_log)
        server = Server(address, room.auth())
        stack.undrain(room, server)
        loop_process, since = room.loop_process, stack.now()
        is_new = loop_process is None
        if loop_process is None:
            loop_process = stack.start_loop(room, address, config, detached=detached)
            undo.callback(stack.end_loop, room)
        with _wheel("Serving the loop …") if is_new else nullcontext():
            loop = stack.wait_for_loop(loop_process, server, room.loop_log, since)
        undo.pop_all()
    return server, loop


def _take_down(settings: TradingBotSettings, *, now: bool, timeout: float) -> None:
    room = server_room(settings)
    loop, address = room.loop_process, room.address()
    if loop is None and room.server_process is None:
        say("Nothing is up here.")
        return
    with stack.alone(room):
        if loop is not None and not now:
            _let_the_cycle_end(settings, room, address, timeout)
        stack.end_loop(room)  # first, for it wants to tell the server
        stack.end_server(room)
    say("BensBot is down. Everything is kept; to go on: bensbot up")


def _let_the_cycle_end(settings: TradingBotSettings, room: ServerRoom, address: str | None, timeout: float) -> None:
    if room.server_process is not None and address is not None and answers(address):
        stack.drain(room, Server(address, room.auth()), say, timeout_seconds=timeout)
        return
    say("Prefect's server does not answer. Waiting for the lease instead …")
    if not stack.lease_is_free(settings, timeout_seconds=timeout):
        raise Unfinished(f"A cycle has not ended after {timeout:.0f} s. To end it all the same: bensbot down --now")


def _stay(settings: TradingBotSettings) -> int:
    """Wait until asked to end, or until one of the two has ended by itself; then end what is left."""
    room = server_room(settings)
    try:
        while (ended := _ended(room)) is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        time.sleep(SECONDS_BETWEEN_LOOKS)  # for a `bensbot down` to forget what it has ended
        if not room.loop_record.exists():
            return DONE
        say(f"{ended}. Its log says why.")
        return FAILED
    except KeyboardInterrupt as stop:
        say("Ending …")
        _take_down(settings, now=False, timeout=TIMEOUT_SECONDS)
        return DONE if isinstance(stop, Stopped) else exit_code_of(stop)
    finally:  # also when asked a second time
        stack.end_loop(room)
        stack.end_server(room)


def _ended(room: ServerRoom) -> str | None:
    if room.server_process is None:
        return f"Prefect's server has ended ({room.server_log})"
    if room.loop_process is None:
        return f"`bensbot serve` has ended ({room.loop_log})"
    return None


def _both_run(room: ServerRoom) -> bool:
    return room.server_process is not None and room.loop_process is not None


def _print_password(room: ServerRoom) -> int:
    auth = room.auth()
    if auth is None:
        raise SettingsError(f"There is no {room.auth_file} yet; the first `bensbot up` makes it.")
    sys.stdout.write(auth + "\n")
    return DONE


def _told(room: ServerRoom, server: Server, loop: Loop, *, already: bool) -> str:
    due = f"{loop.next_run:%Y-%m-%d %H:%M:%S} UTC" if loop.next_run else "not planned yet"
    lines = [
        "BensBot is up already." if already else "BensBot is up.",
        f"  look   {server.address.removesuffix('/api')}",
        f"         it asks for user:password: `bensbot up --show-password`, or {room.auth_file}",
        f"  next   {'stopped: bensbot start' if loop.paused else due}",
        f"  logs   {room.folder}/*.log",
        "  see    bensbot status",
        "  stop   bensbot down",
    ]
    return "\n".join(lines)


@contextmanager
def _wheel(what: str) -> Generator[None]:
    """Say what is waited for, and turn a wheel where there is a terminal."""
    from rich.console import Console

    say(what)
    began = time.monotonic()
    with Console(stderr=True).status(what, spinner="dots"):
        yield
    say(f"… after {time.monotonic() - began:.1f} s.")
