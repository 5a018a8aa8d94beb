"""The words of localproc: plain frozen data that every floor above may use.

Owns the vocabulary (process, job, step, task, event) and nothing else. Must not know how any of it
is stored, run, staged or shown.
"""

from localproc.model.callback import Callback, TokenRecord
from localproc.model.encoded import Encoded
from localproc.model.event import Event, Kind
from localproc.model.job import JobFilter, JobRecord, JobRequest
from localproc.model.policy import InputPolicy
from localproc.model.process import ProcessRecord
from localproc.model.secret import Secrets
from localproc.model.software import SoftwarePackage
from localproc.model.status import JobStatus, StepStatus, Trigger
from localproc.model.step import Step
from localproc.model.task import (
    Container,
    Limits,
    Mount,
    Report,
    Resources,
    StageAction,
    Task,
    TaskState,
)

__all__ = [
    "Callback",
    "Container",
    "Encoded",
    "Event",
    "InputPolicy",
    "JobFilter",
    "JobRecord",
    "JobRequest",
    "JobStatus",
    "Kind",
    "Limits",
    "Mount",
    "ProcessRecord",
    "Report",
    "Resources",
    "Secrets",
    "SoftwarePackage",
    "StageAction",
    "Step",
    "StepStatus",
    "Task",
    "TaskState",
    "TokenRecord",
    "Trigger",
]
