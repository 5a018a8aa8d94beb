"""Commands that are told to end leave nothing behind, or say how to go on."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localproc import Engine
from localproc.model import JobStatus
from tests.cli.terminal import end_of, localproc, started
from tests.patience import until

SLEEPS = """\
cwlVersion: v1.2
class: CommandLineTool
id: sleeps
baseCommand: [sh, -c, 'echo $$ > "$0"; exec sleep 300']
inputs: {file: {type: string, inputBinding: {}}}
outputs: {}
"""


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    return tmp_path / "pid"


@pytest.fixture
def sleeps(here: Path, pid_file: Path) -> Path:
    """Give a package that sleeps, with inputs that say where it writes its process id."""
    (here / "inputs.yml").write_text(f"file: {pid_file}\n")
    (here / "sleeps.cwl").write_text(SLEEPS)
    return here / "sleeps.cwl"


@pytest.fixture
def hangups_arrive() -> Iterator[None]:
    """Have processes end on a hangup, though these tests may run under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def begun(pid_file: Path) -> int:
    until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
    return int(pid_file.read_text())


def runs(pid: int) -> bool:
    """Return whether a process runs; one that has ended may wait for whoever started it."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.usefixtures("hangups_arrive")
def test_cwl_stops_its_tool_and_leaves_no_home(
    sleeps: Path,
    pid_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    code: int,
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with started("cwl", sleeps, "inputs.yml") as process:
        pid = begun(pid_file)
        process.send_signal(number)
        assert end_of(process).code == code
    until(lambda: not runs(pid))
    until(lambda: not list(temporary.glob("localproc-*")))


def test_run_under_sigterm_says_how_to_go_on(sleeps: Path, pid_file: Path, home: Path) -> None:
    with started("run", sleeps, "inputs.yml") as process:
        pid = begun(pid_file)
        process.send_signal(signal.SIGTERM)
        said = end_of(process)
    assert said.code == 143
    assert "goes on with 'localproc resume'" in said.err
    assert runs(pid), "its task is left to the next engine"
    with Engine(home, run_jobs=False) as engine:
        (job,) = engine.jobs()
        assert job.abandoned
        assert f"left: {job.id} goes on" in said.err
    os.kill(pid, signal.SIGKILL)
    assert localproc("resume").code == 1


def test_run_once_goes_on_with_the_job_of_its_key(
    tmp_path: Path, pid_file: Path, home: Path
) -> None:
    """As a scheduler has it that puts a script back into its queue: the command is the same."""
    go = tmp_path / "go"
    script = f"echo $$ >>{pid_file}; until [ -e {go} ]; do sleep 0.05; done"
    tool = tmp_path / "waits.cwl"
    tool.write_text(
        f"""
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, '{script}']
inputs: []
outputs: []
"""
    )
    with started("run", tool, "--once", "k") as process:
        begun(pid_file)
        process.send_signal(signal.SIGTERM)
        assert end_of(process).code == 143
    go.touch()
    again = localproc("run", tool, "--once", "k")
    assert again.code == 0
    with Engine(home, run_jobs=False) as engine:
        assert [job.status for job in engine.jobs()] == [JobStatus.SUCCESSFUL]
    assert len(pid_file.read_text().split()) == 1, "its task ran once"


def test_run_under_sigterm_tells_of_its_own_job_alone(
    sleeps: Path, pid_file: Path, home: Path
) -> None:
    with started("run", sleeps, "inputs.yml") as process:
        pid = begun(pid_file)
        with Engine(home) as elsewhere:
            other = elsewhere.execute("sleeps", "inputs.yml")
            left = elsewhere.execute("sleeps", "inputs.yml", detached=True)
            process.send_signal(signal.SIGTERM)
            said = end_of(process)
            other.dismiss()
    assert said.err.count("left:") == 1
    assert other.id not in said.err
    assert left.id not in said.err
    os.kill(pid, signal.SIGKILL)


def test_resume_under_sigterm_says_how_to_go_on(sleeps: Path, pid_file: Path, home: Path) -> None:
    with Engine(home, run_jobs=False) as engine:
        engine.deploy(sleeps).execute("inputs.yml")
    with started("resume") as process:
        begun(pid_file)
        process.send_signal(signal.SIGTERM)
        said = end_of(process)
    assert said.code == 143
    assert "left: go on with 'localproc resume'" in said.err
