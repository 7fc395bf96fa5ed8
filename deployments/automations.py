"""`bensbot automations`: put the watchdog's rules on the server, look at them, take them away."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from deployments.standing import desk
from trading_bot.cli.options import Config, Json
from trading_bot.domain.errors import BensBotError
from trading_bot.terminal import DONE

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events.schemas.automations import Automation, AutomationCore

app = App(name="automations", help="The watchdog: rules on the Prefect server that notice what the bot cannot.")


PAGE = 200  # rules in one answer


class WatchdogError(BensBotError):
    """A rule cannot be made. The message says what to do first."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one rule."""

    name: str
    what: str  # "created", "put right", "unchanged", "removed", "on", "off"
    description: str = ""


@app.command(name="apply")
def apply_rules(
    *,
    notify: Annotated[
        str | None, Parameter(help="A notification block of Prefect to tell as well, as slack-webhook/mine.")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Create the rules, or put them right when the settings or somebody changed them."""
    found = desk(config)
    server = found.reached()
    from deployments.api import client_of
    from deployments.watchdog import Channels, automations

    with client_of(server) as client:
        channels = Channels(
            alarm=_alarm_deployment(client), config=config, notify=_block(client, notify) if notify else None
        )
        done = put_right(client, automations(found.settings, channels))
    _tell(done, as_json)
    return DONE


@app.command(name="list")
def list_rules(*, config: Config = None, as_json: Json = False) -> int:
    """Show the rules that are on the server."""
    server = desk(config).reached()
    from deployments.api import client_of

    with client_of(server) as client:
        found = [Done(rule.name, "on" if rule.enabled else "off", rule.description) for rule in ours(client)]
    _tell(found, as_json)
    return DONE


@app.command(name="remove")
def remove_rules(*, config: Config = None, as_json: Json = False) -> int:
    """Take our rules away, and nobody else's."""
    server = desk(config).reached()
    from deployments.api import client_of

    with client_of(server) as client:
        done = remove(client)
    _tell(done, as_json)
    return DONE


def put_right(client: SyncPrefectClient, wanted: tuple[AutomationCore, ...]) -> list[Done]:
    """Make the server keep exactly the wanted rules; one that is as it should be is not touched."""
    there = {rule.name: rule for rule in ours(client)}
    done = [_put_one_right(client, rule, there.pop(rule.name, None)) for rule in wanted]
    return done + [_removed(client, rule) for rule in there.values()]


def remove(client: SyncPrefectClient) -> list[Done]:
    """Delete every rule of ours."""
    return [_removed(client, rule) for rule in ours(client)]


def ours(client: SyncPrefectClient) -> list[Automation]:
    """Return the server's rules that bear our name."""
    from deployments.watchdog import PREFIX

    return sorted((rule for rule in _all(client) if rule.name.startswith(PREFIX)), key=lambda rule: rule.name)


def _all(client: SyncPrefectClient) -> list[Automation]:
    """Read every page: the server gives so many rules at once and no more."""
    from prefect.client.schemas.sorting import AutomationSort

    found: list[Automation] = []
    while True:
        page = client.read_automations(sort=AutomationSort.NAME_ASC, limit=PAGE, offset=len(found))
        found += page
        if len(page) < PAGE:
            return found


def _put_one_right(client: SyncPrefectClient, wanted: AutomationCore, there: Automation | None) -> Done:
    if there is None:
        client.create_automation(wanted)
        return Done(wanted.name, "created", wanted.description)
    if _essence(there) == _essence(wanted):
        return Done(wanted.name, "unchanged", wanted.description)
    # The client sends only what was set by hand, so everything is; the server takes no owner here.
    client.update_automation(there.id, type(wanted).model_validate(wanted.model_dump(exclude={"owner_resource"})))
    return Done(wanted.name, "put right", wanted.description)


def _removed(client: SyncPrefectClient, rule: Automation) -> Done:
    client.delete_automation(rule.id)
    return Done(rule.name, "removed")


def _essence(rule: AutomationCore) -> dict[str, object]:
    """Return what a rule does, without the server's own numbers."""
    return rule.model_dump(exclude={"id", "created", "updated", "owner_resource"})


def _alarm_deployment(client: SyncPrefectClient) -> UUID:
    from prefect.exceptions import ObjectNotFound

    from deployments.plan import ALARM, NAME

    try:
        return client.read_deployment_by_name(f"{ALARM}/{NAME}").id
    except ObjectNotFound:
        raise WatchdogError(
            f"There is no deployment {ALARM}/{NAME} on this server, and the rules need it to tell you. Start "
            "`bensbot serve` (or `prefect deploy --all`) once, then apply again."
        ) from None


def _block(client: SyncPrefectClient, slug: str) -> UUID:
    from prefect.exceptions import ObjectNotFound

    kind, separator, name = slug.partition("/")
    if not (kind and separator and name):
        raise WatchdogError(f"--notify {slug} names no block. Write TYPE/NAME, as `prefect block ls` shows it.")
    try:
        return client.read_block_document_by_name(name, kind).id
    except ObjectNotFound:
        raise WatchdogError(
            f"--notify {slug}: there is no such block on this server. `prefect block ls` lists those there are."
        ) from None


def _tell(done: list[Done], as_json: bool) -> None:
    if as_json:
        rows = [{"name": one.name, "state": one.what, "description": one.description} for one in done]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        lines = [f"{one.what:10} {one.name:36} {one.description}".rstrip() for one in done]
        sys.stdout.write("\n".join(lines or ["There are no rules of ours on this server."]) + "\n")
