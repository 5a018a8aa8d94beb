"""``localproc token``: who may use a namespace over HTTP.

Owns making, listing and removing tokens. Must not know how they are asked for.
"""

import click

from localproc.cli.printing import print_json, print_table
from localproc.cli.shared_options import json_option
from localproc.cli.site import Site
from localproc.views.ogc import timestamp


@click.group()
def token() -> None:
    """Make, list and remove the tokens that let clients of a server into a namespace."""


@token.command()
@click.argument("name")
@json_option
@click.pass_obj
def make(site: Site, name: str, as_json: bool) -> None:
    """Make the token NAME and print its secret, once; a token of that name is replaced."""
    with site.prepare() as engine:
        secret = engine.tokens.make(name)
    if as_json:
        print_json({"name": name, "namespace": site.namespace, "token": secret})
        return
    click.echo(secret)
    click.echo("keep it: it is not shown again", err=True)


@token.command("list")
@json_option
@click.pass_obj
def list_tokens(site: Site, as_json: bool) -> None:
    """List tokens, without their secrets."""
    with site.look() as engine:
        found = engine.tokens.all()
    rows = [(one.name, timestamp(one.created)) for one in found]
    if as_json:
        print_json({"tokens": [{"name": name, "created": made} for name, made in rows]})
        return
    print_table(["token", "made"], rows)


@token.command()
@click.argument("name")
@json_option
@click.pass_obj
def remove(site: Site, name: str, as_json: bool) -> None:
    """Make the token NAME worthless."""
    with site.look() as engine:
        engine.tokens.remove(name)
    if as_json:
        print_json({"name": name, "namespace": site.namespace})
    else:
        click.echo(f"{name} is removed")
