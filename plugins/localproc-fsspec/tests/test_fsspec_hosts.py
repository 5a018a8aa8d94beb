"""Results by SFTP and FTP: written aside and renamed, so that nobody sees a part."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ftp_server
import localproc_fsspec
import pytest
import sftp_server
from localproc_fsspec.hosts import is_leftover
from relay import Relay, relay_to

from localproc import Engine
from localproc.errors import InvalidInputs, StagingError, StorageUnavailable
from localproc.plugins.storage import Put, Storage
from localproc.testing.storages import StorageContract

GIVEN = {"enabled": True, "username": "eo", "password": "hush-hush"}
SFTP = {**GIVEN, "allow_agent": False, "look_for_keys": False}
SAYS: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "says",
    "baseCommand": ["echo", "by a host"],
    "inputs": [],
    "stdout": "said.txt",
    "outputs": [{"id": "said", "type": "stdout"}],
}
COPIES: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "copies",
    "baseCommand": "cat",
    "inputs": [{"id": "file", "type": "File", "inputBinding": {}}],
    "stdout": "copy.txt",
    "outputs": [{"id": "copy", "type": "stdout"}],
}


class HostContract(StorageContract):
    """What is the same of both."""

    folder: Path
    relay: Relay

    @contextmanager
    def stalled(self) -> Iterator[bool]:
        with pytest.MonkeyPatch.context() as soon, self.relay.held():
            soon.setattr("localproc.storage.bounded_calls.patience", lambda *_: 0.3)
            yield True

    def cut_short(self, storage: Storage, uri: str, tmp_path: Path) -> None:
        left = self.folder / "top" / "job" / ".localproc.0123456789abcdef.part"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"ha")

    def leftovers(self, root: str) -> list[str]:
        return [one.name for one in self.folder.rglob("*") if is_leftover(one.name)]

    def test_nothing_is_there_before_all_of_it_is(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        seen: list[bool] = []
        source = tmp_path / "source"
        source.write_bytes(bytes(1_000_000))
        uri = f"{root}/a/large.bin"
        storage.put(
            Put(str(source), uri),
            watch=lambda size: seen.append((self.folder / "top/a/large.bin").exists()),
        )
        assert len(seen) > 3
        assert not any(seen[:-1])
        assert seen[-1]

    def test_a_file_grows_in_its_place_while_it_comes(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        """Nothing is kept elsewhere meanwhile, neither in memory nor in another file."""
        (self.folder / "top").mkdir(exist_ok=True)
        (self.folder / "top" / "large.bin").write_bytes(bytes(5 << 20))
        target, sizes = tmp_path / "back", list[int]()
        storage.fetch(
            f"{root}/large.bin",
            str(target),
            watch=lambda _: sizes.append(target.stat().st_size if target.exists() else 0),
        )
        assert len(set(sizes)) > 3


class TestSftp(HostContract):
    @pytest.fixture
    def storage(self) -> Iterator[Storage]:
        found = localproc_fsspec.open_scheme("sftp", SFTP)
        yield found
        found.close()

    @pytest.fixture
    def root(self, tmp_path: Path) -> Iterator[str]:
        self.folder = tmp_path / "host"
        self.folder.mkdir()
        with sftp_server.serving(self.folder) as port, relay_to(port) as self.relay:
            yield f"sftp://127.0.0.1:{self.relay.port}/top"


class TestFtp(HostContract):
    @pytest.fixture
    def storage(self) -> Iterator[Storage]:
        found = localproc_fsspec.open_scheme("ftp", GIVEN)
        yield found
        found.close()

    @pytest.fixture
    def root(self, tmp_path: Path) -> Iterator[str]:
        self.folder = tmp_path / "host"
        self.folder.mkdir()
        with ftp_server.serving(self.folder) as port, relay_to(port) as self.relay:
            yield f"ftp://127.0.0.1:{self.relay.port}/top"

    @pytest.mark.parametrize("disposable", [False, True])
    def test_what_is_there_can_be_left_alone(
        self, storage: Storage, root: str, tmp_path: Path, disposable: bool
    ) -> None:
        with pytest.raises(StagingError, match="only where nothing is"):
            storage.put(Put(b"x", f"{root}/once", if_absent=True, disposable=disposable))
        assert list(storage.list(f"{root}/")) == []

    def test_of_many_that_put_what_is_absent_one_does(self, storage: Storage, root: str) -> None:
        """None does: FTP cannot tell."""

        def put(number: int) -> None:
            with pytest.raises(StagingError, match="only where nothing is"):
                storage.put(Put(b"%d" % number, f"{root}/lock", if_absent=True))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, range(16)))
        assert list(storage.list(f"{root}/")) == []


def test_results_of_a_job_go_to_a_host(tmp_path: Path) -> None:
    folder = tmp_path / "host"
    folder.mkdir()
    options: dict[str, Any] = {"plugins": [localproc_fsspec], "storage_options": {"sftp": SFTP}}
    with sftp_server.serving(folder) as port:
        results = f"sftp://127.0.0.1:{port}/results"
        with Engine(tmp_path / "home", results=results, **options) as engine:
            job = engine.run(SAYS, {}).raise_for_status()
            assert job.result("said") == f"{results}/{job.id}/said.txt"
            assert (folder / "results" / job.id / "said.txt").read_text() == "by a host\n"
            assert [one.name for one in job.download(tmp_path / "back")] == ["said.txt"]


def test_a_host_that_cannot_rename_at_once_is_refused_before_anything_is_run(
    tmp_path: Path,
) -> None:
    with (
        Engine(tmp_path, plugins=[localproc_fsspec]) as engine,
        pytest.raises(InvalidInputs, match="smb://host/share: it can only be read"),
    ):
        engine.run(SAYS, {}, results="smb://host/share")


def test_a_connection_that_broke_is_made_anew(tmp_path: Path) -> None:
    """What the engine tries again is not asked on the connection that is no more."""
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    storage = localproc_fsspec.open_scheme("sftp", SFTP)
    with sftp_server.serving(folder) as port:
        uri = f"sftp://127.0.0.1:{port}/a.txt"
        assert storage.info(uri) is not None
        sftp_server.hang_up()
        with pytest.raises(StorageUnavailable):
            storage.info(uri)
        assert storage.info(uri) is not None
    storage.close()


@pytest.mark.parametrize("scheme", ["sftp", "ftp"])
def test_a_host_that_is_away_is_waited_for(scheme: str, tmp_path: Path) -> None:
    storage = localproc_fsspec.open_scheme(scheme, SFTP if scheme == "sftp" else GIVEN)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        for host in (f"127.0.0.1:{nobody.getsockname()[1]}", "nobody.invalid"):
            with pytest.raises(StorageUnavailable):
                storage.info(f"{scheme}://{host}/a.txt")
    storage.close()


def test_what_is_kept_is_used_when_the_host_is_away(tmp_path: Path) -> None:
    (folder := tmp_path / "host").mkdir()
    (folder / "a.txt").write_text("a")
    options: dict[str, Any] = {
        "plugins": [localproc_fsspec],
        "storage_options": {"sftp": SFTP},
        "offline": "auto",
    }
    with Engine(tmp_path / "home", **options) as engine:
        with sftp_server.serving(folder) as port:
            given = {"file": {"class": "File", "location": f"sftp://127.0.0.1:{port}/a.txt"}}
            engine.run(COPIES, given).raise_for_status()
        job = engine.run(COPIES, given).raise_for_status()
        assert job.result("copy").read_text() == "a"
