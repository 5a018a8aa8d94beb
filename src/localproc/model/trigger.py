"""What sets jobs off by itself: a schedule or a subscription, and each time that it did.

Owns what is kept of both. Must not know clocks, nor what is looked at.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from localproc.frozen import frozen
from localproc.model.event import Event
from localproc.model.job import JobRecord


@frozen
class TriggerRecord:
    """A trigger's row. ``kind`` is ``schedule`` or ``subscription``, ``name`` unique among them.

    ``definition`` is what its owner wrote, ``state`` what it remembers (JSON, both). ``due`` is
    when it has to be looked at next, ``None`` for never. ``number`` is its own for as long as it is
    there; ``revision`` rises with each change of its definition.
    """

    namespace: str
    kind: str
    name: str
    definition: Mapping[str, Any]
    enabled: bool = True
    due: datetime | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    revision: int = 0


@frozen
class Firing:
    """One thing that a trigger was set off by, or that it let pass.

    ``key`` names it among those of the trigger, for ever: nothing fires twice. ``due`` is when it
    was to be. ``job_id`` is the job that it became, empty if it became none: ``said`` tells why.
    ``attempt`` is 1, or more if the job before has failed; ``again`` is when the next one is due.
    ``is_open``: the job has not been seen to end. ``letter_to`` is where what was ``said`` is to be
    sent, if it becomes no job; it is not kept with it.
    """

    key: str
    due: datetime
    job_id: str = ""
    said: str = ""
    attempt: int = 1
    again: datetime | None = None
    is_open: bool = False
    letter_to: str = ""


@frozen
class Accepting:
    """A job to be recorded in the transaction of the firing that it comes from."""

    job: JobRecord
    event: Event
