"""The containers of a home at a daemon, several at a time."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_daemon import IMAGE, containers
from docker_fixtures import api, remove_all
from localproc_docker.boxes import Boxes
from localproc_docker.engine_api import EngineApi
from localproc_docker.task_containers import HOME, Owner

__all__ = ["api"]  # a fixture

pytestmark = pytest.mark.service

MORE_THAN_AT_A_TIME = [f"localproc-tests-{os.getpid()}-{number}" for number in range(9)]


@pytest.fixture
def owner(tmp_path: Path, api: EngineApi) -> Iterator[Owner]:
    """Give who containers belong to."""
    yield Owner(str(tmp_path), os.getuid(), os.getgid())
    remove_all(api, tmp_path)


@pytest.fixture
def boxes(api: EngineApi, owner: Owner) -> Iterator[Boxes]:
    """Give containers of a home."""
    found = Boxes(api, owner)
    yield found
    found.close()


def test_all_are_told_to_end_before_any_is_killed(
    boxes: Boxes, owner: Owner, api: EngineApi
) -> None:
    began = time.time() - 1
    body = {"Image": IMAGE, "Cmd": ["sleep", "300"], "Labels": owner.labels}  # passes over TERM
    list(boxes.pool.map(lambda name: boxes.run(name, body), MORE_THAN_AT_A_TIME))
    boxes.end(MORE_THAN_AT_A_TIME, 0.1)
    assert {one["State"] for one in boxes.all()} == {"exited"}
    wanted = {"label": [f"{HOME}={owner.mark}"], "event": ["kill"]}
    with api.lines("GET", "/events", filters=wanted, since=began, until=time.time() + 1) as lines:
        signals = [one["Actor"]["Attributes"]["signal"] for one in lines]
    assert signals == ["15"] * 9 + ["9"] * 9


def test_one_that_waits_to_be_started_is_removed(
    boxes: Boxes, owner: Owner, api: EngineApi
) -> None:
    name, labels = MORE_THAN_AT_A_TIME[0], {"Labels": owner.labels}
    api.post("/containers/create", {"Image": IMAGE, "Cmd": ["true"], **labels}, name=name)
    boxes.end([name, "nobody-of-this-name"], 60)
    assert containers(api, Path(owner.folder)) == []
