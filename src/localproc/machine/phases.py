"""The phases of a job that an engine runs, and what follows from which fact in which of them.

Owns the table of both. Must not know how any of it is done: that is ``JobRun``'s.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """Where a job stands within the engine that runs it."""

    STAGING_IN = "staging in"
    RUNNING = "running"
    PUBLISHING = "publishing"
    STOPPING = "stopping"  #: it is to fail or be dismissed, when nothing of it runs any more
    ENDED = "ended"


class Fact(StrEnum):
    """What can come to a job."""

    ROOM = "there is room for another step"
    STAGED = "the inputs are staged, or cannot be"
    PULLED = "the plan has given step instances, or cannot"
    ANSWER = "something has been done for a step, or cannot be"
    REPORT = "an executor has news of a task"
    PROGRESS = "some of the files are staged or published"
    TOOL_PROGRESS = "a tool tells how far it is"
    PUBLISHED = "the outputs are published, or cannot be"
    TIME = "it is later"
    DISMISSAL = "somebody wants the job to stop"
    FAILURE = "the engine cannot go on with the job"


class Act(StrEnum):
    """What follows."""

    START_STEP = "start the next step instance"
    TAKE_INPUTS = "make a plan for the inputs"
    TAKE_INSTANCES = "start them as there is room"
    TAKE_ANSWER = "go on with the step"
    TAKE_REPORT = "go on with the step of the task"
    TELL_PROGRESS = "note how far it is"
    TELL_TOOL_PROGRESS = "note how far the step is"
    TAKE_TIME = "do what is due: end the job, or begin steps again"
    SUCCEED = "end well, or stop"
    CLOSE_STAGING = "note that staging was stopped"
    FAIL = "stop, then fail"
    DISMISS = "stop, then be dismissed"


#: What is not named here comes too late, and changes nothing.
ACTS: Final[Mapping[Phase, Mapping[Fact, Act]]] = {
    Phase.STAGING_IN: {
        Fact.STAGED: Act.TAKE_INPUTS,
        Fact.PROGRESS: Act.TELL_PROGRESS,
        Fact.TIME: Act.TAKE_TIME,
        Fact.DISMISSAL: Act.DISMISS,
        Fact.FAILURE: Act.FAIL,
    },
    Phase.RUNNING: {
        Fact.ROOM: Act.START_STEP,
        Fact.PULLED: Act.TAKE_INSTANCES,
        Fact.ANSWER: Act.TAKE_ANSWER,
        Fact.REPORT: Act.TAKE_REPORT,
        Fact.TOOL_PROGRESS: Act.TELL_TOOL_PROGRESS,
        Fact.TIME: Act.TAKE_TIME,
        Fact.DISMISSAL: Act.DISMISS,
        Fact.FAILURE: Act.FAIL,
    },
    Phase.PUBLISHING: {
        Fact.PUBLISHED: Act.SUCCEED,
        Fact.PROGRESS: Act.TELL_PROGRESS,
        Fact.TIME: Act.TAKE_TIME,
        Fact.DISMISSAL: Act.DISMISS,
        Fact.FAILURE: Act.FAIL,
    },
    Phase.STOPPING: {
        Fact.STAGED: Act.CLOSE_STAGING,
        Fact.PUBLISHED: Act.CLOSE_STAGING,
        Fact.ANSWER: Act.TAKE_ANSWER,
        Fact.REPORT: Act.TAKE_REPORT,
        Fact.DISMISSAL: Act.DISMISS,
    },
    Phase.ENDED: {},
}
