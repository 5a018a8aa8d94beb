"""``localproc zoo``: a service of ZOO-Project from the command line.

Owns what is typed and printed. Must not know how services run.
"""

import json
import os
from typing import Any

import click
import yaml

from localproc.errors import InvalidInputs
from localproc_eoepca.service_file import run_service
from localproc_eoepca.zoo_documents import read_conf, read_yaml


@click.command()
@click.argument("service", type=click.Path(exists=True, dir_okay=False))
@click.argument("inputs", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--conf", type=click.Path(exists=True, dir_okay=False), help="Sections, as in main.cfg."
)
@click.option("--results", default="", metavar="DIR|URI", help="Where results go, in any case.")
@click.option("--containers", default="", metavar="auto|none|NAME", help="Who runs containers.")
@click.option("--quiet", is_flag=True, help="Do not tell how far it is.")
@click.pass_context
def zoo(
    context: click.Context,
    service: str,
    inputs: str | None,
    conf: str | None,
    results: str,
    containers: str,
    quiet: bool,
) -> None:
    """Run SERVICE, a service.py of ZOO-Project or EOEPCA, with the inputs of a YAML or JSON file.

    Its execution handler is called as zoo-calrissian-runner calls it, and its package is run here.
    """

    def told(percent: int, message: str) -> None:
        if not quiet:
            click.echo(f"{percent:3} % {message}", err=True)

    site = context.obj
    settings: dict[str, Any] = {"containers": containers, "namespace": site.namespace}
    served = run_service(
        service,
        _inputs(inputs),
        conf=read_conf(conf) if conf else None,
        home=site.home,
        results=results,
        base=os.path.dirname(os.path.abspath(inputs)) if inputs else "",
        told=told,
        **settings,
    )
    click.echo(json.dumps(served.outputs, indent=2, default=str))
    if not served.successful:
        raise click.ClickException(served.message or "the service has failed")


def _inputs(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            found = read_yaml(file.read())
    except (ValueError, yaml.YAMLError) as error:
        raise InvalidInputs(f"{path} cannot be read as YAML or JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidInputs(f"{path} does not hold inputs")
    return found
