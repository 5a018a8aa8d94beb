"""Removing jobs that have ended.

Owns which ones go, and the order in which what they have left is removed: results first, then the
row, then the folder and what its logs are found by, so that one which was broken off can be done
again. Must not know when.
"""

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from localproc.engine.home.home import Home
from localproc.engine.home.mentioned import mentioned
from localproc.engine.home.retention import Retention
from localproc.engine.upkeep.remains import OpenStorage, Remains
from localproc.engine.upkeep.usage import Sizes
from localproc.errors import InvalidInputs, LocalprocError
from localproc.frozen import frozen
from localproc.model import JobFilter, JobRecord
from localproc.model.events import request_of
from localproc.plugins.store import Store
from localproc.storage.results_place import is_own, results_root
from localproc.storage.withdraw import remove_results
from localproc.store.log_index import LogIndex
from localproc.uris import uri_path

_MINUTE: Final = timedelta(minutes=1)  #: by which the clocks of two may differ


@frozen
class PrunedJob:
    """A job that goes, with the bytes that are its own."""

    job: JobRecord
    size: int


@frozen
class Pruned:
    """What goes, or would. ``size`` is what the disk has back.

    ``needed``: the ids of jobs that stay because jobs which have not ended need them; ``remains``:
    of those whose results were to go when they ended, and go now; ``failed``: of those that could
    not be removed, each with the reason.
    """

    jobs: list[PrunedJob]
    size: int
    needed: list[str]
    remains: list[str]
    failed: dict[str, str]


class Pruner:
    """Removes jobs of one namespace, and results that have been left there."""

    def __init__(
        self, home: Home, store: Store, namespace: str, storage: OpenStorage, remains: Remains
    ) -> None:
        self._jobs = home.jobs
        self._log_index = LogIndex(home.log_index)
        self._store = store
        self._namespace = namespace
        self._storage = storage
        self._remains = remains

    def prune(
        self,
        retention: Retention,
        *,
        dry_run: bool,
        among: Collection[str] | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Pruned:
        """Remove the jobs that are to go; with ``dry_run`` only tell which."""
        began = datetime.now(UTC) - _MINUTE
        sizes, going, staying = Sizes(), [], []
        candidates = self._candidates(retention, among)
        needed = mentioned(self._store) if candidates else set()
        for job in candidates:
            if job.id in needed:
                staying.append(job.id)
                continue
            before = self._measured(job, retention, sizes)
            if before is not None:
                going.append(PrunedJob(job, before))
        remains = [one for one in self._remains.due() if one.namespace == self._namespace]
        if dry_run:
            return Pruned(going, sizes.freed, staying, [one.job_id for one in remains], {})
        left = _failed({one.job_id: partial(self._remains.remove, one) for one in remains}, stopped)

        def remove(job: JobRecord) -> None:
            if job.id in mentioned(self._store, since=began):  # others accept jobs meanwhile
                staying.append(job.id)
            else:
                self.remove(job, results=retention.results)

        failed = _failed({one.job.id: partial(remove, one.job) for one in going}, stopped)
        return Pruned(
            [one for one in going if one.job.id not in {*failed, *staying}],
            sizes.freed,
            staying,
            [one.job_id for one in remains if one.job_id not in left],
            left | failed,
        )

    def remove(self, job: JobRecord, *, results: bool = False) -> bool:
        """Remove a job that has ended; return whether it had."""
        if not job.status.final:
            return False
        if results:
            root = self._results(job)
            if not is_own(root, job.id):
                raise InvalidInputs(
                    f"the results of job {job.id} lie among others in {root}",
                    hint="they have to be removed by hand; the job alone can go",
                )
            remove_results(self._storage(root, self._namespace), root)
            self._remains.forget(job.id)
        if not self._store.delete_job(job.id):
            return False
        shutil.rmtree(os.path.join(self._jobs, job.id), ignore_errors=True)
        self._log_index.remove(job.id)
        return True

    def _candidates(self, retention: Retention, among: Collection[str] | None) -> list[JobRecord]:
        """Return the jobs that have ended long enough ago, less those that are kept as newest.

        What was accepted since is not read: of a large home that is nearly all.
        """
        until = datetime.now(UTC) - timedelta(seconds=float(retention.older_than))
        ended = JobFilter(
            namespace=self._namespace,
            processes=tuple(retention.process),
            statuses=retention.statuses,
            hidden=True,
            limit=1_000_000,
        )
        old = [
            job
            for job in self._store.jobs(replace(ended, until=until))
            if (job.finished or until) <= until and (among is None or job.id in among)
        ]
        kept = set()
        for process in {job.process_id for job in old} if retention.keep_last else ():
            newest = replace(ended, processes=(process,), limit=retention.keep_last)
            kept |= {job.id for job in self._store.jobs(newest)}
        return [job for job in old if job.id not in kept]

    def _measured(self, job: JobRecord, retention: Retention, sizes: Sizes) -> int | None:
        """Return the size of what goes with a job, ``None`` if it is not large enough to go."""
        places = [os.path.join(self._jobs, job.id)]
        if retention.results:
            root = self._results(job)
            places += [uri_path(root)] if root.startswith("file:") and is_own(root, job.id) else []
        if retention.larger_than and Sizes().add(*places) < int(retention.larger_than):
            return None
        return sizes.add(*places)

    def _results(self, job: JobRecord) -> str:
        return results_root(job.id, request_of(job.id, self._store.events(job.id)))


def _failed(
    removals: Mapping[str, Callable[[], object]], stopped: Callable[[], bool]
) -> dict[str, str]:
    """Remove something of each job; return the reasons of those of which that failed."""
    failed = {}
    for job_id, remove in removals.items():
        if stopped():
            break
        try:
            remove()
        except (LocalprocError, OSError) as error:
            failed[job_id] = str(error)
    return failed


def usage_of(home: Home, job_id: str, root: str) -> dict[str, int]:
    """Return what the folder and the local results of a job take, in bytes."""
    sizes = Sizes()
    results = [uri_path(root)] if root.startswith("file:") and is_own(root, job_id) else []
    return {
        "folder": sizes.add(home.job(job_id)),
        "results": sizes.add(*(one for one in results if os.path.isdir(one))),
    }
