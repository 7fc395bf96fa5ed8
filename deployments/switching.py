"""Switching the loop on a Prefect server. Where that takes a while it is said what is waited for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from deployments.loop import Loop, Run
from deployments.place import Server
from deployments.processes import Unfinished
from flows.server import ServerUnavailable
from trading_bot.domain.cycle import ControlState, TradingState
from trading_bot.domain.errors import BensBotError
from trading_bot.reporting.as_json import Json

if TYPE_CHECKING:
    from deployments.api import PrefectLoop

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 20.0  # after it a run that nobody has taken up is worth a word
NOT_BEGUN = ("Scheduled", "Late", "Pending")
RAISED = re.compile(r"^.*?encountered an exception:?\s*(?:\w+: )?", re.DOTALL)  # Prefect's words around an error's

Say = Callable[[str], None]


class Refused(BensBotError):
    """The run that was asked for did not do it. The message is its own."""


def ask_and_wait(
    prefect: PrefectLoop, flow: str, params: Mapping[str, Json], say: Say, *, timeout_seconds: float
) -> Run:
    """Have a deployed flow run and return the run when it has ended well.

    Raises:
        Refused: it ended otherwise; the message is its own.
        Unfinished: it has not ended in time; it may still do so.
        NotDeployed: nobody has deployed the flow.
    """
    run = prefect.ask_for(flow, params)
    say(f"Asked for a run of {flow}: {run.name}. Waiting for it to end …")
    began, told = time.monotonic(), False
    while not run.has_ended:
        waited = time.monotonic() - began
        if waited > timeout_seconds:
            raise Unfinished(
                f"The run {run.name} of {flow} has not ended after {timeout_seconds:.0f} s; it is {run.state.lower()}, "
                "and will do what was asked for whenever it runs. Wait longer with --timeout."
            )
        if waited > PATIENCE_SECONDS and run.state in NOT_BEGUN and not told:
            say("Nobody has taken it up yet. Does `bensbot serve` run there?")
            told = True
        time.sleep(POLL_SECONDS)
        run = prefect.run(run.id)
    if not run.went_well:
        raise Refused(refusal(run))
    return run


def wait_until_idle(prefect: PrefectLoop, say: Say, *, timeout_seconds: float, hurry: str) -> None:
    """Return when no cycle is under way. `hurry` is the command that does not wait.

    Raises:
        Unfinished: one still is after the timeout.
    """
    began, told = time.monotonic(), ""
    while under_way := prefect.under_way():
        names = ", ".join(run.name for run in under_way)
        if names != told:
            say(f"Waiting for the running cycle to end: {names} …")
            told = names
        if time.monotonic() - began > timeout_seconds:
            raise Unfinished(
                f"The cycle {names} has not ended after {timeout_seconds:.0f} s. Wait longer with --timeout, or do "
                f"not let it end: {hurry}"
            )
        time.sleep(POLL_SECONDS)


def cancel_and_wait(prefect: PrefectLoop, say: Say, *, timeout_seconds: float) -> None:
    """Cancel every cycle under way and return when they have ended. Whatever was sent before is in the book."""
    for run in prefect.under_way():
        say(f"Cancelling {run.name} …")
        prefect.cancel(run)
    wait_until_idle(prefect, say, timeout_seconds=timeout_seconds, hurry="bensbot down --now")


def show_in_prefect(server: Server | None, say: Say, *, paused: bool, because: str = "") -> bool:
    """Pause the deployment, or let it go on, as the book has it. What goes wrong is said; the book counts.

    `because` is said where the deployment stood otherwise.

    Returns:
        Whether the deployment stands as it was told to.
    """
    if server is None:
        return False
    if not server.answers:
        say(f"The Prefect server {server.address} does not answer, so it shows something else. The book counts.")
        return False
    from deployments.api import NotDeployed, connected

    try:
        with connected(server) as prefect:
            if because and prefect.loop().paused is not paused:
                say(because)
            prefect.set_paused(paused)
            if not paused and (due := wait_for_next_run(prefect).next_run):  # until then nothing seems to be scheduled
                say(f"The next run is due at {due:%Y-%m-%d %H:%M:%S} UTC.")
            return True
    except NotDeployed:
        return False  # nobody has served this bot there yet
    except ServerUnavailable as error:
        say(f"{error} The book counts.")
        return False


def tell_of_unseen_pause(before: ControlState, say: Say) -> None:
    """Say what may hold the loop back where no server is known, if what a resume has ended pauses deployments."""
    from trading_bot.core.failures import RECOVERY

    by_recovery = before.state is TradingState.HALTED and before.changed_by == RECOVERY
    if by_recovery or before.state is TradingState.PAUSED:
        say(
            "No Prefect server is known here. If one runs the loop, its deployment may still be paused: set "
            "PREFECT_API_URL and PREFECT_API_AUTH_STRING, then bensbot start."
        )


def wait_for_next_run(prefect: PrefectLoop) -> Loop:
    """Return the loop as soon as Prefect's scheduler has planned its next run, or when it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (loop := prefect.loop()).next_run is None and not loop.paused and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return loop


def refusal(run: Run) -> str:
    """Return what the run said, without Prefect's words around it."""
    said = RAISED.sub("", run.message).strip()
    return said or f"The run {run.name} ended as {run.state}; its log in Prefect says why."
