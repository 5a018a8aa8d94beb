"""Podman where nobody has it listen: who begins it, and that it ends with whoever did."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docker_fixtures import until
from localproc_docker.daemons import DAEMONS
from localproc_docker.engine_api import EngineApi
from localproc_docker.info import Info
from localproc_docker.podman_service import Service
from tests.children import child
from tests.conftest import absent

from localproc.errors import EnvironmentProblem

pytestmark = pytest.mark.slow

LISTENS = """\
#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as one:
    one.bind(sys.argv[-1].removeprefix("unix://"))
    one.listen()
    while True:
        one.accept()
"""
BEGINS = """\
import sys
from localproc_docker.podman_service import Service
print(Service(sys.argv[1]).address(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def podman(tmp_path: Path) -> str:
    """Give a program that listens as podman does."""
    return program(tmp_path, LISTENS.format(python=sys.executable))


@pytest.fixture
def service(podman: str) -> Iterator[Service]:
    found = Service(podman)
    yield found
    found.close()


def program(folder: Path, text: str) -> str:
    (found := folder / "podman").write_text(text)
    found.chmod(0o755)
    return str(found)


def socket_of(address: str) -> Path:
    return Path(address.removeprefix("unix://"))


def test_it_listens_for_this_user_alone_until_it_is_closed(service: Service) -> None:
    socket = socket_of(service.address())
    assert socket.is_socket()
    assert socket.parent.stat().st_mode & 0o077 == 0
    assert socket_of(service.address()) == socket, "it is begun once"
    service.close()
    assert not socket.parent.exists()


def test_it_ends_with_a_process_that_is_killed(podman: str) -> None:
    command = [sys.executable, "-c", BEGINS, podman]
    pipe, env = subprocess.PIPE, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with child(command, stdin=pipe, stdout=pipe, text=True, env=env) as one:
        assert one.stdout is not None
        folder = socket_of(one.stdout.readline().strip()).parent
        assert folder.is_dir()
        one.send_signal(signal.SIGKILL)
    until(lambda: not folder.exists())


def test_it_is_begun_anew_where_it_has_ended(service: Service) -> None:
    first = socket_of(service.address()).parent
    assert service.process is not None
    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait()
    assert socket_of(service.address()).parent != first
    assert not first.exists()


def test_one_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    failing = Service(
        program(tmp_path, "#!/bin/sh\necho cannot clone: no subuid ranges >&2\nexit 125\n")
    )
    with pytest.raises(EnvironmentProblem, match="cannot clone: no subuid ranges") as told:
        failing.address()
    assert "podman info" in told.value.hint
    failing.close()


def test_it_is_begun_only_where_no_address_is_named_and_nobody_listens(
    tmp_path: Path, podman: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CONTAINER_HOST", raising=False)
    docker, there = DAEMONS
    there = replace(there, sockets=(str(tmp_path / "none"),))
    assert there.is_startable({})
    assert there.is_here({})
    assert not there.is_startable({"host": "unix:///nowhere"})
    assert not replace(there, sockets=(str(socket_of(service.address())),)).is_startable({})
    assert not replace(docker, sockets=there.sockets).is_startable({})
    os.unlink(podman)
    assert not there.is_startable({})
    assert not there.is_here({})


@pytest.mark.service
def test_podman_itself_does(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("podman") is None:
        absent("podman is not installed")
    monkeypatch.delenv("CONTAINER_HOST", raising=False)
    service = Service("podman")
    api = EngineApi(service.address())
    told = Info.read(api.get("/info"))
    api.close()
    service.close()
    assert told.is_podman
    assert told.is_rootless == (os.getuid() != 0)
