"""Options that several commands have.

Owns those of commands that run jobs, and reading their values. Must not know any one command.
"""

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from localproc.engine.home.settings import Pull
from localproc.engine.home.variables import read_words

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


executor_options = click.option(
    "--executor-option",
    "executor_options",
    metavar="NAME.KEY=VALUE",
    multiple=True,
    callback=lambda _, __, texts: _options(texts),
    help="An option of an executor; repeatable.",
)


offline_option = click.option(
    "--offline",
    type=click.Choice(["never", "auto", "always"]),
    default="never",
    show_default=True,
    envvar="LOCALPROC_OFFLINE",
    help="Whether inputs and images are taken from what is kept here instead of the network.",
)


def images_option(name: str = "images") -> Callable[[Any], Any]:
    """Return the option for the folder of images; the command gets it as ``name``."""
    return click.option(
        "--images",
        name,
        metavar="DIR",
        envvar="LOCALPROC_IMAGES",
        help="Where localproc keeps images itself.",
    )


_ENGINE_OPTIONS: Final = {
    "executor": click.option(
        "--executor",
        default="local",
        show_default=True,
        metavar="NAME[;STEP=NAME]",
        help="Who runs tasks; steps may go elsewhere.",
    ),
    "executor_options": executor_options,
    "software": click.option(
        "--software",
        metavar="FILE",
        default="",
        help="Where the software that tools need is found.",
    ),
    "containers": click.option(
        "--containers",
        default="",
        metavar="auto|none|NAME",
        envvar="LOCALPROC_CONTAINERS",
        help="Who runs containers: docker, podman, apptainer, singularity, charliecloud; auto (the "
        "default) takes what is there where a package requires them, or hints at images that are "
        "here.",
    ),
    "pull": click.option(
        "--pull",
        type=click.Choice([one.value for one in Pull]),
        callback=lambda _, __, pull: pull or "",
        help="When images are brought; never, by default.",
    ),
    "build": click.option("--build", is_flag=True, help="Let images be built by a dockerFile."),
    "images": images_option(),
    "container_map": click.option(
        "--container-map",
        "container_map",
        metavar="IMAGE=local|PATH|IMAGE",
        multiple=True,
        callback=lambda _, __, texts: _mapped(texts),
        help="What an image stands for; repeatable.",
    ),
    "work": click.option("--work", metavar="DIR", help="Where tasks work, if not in the home."),
    "results": click.option("--results", metavar="DIR|URI", help="Where results are published."),
    "slots": click.option("--slots", type=int, default=0, help="How many tasks run at a time."),
    "cores": click.option("--cores", type=float, default=0, help="How many cores tasks may use."),
    "ram": click.option("--ram", type=int, default=0, help="How much memory (MiB) they may use."),
    "keep": click.option("--keep", is_flag=True, help="Keep the folders of steps."),
    "reuse": click.option(
        "--reuse/--no-reuse",
        default=None,
        help="Reuse the outputs of equal steps. Also LOCALPROC_REUSE.",
    ),
    "offline": offline_option,
    "validate_results": click.option(
        "--validate-results",
        type=click.Choice(["off", "warn", "fail"]),
        default="warn",
        show_default=True,
        help="What is done about results that are no valid STAC.",
    ),
    "allow_remote": click.option(
        "--allow-remote", is_flag=True, help="Let packages include remote documents."
    ),
}


_REQUEST_OPTIONS: Final = {
    "title": click.option("--title", default="", help="A title for the job."),
    "tags": click.option("--tag", "tags", multiple=True, help="A tag for the job; repeatable."),
    "assets": click.option(
        "--assets",
        default="",
        metavar="WHICH",
        help="Assets of STAC items to bring: key=B0*;role=data. remote=... stay where they are, "
        "alternate=s3 takes them from there.",
    ),
    "reason": click.option("--reason", default="", help="Why the job is run."),
    "keep_going": click.option(
        "--keep-going", is_flag=True, help="Go on with what does not depend on a step that failed."
    ),
    "retries": click.option(
        "--retries",
        metavar="[STEP=]N[:DELAY[:BACKOFF]]",
        multiple=True,
        help="Try steps that fail again so often; repeatable.",
    ),
    "retry_on": click.option(
        "--retry-on", metavar="KIND,...", help="Only after these: 75, timed-out, node-lost, ..."
    ),
    "time_limit": click.option(
        "--time-limit", metavar="TIME", help="The job fails after 90 (seconds), 30m or 2h."
    ),
    "priority": click.option("--priority", type=int, help="Jobs of a higher one come first."),
    "env": click.option(
        "--env",
        multiple=True,
        metavar="[STEP:]NAME[=VALUE]",
        help="A variable for tools, or a secret (VALUE secret:NAME) for a step; repeatable.",
    ),
    "preserve": click.option(
        "--preserve-environment",
        "preserve",
        multiple=True,
        metavar="GLOB",
        help="Pass variables of this environment on to tools; repeatable.",
    ),
    "progress": click.option(
        "--progress",
        metavar="STEP",
        help="Steps (a pattern) whose tools tell how far they are: 'progress 0.42 TEXT' on stderr.",
    ),
    "once": click.option(
        "--once", metavar="KEY", help="Give the job with this key back that was successful."
    ),
}


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that run jobs; the command gets them as ``settings``."""
    return _gathered(command, _ENGINE_OPTIONS, "settings")


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that describe a job; the command gets them as ``request``.

    Those that were not given are not among them.
    """

    @functools.wraps(command)
    def called(*args: Any, request: dict[str, Any], **values: Any) -> Any:
        rules = read_retries(request.pop("retries"), request.pop("retry_on"))
        words, preserve = request.pop("env"), request.pop("preserve")
        given = {**request, "retries": rules, "variables": read_words(words, preserve)}
        return command(*args, request={name: one for name, one in given.items() if one}, **values)

    return _gathered(called, _REQUEST_OPTIONS, "request")


def container_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--containers`` and ``--images``, as ``containers`` and ``folder``."""
    whose = click.option(
        "--containers",
        default="",
        metavar="NAME",
        envvar="LOCALPROC_CONTAINERS",
        help="Whose images; those of what is there, by default.",
    )
    folder = images_option("folder")
    decorated: Callable[..., Any] = whose(folder(command))
    return decorated


def environment_settings() -> dict[str, Any]:
    """Return the settings of containers that the environment has, for commands without options."""
    return {
        "containers": os.environ.get("LOCALPROC_CONTAINERS", ""),
        "images": os.environ.get("LOCALPROC_IMAGES"),
    }


def read_retries(texts: Sequence[str], kinds: str | None) -> dict[str, Any]:
    """Read rules for retries by the patterns of steps: ``3``, ``crop*=5:10:2``."""
    rules: dict[str, Any] = {}
    for text in texts or (["2"] if kinds else []):
        steps, _, rest = text.rpartition("=")
        try:
            count, *times = rest.split(":")
            named = dict(zip(("delay", "backoff"), map(float, times), strict=False))
            rules[steps or "*"] = {"attempts": int(count) + 1, **named}
        except ValueError:
            raise click.BadParameter(f"{text!r} is not [STEP=]N[:DELAY[:BACKOFF]]") from None
        if kinds:
            rules[steps or "*"]["on"] = kinds.split(",")
    return rules


def _options(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read options of executors; a value that is JSON (a number, true) is meant as that.

    Raises ``PluginMissing`` for those of an executor that there is not: nobody would read them.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, _, value = text.partition("=")
        executor, _, key = name.partition(".")
        if not (executor and key and "=" in text):
            raise click.BadParameter(f"{text!r} is not NAME.KEY=VALUE")
        try:
            found.setdefault(executor, {})[key] = json.loads(value)
        except ValueError:
            found.setdefault(executor, {})[key] = value
    if found:
        from localproc.plugins.manager import PluginManager

        plugins = PluginManager()
        for executor in found:
            plugins.executor(executor)
    return found


def _mapped(texts: Sequence[str]) -> dict[str, str]:
    """Read what images stand for."""
    pairs = [text.partition("=") for text in texts]
    for image, _, target in pairs:
        if not (image and target):
            raise click.BadParameter(f"{image!r} is not IMAGE=local|PATH|IMAGE")
    return {image: target for image, _, target in pairs}


def _gathered(
    command: Callable[..., Any], options: Mapping[str, Callable[[Any], Any]], name: str
) -> Callable[..., Any]:
    """Add options whose values reach the command together, as one mapping."""

    @functools.wraps(command)
    def called(*args: Any, **values: Any) -> Any:
        gathered = {option: values.pop(option) for option in options}
        return command(*args, **{name: gathered}, **values)

    for option in reversed(list(options.values())):
        option(called)
    return called


staging_option = click.option(
    "--staging",
    type=click.Choice(["own", "ours"]),
    default="own",
    show_default=True,
    help="Whose steps stage in and out for a package that came wrapped with some.",
)
