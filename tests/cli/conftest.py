"""A folder to stand in, and a home that nothing runs in afterwards."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localproc import Engine, LocalprocError
from localproc.engine.engine import namespace_of
from tests.patience import patient, until


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder that commands are typed in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the home that commands find."""
    folder = tmp_path / "home"
    monkeypatch.setenv("LOCALPROC_HOME", str(folder))
    yield folder
    with contextlib.suppress(LocalprocError):
        if (folder / "localproc.db").exists():
            stop_all(folder)


def stop_all(home: Path) -> None:
    """Dismiss what still runs, and wait until nobody uses the home any more."""
    with Engine(home) as engine:
        left = engine.jobs(status=("accepted", "running"), limit=1000)
        for job in left:
            job.dismiss(wait=False)
        for job in left:
            job.wait(patient(10))
        until(lambda: [pid for _, pid in namespace_of(engine).alive() if pid != os.getpid()] == [])


SLEEPER = """\
cwlVersion: v1.2
class: CommandLineTool
id: sleeper
baseCommand: [sh, -c, 'echo "$$" >&2; exec sleep $0']
inputs: {seconds: {type: float, default: 300, inputBinding: {}}}
outputs: {}
"""


@pytest.fixture
def sleeper(tmp_path: Path) -> Path:
    """Give a package that sleeps, and says on stderr which process it is."""
    path = tmp_path / "sleeper.cwl"
    path.write_text(SLEEPER)
    return path
