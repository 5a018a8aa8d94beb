"""The folders of jobs: made ahead, and the same whoever made them."""

import os
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.engine.loop.job_folders import JobFolders
from tests.engine.loop_spy import listening
from tests.patience import until

ECHO = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "echo",
    "baseCommand": "echo",
    "inputs": {"message": {"type": "string", "inputBinding": {}}},
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}


class Folders:
    """A home's folder of jobs and one that is the engine's own."""

    def __init__(self, home: Path) -> None:
        self.jobs, self.aside = home / "jobs", home / "tmp"
        self.jobs.mkdir()
        self.aside.mkdir()
        self.folders = JobFolders(str(self.jobs), str(self.aside))

    def take(self, job_id: str) -> bool:
        return self.folders.take(str(self.jobs / job_id))

    @property
    def ahead(self) -> list[str]:
        return sorted(os.listdir(self.aside))


@pytest.fixture
def made(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_a_job_gets_folders_that_were_made_ahead(made: Folders) -> None:
    made.folders.make_ahead()
    [ready] = made.ahead
    inode = (made.aside / ready).stat().st_ino
    assert made.take("a")
    assert made.ahead == []
    assert (made.jobs / "a").stat().st_ino == inode
    assert sorted(os.listdir(made.jobs / "a")) == ["logs", "work"]


def test_without_any_they_are_made_at_once(made: Folders) -> None:
    assert made.take("a")
    assert sorted(os.listdir(made.jobs / "a")) == ["logs", "work"]
    assert not made.take("a"), "it is taken up again"


def test_a_job_that_goes_on_keeps_its_folder(made: Folders) -> None:
    made.take("a")
    (made.jobs / "a/logs/node_a.log").write_text("said")
    made.folders.make_ahead()
    assert not made.take("a")
    assert (made.jobs / "a/logs/node_a.log").read_text() == "said"
    assert len(made.ahead) == 1, "they are the next job's"
    assert made.take("b")
    assert made.ahead == []


def test_only_some_are_kept(made: Folders) -> None:
    for _ in range(10):
        made.folders.make_ahead()
    assert len(made.ahead) == 4


def test_none_are_made_where_they_would_be_others_than_in_their_place(made: Folders) -> None:
    made.jobs.chmod(0o2755)  # what is made there is of the group of the folder
    made.folders.make_ahead()
    assert made.ahead == []
    assert made.take("a")


def test_none_are_made_before_there_is_a_place_for_them(made: Folders) -> None:
    made.aside.rmdir()
    made.folders.make_ahead()
    assert made.take("a")


def test_the_loop_makes_one_folder_for_a_warm_echo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the job are there already, the one of its step is not."""
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(ECHO)
        process.execute({"message": "hello"}).wait()

        def is_ready() -> list[Any]:
            return list((tmp_path / "home/tmp").glob("*/next-*/work"))

        until(is_ready)
        with listening(monkeypatch) as heard:
            job = process.execute({"message": "hello"}).wait()
        job.raise_for_status()
        assert heard.made == [f"{job.folder}/work/echo"]
        until(is_ready)
    assert not is_ready(), "nothing stays when the engine has gone"
