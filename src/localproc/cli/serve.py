"""``localproc serve``: the OGC API on an address of this machine.

Owns who may come in by default, and saying where to begin. Must not know what is answered.
"""

import gc
import ipaddress
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from localproc.cli.shared_options import engine_options
from localproc.cli.site import Site
from localproc.engine.engine import namespace_of
from localproc.errors import EnvironmentProblem, PluginMissing
from localproc.model import InputPolicy

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from localproc.api import Engine

#: What may be limited, as the members of a policy, and what is unless something else is said.
_LIMITS: Final = {"file": "most", "job": "most_of_job", "host": "most_of_host"}
_USUAL: Final = {"most": 16 << 30}


def _limits(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, int]:
    """Read ``job=MIB``: members of a policy, and bytes."""
    found = {}
    for one in given:
        what, _sign, size = one.partition("=")
        if what not in _LIMITS or not (size.isascii() and size.isdecimal()):
            known = ", ".join(f"{name}=MIB" for name in _LIMITS)
            raise click.BadParameter(f"{one!r} is none of {known}")
        found[_LIMITS[what]] = int(size) << 20
    return found


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes any that is free.",
)
@click.option("--namespace", "namespaces", multiple=True, help="Serve this one; repeatable.")
@click.option("--prefix", default="/{namespace}/ogc-api", show_default=True, help="Path of all.")
@click.option("--base-url", default="", help="What clients call this server, behind a proxy.")
@click.option("--title", default="localproc", help="What the service is called.")
@click.option(
    "--file-root",
    "roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    help="A folder that inputs may name files in; repeatable.",
)
@click.option(
    "--input-prefix",
    "prefixes",
    multiple=True,
    metavar="URI",
    help="Inputs may name objects below it, read with this server's keys; repeatable.",
)
@click.option("--allow-private", is_flag=True, help="Inputs may name private web addresses.")
@click.option(
    "--cors", "origins", multiple=True, help="An origin whose pages may use this; * for all."
)
@click.option(
    "--dismiss",
    type=click.Choice(["seed", "ogc2", "gone"]),
    default="seed",
    show_default=True,
    help="What DELETE of a job leaves: nothing but its history; what was dismissed; a 410.",
)
@click.option(
    "--profile",
    type=click.Choice(["localproc", "zoo"]),
    default="localproc",
    show_default=True,
    help="Whose words messages are in.",
)
@click.option(
    "--presign",
    type=click.IntRange(min=0, max=604_800),
    default=0,
    metavar="SECONDS",
    help="Send clients to files in other storages by URLs that hold for so long.",
)
@click.option(
    "--paths/--no-paths",
    default=None,
    help="Tell where failed steps have left their folders; by default to this machine alone.",
)
@click.option("--without-token", is_flag=True, help="Let everybody in, whatever the address.")
@click.option(
    "--callback-secret",
    envvar="LOCALPROC_CALLBACK_SECRET",
    default="",
    help="Signs what subscribers are told. Better as LOCALPROC_CALLBACK_SECRET.",
)
@click.option("--no-echo", is_flag=True, help="Do not offer the echo process.")
@click.option(
    "--input-limit",
    "limits",
    callback=_limits,
    multiple=True,
    metavar="WHAT=MIB",
    help="What may be brought as inputs: file=, job=, or host= (for a job from one host); "
    "repeatable. A file has 16 GiB at the most otherwise.",
)
@engine_options
@click.pass_obj
def serve(
    site: Site,
    /,
    host: str,
    port: int,
    settings: dict[str, Any],
    roots: tuple[str, ...],
    prefixes: tuple[str, ...],
    limits: dict[str, int],
    allow_private: bool,
    paths: bool | None,
    without_token: bool,
    callback_secret: str,
    no_echo: bool,
    **face: Any,
) -> None:
    """Serve OGC API - Processes on this machine, until Ctrl-C.

    On another address than a loopback one, every request needs a token of its namespace:
    localproc token make NAME.
    """
    listener = _listen(host, port)
    with listener, site.open(callback_secret=callback_secret, **settings) as engine:
        app = _app(
            engine,
            **face,
            echo=not no_echo,
            paths=_is_private(host, **face) if paths is None else paths,
            hosts=_names(host, face["base_url"]) if is_loopback(host) else (),
            require_token=not is_loopback(host) and not without_token,
            policy=InputPolicy(roots, not allow_private, prefixes=prefixes, **{**_USUAL, **limits}),
        )
        namespace_of(engine).stand_by()
        engine.run_triggers()
        _say(app, listener)
        _run(app, listener)
        engine.close()  # jobs go on without a server; the next one takes them over


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_private(host: str, *, base_url: str, origins: Sequence[str], **_: Any) -> bool:
    """Whether all that is told stays on this machine, as far as a server can see that."""
    return is_loopback(host) and not base_url and not origins


def _names(host: str, base_url: str) -> tuple[str, ...]:
    """Return the names this server may be called by; another page may have its own lead here."""
    outer = urlsplit(base_url).hostname or host  # proxies may pass on what clients call them
    return tuple({"localhost", "127.0.0.1", "[::1]", host, outer})


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only on sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise EnvironmentProblem(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            hint="choose another one with --port, or --port 0 for any that is free",
        ) from None
    return listener


def _app(engine: "Engine", **options: Any) -> "Starlette":
    from localproc.http import create_app

    try:
        return create_app(engine, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _say(app: "Starlette", listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    settings = app.state.settings
    for namespace, engine in app.state.engines.items():
        click.echo(f"serving http://{shown}:{port}{settings.root(namespace)}")
        if settings.require_token and not engine.tokens.all():
            hint = f"localproc --namespace {namespace} token make NAME"
            click.echo(f"  nobody can come in yet; make a token: {hint}")
    click.echo(f"home {os.path.abspath(engine.home)}; Ctrl-C ends it")


def _run(app: "Starlette", listener: socket.socket) -> None:
    try:
        from localproc.http.socket_server import serve as serve_app
    except ModuleNotFoundError as error:
        raise PluginMissing.for_extra("http", "localproc serve needs uvicorn") from error
    gc.freeze()  # to look through all that stays loaded would hold up every answer meanwhile
    serve_app(app, listener)
