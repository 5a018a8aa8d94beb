"""One page of the steps of a job: there may be a hundred thousand.

Owns which steps a status document has, and the links to those beside them. Must not know what is
told of a step.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from localproc.engine.handles import Job
from localproc.frozen import frozen
from localproc.http.answers import JSON, bad_parameter
from localproc.http.exchange import Exchange
from localproc.model import Step

_MOST: Final = 100  #: unless the client asks for more


@frozen
class StepPage:
    """Some of the steps of a job after ``seen`` events, in the order they were started.

    ``first`` is the place of the first among all, from 0; ``counts`` has how many there are in each
    state, and in ``total``. ``began`` is when the first of all was started. ``links`` lead to the
    pages beside it.
    """

    seen: int
    steps: list[Step]
    first: int
    counts: Mapping[str, int]
    began: datetime | None
    links: list[dict[str, str]]


def page_of_steps(exchange: Exchange, job: Job) -> StepPage:
    """Return the page that ``after``, ``before`` and ``limit`` name; the last steps by default.

    ``after`` and ``before`` are names of steps. Raises 400 for those of none.
    """
    seen, steps = job.history.steps()
    limit = exchange.limit(_MOST)
    after, before = _place(exchange, "after", steps), _place(exchange, "before", steps)
    start = 0 if after is None else after + 1
    end = len(steps) if before is None else before
    if after is None:
        start = max(start, end - limit)
    page = steps[start : max(start, min(end, start + limit))]
    place = f"{exchange.base}/jobs/{job.id}"
    links = []
    if page and start > 0:
        links.append(_link("prev", place, "The steps before", limit, before=page[0].name))
    if page and start + len(page) < len(steps):
        links.append(_link("next", place, "The steps after", limit, after=page[-1].name))
    counts = Counter(step.status.value for step in steps)
    began = min((step.start for step in steps if step.start is not None), default=None)
    return StepPage(seen, page, start, {"total": len(steps), **counts}, began, links)


def _place(exchange: Exchange, name: str, steps: list[Step]) -> int | None:
    given = exchange.query(name)
    if given is None:
        return None
    for place, step in enumerate(steps):
        if step.name == given:
            return place
    raise bad_parameter(name, f"the job has no step {given!r}")


def _link(rel: str, place: str, title: str, limit: int, **query: str) -> dict[str, str]:
    asked = urlencode({**query, "limit": limit})
    return {"rel": rel, "type": JSON, "href": f"{place}?{asked}", "title": title}
