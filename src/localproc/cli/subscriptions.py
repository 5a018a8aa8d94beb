"""``localproc subscription``: what is done when something happens.

Owns the words of that command. Must not know how events are found.
"""

from typing import Any, Final

import click

from localproc.cli.printing import print_json, print_table
from localproc.cli.shared_options import json_option
from localproc.cli.site import Site
from localproc.cli.trigger_commands import add_commands, shown_time
from localproc.engine.admission.inputs import read_inputs
from localproc.engine.triggers.members import unknown_names
from localproc.engine.triggers.subscription import Subscription
from localproc.engine.triggers.subscriptions import SubscriptionOptions
from localproc.errors import InvalidInputs
from localproc.model.trigger import Firing

#: What a file has: all members but the name.
_IN_FILES: Final = ("when", "target", *SubscriptionOptions.__annotations__)


@click.group()
def subscription() -> None:
    """Run processes, or tell people, when something happens.

    A server (localproc serve) or localproc schedule run sees to them.
    """


@subscription.command()
@click.argument("name")
@click.argument("file", metavar="FILE.yml")
@click.option("--replace", is_flag=True, help="Replace the one of the same name.")
@json_option
@click.pass_obj
def add(site: Site, name: str, file: str, replace: bool, as_json: bool) -> None:
    """Add the subscription that FILE.yml describes: when, target, every."""
    members, _ = read_inputs(file)
    members = {"when": {}, "target": {}, **members}
    if problems := unknown_names(members, _IN_FILES):
        raise InvalidInputs("the subscription cannot be kept", problems)
    Subscription.from_data({"name": name, **members})
    when, target = members.pop("when"), members.pop("target")
    with site.prepare() as engine:
        added = engine.subscriptions.add(name, when, target, replace_it=replace, **members)
        _show(added, as_json=as_json)


@subscription.command("list")
@json_option
@click.pass_obj
def list_subscriptions(site: Site, as_json: bool) -> None:
    """List subscriptions."""
    with site.look() as engine:
        found = engine.subscriptions.all()
    if as_json:
        print_json({"subscriptions": [_document(one) for one in found]})
        return
    print_table(["subscription", "event", "target", ""], map(_row, found))


@subscription.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(site: Site, name: str, as_json: bool) -> None:
    """Show a subscription, and its last events."""
    with site.look() as engine:
        found = engine.subscriptions.get(name)
        _show(found, as_json=as_json)
        if not as_json:
            rows = [
                (shown_time(one.due), one.key, one.job_id or _said(one, found))
                for one in engine.subscriptions.history(name)
            ]
            print_table(["seen", "event", "job"], rows)


add_commands(subscription, "subscription", lambda engine: engine.subscriptions)


def _said(one: Firing, found: Subscription) -> str:
    """Return in a line why an event became no job."""
    return " ".join(one.said.split()) if "process" in found.target else ""


def _document(found: Subscription) -> dict[str, Any]:
    data = found.to_data()
    del data["options"]
    return data


def _show(found: Subscription, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(found))
        return
    click.echo("  ".join(filter(None, _row(found))))


def _row(found: Subscription) -> tuple[str, ...]:
    state = "" if found.enabled else "disabled"
    target = next(f"{kind} {value}" for kind, value in found.target.items() if kind != "inputs")
    return found.name, found.event, target, state
