"""One run of one CWL step inside a job, and the engine's own ``stage_in`` and ``stage_out``.

Owns what is shown of it. Must not know how that is found out.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from localproc.frozen import frozen
from localproc.model.status import StepStatus


@frozen
class Step:
    """A step instance as people see it.

    ``name`` is unique in its job: the CWL step's id, from the second instance on with ``_2``,
    ``_3``, ... in the order they were started. ``key`` is its place in the workflow
    (``crop[1]/warp``), that of the engine's own steps begins with a slash. ``log`` is the name of
    its log file. ``executor`` runs it on ``host``, where it is known as ``native_id``; it was
    ``queued`` there for so many seconds, and ``reason`` says why it waits or how it was ended.
    An attempt that ended badly is followed by another one from ``due`` on. ``reused_from`` is the
    job whose outputs it has, ``reused_step`` its name there; ``because`` says why it was run though
    an earlier job was retried.
    ``image`` is that of its container, with its ``digest``, and ``containers`` the runtime.
    ``software`` says what was made available to it, and by whom, ``without`` which hints could not
    be met, and why. ``cpu`` is in seconds, ``rss``
    (the peak of its memory) in KiB, ``None`` where nobody knows. ``bytes_done`` of ``bytes_total``
    have been staged or published so far, where that takes a while. ``share`` of it (0 to 1) is done
    and it is doing what ``said`` says, if its tool tells that. ``inputs`` are those of an instance
    of a scatter that failed, in short: they tell it from the others.
    """

    name: str
    key: str
    status: StepStatus
    log: str
    start: datetime | None = None
    end: datetime | None = None
    exit_code: int | None = None
    message: str = ""
    attempt: int = 1
    command: tuple[str, ...] = ()
    reused_from: str | None = None
    reused_step: str = ""
    because: str = ""
    due: datetime | None = None
    executor: str = ""
    host: str = ""
    native_id: str = ""
    queued: float | None = None
    reason: str = ""
    image: str = ""
    digest: str = ""
    containers: str = ""
    cpu: float | None = None
    rss: int | None = None
    software: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    bytes_done: int | None = None
    bytes_total: int | None = None
    share: float | None = None
    said: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, ``None`` before the end."""
        if self.start is None or self.end is None:
            return None
        return (self.end - self.start).total_seconds()
