"""A Docker daemon of a test's own, which is killed, held up, and left without room on its disk."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docker_daemon import have_images
from docker_fixtures import until
from localproc_docker.engine_api import EngineApi

from localproc.errors import ExecutorUnavailable


class OwnDaemon:
    """``dockerd`` in a folder. Its containers outlive it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self.api = EngineApi(self.host)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what a killed one has left makes it wait or give up, so that goes first."""
        for stale in ("docker.pid", "exec/containerd/containerd.pid"):
            (self.folder / stale).unlink(missing_ok=True)
        command = ["dockerd", "--host", self.host, "--data-root", str(self.folder / "data")]
        command += ["--exec-root", str(self.folder / "exec")]
        command += ["--pidfile", str(self.folder / "docker.pid"), "--live-restore"]
        command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers)

    def runs_something(self) -> bool:
        """Return whether a container runs; the connection ends before the daemon may."""
        api = EngineApi(self.host)
        try:
            return bool(api.get("/containers/json"))
        finally:
            api.close()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it; its containers go on."""
        self.api.close()
        self.api = EngineApi(self.host)
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        until(lambda: not self._answers())

    def stop(self) -> None:
        """End it with all its containers."""
        for one in self.api.get("/containers/json", all=True):
            self.api.delete(f"/containers/{one['Id']}", force=True)
        self.signal(signal.SIGTERM)
        assert self._process is not None
        self._process.wait()
        self.api.close()

    def end(self) -> None:
        """End it, whatever has become of a test."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() not in (None, -signal.SIGKILL):
            pytest.fail((self.folder / "log").read_text()[-2000:])
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.folder / "docker.sock"))
            except OSError:
                return False
        try:
            self.api.get("/version")
        except ExecutorUnavailable:
            return False
        return True


@contextmanager
def own_daemon(megabytes: int = 0) -> Iterator[OwnDaemon]:
    """Give a daemon with the tests' images; ``megabytes`` is the size of its disk."""
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        reason = "a Docker daemon cannot be started here"
        if os.environ.get("LOCALPROC_TEST_ALL"):
            pytest.fail(f"{reason}, and LOCALPROC_TEST_ALL forbids skipping")
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="dockerd-"))  # the paths of sockets are short
    (folder / "data").mkdir()
    if megabytes:
        size = f"size={megabytes}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder / "data"], check=True)
    daemon = OwnDaemon(folder)
    try:
        daemon.start()
        have_images(daemon.api)
        yield daemon
        daemon.stop()
    finally:
        daemon.end()
        # The daemon mounts its folder upon itself.
        umount = ["umount", "--recursive", "--lazy", str(folder / "data")]
        while not subprocess.run(umount, check=False, capture_output=True).returncode:
            pass
        shutil.rmtree(folder, ignore_errors=True)
