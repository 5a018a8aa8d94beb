"""The contract with a store in memory, and reading from a real FTP server."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import localproc_fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from ftp_server import serving
from tests.patience import patient

from localproc import Engine
from localproc.errors import EnvironmentProblem, NoSuchObject, StagingError
from localproc.plugins.storage import Put, Storage
from localproc.testing.storages import StorageContract


class TestMemory(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return localproc_fsspec.open_scheme("memory", {"enabled": True})

    @pytest.fixture
    def root(self) -> str:
        return f"memory://{secrets.token_hex(6)}/folder"

    @contextmanager
    def stalled(self) -> Iterator[bool]:
        """Have none of its calls come back."""
        over = Event()

        def silent(*_: object, **__: object) -> None:
            over.wait()

        with pytest.MonkeyPatch.context() as soon:
            soon.setattr("localproc.storage.bounded_calls.patience", lambda *_: 0.1)
            for name in ("info", "find", "put_file", "rm_file", "exists"):
                soon.setattr(MemoryFileSystem, name, silent)
            yield True
        over.set()


def test_a_scheme_has_to_be_switched_on(tmp_path: Path) -> None:
    with Engine(tmp_path, plugins=[localproc_fsspec]) as engine:
        with pytest.raises(EnvironmentProblem, match="memory is not switched on"):
            engine.run(SAYS, {}, results="memory://results")
        with pytest.raises(EnvironmentProblem, match="cannot be opened"):
            localproc_fsspec.open_scheme("smb", {"enabled": True})


SAYS: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "says",
    "baseCommand": "cat",
    "inputs": [{"id": "file", "type": "File?", "inputBinding": {}}],
    "stdout": "said.txt",
    "outputs": [{"id": "said", "type": "stdout"}],
}


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[str]:
    """Give the address of an FTP server that has one file; its password is hush-hush."""
    folder = tmp_path / "ftp"
    folder.mkdir()
    (folder / "a b+.txt").write_text("by ftp")
    with serving(folder, "elr") as port:
        yield f"ftp://127.0.0.1:{port}"


def test_inputs_come_by_ftp(ftp: str, tmp_path: Path) -> None:
    options = {"ftp": {"enabled": True, "username": "eo", "password": "hush-hush"}}
    with Engine(tmp_path / "home", plugins=[localproc_fsspec], storage_options=options) as engine:
        file = {"class": "File", "location": f"{ftp}/a%20b%2B.txt"}
        job = engine.run(SAYS, {"file": file}).raise_for_status()
        assert job.result("said").read_text() == "by ftp"


def test_what_ftp_refuses_is_told_without_the_password(ftp: str, tmp_path: Path) -> None:
    given = {"enabled": True, "username": "eo", "password": "hush-hush"}
    storage = localproc_fsspec.open_scheme("ftp", given)
    with pytest.raises(NoSuchObject):
        storage.fetch(f"{ftp}/nothing.txt", str(tmp_path / "back"))
    wrong = localproc_fsspec.open_scheme("ftp", {**given, "password": "hush-wrong"})
    with pytest.raises(StagingError) as error:
        wrong.fetch(f"{ftp}/a%20b%2B.txt", str(tmp_path / "back"))
    assert "hush" not in str(error.value)
    with pytest.raises(StagingError, match="a user or a password"):
        storage.fetch(ftp.replace("//", "//eo:hush-hush@") + "/a", str(tmp_path / "back"))
    for one in (storage, wrong):
        one.close()


def test_a_job_whose_input_does_not_come_can_be_dismissed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the engine be closed, though the call of the file system never comes back."""
    asked, over = Event(), Event()

    def silent(*_: object, **__: object) -> None:
        asked.set()
        over.wait()

    options = {"memory": {"enabled": True}}
    with Engine(tmp_path / "home", plugins=[localproc_fsspec], storage_options=options) as engine:
        process = engine.deploy(SAYS)
        monkeypatch.setattr(MemoryFileSystem, "info", silent)
        job = process.execute({"file": {"class": "File", "location": "memory://a/b"}})
        assert asked.wait(patient(30))
        job.dismiss()
        assert job.wait().status == "dismissed"
    assert not over.is_set()
    over.set()


def test_an_input_that_does_not_come_at_first_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, calls, opening = Event(), iter([True]), MemoryFileSystem.open

    def silent_once(*given: Any, **named: Any) -> Any:
        if next(calls, False):
            over.wait()
        return opening(*given, **named)

    uri, options = f"memory://{secrets.token_hex(6)}/b", {"memory": {"enabled": True}}
    localproc_fsspec.open_scheme("memory", options["memory"]).put(Put(b"hello", uri))
    monkeypatch.setattr("localproc.storage.bounded_calls.patience", lambda *_: patient(1))
    monkeypatch.setattr(MemoryFileSystem, "open", silent_once)
    with Engine(tmp_path / "home", plugins=[localproc_fsspec], storage_options=options) as engine:
        job = engine.run(SAYS, {"file": {"class": "File", "location": uri}})
        assert job.raise_for_status().result("said").read_text() == "hello"
        assert "no answer within" in job.logs("stage_in").text
    over.set()
