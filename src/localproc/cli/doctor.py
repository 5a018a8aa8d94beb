"""Commands about the machine: plugins, and whether all is well.

Owns what is looked at and what to do about it. Must not change anything, unless told to end what
is left of homes that are gone.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from localproc import errors
from localproc.api import Engine
from localproc.cli import leftovers
from localproc.cli.app import ENVIRONMENT
from localproc.cli.printing import print_json, print_table
from localproc.cli.shared_options import environment_settings, executor_options, json_option
from localproc.cli.site import Site
from localproc.cli.told import told
from localproc.engine.container_runtimes import AUTO, Containers
from localproc.engine.engine import namespace_of
from localproc.engine.handles import Job
from localproc.engine.home.cwd import absolute_home
from localproc.engine.home.settings import base_environment, machine_cores, machine_ram
from localproc.engine.job_lists import jobs_everywhere
from localproc.file_systems import file_system, on_network
from localproc.model import JobStatus
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings, Finding
from localproc.plugins.manager import PluginManager


@click.command()
@json_option
def plugins(as_json: bool) -> None:
    """List plugins, what they bring, and those that are broken."""
    box = PluginManager()
    added = click.Group()
    box.tell("localproc_commands", group=added)
    commands = [(name, one.get_short_help_str()) for name, one in added.commands.items()]
    executors = [(one.name, one.summary) for one in box.executors()]
    runtimes = [(one.name, one.summary) for one in box.containers()]
    storages = [(one.scheme, one.summary) for one in box.storages()]
    names = box.names()
    broken = [(one.plugin, one.reason) for one in box.broken]
    if as_json:
        print_json(
            {
                "plugins": [{"name": name, "from": source} for name, source in names],
                "executors": [{"name": name, "summary": text} for name, text in executors],
                "containers": [{"name": name, "summary": text} for name, text in runtimes],
                "storages": [{"scheme": name, "summary": text} for name, text in storages],
                "commands": [{"name": name, "summary": text} for name, text in commands],
                "broken": [{"plugin": name, "reason": reason} for name, reason in broken],
            }
        )
        return
    print_table(["plugin", "from"], [(name, source or "localproc") for name, source in names])
    click.echo()
    print_table(["executor", "runs tasks as"], executors)
    click.echo()
    print_table(["container runtime", "has"], runtimes)
    click.echo()
    print_table(["storage", "reads and writes"], storages)
    if commands:
        click.echo()
        print_table(["command", "does"], commands)
    if broken:
        click.echo()
        print_table(["broken", "reason"], broken)


@click.command()
@click.option("--end-leftovers", is_flag=True, help="End what runs of homes that are gone.")
@click.option("--executor", metavar="NAME", help="See what that executor needs as well.")
@executor_options
@json_option
@click.pass_obj
def doctor(
    site: Site,
    as_json: bool,
    end_leftovers: bool,
    executor: str | None,
    executor_options: dict[str, dict[str, Any]],
) -> int:
    """See whether this machine is fit for the work; every red line says what to do."""
    if end_leftovers:
        for leftover in leftovers.found()[0]:
            leftover.end()
            click.echo(f"ended: {leftover.said}", err=True)
    checks = list(_CHECKS)
    if executor is not None:
        checks.append(partial(_executor, name=executor, options=executor_options))
    findings = [finding for check in checks for finding in _safely(check, site)]
    if as_json:
        print_json([asdict(one) for one in findings])
    else:
        for one in findings:
            colour = {"ok": "green", "warning": "yellow", "failed": "red"}[one.state]
            click.echo(f"{click.style(one.state.ljust(8), fg=colour)}{one.what}: {one.said}")
            if one.hint and one.state != "ok":
                click.echo(f"        → {told(one.hint)}")
    return ENVIRONMENT if any(one.state == "failed" for one in findings) else 0


def _safely(check: Callable[[Site], Iterator[Finding]], site: Site) -> Iterator[Finding]:
    name = getattr(check, "__name__", "executor").strip("_").replace("_", " ")
    try:
        yield from check(site)
    except errors.LocalprocError as error:
        yield Finding("failed", name, error.message, error.hint)
    except Exception as error:
        yield Finding("failed", name, f"{type(error).__name__}: {error}")


def _python(_: Site) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", "python", f"{version} at {sys.executable}")
    yield Finding("ok", "tools are looked for in", base_environment()["PATH"])


def _machine(_: Site) -> Iterator[Finding]:
    yield Finding("ok", "machine", f"{machine_cores()} cores, {machine_ram()} MiB of memory")


def _home(site: Site) -> Iterator[Finding]:
    if not site.exists():
        yield _no_home(site)
        return
    with site.look() as engine:
        path, space = str(engine.home), namespace_of(engine)
        kind = file_system(path) or "unknown file system"
        if on_network(path):
            yield Finding(
                "warning",
                "home",
                f"{path} on {kind}, a network file system: safe, but slower",
                "use a local disk: --home /tmp/localproc-$USER; --results may be anywhere",
            )
        else:
            yield Finding("ok", "home", f"{path} on {kind}")
        free = shutil.disk_usage(path).free >> 20
        state: Any = "ok" if free > 1024 else "warning"
        yield Finding(state, "disk", f"{free} MiB free", "make room: tasks need it")
        problems = space.store_problems()
        if problems:
            yield Finding(
                "failed",
                "store",
                "; ".join(problems[:3]),
                f"restore a backup elsewhere, or move {path}/localproc.db and {path}/jobs away",
            )
        else:
            yield Finding("ok", "store", f"{len(engine.jobs(limit=10_000))} jobs, sound")
        yield from _open_jobs(jobs_everywhere(space, JobStatus.ACCEPTED, JobStatus.RUNNING))
        for one in space.runtime.remains.due():
            yield Finding(
                "warning",
                "results",
                f"what was left in {one.root} could not be removed yet",
                "the next engine that runs jobs here removes it, and so does localproc prune",
            )
        alive = [f"process {pid}" for _, pid in space.alive()]
        yield Finding("ok", "engines", ", ".join(alive) or "none at work")


def _open_jobs(jobs: Sequence[Job]) -> Iterator[Finding]:
    for job in jobs:
        if job.record.aside:
            error = errors.JobPutAside(job.id, job.record.aside)
            yield Finding("warning", "job", error.message, error.hint)
    left = [one for one in jobs if one.abandoned]
    if left:
        yield Finding(
            "warning",
            "jobs",
            f"nobody runs {', '.join(one.id for one in left[:3])}"
            + (f" and {len(left) - 3} more" if len(left) > 3 else ""),
            "localproc resume goes on with them, localproc dismiss JOB stops one",
        )


def _no_home(site: Site) -> Finding:
    """Say whether a home could be made; it is not."""
    there = absolute_home(site.home)
    while not os.path.exists(there):
        there = os.path.dirname(there)
    if os.path.isdir(there) and os.access(there, os.W_OK | os.X_OK):
        return Finding("ok", "home", f"{site.home} is not there yet; the first job makes it")
    return Finding(
        "failed",
        "home",
        f"{site.home} cannot be made: {there} cannot be written",
        "choose another one with --home or LOCALPROC_HOME",
    )


def _javascript(_: Site) -> Iterator[Finding]:
    from localproc.cwl.expr.javascript import Script, evaluate

    value = evaluate(Script("(1 + 1)"), "{}", "null", "{}")
    yield Finding("ok" if value == 2 else "failed", "javascript", "QuickJS works")


def _local_executor(_: Site) -> Iterator[Finding]:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "doctor",
        "baseCommand": ["echo", "well"],
        "inputs": [],
        "outputs": [{"id": "said", "type": "stdout"}],
    }
    with tempfile.TemporaryDirectory(prefix="localproc-") as folder, Engine(folder) as engine:
        engine.run(tool).raise_for_status()
    yield Finding("ok", "local executor", "runs tools")


def _containers(site: Site) -> Iterator[Finding]:
    settings = site.settings(**environment_settings())
    known = Containers(PluginManager(), settings)
    here = known.here()
    named = settings.containers or AUTO
    for number, one in enumerate(here):
        first = "; auto takes it first" if named == AUTO and number == 0 else ""
        note = "; the settings name it" if one.name == named else first
        try:
            yield Finding("ok", "containers", f"{known.version(one.name)}{note}")
        except errors.LocalprocError as error:
            yield Finding("warning", "containers", f"{one.name}: {error.message}", error.hint)
    if not here:
        yield Finding("ok", "containers", "none: packages that require an image are refused")


def _plugins(_: Site) -> Iterator[Finding]:
    box = PluginManager()
    box.executors()
    box.containers()
    box.storages()
    for broken in box.broken:
        yield Finding(
            "failed", f"plugin {broken.plugin}", broken.reason, "upgrade it, or uninstall it"
        )
    yield Finding("ok", "plugins", ", ".join(name for name, _ in box.names()))


def _leftovers(_: Site) -> Iterator[Finding]:
    found, unknown = leftovers.found()
    for said, hint in unknown:
        yield Finding("warning", "left running", said, hint)
    for one in found:
        command = "prune --containers" if one.containers else "doctor --end-leftovers"
        yield Finding("warning", "left running", one.said, f"localproc {command} ends them")
    if not found and not unknown:
        yield Finding("ok", "left running", "nothing of homes that are gone")


def _executor(site: Site, *, name: str, options: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """Ask an executor's plugin; its folder is that of the home, or one beside where it would be."""
    plugin = PluginManager().executor(name)
    if site.exists():
        with site.look(executor_options=options) as engine:
            settings = namespace_of(engine).runtime.executor_settings(plugin, "doctor")
            yield from _examined(plugin, settings)
        return
    there = absolute_home(site.home)
    while not os.path.isdir(there):
        there = os.path.dirname(there)
    with tempfile.TemporaryDirectory(prefix=".localproc-", dir=there) as folder:
        settings = ExecutorSettings(folder, "doctor", 0, 0, 0, options.get(name, {}))
        yield from _examined(plugin, settings)


def _examined(plugin: ExecutorPlugin, settings: ExecutorSettings) -> Iterator[Finding]:
    """Yield what a plugin finds; whether it can be opened is all there is of one that looks not."""
    found = list(plugin.examine(settings))
    if not found and plugin.name != "local":  # which has been tried
        plugin.open(settings).close()
        found = [Finding("ok", plugin.name, f"{plugin.summary}: can be used")]
    yield from found


_CHECKS = (
    _python,
    _machine,
    _home,
    _javascript,
    _local_executor,
    _containers,
    _plugins,
    _leftovers,
)
