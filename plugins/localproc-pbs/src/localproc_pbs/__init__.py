"""Runs the steps of packages as jobs of PBS Pro (OpenPBS) or Torque.

Owns what localproc is told of: the executor ``pbs``. Must not do anything until it is opened.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from localproc.plugins import hookimpl
from localproc.plugins.backend import Backend, Capabilities
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings

CAPABILITIES: Final = Capabilities(limits=True, remote=True, gpus=True, mpi=True, secrets=True)
OPTIONS: Final[Mapping[str, str]] = {
    "form": "`pro` or `torque`; otherwise that of the qstat on the PATH",
    "queue": "the queue",
    "account": "the account that is charged",
    "extra": "further arguments of qsub, a list",
}


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Offer ``Engine(executor="pbs")``."""
    return [ExecutorPlugin("pbs", open_pbs, "jobs of PBS Pro or Torque", CAPABILITIES)]


def open_pbs(settings: ExecutorSettings) -> Backend:
    """Return the backend for a cluster; raises ``EnvironmentProblem`` if it is not there."""
    import shutil

    from localproc.errors import EnvironmentProblem
    from localproc.executors.batch import BatchBackend, Options
    from localproc_pbs.pbs import Pbs

    options = Options("pbs", settings.options, OPTIONS)
    if shutil.which("qsub") is None:
        raise EnvironmentProblem(
            "there is no qsub on the PATH",
            hint="use a machine from which jobs can be submitted: a login node of the cluster",
        )
    pbs = Pbs(float(options.get("timeout", 30)), str(options.get("form", "")))
    return BatchBackend(pbs, settings, options, CAPABILITIES)
