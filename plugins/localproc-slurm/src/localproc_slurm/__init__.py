"""Runs the steps of packages on a Slurm cluster.

Owns what localproc is told of: the executors ``slurm``, which hands tasks in, and
``slurm-allocation``, which runs them in the job that localproc itself is in. Must not do anything
until one is opened.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from localproc.plugins import hookimpl
from localproc.plugins.backend import Backend, Capabilities
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings, Finding

CAPABILITIES: Final = Capabilities(limits=True, remote=True, gpus=True, mpi=True, secrets=True)
INSIDE: Final = Capabilities(remote=True, gpus=True, mpi=True, secrets=True)
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
    "cluster": "the cluster, where there are several: one for all steps",
    "extra": "further arguments of sbatch, a list",
}

ALLOCATION: Final[Mapping[str, str]] = {
    "by": "`srun`: tasks are steps of the job, on any of its nodes; `processes`: of this node",
    "margin": "seconds before the end of the job from which nothing is begun (60)",
    "requeue_self": "hand the job's script in again if there is anything left to do at its end",
}


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Offer ``Engine(executor="slurm")`` and ``Engine(executor="slurm-allocation")``."""
    inside = "steps of the Slurm job that it runs in"
    return [
        ExecutorPlugin(
            "slurm", open_slurm, "jobs of a Slurm cluster", CAPABILITIES, examine=examine
        ),
        ExecutorPlugin("slurm-allocation", open_allocation, inside, INSIDE),
    ]


def open_slurm(settings: ExecutorSettings) -> Backend:
    """Return the backend for a cluster; raises ``EnvironmentProblem`` if it is not there."""
    from localproc_slurm.opening import opened

    return opened(settings)


def examine(settings: ExecutorSettings) -> Iterable[Finding]:
    """Return what is right and wrong with the cluster."""
    from localproc_slurm import examination

    return examination.examine(settings)


def open_allocation(settings: ExecutorSettings) -> Executor:
    """Return the executor of the job that this is; raises ``EnvironmentProblem`` if it is none."""
    from localproc_slurm.allocation import opened

    return opened(settings)
