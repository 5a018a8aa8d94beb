"""One page of a list of jobs, newest first, and the links to those beside it.

Owns where a page begins and ends, and which times it is about. Must not know what is told of the
jobs in it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localproc.engine.handles import Job
from localproc.errors import InvalidInputs, LocalprocError
from localproc.http.answers import bad_parameter
from localproc.http.exchange import Exchange
from localproc.http.paging import page_links
from localproc.views.parameters import interval


def page_of_jobs(
    exchange: Exchange, filters: Mapping[str, Any]
) -> tuple[list[Job], list[dict[str, str]]]:
    """Give the jobs of the page that ``after``, ``before`` and ``limit`` name, and its links.

    ``filters`` are those of ``Engine.jobs``. What comes after a job in the list, newest first, was
    made before it. Raises 400 for a page that begins at a job that is not there any more.
    """
    older, newer = _known(exchange, "after"), _known(exchange, "before")
    limit = exchange.limit()
    found = exchange.engine.jobs(limit=limit + 1, before=older, after=newer, **filters)
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
