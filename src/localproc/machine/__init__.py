"""The life of a job as pure, literal data: which fact may follow which state, and what it changes.

Owns the state machine of a job, the steps and the progress that its events add up to, and the
callbacks they call for. Must not
know clocks, threads, disks or processes: time comes in with the facts.
"""

from localproc.machine.callbacks import callbacks
from localproc.machine.jobs import TRANSITIONS, apply, new_job, replay
from localproc.machine.steps import StepBook, steps

__all__ = ["TRANSITIONS", "StepBook", "apply", "callbacks", "new_job", "replay", "steps"]
