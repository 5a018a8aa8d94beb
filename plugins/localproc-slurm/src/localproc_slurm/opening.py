"""Reaching a cluster.

Owns reading the executor's options, and telling at once if there is no Slurm. Must not know tasks.
"""

import shutil
from contextlib import suppress
from dataclasses import replace

from localproc.errors import EnvironmentProblem, ExecutorUnavailable
from localproc.executors.batch import BatchBackend, Options
from localproc.plugins.executor import ExecutorSettings
from localproc_slurm import CAPABILITIES, OPTIONS
from localproc_slurm.cluster import Cluster


def opened(settings: ExecutorSettings) -> BatchBackend:
    """Return the backend for a cluster.

    Raises ``EnvironmentProblem`` where there are no commands of Slurm. A controller that does not
    answer just now is waited for by whoever needs it.
    """
    options = Options("slurm", settings.options, OPTIONS)
    if shutil.which("sbatch") is None:
        raise EnvironmentProblem(
            "there is no sbatch on the PATH",
            hint="use a machine from which jobs can be submitted: a login node of the cluster",
        )
    cluster = Cluster(float(options.get("timeout", 30)), str(options.get("cluster", "")))
    gpus = True
    with suppress(ExecutorUnavailable):  # then nothing is known to be too much
        gpus = any(one.gpus for one in cluster.partitions())
    return BatchBackend(cluster, settings, options, replace(CAPABILITIES, gpus=gpus))
