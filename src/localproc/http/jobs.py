"""Jobs: the list, one job, its results, inputs and provenance.

Owns Part 1's job resources. Must not know how results are written, nor how jobs are run.
"""

import os
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from localproc.engine.handles import Job
from localproc.engine.results import catalog_folder
from localproc.errors import JobFailed, LocalprocError, NotFound
from localproc.http.answers import JSON, bad_parameter
from localproc.http.delivery import Delivery, FailedJob
from localproc.http.endpoints import ended, patient
from localproc.http.exchange import Exchange
from localproc.http.job_page import job_page
from localproc.http.joblist import page_of_jobs, times
from localproc.http.paging import page_links
from localproc.http.published_files import (
    asked_for,
    content_type,
    folder_document,
    folder_elsewhere,
    is_here,
    listed_document,
    missing,
    published,
)
from localproc.http.steppage import StepPage, page_of_steps
from localproc.http.whole_numbers import whole
from localproc.model import JobStatus
from localproc.storage.addresses import without_secrets
from localproc.uris import unquoted
from localproc.views import ogc
from localproc.views.shown_results import shown_outputs

#: How long DELETE waits for the last process of a job to be gone.
_STOPPING: Final = 60.0
_AGES: Final = 1e10  #: seconds; no job takes longer, and there are dates for it
#: What the page of a job that was dismissed says.
_STAYS: Final = "This job was dismissed: nothing of it runs any more, and it has no results."
_GONE: Final = f"{_STAYS} It is listed no more, and its page is gone when you leave it."
_STATES: Final = tuple(JobStatus)
_ZOO_SAYS: Final = {
    JobStatus.ACCEPTED: "ZOO-Kernel accepted to run your service!",
    JobStatus.RUNNING: "execution submitted",
    JobStatus.SUCCESSFUL: "ZOO-Kernel successfully run your service!",
}


def status_document(exchange: Exchange, job: Job) -> dict[str, Any]:
    """Return the statusInfo of a job; one that failed says why in ``exception``."""
    return _status(exchange, job, page_of_steps(exchange, job))


def _status(exchange: Exchange, job: Job, page: StepPage | None = None) -> dict[str, Any]:
    record = job.snapshot
    steps = None if page is None else page.steps
    said = ogc.status_info(record, steps, exchange.base, job.kept_folders(steps or ()))
    if page is not None:
        said["stepCounts"] = page.counts
        said["links"] += page.links
    if exchange.settings.profile == "zoo" and record.status in _ZOO_SAYS:
        said["message"] = _ZOO_SAYS[record.status]
    if page is not None and record.status is JobStatus.FAILED:
        error = JobFailed.from_problem(job.problem)
        place = f"{exchange.base}/jobs/{job.id}"
        said["exception"] = FailedJob(error, place, job.steps).to_problem()
    return said


def list_jobs(exchange: Exchange) -> Response:
    """Answer with the job list, newest first (Part 1, class "job list")."""
    filters = _filters(exchange)
    if "process" in (exchange.queries("type") or ["process"]):
        page, links = page_of_jobs(exchange, filters)
    else:
        page, links = [], page_links(exchange)
    if exchange.wants_html:
        processes = [one.id for one in exchange.engine.processes()]
        records = [job.snapshot for job in page]
        content = {"jobs": records, "links": links, "processes": processes, "statuses": JobStatus}
        return exchange.page("jobs.html", content)
    documents = [_status(exchange, job) for job in page]
    return exchange.document({"jobs": documents, "links": links})


def _filters(exchange: Exchange) -> dict[str, Any]:
    """Read the filters of the standard; raises 400 for what cannot be read."""
    since, until = times(exchange.query("datetime") or _between(exchange))
    statuses = exchange.queries("status")
    unknown = [one for one in statuses if one not in _STATES]
    if unknown:
        known = ", ".join(_STATES)
        raise bad_parameter("status", f"there is no status {unknown[0]!r}; there is: {known}")
    return {
        "process": exchange.queries("processID"),
        "status": statuses,
        "since": since,
        "until": until,
        "min_duration": _seconds(exchange, "minDuration"),
        "max_duration": _seconds(exchange, "maxDuration"),
    }


def _between(exchange: Exchange) -> str:
    """Return the interval of the form on the job list's page, which has a field for each end."""
    return f"{exchange.query('since') or ''}/{exchange.query('until') or ''}"


def _seconds(exchange: Exchange, name: str) -> float | None:
    """Read a duration; 1.0 has it as an array, of which the strictest counts."""
    given = exchange.queries(name)
    seconds = [one for one in map(whole, given) if one is not None]
    if len(seconds) < len(given):
        raise bad_parameter(name, f"{','.join(given)!r} is not a number of seconds")
    strictest = max if name.startswith("min") else min
    return min(float(strictest(seconds)), _AGES) if seconds else None


def status(exchange: Exchange) -> Response:
    """Answer with the statusInfo of a job."""
    job = exchange.job()
    if exchange.wants_html:
        return _page(exchange, job, _STAYS if job.snapshot.status is JobStatus.DISMISSED else "")
    return exchange.document(status_document(exchange, job))


def _page(exchange: Exchange, job: Job, note: str = "", status: int = 200) -> Response:
    page = page_of_steps(exchange, job)
    return job_page(exchange, job, page, _status(exchange, job, page), note, status)


@patient
def dismiss(exchange: Exchange) -> Response:
    """Dismiss a job (Part 1, class "dismiss"); nothing of it runs any more when this answers."""
    job = exchange.job()
    had_ended = job.status.final
    job.dismiss(wait=False)
    if not ended(exchange, job, _STOPPING):
        if exchange.prefers_html:
            return _page(exchange, job, "It is being stopped.", 202)
        return exchange.document(status_document(exchange, job), 202)
    page = None
    if exchange.prefers_html:
        page = _page(exchange, job, _GONE if exchange.settings.dismiss != "ogc2" else _STAYS)
    said = status_document(exchange, job) | {"status": "dismissed", "message": "dismissed"}
    if exchange.settings.dismiss != "ogc2":
        exchange.engine.hide(job.id)
    elif had_ended or job.status is not JobStatus.DISMISSED:  # it may have ended by itself since
        exchange.engine.delete(job.id)
    if page is not None:
        return page
    if exchange.settings.profile == "zoo":
        said["message"] = "ZOO-Kernel successfully dismissed your service!"
    title = "The job list for the current process"
    said["links"] = [
        {"rel": "parent", "type": JSON, "href": f"{exchange.base}/jobs", "title": title}
    ]
    return exchange.document(said)


def results(exchange: Exchange) -> Response:
    """Answer with the results of a job, all or those that ``outputs`` names."""
    job = exchange.job()
    if exchange.prefers_html:
        if job.status is not JobStatus.SUCCESSFUL:
            raise Delivery(exchange, job).failure()
        sizes = partial(_size_of, exchange, job)
        outputs = shown_outputs(exchange.served_results(job), sizes, _catalogs(exchange, job))
        return exchange.page("results.html", {"job": job, "outputs": outputs})
    return Delivery(exchange, job).results(exchange.queries("outputs"))


def _catalogs(exchange: Exchange, job: Job) -> dict[str, str]:
    """Return the addresses of the STAC catalogs among the results."""
    outcome = job.outcome()
    folders = {name: catalog_folder(outcome.outputs[name]) for name in outcome.features}
    return {
        name: exchange.fetchable(job, f"{folder}/catalog.json") for name, folder in folders.items()
    }


def _size_of(exchange: Exchange, job: Job, href: str) -> int | None:
    place = f"{exchange.base}/jobs/{job.id}/files/"
    if not href.startswith(place):
        return None
    try:
        return os.path.getsize(published(job, f"{job.location}/{href.removeprefix(place)}"))
    except (LocalprocError, OSError):  # it may be removed since it was found
        return None


def result(exchange: Exchange) -> Response:
    """Answer with one output, or with one item of it."""
    delivery = Delivery(exchange, exchange.job())
    return delivery.one(exchange.path["output"], exchange.path.get("index", ""))


def published_file(exchange: Exchange) -> Response:
    """Answer with a file among the results of a job, or with what a folder has."""
    job = exchange.job()
    path = asked_for(exchange.request, job).rstrip("/")
    location = f"{job.location}/{path}"
    inside = _place_of(job, location) if is_here(job) else ""
    place = f"{exchange.base}/jobs/{job.id}"
    if os.path.isdir(inside):
        said = folder_document(inside, f"{place}/files/{path}")
    elif (folder := folder_elsewhere(job, location)) is not None:
        said = listed_document(folder["basename"], exchange.served(job, folder["listing"]))
    else:
        kind = content_type(os.path.basename(inside) or unquoted(path))
        return exchange.file(job, location, kind)
    return exchange.either(f"Folder {said['title']}", said, place)


def _place_of(job: Job, location: str) -> str:
    try:
        return published(job, location, folders=True)
    except NotFound:
        raise missing(job, location) from None


def inputs(exchange: Exchange) -> Response:
    """Answer with what a job was given."""
    job = exchange.job()
    said = {"inputs": without_secrets(job.inputs)}
    if job.request.outputs is not None:
        said["outputs"] = job.request.outputs
    place = f"{exchange.base}/jobs/{job.id}"
    return exchange.either("Inputs", exchange.addressed(job, said), place)


def prov(exchange: Exchange) -> Response:
    """Answer with where the results of a job come from, as PROV-JSON."""
    job = exchange.job()
    said = exchange.addressed(job, without_secrets(job.provenance()))
    return exchange.either("Provenance", said, f"{exchange.base}/jobs/{job.id}")
