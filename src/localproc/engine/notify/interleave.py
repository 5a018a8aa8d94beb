"""The logs of all steps of a job at once, as they are written.

Owns going from one to the next. Must not know where logs are, nor how jobs are run.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from localproc.engine.job.steplog import LogPosition, StepLog
from localproc.model import Step, StepStatus

_PAUSE: Final = 0.1


def interleaved(
    look: Callable[[], tuple[bool, Sequence[Step]]], log: Callable[[Step], StepLog]
) -> Iterator[tuple[str, str, str]]:
    """Yield ``(step, "stdout" | "stderr", text)`` of all steps, whole lines, until the job's end.

    ``look`` says whether it has ended, and gives its steps.
    """
    following: dict[str, tuple[StepLog, LogPosition]] = {}
    begun: set[str] = set()
    while True:
        over, steps = look()
        for step in steps:
            if step.log and step.name not in begun and step.status is not StepStatus.ACCEPTED:
                begun.add(step.name)
                following[step.name] = (log(step), LogPosition())
        silent = True
        for name, (one, position) in list(following.items()):
            piece = one.read_from(position)
            for stream, text in piece.parts:
                silent = False
                yield name, stream, text
            following[name] = (one, piece.place)
            if piece.complete:
                del following[name]
        if over and not following:
            return
        if silent:
            time.sleep(_PAUSE)
