"""Delivers callbacks to the subscribers of jobs.

Owns the thread that takes callbacks from the outbox, retries and signatures. Must not know who
wrote them: what they say is asked of ``compose``.

A callback that cannot be delivered is tried again after 1, 2, 4, ... seconds, up to an hour apart,
and given up after two days. With a secret, callbacks are signed the way of Standard Webhooks
(https://www.standardwebhooks.com): ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``.
"""

import base64
import hashlib
import hmac
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from localproc.errors import LocalprocError
from localproc.model import Callback
from localproc.plugins.store import Store
from localproc.views.written import written

_LOG: Final = logging.getLogger("localproc")
_LEASE: Final = timedelta(seconds=60)
_LONGEST: Final = 3600.0
_MOST: Final = 60  #: attempts; with an hour between the later ones that is two days
_LOOK: Final = 5.0
_TIMEOUT: Final = 10.0
_BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class Message:
    """What a callback says: a JSON document. ``guarded``: its address must be public."""

    document: Any
    guarded: bool


#: Gives a callback's message, ``None`` if there is nothing to say any more.
Compose = Callable[[Callback], Message | None]


class CallbackSender:
    """The thread. ``ring`` says that there is a new callback."""

    def __init__(self, store: Store, compose: Compose, secret: str = "") -> None:
        self._store = store
        self._compose = compose
        self._secret = secret
        self._clients: dict[bool, Any] = {}
        self._bell = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._live, name="localproc-callbacks", daemon=True)
        self._thread.start()

    def ring(self) -> None:
        """Look at the outbox now."""
        self._bell.set()

    def close(self) -> None:
        """Try what is due once more, then end; what is left stays in the outbox."""
        self._stopping = True
        self._bell.set()
        self._thread.join()

    def _live(self) -> None:
        while not self._stopping:
            self._bell.wait(self._patience())
            self._bell.clear()
            try:
                self._deliver()
            except LocalprocError as error:
                _LOG.warning("callbacks wait: %s", error)
        for client in self._clients.values():
            client.close()

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
                self._handle(callback)
            if len(callbacks) < _BATCH:
                return

    def _handle(self, callback: Callback) -> None:
        try:
            message = self._compose(callback)
            if message is not None:
                self._send(callback, message)
        except Exception as error:  # whatever it is, it must not keep others from being delivered
            self._put_off(callback, error)
        else:
            self._store.settle_callback(callback.number)

    def _send(self, callback: Callback, message: Message) -> None:
        body = written(message.document)
        headers = {"content-type": "application/json", "user-agent": "localproc"}
        headers |= signature(self._secret, callback, datetime.now(UTC), body)
        client = self._client(guarded=message.guarded)
        client.post(callback.uri, content=body, headers=headers).raise_for_status()

    def _put_off(self, callback: Callback, error: Exception) -> None:
        if callback.attempts >= _MOST:
            _LOG.warning("job %s: %s is given up: %s", callback.job_id, callback.kind, error)
            self._store.settle_callback(callback.number)
            return
        _LOG.info("job %s: %s could not be told: %s", callback.job_id, callback.kind, error)
        wait = min(2.0 ** (callback.attempts - 1), _LONGEST)
        due = datetime.now(UTC) + timedelta(seconds=wait)
        self._store.put_off_callback(callback.number, due)

    def _client(self, *, guarded: bool) -> Any:
        from localproc.storage.web import web_client

        if guarded not in self._clients:
            self._clients[guarded] = web_client(guarded=guarded, redirects=0, timeout=_TIMEOUT)
        return self._clients[guarded]


def signature(secret: str, callback: Callback, at: datetime, body: bytes) -> dict[str, str]:
    """Give the headers that name a callback, and with a secret those that prove who sent it.

    A job tells each kind once at the most; numbers of the outbox are given again.
    """
    stamp, number = str(int(at.timestamp())), f"{callback.job_id}.{callback.kind}"
    headers = {"webhook-id": number, "webhook-timestamp": stamp}
    if not secret:
        return headers
    signed = f"{number}.{stamp}.".encode() + body
    digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return {**headers, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}
