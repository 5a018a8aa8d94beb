"""The closed sets of states: of a job, of a step, and of what set a job off.

Owns their names, and which are final. Must not know which follows which.
"""

from enum import StrEnum


class JobStatus(StrEnum):
    """The five states of a job (OGC API - Processes Part 1, schema ``statusCode.yaml``)."""

    ACCEPTED = "accepted"  #: recorded, not started yet
    RUNNING = "running"  #: the engine has begun to stage inputs or to run steps
    SUCCESSFUL = "successful"  #: final: every output is published
    FAILED = "failed"  #: final: a step failed, or the job could not be run
    DISMISSED = "dismissed"  #: final: somebody asked for it to stop, and it has stopped

    @property
    def final(self) -> bool:
        """Whether the job stays in this state for ever."""
        return self in _FINAL


_FINAL = frozenset({JobStatus.SUCCESSFUL, JobStatus.FAILED, JobStatus.DISMISSED})


class StepStatus(StrEnum):
    """The states of one step instance."""

    ACCEPTED = "accepted"  #: handed to the executor, waiting for room
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    DISMISSED = "dismissed"  #: stopped because its job ended
    SKIPPED = "skipped"  #: its ``when`` was false
    REUSED = "reused"  #: its outputs came from an equal step of an earlier job

    @property
    def final(self) -> bool:
        """Whether the step has ended."""
        return self not in (StepStatus.ACCEPTED, StepStatus.RUNNING)


class Trigger(StrEnum):
    """What set a job off."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    SUBSCRIPTION = "subscription"
