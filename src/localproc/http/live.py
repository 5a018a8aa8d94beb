"""What is told while a job runs: logs and events.

Owns the log of a step, whole or followed, and server-sent events. Must not know how steps are run.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from localproc.engine.handles import Job
from localproc.engine.job.steplog import StepLog
from localproc.errors import NotFound
from localproc.http.answers import TEXT, bad_parameter, text_answer
from localproc.http.endpoints import is_stopping
from localproc.http.exchange import Exchange
from localproc.http.threads import Threads, pause
from localproc.http.whole_numbers import whole
from localproc.machine import StepBook
from localproc.model import JobStatus, Step, StepStatus
from localproc.model.events import Dismissed, Failed
from localproc.views import ogc
from localproc.views.written import written

_POLL: Final = 0.2
_HEARTBEAT: Final = 15.0
_WHOLE: Final = 1 << 20  #: bytes of a log that is given in one piece


def log(exchange: Exchange) -> Response:
    """Answer with the log of a step: what there is, its last lines, or all of it as it comes.

    ``tail`` is a number of lines; ``follow`` keeps the answer open until the step has ended.
    """
    job = exchange.job()
    found = job.logs(exchange.path["step"] + ".log")
    if exchange.flag("follow"):
        return _live(exchange, _followed(exchange, found), f"{TEXT};charset=UTF-8")
    tail = exchange.query("tail")
    if tail is not None:
        count = whole(tail)
        if count is None:
            raise bad_parameter("tail", f"{tail!r} is not a number of lines")
        return exchange.without_home(text_answer(found.tail(count)))
    if found.size > _WHOLE:
        return _live(exchange, _in_pieces(exchange, found), f"{TEXT};charset=UTF-8")
    return exchange.without_home(text_answer(found.text))


async def _in_pieces(exchange: Exchange, found: StepLog) -> AsyncIterator[bytes]:
    threads: Threads = exchange.request.app.state.threads
    pieces = found.pieces()
    while piece := await threads.run(next, pieces, ""):
        yield exchange.scrubbed(piece.encode())


async def _followed(exchange: Exchange, found: StepLog) -> AsyncIterator[bytes]:
    threads: Threads = exchange.request.app.state.threads
    piece = await threads.run(found.read_from)
    while not piece.complete:
        for _, said in piece.parts:
            yield exchange.scrubbed(said.encode())
        if not piece.parts:
            if is_stopping(exchange.request):
                return
            await pause(_POLL)
        piece = await threads.run(found.read_from, piece.place)


def events(exchange: Exchange) -> Response:
    """Answer with the events of a job as they happen (``text/event-stream``).

    ``step`` tells how a step is now, ``status`` how the job is; the last is the job's end. A client
    that comes back says in ``Last-Event-ID`` what it has seen, or in the query as ``after``.
    """
    job = exchange.job()
    known = exchange.request.headers.get("last-event-id", exchange.query("after") or "")
    return _live(exchange, _told(exchange, job, whole(known) or 0), "text/event-stream")


async def _told(exchange: Exchange, job: Job, after: int) -> AsyncIterator[bytes]:
    threads: Threads = exchange.request.app.state.threads
    book = StepBook()
    seen = 0
    told: JobStatus | None = None
    quiet = 0.0
    if after:
        seen, book, missed = await threads.run(_missed, job, after)
        for place, step in enumerate(missed, 1):
            number = seen if place == len(missed) else after
            yield exchange.scrubbed(_event("step", number, ogc.step_info(step)))
    while not is_stopping(exchange.request):
        try:
            status = await threads.run(lambda: job.record)
            found = await threads.run(job.events, seen)
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


def _missed(job: Job, after: int) -> tuple[int, StepBook, list[Step]]:
    """Return the steps that have changed after so many events, once each, and where to go on."""
    seen, book = job.history.book()
    events = job.events(after)[: max(0, seen - after)]
    changed = {getattr(event, "name", None) for event in events}
    ended = any(isinstance(event, (Failed, Dismissed)) for event in events)
    missed = [
        step
        for step in book.steps()
        if step.name in changed or (ended and step.status is StepStatus.DISMISSED)
    ]
    return seen, book, missed


def _event(kind: str, number: int, content: Any) -> bytes:
    return f"id: {number}\nevent: {kind}\ndata: ".encode() + written(content) + b"\n\n"


def _live(exchange: Exchange, told: AsyncIterator[bytes], media_type: str) -> Response:
    """Answer as it is told; whoever asks for the head alone waits for nothing."""
    if exchange.request.method != "HEAD":
        return _LiveAnswer(told, headers=_LIVE, media_type=media_type)
    answer = Response(headers=_LIVE, media_type=media_type)
    del answer.headers["Content-Length"]
    return answer


class _LiveAnswer(StreamingResponse):
    """What is told as it happens; it ends in order if the server does."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


_LIVE: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
