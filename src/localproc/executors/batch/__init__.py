"""Executors of batch schedulers, but for the scheduler.

Owns what all of them need: batches of tasks on a file system that the nodes share, the runner that
starts them there, exit records, and what these and the scheduler's answers add up to. Must not know
any scheduler: a plugin brings a ``Scheduler``, and ``BatchBackend`` makes a backend of it.
"""

from localproc.executors.batch.commands import Call, Failed, Paced, called
from localproc.executors.batch.grouping import Request
from localproc.executors.batch.scheduler import Allocation, Scheduler, Seen, TooMany
from localproc.executors.batch.scheduler_backend import BatchBackend
from localproc.executors.batch.step_options import Options

__all__ = [
    "Allocation",
    "BatchBackend",
    "Call",
    "Failed",
    "Options",
    "Paced",
    "Request",
    "Scheduler",
    "Seen",
    "TooMany",
    "called",
]
