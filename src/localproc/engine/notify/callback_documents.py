"""What subscribers of a job are told.

Owns the documents that callbacks carry (OGC API - Processes Part 1, class "callback"): the
results on success, the statusInfo otherwise. Must not know how callbacks are delivered.
"""

from localproc.engine.job import replay
from localproc.engine.notify.callback_sender import Message
from localproc.machine import steps
from localproc.model import Callback, JobStatus
from localproc.plugins.store import Store
from localproc.storage.results_place import results_root
from localproc.views import ogc
from localproc.views.hrefs import with_addresses


def compose(store: Store, callback: Callback) -> Message | None:
    """Write a callback; ``None`` if its job is gone, or did not end as the callback says."""
    job = store.job(callback.job_id)
    if job is None:
        return None
    events = store.events(job.id)
    request = replay.request_from(events[0].data)
    base = str(request.options.get("base", ""))
    guarded = request.policy.guarded
    if callback.kind != "successUri":
        return Message(ogc.status_info(job, steps(events), base), guarded)
    if job.status is not JobStatus.SUCCESSFUL:
        return None
    last = events[-1].data
    document = ogc.results_document(last["outputs"], last["features"])
    if base:
        place = f"{base}/jobs/{job.id}"
        document = with_addresses(document, results_root(job.id, request), f"{place}/files")
    return Message(document, guarded)
