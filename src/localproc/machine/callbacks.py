"""Who is told of what happens to a job.

Owns which events are told to which subscriber (OGC API - Processes Part 1, class "callback"). Must
not know how callbacks are delivered.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from localproc.model import Callback, Event, Kind

SUBSCRIBER_MEMBERS: Final = ("successUri", "inProgressUri", "failedUri")
_TOLD: Final = {
    Kind.STARTED: "inProgressUri",
    Kind.SUCCEEDED: "successUri",
    Kind.FAILED: "failedUri",
    Kind.DISMISSED: "failedUri",
}


def callbacks(
    job_id: str, subscriber: Mapping[str, str], events: Iterable[Event]
) -> list[Callback]:
    """Return the callbacks that events call for."""
    kinds = [_TOLD[event.kind] for event in events if event.kind in _TOLD] if subscriber else []
    return [Callback(job_id, subscriber[kind], kind) for kind in kinds if kind in subscriber]
