"""What is between a task with secrets and a daemon, where a shell stands in for its container."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from localproc.executors.curtain import Curtain
from localproc.executors.keeper import pipes
from localproc.model import Secrets, Task
from localproc.testing.executor_secrets import TOKEN, found_in, texts_below
from tests.patience import patient, until

SHELL = 'exec >>"$1" 2>>"$2"; . "$3"; exec "$@"'


@pytest.fixture
def curtain(tmp_path: Path) -> Iterator[Curtain]:
    made = Curtain(str(tmp_path / "curtain"))
    yield made
    made.remove()


def task_of(tmp_path: Path, *argv: str) -> Task:
    return Task(
        key="j:s:1",
        argv=argv,
        env={"PATH": os.environ["PATH"]},
        outdir=str(tmp_path),
        tmpdir=str(tmp_path),
        stdin=None,
        stdout=str(tmp_path / "out.txt"),
        stderr=str(tmp_path / "err.txt"),
        secrets=Secrets({"TOKEN": ("token", TOKEN)}),
    )


def begun(curtain: Curtain, task: Task) -> "subprocess.Popen[bytes]":
    argv = ["sh", "-c", SHELL, "sh", *curtain.streams(task), curtain.begin]
    return subprocess.Popen(argv, env={"PATH": os.environ["PATH"]})


def behind(curtain: Curtain) -> psutil.Process:
    """Return the process at the other ends."""
    lock = os.path.join(curtain.folder, "lock")
    for one in psutil.process_iter():
        try:
            if any(file.path == lock for file in one.open_files()):
                return one
        except psutil.Error:
            continue
    raise AssertionError("nobody is there")


def test_what_a_task_says_is_in_its_files_when_it_has_ended(
    curtain: Curtain, tmp_path: Path
) -> None:
    script = 'echo "$TOKEN $0"; echo "error $TOKEN" >&2; exit 3'
    task = task_of(tmp_path, "sh", "-c", script, "it's")
    curtain.make(task)
    curtain.draw(task, task.argv)
    curtain.draw(task, task.argv)  # somebody is there
    assert begun(curtain, task).wait(patient(30)) == 3
    assert curtain.falls()
    assert not curtain.is_torn()
    assert (tmp_path / "out.txt").read_text() == "(secret:token) it's\n"
    assert (tmp_path / "err.txt").read_text() == "error (secret:token)\n"
    assert found_in(texts_below(tmp_path), [TOKEN]) == []


def test_streams_that_are_one_file_stay_in_order(curtain: Curtain, tmp_path: Path) -> None:
    task = task_of(tmp_path, "sh", "-c", "echo 1; echo 2 >&2; echo 3")
    task = replace(task, stderr=task.stdout)
    curtain.make(task)
    curtain.draw(task, task.argv)
    begun(curtain, task).wait(patient(30))
    assert curtain.falls()
    assert (tmp_path / "out.txt").read_text() == "1\n2\n3\n"


def test_a_task_that_nobody_will_tell_its_secrets_is_known(
    curtain: Curtain, tmp_path: Path
) -> None:
    task = task_of(tmp_path, "true")
    curtain.make(task)
    assert curtain.is_torn()
    curtain.draw(task, task.argv)
    assert not curtain.is_torn()
    behind(curtain).kill()
    until(curtain.is_torn)
    curtain.draw(task, task.argv)
    assert begun(curtain, task).wait(patient(30)) == 0
    assert curtain.falls()


def test_what_was_not_written_is_not_said_to_be(curtain: Curtain, tmp_path: Path) -> None:
    task = task_of(tmp_path, "sh", "-c", "echo on >&2; while echo more; do :; done")
    curtain.make(task)
    curtain.draw(task, task.argv)
    shell = begun(curtain, task)
    until(lambda: (tmp_path / "err.txt").exists() and (tmp_path / "err.txt").read_text())
    behind(curtain).kill()
    assert shell.wait(patient(30)) == -signal.SIGPIPE
    assert not curtain.falls()


def test_whoever_is_there_goes_with_the_folder(curtain: Curtain, tmp_path: Path) -> None:
    task = task_of(tmp_path, "true")
    curtain.make(task)
    curtain.draw(task, task.argv)
    process = behind(curtain)
    assert TOKEN not in json.dumps([process.cmdline(), process.environ()], ensure_ascii=False)
    curtain.remove()
    process.wait(patient(30))


def test_who_passes_on_waits_for_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start, left = threading.Thread.start, [2]

    def starts(thread: threading.Thread) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starts)
    monkeypatch.setattr(pipes, "_AGAIN", 0)
    begun = threading.Event()
    pipes.begin_soon(threading.Thread(target=begun.set), str(tmp_path))
    assert begun.wait(patient(20))
    assert left[0] < 0
