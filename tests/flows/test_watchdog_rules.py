"""The watchdog's rules as they are made from the settings, without a server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.events.actions import ChangeFlowRunState, DoNothing, RunDeployment, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from deployments.watchdog import Channels, automations
from trading_bot.config.typed_settings import TradingBotSettings

ALARM, BLOCK = UUID(int=1), UUID(int=2)


def rules(seconds: int = 60, channels: Channels | None = None) -> dict[str, AutomationCore]:
    settings = TradingBotSettings.model_validate({"orchestrator": {"loop_interval_seconds": seconds}})
    return {rule.name: rule for rule in automations(settings, channels or Channels())}


def trigger(name: str, seconds: int = 60) -> EventTrigger:
    found = rules(seconds)[name].trigger
    assert isinstance(found, EventTrigger)
    return found


@pytest.mark.parametrize(("interval", "patience"), [(1, 60), (15, 60), (60, 180), (300, 900)])
def test_a_loop_is_stale_after_three_intervals_and_not_before_a_minute(interval: int, patience: int):
    assert trigger("bensbot: no cycle", interval).within == timedelta(seconds=patience)


def test_silence_is_counted_from_cycles_that_fell_due_and_ended_by_a_sign_of_life():
    found = trigger("bensbot: no cycle")

    assert found.posture == Posture.Proactive
    assert "prefect.flow-run.Late" in found.after
    assert found.expect == {"bensbot.cycle.traded", "bensbot.cycle.idle"}
    assert found.for_each == {"related:flow:prefect.resource.id"}  # without it, nights would count


def test_a_run_is_given_up_after_three_heartbeats_without_a_word():
    found = rules()["bensbot: lost run"]

    assert trigger("bensbot: lost run").within == timedelta(seconds=90)
    (action,) = found.actions
    assert isinstance(action, ChangeFlowRunState)
    assert action.state == "CRASHED"
    assert action.force is False


def test_a_cycle_that_was_skipped_has_ended_and_is_not_lost():
    assert "prefect.flow-run.Skipped" in trigger("bensbot: lost run").expect


def test_the_alarm_is_not_an_occasion_for_alarms():
    for name, rule in rules(channels=Channels(alarm=ALARM)).items():
        tells = any(isinstance(action, RunDeployment) for action in rule.actions)
        assert not tells or "alarm" not in flows(name), name


def flows(name: str) -> list[str]:
    related: Any = trigger(name).match_related
    return related["prefect.resource.name"]


def test_without_anybody_to_tell_the_firing_itself_is_the_sign():
    assert rules()["bensbot: no cycle"].actions == [DoNothing()]


def test_a_block_is_told_by_the_server_and_the_alarm_by_the_bot():
    run, notify = rules(channels=Channels(alarm=ALARM, config=Path("/etc/bot.yaml"), notify=BLOCK))[
        "bensbot: no cycle"
    ].actions

    assert isinstance(run, RunDeployment)
    assert run.deployment_id == ALARM
    assert run.parameters is not None
    assert run.parameters["params"]["config"] == "/etc/bot.yaml"
    assert isinstance(notify, SendNotification)
    assert notify.block_document_id == BLOCK
    assert notify.subject == "BensBot: no cycle completes"


def test_every_rule_of_ours_bears_our_name():
    assert all(name.startswith("bensbot: ") for name in rules())
