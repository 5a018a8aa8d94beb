"""The thread that delivers callbacks, whatever the store says to it."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localproc.engine.notify.callback_sender import CallbackSender, Message
from localproc.engine.notify.letters import COMMAND
from localproc.errors import StoreLocked
from localproc.model import Callback
from localproc.store import SqliteStore
from tests.patience import patient, until


class Hindered(SqliteStore):
    """A store with a callback that is due, which cannot be used at first."""

    asked = taken = 0

    def next_callback(self) -> datetime | None:
        self.asked += 1
        if self.asked == 1:
            raise StoreLocked("somebody else has it")
        return datetime.now(UTC) if self.taken < 3 else None

    def take_callbacks(self, now: datetime, until: datetime, most: int) -> list[Callback]:
        self.taken += 1
        if self.taken == 2:
            raise StoreLocked("somebody else has it again")
        return [Callback("job", f"{COMMAND}x", "successUri", 1)] if self.taken == 3 else []


def test_a_store_that_cannot_be_used_delays_callbacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their thread goes on, and asks again at the next ring or look, not at once."""
    monkeypatch.setattr("localproc.engine.notify.callback_sender._LOOK", 3600.0)
    store, told = Hindered(str(tmp_path / "store.sqlite")), threading.Event()
    sender = CallbackSender(
        store, lambda _: Message({}, guarded=False), letters=lambda _uri, _said: told.set()
    )
    sender.ring()
    until(lambda: store.asked == 1)
    sender.ring()
    until(lambda: store.taken == 2)
    sender.ring()
    assert told.wait(patient(10))
    sender.close()
    assert store.taken == 4  # one more time as it is closed
    store.close()
