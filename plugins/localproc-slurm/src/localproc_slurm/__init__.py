"""Runs the steps of packages on a Slurm cluster.

Owns what localproc is told of: the executor ``slurm``. Must not do anything until it is opened.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from localproc.plugins import hookimpl
from localproc.plugins.backend import Backend, Capabilities
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings

CAPABILITIES: Final = Capabilities(limits=True, remote=True, gpus=True)
OPTIONS: Final[Mapping[str, str]] = {
    "partition": "the partition, or several with commas",
    "account": "the account that is charged",
    "qos": "the quality of service",
    "constraint": "features that nodes must have",
    "reservation": "the reservation",
    "gres": "generic resources besides the GPUs that a tool asks for, such as `lustre:1`",
    "gpu": "how GPUs are asked for; `{}` is their number (`gpu:{}`)",
    "licenses": "licences",
    "time": "minutes, for tasks that have no ToolTimeLimit; otherwise the partition's default",
    "cluster": "the cluster, where there are several",
    "extra": "further arguments of sbatch, a list",
}


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Offer ``Engine(executor="slurm")``."""
    return [ExecutorPlugin("slurm", open_slurm, "jobs of a Slurm cluster", CAPABILITIES)]


def open_slurm(settings: ExecutorSettings) -> Backend:
    """Return the backend for a cluster; raises ``EnvironmentProblem`` if it is not there."""
    from localproc_slurm.opening import opened

    return opened(settings)
