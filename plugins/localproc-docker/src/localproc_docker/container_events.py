"""What happens to the containers of one home, as the daemon tells it.

Owns one thread that listens to the daemon's events and begins again after it was away, and looking
up who has killed a container. Must not know what follows from that.
"""

import logging
import threading
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from localproc.errors import LocalprocError
from localproc_docker.daemons import Daemon
from localproc_docker.engine_api import EngineApi
from localproc_docker.task_containers import HOME, KEY

_LOG: Final = logging.getLogger("localproc")
_AGAIN: Final = 0.5  #: seconds before a daemon that was away is listened to again
_SETTLE: Final = timedelta(seconds=0.1)  #: an end may be known before what has caused it
_LEAVING: Final = 5.0
_SILENCE: Final = 30.0  #: seconds without an event after which the connection is made anew


class Events:
    """The thread, and what it has heard since it was last asked."""

    def __init__(self, api: EngineApi, home: str) -> None:
        self._api = api
        self._home = home
        self._news: set[str] = set()
        self._missed = True  #: what happened before it listened is unknown
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._live, name="localproc-docker", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> Collection[str] | None:
        """Return the keys of tasks that something has happened to, after so long at most.

        ``None`` if something may have been missed: all have to be looked at.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._missed, seconds)
            news, self._news = self._news, set()
            missed, self._missed = self._missed, False
        return None if missed else news

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._api.hang_up()
        self._thread.join(_LEAVING)

    def _live(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except LocalprocError as error:
                _LOG.debug("docker events: %s", error)
            except Exception:
                _LOG.exception("the events of docker cannot be read")
            self._miss()
            self._closed.wait(_AGAIN)

    def _listen(self) -> None:
        wanted = {"type": ["container"], "label": [f"{HOME}={self._home}"]}
        with self._api.lines("GET", "/events", patience=_SILENCE, filters=wanted) as lines:
            self._miss()  # it is listened from here on
            for line in lines:
                if self._closed.is_set():
                    return
                self._hear(line)

    def _hear(self, line: Mapping[str, Any]) -> None:
        said = (line.get("Actor") or {}).get("Attributes") or {}
        key = said.get(KEY)
        if key is None:
            return
        if line.get("Action") in ("start", "die", "oom", "destroy"):
            with self._changed:
                self._news.add(key)
                self._changed.notify_all()

    def _miss(self) -> None:
        with self._changed:
            self._missed = True
            self._changed.notify_all()


def was_sent(api: EngineApi, daemon: Daemon, name: str, signal: int, started: datetime) -> bool:
    """Return whether a container was sent a signal by way of the daemon, if it remembers.

    A daemon remembers its last few hundred events. Podman does not tell which signal it was.
    """
    wanted = {"container": [name]}
    span: dict[str, Any] = {"since": started.timestamp()}
    if daemon.replays:
        span["until"] = (datetime.now(UTC) + _SETTLE).timestamp()
    else:
        time.sleep(_SETTLE.total_seconds())
        span["stream"] = False
    with api.lines("GET", "/events", filters=wanted, **span) as lines:
        sent = [
            line["Actor"]["Attributes"].get("signal")
            for line in lines
            if line.get("Action") == "kill"  # podman loses some where it is to choose
        ]
    return any(one in (None, str(signal)) for one in sent)
