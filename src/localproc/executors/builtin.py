"""Registers the built-in executors and container runtimes the way any plugin does.

Owns their names and options, and when each is imported: not before it is opened. Must not know how
they work.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from localproc.model import Task
from localproc.plugins import hookimpl
from localproc.plugins.containers import ContainerPlugin, ContainerRuntime, ContainerSettings
from localproc.plugins.executor import (
    Capabilities,
    Executor,
    ExecutorPlugin,
    ExecutorSettings,
    Leftover,
)
from localproc.plugins.known_options import check_options

#: Where the machine has GPUs and MPI, which is checked.
_OPTIONS: Final = ("gpus", "mpirun")
_ABLE: Final = Capabilities(gpus=True, mpi=True, secrets=True)


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Return the local executor."""
    summary = "processes of this machine"
    return [
        ExecutorPlugin("local", _open_local, summary, _ABLE, leftovers=_leftovers, check=_check)
    ]


def _open_local(settings: ExecutorSettings) -> Executor:
    check_options("the executor local", settings.options, _OPTIONS)
    from localproc.executors.local import LocalExecutor

    return LocalExecutor(settings)


def _check(settings: ExecutorSettings, tasks: Sequence[Task]) -> Mapping[str, str]:
    check_options("the executor local", settings.options, _OPTIONS)
    if all(one.resources.gpus == 0 and one.resources.processes == 1 for one in tasks):
        return {}
    from localproc.executors.local_means import LocalMeans

    means = LocalMeans(settings.options)
    return {one.key: why for one in tasks if (why := means.unfit(one))}


def _leftovers() -> Iterable[Leftover]:
    from localproc.executors.leftovers import leftovers

    return leftovers()


@hookimpl
def localproc_containers() -> Iterable[ContainerPlugin]:
    """Return the runtimes whose containers are plain processes."""
    return [
        ContainerPlugin(
            "charliecloud",
            _open_charliecloud,
            partial(_is_installed, "ch-run"),
            "containers of an unprivileged user (ch-run)",
            shm=True,
        ),
        *(
            ContainerPlugin(
                name,
                partial(_open_apptainer, name),
                partial(_is_installed, name),
                f"containers in single files ({name})",
                gpus=True,
            )
            for name in ("apptainer", "singularity")
        ),
    ]


def _is_installed(program: str, _: ContainerSettings) -> bool:
    return shutil.which(program) is not None


def _open_apptainer(name: str, settings: ContainerSettings) -> ContainerRuntime:
    check_options(name, settings.options, ())
    from localproc.executors.containers.apptainer import Apptainer

    return Apptainer(name, settings)


def _open_charliecloud(settings: ContainerSettings) -> ContainerRuntime:
    check_options("charliecloud", settings.options, ())
    from localproc.executors.containers.charliecloud import Charliecloud

    return Charliecloud(settings)
