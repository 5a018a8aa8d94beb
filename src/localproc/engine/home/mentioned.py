"""What jobs that have not ended may still need of what is kept.

Owns finding it: whatever their histories mention by its id. Must not know what is removed, or when.
"""

import json
import re
from datetime import datetime
from typing import Final

from localproc.model import JobFilter, JobStatus
from localproc.plugins.store import Store

#: Ids of jobs, which are in the paths of their folders and results, and keys of kept outputs.
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}")
_OPEN: Final = (JobStatus.ACCEPTED, JobStatus.RUNNING)


def mentioned(store: Store, since: datetime | None = None) -> set[str]:
    """Return the ids of the open jobs, and all that their inputs, requests and steps name.

    These are ids of other jobs (their results as inputs, a job that is repeated) and the keys of
    outputs that are reused. ``since``: of the jobs alone that were accepted from then on.
    """
    found: set[str] = set()
    for job in store.jobs(JobFilter(statuses=_OPEN, since=since, hidden=True, limit=1_000_000)):
        found.add(job.id)
        for event in store.events(job.id):
            found.update(_ID.findall(json.dumps(event.to_data(), default=str)))
    return found
