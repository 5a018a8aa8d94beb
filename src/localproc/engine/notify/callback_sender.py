"""Delivers callbacks to the subscribers of jobs.

Owns the threads that take callbacks from the outbox, retries and signatures. Must not know who
wrote them: what they say is asked of ``compose``.

Each callback is delivered by a thread of its own, a few of them for one host at a time: subscribers
that do not answer keep neither others' callbacks waiting, nor whoever closes the engine.

A callback that cannot be delivered is tried again after 1, 2, 4, ... seconds, up to an hour apart,
and given up after two days. With a secret, callbacks are signed the way of Standard Webhooks
(https://www.standardwebhooks.com): ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``.
"""

import base64
import hashlib
import hmac
import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from localproc.engine.notify.letters import COMMAND, MAIL
from localproc.errors import LocalprocError, StagingError
from localproc.frozen import frozen
from localproc.model import Callback
from localproc.plugins.store import Store
from localproc.shortages import started
from localproc.views.written import written

if TYPE_CHECKING:
    from localproc.storage.web_client import WebClient

_LOG: Final = logging.getLogger("localproc")
_LEASE: Final = timedelta(seconds=60)
_LONGEST: Final = 3600.0
_MOST: Final = 60  #: attempts; with an hour between the later ones that is two days
_LOOK: Final = 5.0
_TIMEOUT: Final = 10.0
_BATCH: Final = 16
_PER_HOST: Final = 16  #: deliveries at a time to one host
_LAST: Final = 2.0  #: seconds that a closing engine waits for what is being delivered


@frozen
class Message:
    """What a callback says: a JSON document. ``guarded``: its address must be public."""

    document: Any
    guarded: bool


#: Gives a callback's message, ``None`` if there is nothing to say any more.
Compose = Callable[[Callback], Message | None]


#: Sends a letter to a mail address or a command.
Letters = Callable[[str, Any], None]


class CallbackSender:
    """Delivers callbacks in the background. ``ring`` says that there is a new one."""

    def __init__(
        self, store: Store, compose: Compose, secret: str = "", letters: Letters | None = None
    ) -> None:
        self._store = store
        self._compose = compose
        self._secret = secret
        self._letters = letters
        self._clients: dict[bool, WebClient] = {}
        self._bell = threading.Event()
        self._stopping = False
        self._closed = False
        self._lock = threading.Lock()  # between what deliveries record, and closing
        self._under_way: dict[str, int] = {}  # deliveries to a host
        self._waiting: dict[str, deque[tuple[float, Callback]]] = {}  # ... until those have ended
        self._idle = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Look at the outbox now, or at the next ring if the system gives no thread."""
        self._bell.set()
        if self._thread is None:
            thread = threading.Thread(target=self._live, name="localproc-callbacks", daemon=True)
            if started(thread):
                self._thread = thread
            else:
                _LOG.warning("callbacks wait for a thread: the system gives none")

    def close(self) -> None:
        """Try what is due once more, then end; what is left stays in the outbox.

        A subscriber that does not answer is not waited for: it is told again another time.
        """
        self._stopping = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._idle.wait_for(lambda: not self._under_way, _LAST)
            self._closed = True
            self._let_go()

    def _let_go(self) -> None:
        """Close connections once nobody uses them: it may be the last delivery that does."""
        if self._closed and not self._under_way:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _live(self) -> None:
        stopping, pause = False, 0.0
        while not stopping:
            self._bell.wait(pause)
            self._bell.clear()
            stopping = self._stopping  # what is due then is still tried
            try:
                self._deliver()
                pause = self._patience()
            except LocalprocError as error:
                _LOG.warning("callbacks wait: %s", error)
                pause = _LOOK

    def _patience(self) -> float:
        due = self._store.next_callback()
        if due is None:
            return _LOOK
        return max(0.0, min(_LOOK, (due - datetime.now(UTC)).total_seconds()))

    def _deliver(self) -> None:
        """Deliver all that is due."""
        while True:
            now = datetime.now(UTC)
            callbacks = self._store.take_callbacks(now, now + _LEASE, _BATCH)
            for callback in callbacks:
                self._begin(callback)
            if len(callbacks) < _BATCH:
                return

    def _begin(self, callback: Callback) -> None:
        """Deliver a callback in a thread, or note it until one of its host's has ended."""
        host = urlsplit(callback.uri).netloc
        with self._lock:
            if self._under_way.get(host, 0) >= _PER_HOST:
                until = monotonic() + _LEASE.total_seconds() / 2
                self._waiting.setdefault(host, deque()).append((until, callback))
                return
            self._under_way[host] = self._under_way.get(host, 0) + 1
        deliver = threading.Thread(
            target=self._work, args=(host, callback), name="localproc-callback", daemon=True
        )
        if not started(deliver):
            self._work(host, callback)

    def _work(self, host: str, callback: Callback) -> None:
        following: Callback | None = callback
        while following is not None:
            try:
                self._handle(following)
            except LocalprocError as error:
                _LOG.warning("a callback waits: %s", error)
            following = self._next(host)

    def _next(self, host: str) -> Callback | None:
        """Return the next callback for a host, or note that one of its threads has ended."""
        with self._lock:
            waiting = self._waiting.get(host)
            while waiting and not self._stopping:
                until, callback = waiting.popleft()
                if monotonic() < until:
                    return callback  # any other is in the outbox again, and is taken from there
            self._waiting.pop(host, None)
            self._under_way[host] -= 1
            if not self._under_way[host]:
                del self._under_way[host]
            self._idle.notify_all()
            self._let_go()
            return None

    def _handle(self, callback: Callback) -> None:
        error = None
        try:
            message = self._compose(callback)
            if message is not None:
                self._send(callback, message)
        except Exception as failed:  # whatever it is, the others are delivered
            error = failed
        with self._lock:
            if self._closed:
                return  # the store is closed; the lease ends, and another engine tries again
            if error is None:
                self._store.settle_callback(callback)
            else:
                self._put_off(callback, error)

    def _send(self, callback: Callback, message: Message) -> None:
        if callback.uri.startswith((MAIL, COMMAND)):
            if self._letters is not None:
                self._letters(callback.uri, message.document)
            return
        body = written(message.document)
        headers = {"content-type": "application/json"}
        headers |= signature(self._secret, callback, datetime.now(UTC), body)
        client = self._client(guarded=message.guarded)
        with client.asking("POST", callback.uri, headers, body) as answer:
            if not answer.is_success:
                raise StagingError(f"{answer.status_code} {answer.reason_phrase}")

    def _put_off(self, callback: Callback, error: Exception) -> None:
        if callback.attempts >= _MOST:
            _LOG.warning("job %s: %s is given up: %s", callback.job_id, callback.kind, error)
            self._store.settle_callback(callback)
            return
        _LOG.info("job %s: %s could not be told: %s", callback.job_id, callback.kind, error)
        wait = min(2.0 ** (callback.attempts - 1), _LONGEST)
        due = datetime.now(UTC) + timedelta(seconds=wait)
        self._store.put_off_callback(callback, due)
        self._bell.set()

    def _client(self, *, guarded: bool) -> "WebClient":
        from localproc.storage.web_client import WebClient  # httpx costs 0.15 s

        with self._lock:
            if guarded not in self._clients:
                self._clients[guarded] = WebClient(guarded=guarded, redirects=0, timeout=_TIMEOUT)
            return self._clients[guarded]


def signature(secret: str, callback: Callback, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that name a callback, and with a secret those that prove who sent it.

    A job tells each kind once at the most; numbers of the outbox are given again.
    """
    stamp, number = str(int(at.timestamp())), f"{callback.job_id}.{callback.kind}"
    if ":" in callback.job_id:  # what an event is called may be anything
        number = hashlib.sha256(number.encode()).hexdigest()
    headers = {"webhook-id": number, "webhook-timestamp": stamp}
    if not secret:
        return headers
    signed = f"{number}.{stamp}.".encode() + body
    digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return {**headers, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}
