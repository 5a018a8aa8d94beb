"""How containers have ended, by what a daemon tells at one moment and the next."""

from datetime import UTC, datetime
from typing import Any

import pytest
from localproc_docker import container_ends
from localproc_docker.container_ends import Ends
from localproc_docker.daemons import DAEMONS
from localproc_docker.engine_api import ApiRefused

from localproc.model import Report, TaskState

#: A container that has just been killed, by the daemon's clock, which may be another one.
KILLED = {
    "Id": "0123456789ab",
    "Image": "sha256:0",
    "Config": {"Labels": {}},
    "State": {
        "Status": "exited",
        "ExitCode": 137,
        "StartedAt": "2100-01-01T00:00:00Z",
        "FinishedAt": "2100-01-01T00:00:01Z",
    },
}


class Going:
    """A container that was killed and is there for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def seen(self, _: str) -> dict[str, Any]:
        self.looks -= 1
        if self.looks < 0:
            raise ApiRefused(404, "no such container")
        return KILLED


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_podman_kills_what_it_removes_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    """Its removal is seen at whatever moment somebody looks: before or after the kill."""
    monkeypatch.setattr(container_ends, "was_sent", lambda *_: False)
    [podman] = [one for one in DAEMONS if one.name == "podman"]
    ends = Ends(None, Going(looks), podman, None)  # type: ignore[arg-type]
    found = ends.ending("a", "box", Report("a", TaskState.RUNNING, started=datetime.now(UTC)))
    assert (found.state, found.reason) == (TaskState.CANCELLED, "its container was removed")
