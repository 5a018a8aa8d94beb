"""Searching the logs of jobs.

Owns what of them is in the index, and that it is brought up to date by whoever searches: those who
never do pay nothing, and neither the loop nor the store waits. Must not know how logs are indexed.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from localproc.engine.home.home import Home
from localproc.engine.job.steplog import out_name
from localproc.frozen import frozen
from localproc.model import JobFilter, JobRecord
from localproc.plugins.store import Store
from localproc.store.log_index import IndexedLog, JobLogs, LogIndex
from localproc.views.found_lines import FoundLog, FoundLogs, matching_lines, read_phrases

_PAGE: Final = 500  #: jobs that are asked for at a time
_TOGETHER: Final = 50  #: jobs that are kept in one transaction


@frozen
class Bounds:
    """Bytes that the index has at the most of a log (its beginning and its end), a job, and all.

    One search reads no more than so many new bytes (``at_once``) and ``jobs``.
    """

    of_log: int = 1 << 18
    of_job: int = 1 << 20
    of_all: int = 1 << 26
    at_once: int = 1 << 25
    jobs: int = 2000


class LogSearch:
    """Searches the logs of the jobs of one namespace."""

    def __init__(self, home: Home, store: Store, namespace: str, bounds: Bounds = Bounds()) -> None:
        self._home = home
        self._store = store
        self._namespace = namespace
        self._bounds = bounds
        self._index = LogIndex(home.log_index)

    def find(self, text: str, limit: int) -> FoundLogs:
        """Return the logs that have all of a text's words; raises ``InvalidInputs`` without any."""
        phrases = read_phrases(text)
        unread = self._catch_up()
        found = []
        for job_id, log, kept in self._index.find(self._namespace, phrases, limit):
            job = self._store.job(job_id)
            if job is not None and not job.hidden:
                found.append(FoundLog(job, log, matching_lines(kept, phrases)))
        return FoundLogs(found, unread)

    def _catch_up(self) -> int:
        """Read what is new, of the newest jobs first; return how many are left."""
        new = [(job.id, job.created) for job in self._new_jobs()]
        if new:
            self._index.note(self._namespace, new)
        waiting = self._index.incomplete(self._namespace)
        most, left, read = min(len(waiting), self._bounds.jobs), self._bounds.at_once, 0
        jobs = list(waiting.items())
        while read < most and left > 0:
            some = jobs[read : min(read + _TOGETHER, most)]
            found = [self._read(job_id, known) for job_id, known in some]
            self._index.put(found)
            left -= sum(len(log.text) for one in found for log in one.logs)
            read += len(found)
        if read:
            self._index.trim(self._bounds.of_all)
        return len(waiting) - read

    def _new_jobs(self) -> Iterator[JobRecord]:
        """Yield the jobs that the index does not know, up to those that it knows all of."""
        last = None
        while True:
            wanted = JobFilter(namespace=self._namespace, limit=_PAGE, before=last)
            page = self._store.jobs(wanted)
            unknown = self._index.unknown([job.id for job in page]) if page else set()
            yield from (job for job in page if job.id in unknown)
            if not unknown or len(page) < _PAGE:
                return
            last = page[-1].id

    def _read(self, job_id: str, known: Mapping[str, int]) -> JobLogs:
        """Read what of a job's logs has changed; those that were written last come first."""
        job = self._store.job(job_id)
        complete = job is None or job.status.final  # before its logs: they are all there then
        folder, logs, left = self._home.logs(job_id), [], self._bounds.of_job
        for name, size in _logs_in(folder):
            if left <= 0:
                break
            if known.get(name) != size:
                text = _text_of(os.path.join(folder, name), min(self._bounds.of_log, left))
                logs.append(IndexedLog(name, size, text))
            left -= min(size, self._bounds.of_log)
        return JobLogs(job_id, logs, complete)


def _logs_in(folder: str) -> list[tuple[str, int]]:
    """Return the logs in a folder and the bytes of both of their files, the latest first."""
    found: dict[str, tuple[float, int]] = {}
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    for entry in entries:
        if entry.name.endswith(".log"):
            log = f"{entry.name.removesuffix('.log').removesuffix('.out')}.log"
            at, size = found.get(log, (0.0, 0))
            with suppress(FileNotFoundError):  # the job is just being removed
                said = entry.stat()
                found[log] = (max(at, said.st_mtime), size + said.st_size)
    return [(log, size) for log, (_, size) in sorted(found.items(), key=lambda one: -one[1][0])]


def _text_of(log: str, most: int) -> str:
    """Return what a step printed and what it wrote to stderr: whole, or both ends of each."""
    texts = [_ends_of(path, most // 2) for path in (out_name(log), log)]
    return "\n".join(text for text in texts if text).replace("\0", " ")


def _ends_of(path: str, most: int) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(most // 4)
            rest = os.fstat(file.fileno()).st_size - len(data)
            if rest > most - most // 4:
                file.seek(-(most - most // 4), os.SEEK_END)
                data += b"\n"
            return (data + file.read(most)).decode(errors="replace")
    except FileNotFoundError:
        return ""
