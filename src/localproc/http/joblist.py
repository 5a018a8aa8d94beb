"""One page of a list of jobs, newest first, and the links to those beside it.

Owns where a page begins and ends, and which times it is about. Must not know what is told of the
jobs in it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from localproc.engine.engine import LocalEngine
from localproc.engine.handles import Job
from localproc.errors import InvalidInputs, LocalprocError
from localproc.http.answers import bad_parameter
from localproc.http.exchange import Exchange
from localproc.http.paging import page_links
from localproc.views.parameters import interval

_AT_ONCE: Final = 100  #: jobs that are looked at together
_MOST_LOOKS: Final = 100  #: for one page


def page_of_jobs(
    exchange: Exchange, filters: Mapping[str, Any], chosen: Callable[[Job], bool] | None = None
) -> tuple[list[Job], list[dict[str, str]]]:
    """Return the jobs of the page that ``after``, ``before`` and ``limit`` name, and its links.

    ``filters`` are those of ``Engine.jobs``; of these jobs only those that are ``chosen``. What
    comes after a job in the list, newest first, was made before it. Raises 400 for a page that
    begins at a job that is not there any more.
    """
    older, newer = _known(exchange, "after"), _known(exchange, "before")
    limit = exchange.limit()
    found = _jobs(exchange.engine, limit + 1, older, newer, filters, chosen)
    backward = newer is not None
    extra = len(found) > limit
    page = (found[-limit:] if extra and backward else found)[:limit]
    more = bool(page) and (extra or backward)
    earlier = bool(page) and (extra if backward else older is not None)
    links = page_links(
        exchange,
        after=page[-1].id if more else None,
        before=page[0].id if earlier else None,
    )
    return page, links


def _jobs(
    engine: LocalEngine,
    limit: int,
    older: str | None,
    newer: str | None,
    filters: Mapping[str, Any],
    chosen: Callable[[Job], bool] | None,
) -> list[Job]:
    """Return jobs next to the end of another page, newest first."""
    if chosen is None:
        return engine.jobs(limit=limit, before=older, after=newer, **filters)
    found: list[Job] = []
    for _ in range(_MOST_LOOKS):
        page = engine.jobs(limit=_AT_ONCE, before=older, after=newer, **filters)
        some = [job for job in page if chosen(job)]
        found = [*some, *found] if newer is not None else [*found, *some]
        if len(page) < _AT_ONCE or len(found) >= limit:
            break
        older, newer = (None, page[0].id) if newer is not None else (page[-1].id, None)
    return found[-limit:] if newer is not None else found[:limit]


def times(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Read ``datetime``; raises 400."""
    try:
        return interval(text)
    except InvalidInputs as error:
        raise bad_parameter("datetime", "; ".join(one.message for one in error.problems)) from None


def _known(exchange: Exchange, name: str) -> str | None:
    given = exchange.query(name)
    if given is None:
        return None
    try:
        exchange.engine.job(given)
    except LocalprocError:
        raise bad_parameter(name, f"there is no job {given!r}; begin with the first page") from None
    return given
