"""What subscribers of a job are told.

Owns the documents that callbacks carry (OGC API - Processes Part 1, class "callback"): the
results on success, the statusInfo otherwise. Must not know how callbacks are delivered.
"""

import json

from localproc.engine.notify.callback_sender import Message
from localproc.machine import steps
from localproc.model import Callback
from localproc.model.events import Succeeded, request_of
from localproc.plugins.store import Store
from localproc.storage.results_place import results_root
from localproc.views import ogc
from localproc.views.hrefs import place_of, with_addresses, with_places


def compose(store: Store, callback: Callback) -> Message | None:
    """Write a callback; ``None`` if its job is gone, or did not end as the callback says."""
    letter = store.letter(callback)
    if letter is not None:
        return Message(json.loads(letter), guarded=False) if letter else None
    job = store.job(callback.job_id)
    if job is None:
        return None
    events = store.events(job.id)
    request = request_of(job.id, events)
    base = str(request.options.get("base", ""))
    guarded = request.policy.guarded
    if callback.kind != "successUri":
        return Message(ogc.status_info(job, steps(events), base), guarded)
    last = events[-1]
    if not isinstance(last, Succeeded):
        return None
    if not base:
        return Message(ogc.results_document(last.outputs, last.features), guarded)
    root, files = results_root(job.id, request), f"{base}/jobs/{job.id}/files"
    outputs = with_places(dict(last.outputs), lambda one: place_of(one, root, files))
    document = ogc.results_document(outputs, last.features)
    return Message(with_addresses(document, root, files), guarded)
