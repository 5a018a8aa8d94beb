"""Reaching a cluster.

Owns reading the executor's options, and telling at once if there is no Slurm, or if its jobs would
go to more than one cluster. Must not know tasks.
"""

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from localproc.errors import EnvironmentProblem, ExecutorUnavailable
from localproc.executors.batch import BatchBackend, Options
from localproc.plugins.executor import ExecutorSettings
from localproc_slurm import CAPABILITIES, OPTIONS
from localproc_slurm.cluster import Cluster


def check_cluster(given: Mapping[str, Any], where: str = "slurm") -> None:
    """Raise ``EnvironmentProblem`` where jobs would go to a cluster that is not asked for them."""
    hint = "name one, for all steps: --executor-option slurm.cluster=NAME"
    if re.search(r",|^all$", str(given.get("cluster") or "")):
        raise EnvironmentProblem(f"the option {where}.cluster names several clusters", hint=hint)
    extra = given.get("extra", ())
    for word in [extra] if isinstance(extra, str) else extra:
        if re.match(r"-M|--clu", str(word)):
            raise EnvironmentProblem(
                f"the option {where}.extra cannot have {word}: jobs would not be found again",
                hint=hint,
            )
    for member in ("steps", "processes"):
        for pattern, options in (given.get(member) or {}).items():
            if "cluster" in options:
                raise EnvironmentProblem(
                    f"the options {where}.{member}.{pattern} cannot have a cluster of their own",
                    hint=hint,
                )
            check_cluster(options, f"{where}.{member}.{pattern}")


def opened(settings: ExecutorSettings) -> BatchBackend:
    """Return the backend for a cluster.

    Raises ``EnvironmentProblem`` where there are no commands of Slurm. A controller that does not
    answer just now is waited for by whoever needs it.
    """
    options = Options("slurm", settings.options, OPTIONS)
    check_cluster(settings.options)
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
