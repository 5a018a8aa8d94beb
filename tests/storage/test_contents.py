"""Large files are copied, and their checksums worked out, by a process that gives way."""

import errno
import hashlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from localproc.priorities import lower_session
from localproc.storage import contents
from localproc.storage.disk import on
from tests.children import child
from tests.patience import until

_DATA = random.Random(9).randbytes(20_000_000)


def set_large(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(contents, "LARGE", size)
    monkeypatch.setattr(contents, "LARGE_TO_DIGEST", size)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    set_large(monkeypatch, len(_DATA))
    path = tmp_path / "large"
    path.write_bytes(_DATA)
    return path


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    """See that the process has gone, whatever has become of its work."""
    before = psutil.Process().children()
    yield
    assert [one for one in psutil.Process().children() if one not in before] == []


def copied(file: Path, go_on: Callable[[], object] = on) -> bytes:
    with file.open("rb") as old, tempfile.TemporaryFile() as new:
        contents.copy(old.fileno(), new.fileno(), go_on)
        new.seek(0)
        return new.read()


def digest(file: Path, name: str = "sha256", go_on: Callable[[], object] = on) -> str:
    with file.open("rb") as opened:
        return contents.digest(opened.fileno(), name, go_on)


@pytest.mark.parametrize("large", [1, len(_DATA) + 1])
def test_whoever_does_it_does_the_same(
    file: Path, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_large(monkeypatch, large)
    assert copied(file) == _DATA
    assert digest(file) == hashlib.sha256(_DATA).hexdigest()
    assert digest(file, "sha1") == hashlib.sha1(_DATA).hexdigest()


@pytest.mark.skipif(sys.platform != "linux", reason="its niceness is looked for where Linux tells")
def test_the_process_gives_way_in_its_session_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list[tuple[int, int]]()

    def look(pid: int, to: int) -> None:
        lower_session(pid, to)
        found.append((os.getsid(pid), psutil.Process(pid).nice()))

    monkeypatch.setattr(contents, "lower_session", look)
    assert copied(file) == _DATA
    [(session, niceness)] = found
    assert session != os.getsid(0)
    assert niceness == max(10, psutil.Process().nice())


@pytest.mark.parametrize("work", [copied, digest])
def test_work_that_nobody_wants_ends(work: Callable[..., object], tmp_path: Path) -> None:
    class Unwanted(Exception):
        pass

    def stop() -> None:
        raise Unwanted

    endless = tmp_path / "endless"
    with endless.open("wb") as opened:
        opened.truncate(1 << 40)
    with pytest.raises(Unwanted):
        work(endless, go_on=stop)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no disk is full here")
def test_an_error_of_the_disk_is_raised(file: Path) -> None:
    with (
        file.open("rb") as old,
        open("/dev/full", "wb", buffering=0) as full,
        pytest.raises(OSError, match="No space left") as caught,
    ):
        contents.copy(old.fileno(), full.fileno(), on)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("program", ["/no/such/program", "false", "echo"])
def test_without_a_process_the_thread_does_it(
    file: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    assert copied(file) == _DATA
    assert digest(file) == hashlib.sha256(_DATA).hexdigest()


def test_a_process_that_is_killed_is_done_without(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "lower_session", lambda pid, _: psutil.Process(pid).kill())
    assert copied(file) == _DATA
    assert digest(file) == hashlib.sha256(_DATA).hexdigest()


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


_ASKING = """
import subprocess
import sys
from localproc.storage import contents
from localproc.storage.disk import on
contents.lower_session = lambda pid, _: print(pid, flush=True)
with open(sys.argv[1], "rb") as file:
    contents.digest(file.fileno(), "sha1", lambda: None)
"""


def test_the_process_ends_with_whoever_wants_it(tmp_path: Path) -> None:
    endless = tmp_path / "endless"
    with endless.open("wb") as opened:
        opened.truncate(1 << 40)
    argv = [sys.executable, "-c", _ASKING, str(endless)]
    with child(argv, stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        process = psutil.Process(int(asking.stdout.readline()))
        asking.kill()
    assert until(lambda: has_ended(process))
