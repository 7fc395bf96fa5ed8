"""What the server watches for us, when the bot itself may be dead: rules on its events, made from the settings.

Prefect names the event of a state change after the state's name, so a cycle that did not trade is
`prefect.flow-run.Skipped`, not `…Completed`. A rule of absence (proactive) with `after` opens a window at the first
such event, fires when the window ends without an expected one, and opens the next window at the next `after`; without
`for_each` it would open windows by itself, too.

State changes of a run that was scheduled less than five minutes ago reach the rules 15 minutes late: the server waits
for an event that its scheduler never sends. So what must not be missed are heartbeats and events of our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, DoNothing, RunDeployment, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from deployments.plan import ALARM, END_OF_DAY, FLATTEN, HALT, RESUME, TAGS, TRADING_CYCLE
from deployments.serve import ENVIRONMENT
from trading_bot.config.typed_settings import TradingBotSettings

PREFIX = "bensbot: "  # whatever bears it is ours: it is put right, and removed
ZOMBIES, STALE, PENDING = f"{PREFIX}lost run", f"{PREFIX}no cycle", f"{PREFIX}stuck in pending"
GIVEN_UP, BACKLOG, UNHEARD = f"{PREFIX}run given up", f"{PREFIX}late runs", f"{PREFIX}command not taken up"

HEARTBEATS_MISSED = 3
INTERVALS_WITHOUT_A_CYCLE = 3
LEAST_PATIENCE = timedelta(seconds=60)
LONGEST_PENDING = timedelta(minutes=5)
MOST_LATE_RUNS = 5

TRADED, IDLE = "bensbot.cycle.traded", "bensbot.cycle.idle"  # idle: it did not trade, for a quiet reason
HEARTBEAT = "prefect.flow-run.heartbeat"
FALLEN_DUE = frozenset({HEARTBEAT, *(f"prefect.flow-run.{name}" for name in ("Late", "Failed", "Crashed"))})
ENDED = frozenset(f"prefect.flow-run.{name}" for name in ("Completed", "Skipped", "Failed", "Crashed", "Cancelled"))
MOVED_ON = ENDED | {f"prefect.flow-run.{name}" for name in ("Running", "Cancelling", "Scheduled", "Late")}
EACH_RUN = frozenset({"prefect.resource.id"})

WATCHED = (TRADING_CYCLE, END_OF_DAY, HALT, RESUME, FLATTEN)
COMMANDS = (HALT, RESUME, FLATTEN)
SIGNATURE = "The watchdog gave this run up: "  # by this, "run given up" knows our own work


@dataclass(frozen=True, slots=True)
class Channels:
    """Whom a rule tells, beyond the server's own events."""

    alarm: UUID | None = None  # the deployment whose flow speaks through the bot's channels
    config: Path | None = None  # the settings file of that flow
    notify: UUID | None = None  # a notification block of Prefect, which the server itself sends


def automations(settings: TradingBotSettings, channels: Channels) -> tuple[AutomationCore, ...]:
    """Return every rule that the server shall keep."""
    return (
        _lost_run(),
        _stuck_in_pending(),
        _run_given_up(channels),
        _no_cycle(settings, channels),
        _late_runs(settings, channels),
        _command_not_taken_up(channels),
    )


def patience(settings: TradingBotSettings) -> timedelta:
    """Return how long the loop may be without a completed cycle while runs fall due."""
    return max(INTERVALS_WITHOUT_A_CYCLE * _interval(settings), LEAST_PATIENCE)


def _lost_run() -> AutomationCore:
    silence = HEARTBEATS_MISSED * timedelta(seconds=int(ENVIRONMENT["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"]))
    trigger = EventTrigger(
        posture=Posture.Proactive,
        match_related=_of_flows((*WATCHED, ALARM)),
        after={HEARTBEAT},
        expect={HEARTBEAT, *ENDED},
        for_each=set(EACH_RUN),
        threshold=1,
        within=silence,
    )
    return _automation(
        ZOMBIES,
        f"A run whose process died without a word is marked as crashed after {silence.seconds} s without a heartbeat.",
        trigger,
        [_crashed(f"no heartbeat for {silence.seconds} seconds.")],
    )


def _stuck_in_pending() -> AutomationCore:
    trigger = EventTrigger(
        posture=Posture.Proactive,
        match_related=_of_flows((*WATCHED, ALARM)),
        after={"prefect.flow-run.Pending"},
        expect=set(MOVED_ON),
        for_each=set(EACH_RUN),
        threshold=1,
        within=LONGEST_PENDING,
    )
    minutes = LONGEST_PENDING.seconds // 60
    return _automation(
        PENDING,
        f"A run that was fetched and has not begun after {minutes} minutes is marked as crashed.",
        trigger,
        [_crashed(f"fetched, and not begun after {minutes} minutes.")],
    )


def _run_given_up(channels: Channels) -> AutomationCore:
    """Tell of what the two rules above did, not of their firing: a run that had ended in time stays as it is."""
    trigger = EventTrigger(
        posture=Posture.Reactive,
        match=ResourceSpecification({"prefect.state-message": f"{SIGNATURE}*"}),
        match_related=_of_flows(WATCHED),
        expect={"prefect.flow-run.Crashed"},
        threshold=1,
        within=timedelta(0),
    )
    return _automation(
        GIVEN_UP,
        "Tells that the watchdog has marked a run as crashed.",
        trigger,
        _telling(
            channels,
            title="BensBot: a run was lost",
            message="{{ flow.name }}, run {{ flow_run.name }}: {{ flow_run.state.message }} "
            "The next cycle finds what it left in the book and goes on. See whether its machine is alive.",
        ),
    )


def _no_cycle(settings: TradingBotSettings, channels: Channels) -> AutomationCore:
    """Armed by a run that fell due, so nights, holidays and a paused deployment are silent."""
    within = patience(settings)
    trigger = EventTrigger(
        posture=Posture.Proactive,
        match_related=_of_flows((TRADING_CYCLE,)),
        after=set(FALLEN_DUE),
        expect={TRADED, IDLE},
        for_each={"related:flow:prefect.resource.id"},
        threshold=1,
        within=within,
    )
    seconds = int(within.total_seconds())
    return _automation(
        STALE,
        f"Tells that cycles fall due and none has completed for {seconds} s.",
        trigger,
        _telling(
            channels,
            title="BensBot: no cycle completes",
            message=f"Cycles fall due, and for {seconds} seconds none has completed. `bensbot status` says how things "
            "stand; perhaps nothing serves the deployments any more, or cycles fail.",
        ),
    )


def _late_runs(settings: TradingBotSettings, channels: Channels) -> AutomationCore:
    within = max(MOST_LATE_RUNS * _interval(settings), LEAST_PATIENCE)
    trigger = EventTrigger(
        posture=Posture.Reactive,
        match_related=_of_flows((TRADING_CYCLE, END_OF_DAY)),
        expect={"prefect.flow-run.Late"},
        threshold=MOST_LATE_RUNS,
        within=within,
    )
    return _automation(
        BACKLOG,
        f"Tells of {MOST_LATE_RUNS} late runs within {int(within.total_seconds())} s.",
        trigger,
        _telling(
            channels,
            title="BensBot: runs start late",
            message=f"{MOST_LATE_RUNS} runs in a row did not start in time. Nothing serves the deployments, or the "
            "machine is too slow for orchestrator.loop_interval_seconds. Late cycles are skipped, not caught up.",
        ),
    )


def _command_not_taken_up(channels: Channels) -> AutomationCore:
    trigger = EventTrigger(
        posture=Posture.Reactive,
        match_related=_of_flows(COMMANDS),
        expect={"prefect.flow-run.Late"},
        threshold=1,
        within=timedelta(0),
    )
    return _automation(
        UNHEARD,
        "Tells that a halt, resume or flatten was asked for and nobody executes it.",
        trigger,
        _telling(
            channels,
            title="BensBot: a command is not taken up",
            message="{{ flow.name }} was asked for, and nothing executes it. Where the book is, "
            "`bensbot halt --because …` works without Prefect.",
        ),
    )


def _automation(name: str, description: str, trigger: EventTrigger, actions: Sequence[ActionTypes]) -> AutomationCore:
    return AutomationCore(
        name=name, description=description, enabled=True, tags=list(TAGS), trigger=trigger, actions=list(actions)
    )


def _crashed(reason: str) -> ChangeFlowRunState:
    """Not forced: the server refuses it for a run that has ended, whose last heartbeat merely came late."""
    return ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=f"{SIGNATURE}{reason}", force=False)


def _telling(channels: Channels, *, title: str, message: str) -> list[ActionTypes]:
    return list(_actions(channels, title, message)) or [DoNothing()]  # the firing is an event by itself


def _actions(channels: Channels, title: str, message: str) -> Iterator[ActionTypes]:
    if channels.alarm is not None:
        config = str(channels.config.resolve()) if channels.config else None
        said = {"__prefect_kind": "jinja", "template": message}
        params = {"config": config, "title": title, "message": said}
        yield RunDeployment(
            source="selected", deployment_id=channels.alarm, parameters={"params": params}, job_variables=None
        )
    if channels.notify is not None:
        yield SendNotification(block_document_id=channels.notify, subject=title, body=message)


def _of_flows(names: Sequence[str]) -> ResourceSpecification:
    """Match by the flow, not by the deployment: heartbeats do not name theirs."""
    return ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": list(names)})


def _interval(settings: TradingBotSettings) -> timedelta:
    return timedelta(seconds=settings.orchestrator.loop_interval_seconds)
