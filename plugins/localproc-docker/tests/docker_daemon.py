"""A real daemon for the tests, images made of what this machine has, and a way to it that breaks.

``DOCKER_HOST`` names the daemon, ``CONTAINER_HOST`` podman's socket; without one that answers the
tests are skipped, or fail where ``LOCALPROC_TEST_ALL`` is set. The images hold busybox (Debian:
busybox-static) and nothing else.
"""

import hashlib
import io
import json
import os
import select
import shutil
import socket
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from localproc_docker.daemons import DAEMONS
from localproc_docker.engine_api import VERSION, EngineApi
from localproc_docker.task_containers import HOME
from tests.patience import patient

IMAGE = "localproc-tests/busybox:1"
VOLUME = "localproc-tests/volume:1"  #: declares /data as one
CLOSED = "localproc-tests/closed:1"  #: nobody but root may write its /tmp
TMPLESS = "localproc-tests/tmpless:1"  #: has no /tmp
BARE = "localproc-tests/bare:2"  #: its one program echoes
ALONE = "localproc-tests/alone:1"  #: its one program is busybox, which is nowhere as a shell


def daemon(variable: str = "DOCKER_HOST") -> EngineApi:
    """Return a daemon, with the tests' images; without one the test is skipped, or fails."""
    [kind] = [one for one in DAEMONS if one.variable == variable]
    api = EngineApi(kind.address({}))
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(api.address.removeprefix("unix://"))
        except OSError as error:
            api.close()
            reason = f"{kind.summary} does not answer at {api.address} ({variable}): {error}"
            if os.environ.get("LOCALPROC_TEST_ALL"):
                pytest.fail(f"{reason}, and LOCALPROC_TEST_ALL forbids skipping")
            pytest.skip(reason)
    have_images(api)
    return api


def have_images(api: EngineApi) -> None:
    """Make the tests' images, unless they are there."""
    _have(api, IMAGE, "ENV PATH=/bin")
    _have(api, VOLUME, "VOLUME /data")
    _have(api, CLOSED, "ENV PATH=/bin", tmp=0o555)
    _have(api, TMPLESS, "ENV PATH=/bin", tmp=0)
    _have(api, BARE, 'ENTRYPOINT ["/busybox-alone", "echo"]')
    _have(api, ALONE, 'ENTRYPOINT ["/busybox-alone"]')


def containers(api: EngineApi, folder: Path) -> list[dict[str, Any]]:
    """Return the containers of an executor's folder."""
    mark = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:32]
    wanted = {"label": [f"{HOME}={mark}"]}
    found: list[dict[str, Any]] = api.get("/containers/json", all=True, filters=wanted)
    return found


class Road:
    """A socket that leads to the daemon, until it is broken: nothing comes through any more."""

    def __init__(self, path: Path, api: EngineApi) -> None:
        self.host = f"unix://{path}"
        self._daemon = api.address.removeprefix("unix://")
        self._open = threading.Event()
        self._open.set()
        self._closed = False
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def hang(self) -> None:
        """Keep what is sent, either way."""
        self._open.clear()

    def mend(self) -> None:
        """Let it through again."""
        self._open.set()

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._open.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self._daemon)
            others = {near: far, far: near}
            while not self._closed:
                for one in select.select(list(others), [], [], 0.1)[0]:
                    self._open.wait()
                    try:
                        data = one.recv(65536)
                        others[one].sendall(data)
                    except OSError:
                        return
                    if not data:
                        return


def _have(api: EngineApi, name: str, change: str, tmp: int = 0o1777) -> None:
    """Import an image unless it is there."""
    if api.get("/images/json", filters={"reference": [name]}):
        return
    repository, _, tag = name.partition(":")
    query = {"fromSrc": "-", "changes": change}
    transport = httpx.HTTPTransport(uds=api.address.removeprefix("unix://"))
    with httpx.Client(transport=transport, timeout=patient(60)) as client:
        url = f"http://docker/{VERSION}/images/create"
        archive = _archive(shell=name not in (BARE, ALONE), tmp=tmp)
        made = client.post(url, params=query, content=archive).raise_for_status()
    image = json.loads(made.text.splitlines()[-1])["status"]
    api.post(f"/images/{image}/tag", repo=repository, tag=tag)


def _archive(*, shell: bool, tmp: int) -> bytes:
    """Return the files of an image; ``tmp`` is the mode of its /tmp, 0 for none."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.fail("busybox is not here: install Debian's busybox-static")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for folder, mode in {"tmp": tmp, "bin": 0o755, "etc": 0o755}.items():
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, mode
            if mode:
                tar.addfile(info)
        tar.add(busybox, "bin/busybox" if shell else "busybox-alone")
        for name in listed.stdout.split() if shell else ():
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            if name != "busybox":
                tar.addfile(link)
    return file.getvalue()
