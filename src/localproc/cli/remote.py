"""The same commands at a server elsewhere: ``--to URL``.

Owns the options, which of a command's others go there, and what is printed. Must not know HTTP.
"""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from localproc.cli.app import DISMISSED, FAILED, code_of
from localproc.cli.operands import names_package, naming
from localproc.cli.printing import print_json, print_table
from localproc.cli.show import detail_lines
from localproc.engine.admission.inputs import read_inputs
from localproc.engine.home.cwd import current_folder
from localproc.errors import LocalprocError, NoSuchOutput
from localproc.uris import path_uri

if TYPE_CHECKING:
    from localproc.remote import Server

_MEMBERS = {
    "title": "title",
    "keep_going": "keepGoing",
    "retries": "retries",
    "time_limit": "timeLimit",
    "priority": "priority",
    "once": "once",
    "progress": "progress",
}
#: The options of a request that go there; what their values are called is what click calls them.
REQUEST = (*_MEMBERS, "retry_on")

token_option = click.option(
    "--token", envvar="LOCALPROC_TOKEN", default="", help="What that server asks for."
)


def also_there(there: Callable[..., Any], *takes: str) -> Callable[..., Any]:
    """Have a command be done by ``there`` where ``--to`` names a server.

    ``there`` is called with the server and the values of the command. Of its options and arguments
    only those of ``takes`` can be given then.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.option("--to", envvar="LOCALPROC_TO", metavar="URL", help="At this server.")
        @token_option
        @functools.wraps(command)
        def called(*args: Any, to: str | None, token: str, **values: Any) -> Any:
            if not to:
                return command(*args, **values)
            from localproc.remote import Server

            _refuse_others(click.get_current_context(), {*takes, "to", "token", "as_json"})
            with Server(to, token) as server:
                return there(server, **values)

        return called

    return decorated


def _refuse_others(context: click.Context, takes: set[str]) -> None:
    """Raise ``UsageError`` for what was typed and means nothing to a server."""
    for param in context.command.params:
        name = str(param.name)
        typed = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if typed and name not in takes:
            said = param.opts[0] if isinstance(param, click.Option) else name.upper()
            raise click.UsageError(f"{said} does not go with --to: it is for jobs here", context)


def deploy(
    server: "Server", *, package: str, no_replace: bool, allow_remote: bool, as_json: bool, **_: Any
) -> None:
    """Deploy a package there."""
    with naming(package):
        found = server.deploy(package, replace=not no_replace, allow_remote=allow_remote)
    if as_json:
        print_json(found)
    else:
        click.echo(f"{found['id']} {found.get('version', '')}".rstrip() + f", at {server.url}")


def execute(
    server: "Server",
    *,
    process: str,
    inputs: Sequence[str],
    given: Sequence[tuple[str, str]],
    request: Mapping[str, Any],
    wait: bool,
    as_json: bool,
    **_: Any,
) -> int:
    """Start a job there; a package that is here is deployed first."""
    if names_package(process) and not os.path.isdir(process):
        with naming(process):
            process = server.deploy(process)["id"]
    members = {_MEMBERS[name]: value for name, value in request.items()}
    job = server.execute(process, **_gathered(server, process, inputs, given), **members)
    if "results" in job:  # it has no jobs
        print_json(job["results"])
        return 0
    if not wait:
        print_json(job) if as_json else click.echo(job["jobID"])
        return 0
    return _show_end(server, server.wait(job["jobID"]), as_json=as_json)


def _show_end(server: "Server", job: Mapping[str, Any], *, as_json: bool) -> int:
    """Tell how a job has ended there, and give its exit code."""
    problem: LocalprocError | None = None
    found: dict[str, Any] = {}
    try:
        found = server.results(job["jobID"])
    except LocalprocError as error:  # why it failed is told where its results would be
        problem = error
    if as_json:
        print_json({**job, "results": found} if problem is None else job)
    elif problem is None:
        _print_results(found)
    else:
        click.echo(f"{job['jobID']}: {job['status']}: {problem}", err=True)
    codes = {"successful": 0 if problem is None else code_of(problem), "dismissed": DISMISSED}
    return codes.get(job["status"], FAILED)


def _gathered(
    server: "Server", process: str, words: Sequence[str], given: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Read inputs from a command line, as far as the process's description tells what they are."""
    from localproc.remote.sent_inputs import typed_texts

    files = [word for word in words if "=" not in word or os.path.exists(word)]
    if len(files) > 1:
        raise click.UsageError(f"one inputs file, not {len(files)}: {', '.join(files)}")
    values, base = read_inputs(files[0] if files else None)
    pairs = [(name, text) for name, _, text in (w.partition("=") for w in words if w not in files)]
    typed = typed_texts([*pairs, *given], server.describe(process).get("inputs", {}))
    here = path_uri(current_folder())
    return {
        "inputs": {**values, **typed},
        "bases": {**dict.fromkeys(values, base), **dict.fromkeys(typed, here)},
    }


def status(
    server: "Server", *, job: str, steps: bool, watch: bool, as_json: bool, **_: Any
) -> None:
    """Show a job there, and its steps where the server tells of them."""
    found = server.status(job)
    if watch:
        for one in server.watch(found["jobID"]):
            click.echo(_line(one), err=True)
            found = one
    told = server.steps(found) if steps else found.get("steps") or []
    if as_json:
        print_json({**found, "steps": told} if steps else found)
        return
    click.echo(_line(found))
    if found.get("message", "") not in ("", found["status"]):
        click.echo(found["message"])
    if steps:
        for one in told:
            click.echo("\n".join(detail_lines(one)))
    elif told:
        rows = [(one["name"], one["status"], str(one.get("exitCode", ""))) for one in told]
        print_table(["step", "status", "exit"], rows)


def _line(job: Mapping[str, Any]) -> str:
    words = (job["jobID"], job.get("processID", ""), job.get("status", ""))
    return "  ".join([*words, f"{job.get('progress', 0)} %"])


def logs(server: "Server", *, job: str, step: str, as_json: bool, **_: Any) -> None:
    """Show the logs that a job there links to."""
    found = server.logs(server.status(job)["jobID"], step)
    if as_json:
        print_json(found)
        return
    for name, text in found.items():
        if len(found) > 1:
            click.echo(click.style(f"--- {name} ---", bold=True))
        click.echo(text, nl=not text.endswith("\n"))
    if not found:
        click.echo("the server links to no logs", err=True)


def results(
    server: "Server",
    *,
    job: str,
    output: str,
    outputs: Sequence[str],
    download: str | None,
    as_json: bool,
    **_: Any,
) -> None:
    """Print the results of a job there, or bring their files."""
    from localproc.remote.download import download as brought

    found = server.results(server.status(job)["jobID"])
    wanted = [*outputs, *([output] if output else [])]
    for name in wanted:
        if name not in found:
            raise NoSuchOutput(f"there is no output {name!r}", hint=f"it has: {', '.join(found)}")
    chosen = {name: found[name] for name in wanted or found}
    if download is not None:
        lines = [str(path) for path in brought(server, chosen, download)]
        print_json(lines) if as_json else click.echo("\n".join(lines))
    elif as_json:
        print_json(chosen[output] if output and not outputs else chosen)
    else:
        _print_results(chosen)


def _print_results(found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        plain = value.get("value", value) if isinstance(value, Mapping) else value
        if isinstance(plain, Mapping) and plain.get("type") == "FeatureCollection":
            click.echo(f"{name}: {len(plain.get('features', ()))} items")
            for item in plain.get("features", ()):
                hrefs = [str(one["href"]) for one in item.get("assets", {}).values()]
                click.echo(f"  {item.get('id', '')}: {', '.join(hrefs)}")
        elif isinstance(plain, Mapping) and "href" in plain:
            click.echo(f"{name}: {plain['href']}")
        else:
            click.echo(f"{name}: {plain}")


def dismiss(server: "Server", *, job_ids: Sequence[str], as_json: bool, **_: Any) -> None:
    """Dismiss jobs there."""
    found = [server.dismiss(server.status(one)["jobID"]) for one in job_ids]
    if as_json:
        print_json({"jobs": found})
        return
    for job in found:
        click.echo(f"{job['jobID']}: {job.get('status', 'dismissed')}")
