"""Reading what jobs have behind them, without keeping the loop waiting.

Owns reading a job's history and the process that it runs, in a worker, and what came of it; what is
at hand of a job that has just been accepted is not read. Must not know which jobs there are, nor
what becomes of one then.
"""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.home.secrets import SecretKeeper
from localproc.engine.job import replay
from localproc.engine.loop.loop_parts import Compiled
from localproc.errors import JobPutAside
from localproc.frozen import frozen
from localproc.model import JobRecord, JobRequest
from localproc.plugins.store import Store


@frozen
class Past:
    """What a job has behind it, and the process that it runs.

    ``missing``: why a secret that it was given is not there any more, else nothing.
    """

    history: replay.History
    process: Tool | Workflow
    missing: str = ""


@frozen
class Unread:
    """Why a job could not be read; ``events`` and ``history`` as far as that went."""

    error: Exception
    events: int = 0
    history: replay.History | None = None


class JobReader:
    """Reads jobs that this engine owns, so that nobody else adds to their histories.

    ``work`` has something done for a job by a worker; ``ready`` is called there when a job has been
    read.
    """

    def __init__(
        self,
        store: Store,
        compiled: Compiled,
        secrets: SecretKeeper,
        work: Callable[[str, Callable[[], None]], None],
        ready: Callable[[], None],
    ) -> None:
        self._store = store
        self._compiled = compiled
        self._secrets = secrets
        self._work = work
        self._ready = ready
        self._over: deque[tuple[str, Past | Unread]] = deque()

    def begin(self, job: JobRecord) -> None:
        """Have a job read by a worker."""
        self._work(job.id, partial(self._read_for_loop, job))

    def over(self) -> Iterator[tuple[str, Past | Unread]]:
        """Yield the jobs that workers have read, by their ids, each once."""
        while self._over:
            yield self._over.popleft()

    @property
    def is_over(self) -> bool:
        """Whether there is one."""
        return bool(self._over)

    def accepted(self, job: JobRecord, request: JobRequest) -> Past | Unread:
        """Return what a job has behind it that this engine has just accepted for a request."""
        history = replay.accepted(job, request)
        try:
            return self._past(job, history)
        except Exception as error:
            return Unread(error, history.events, history)

    def _read(self, job: JobRecord) -> Past | Unread:
        count, history = 0, None
        try:
            events = self._store.events(job.id)
            count = len(events)
            if job.aside:
                raise JobPutAside(job.id, job.aside)
            history = replay.read(job.id, events)
            return self._past(job, history)
        except Exception as error:
            return Unread(error, count, history)

    def _past(self, job: JobRecord, history: replay.History) -> Past:
        missing = map(self._secrets.missing, history.request.secrets)
        return Past(history, self._compiled(job, history), next(filter(None, missing), ""))

    def _read_for_loop(self, job: JobRecord) -> None:
        self._over.append((job.id, self._read(job)))
        self._ready()
