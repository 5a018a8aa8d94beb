"""What is told while a job runs: logs and events.

Owns the log of a step, whole or followed, and server-sent events. Must not know how steps are run.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from localproc.engine.handles import Job
from localproc.engine.job.steplog import StepLog
from localproc.errors import NotFound
from localproc.http.answers import TEXT, bad_parameter, text
from localproc.http.exchange import Exchange
from localproc.http.numbers import whole
from localproc.http.threads import offload, pause
from localproc.machine import StepBook
from localproc.model import JobStatus
from localproc.views import ogc
from localproc.views.written import written

_POLL: Final = 0.2
_HEARTBEAT: Final = 15.0


def log(exchange: Exchange) -> Response:
    """Answer with the log of a step: what there is, its last lines, or all of it as it comes.

    ``tail`` is a number of lines; ``follow`` keeps the answer open until the step has ended.
    """
    job = exchange.job()
    found = job.logs(exchange.path["step"] + ".log")
    if exchange.flag("follow"):
        return _live(exchange, _followed(exchange, found), f"{TEXT};charset=UTF-8")
    said = found.text
    tail = exchange.query("tail")
    if tail is not None:
        count = whole(tail)
        if count is None:
            raise bad_parameter("tail", f"{tail!r} is not a number of lines")
        lines = said.splitlines(keepends=True)
        said = "".join(lines[max(0, len(lines) - count) :])
    return exchange.without_home(text(said))


async def _followed(exchange: Exchange, found: StepLog) -> AsyncIterator[bytes]:
    piece = await offload(found.read_from)
    while not piece.complete:
        for _, said in piece.parts:
            yield exchange.scrubbed(said.encode())
        if not piece.parts:
            await pause(_POLL)
        piece = await offload(found.read_from, piece.place)


def events(exchange: Exchange) -> Response:
    """Answer with the events of a job as they happen (``text/event-stream``).

    ``step`` tells how a step is now, ``status`` how the job is; the last is the job's end. A client
    that comes back says in ``Last-Event-ID`` what it has seen.
    """
    job = exchange.job()
    after = whole(exchange.request.headers.get("last-event-id", "")) or 0
    return _live(exchange, _told(exchange, job, after), "text/event-stream")


async def _told(exchange: Exchange, job: Job, after: int) -> AsyncIterator[bytes]:
    book = StepBook()
    seen = 0
    told: JobStatus | None = None
    quiet = 0.0
    while True:
        try:
            status = await offload(lambda: job.record)
            found = await offload(job.events, seen)
        except NotFound:
            return
        for event in found:
            seen += 1
            for step in book.take(event):
                if seen > after:
                    yield exchange.scrubbed(_event("step", seen, ogc.step_info(step)))
        # The job may have ended after its status was read, but before its events were.
        if seen > after and (found or status.status is not told):
            told = status.status
            said = ogc.status_info(status, None, exchange.base)
            yield exchange.scrubbed(_event("status", seen, said))
        if status.status.final and not found:
            return
        quiet = 0.0 if found else quiet + _POLL
        if quiet > _HEARTBEAT:
            quiet = 0.0
            yield b": still here\n\n"
        await pause(_POLL)


def _event(kind: str, number: int, content: Any) -> bytes:
    return f"id: {number}\nevent: {kind}\ndata: ".encode() + written(content) + b"\n\n"


def _live(exchange: Exchange, told: AsyncIterator[bytes], media_type: str) -> Response:
    """Answer as it is told; whoever asks for the head alone waits for nothing."""
    if exchange.request.method != "HEAD":
        return StreamingResponse(told, headers=_LIVE, media_type=media_type)
    answer = Response(headers=_LIVE, media_type=media_type)
    del answer.headers["Content-Length"]
    return answer


_LIVE: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
