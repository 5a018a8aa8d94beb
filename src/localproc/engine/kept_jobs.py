"""The jobs that a home keeps, as the engine gives them.

Owns the public verbs that find jobs, stop them and clear them away. Must not know how one is
accepted, nor any face.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

from localproc.engine.handles import Job
from localproc.engine.home.retention import Retention
from localproc.engine.job_lists import find_job, list_executions, list_jobs
from localproc.engine.namespace import Namespace
from localproc.engine.options import JobFilters, PruneOptions
from localproc.model import Trigger
from localproc.spelling import check_types, public

if TYPE_CHECKING:  # few engines need them, and each takes a while to be imported
    from localproc.engine.upkeep.prune import Pruned
    from localproc.views.found_lines import FoundLogs


@public
class KeptJobs:
    """The part of an engine that is about jobs which are there."""

    _namespace: Namespace

    def job(self, job_id: str) -> Job:
        """Return a job of the home by its id; raises ``NoSuchJob``."""
        return Job(self._namespace, job_id, self._namespace.record(job_id))

    def find_job(self, name: str) -> Job:
        """Return the job that a person means by ``name``.

        That is its id, any piece of it that no other job has, ``last`` for the one accepted last,
        or ``last:failed`` for the last one in that state. Raises ``NoSuchJob``, ``AmbiguousJob``
        with the candidates, or ``InvalidInputs`` for a state that does not exist.
        """
        return find_job(self._namespace, name)

    def jobs(
        self,
        *,
        process: str | Sequence[str] = (),
        status: str | Sequence[str] = (),
        limit: int = 100,
        **filters: Unpack[JobFilters],
    ) -> list[Job]:
        """Return jobs, newest first (OGC API - Processes Part 1, class "job list").

        ``process`` and ``status`` are one or several, ``limit`` the most that are returned. Further
        ``filters``: ``since`` and ``until`` bound when a job was accepted (local times where they
        have no zone), ``min_duration`` and ``max_duration`` how long it has run (seconds);
        ``trigger``, ``run_as``, ``tag``, ``piece`` (of the id); ``hidden=True`` shows tombstones
        too; ``before`` and ``after`` are the id of the job that a page lies next to, on its older
        or newer side.

        Raises ``NoSuchJob`` for such an id, ``InvalidInputs`` for a state that does not exist or
        a number that is none, ``UnknownOption``.
        """
        check_types("Engine.jobs", {"limit": (limit, int)})
        return list_jobs(self._namespace, process, status, limit, filters)

    def executions(
        self,
        *,
        process: str | Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        failed: bool = False,
        status: str = "",
        limit: int = 100,
        before: str | None = None,
        began_since: datetime | None = None,
        began_until: datetime | None = None,
        trigger: Trigger | None = None,
    ) -> list[dict[str, Any]]:
        """Return jobs as entries of the execution log, newest first; see ``Job.execution``.

        ``since`` and ``until`` bound when they were accepted, ``began_since`` and ``began_until``
        when they were started. ``failed``: only those whose status there is ``failed``, which
        dismissed ones have too; ``status`` any other (``success``, ``warning``, ``retrying`` ...).
        ``limit`` is the most that are returned; ``before`` the ``_id`` of the last one of the page
        before.

        Raises ``InvalidInputs`` for a status that there is not.
        """
        filters = JobFilters(
            since=since,
            until=until,
            before=before,
            began_since=began_since,
            began_until=began_until,
            trigger=trigger,
        )
        shown = "failed" if failed else status
        return list_executions(self._namespace, process, shown, limit, filters)

    def search_logs(self, text: str, *, limit: int = 20) -> "FoundLogs":
        """Return the logs of steps that have all words of a text, those of the newest jobs first.

        Words may be the beginnings of longer ones; what stands in double quotes is a phrase. Each
        of its ``logs`` has ``job``, ``step`` and ``lines``. The first searches of a home read a
        part of its logs each: ``unread`` tells of how many jobs they were not read yet.

        Raises ``InvalidInputs`` for a text without words, ``EnvironmentProblem`` where SQLite has
        no full-text search.
        """
        return self._namespace.search_logs(text, limit)

    def dismiss(self, job_id: str) -> None:
        """Ask for a job to stop, whoever runs it; one that has ended stays as it is.

        ``Job.dismiss`` waits until nothing of it runs. Raises ``NoSuchJob``.
        """
        self._namespace.dismiss(job_id)

    def hide(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone that ``jobs(hidden=True)`` shows."""
        self._namespace.hide(job_id)

    def delete(self, job_id: str, *, results: bool = False) -> bool:
        """Forget a job that has ended, with its folder; return whether it had ended.

        Its published results stay, unless ``results``. Raises ``NoSuchJob``; ``InvalidInputs`` if
        its results lie among those of others.
        """
        return self._namespace.delete(job_id, results=results)

    def prune(
        self,
        *,
        dry_run: bool = False,
        among: Collection[str] | None = None,
        **options: Unpack[PruneOptions],
    ) -> "Pruned":
        """Forget jobs that have ended; return which ones, and what the disk has back.

        For ``options`` see ``localproc.engine.home.retention.Retention``: all jobs that have ended
        go, unless they say otherwise. A job that one which has not ended needs stays: its results
        may be that one's inputs. With ``dry_run`` nothing is removed. ``among``: only jobs of these
        ids go, such as those that a dry run has told of. Raises ``InvalidInputs``.
        """
        return self._namespace.prune(Retention(**options), dry_run=dry_run, among=among)
