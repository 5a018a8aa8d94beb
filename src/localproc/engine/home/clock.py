"""What time it is for a job.

Owns that time goes forward for a job whatever is done to the machine's clock, and when this machine
was started. Must not know what happens at these times.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from localproc.model import JobRecord

#: A clock that nobody sets; on Linux the one that also counts while the machine sleeps.
_STEADY: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def job_clock(job: JobRecord) -> Callable[[], datetime]:
    """Return what tells the time for a job, from now on, and not before the job's last event.

    It is the machine's clock as it is now, and from here on the steady one.
    """
    first = max(datetime.now(UTC), job.updated)
    began = time.clock_gettime(_STEADY)
    return lambda: first + timedelta(seconds=time.clock_gettime(_STEADY) - began)


def booted() -> datetime:
    """Return when this machine was started."""
    return datetime.now(UTC) - timedelta(seconds=time.clock_gettime(_STEADY))
