"""With ``durable`` what is recorded is on the disk before, so that a power cut loses nothing."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from localproc import Engine
from localproc.engine.loop import job_starts
from localproc.model.events import StepFinished, Succeeded
from localproc.storage import safekeeping
from localproc.storage.safekeeping import Safekeeping, paths_of
from localproc.store import SqliteStore
from tests.patience import patient, until

OUTPUTS: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "$graph": [
        {
            "class": "Workflow",
            "id": "main",
            "inputs": {"seed": "File"},
            "outputs": {
                "file": {"type": "File", "outputSource": "make/file"},
                "folder": {"type": "Directory", "outputSource": "make/folder"},
                "written": {"type": "File", "outputSource": "write/written"},
            },
            "steps": {
                "make": {"run": "#make", "in": {"seed": "seed"}, "out": ["file", "folder"]},
                "write": {"run": "#write", "in": {}, "out": ["written"]},
            },
        },
        {
            "class": "CommandLineTool",
            "id": "make",
            "baseCommand": ["sh", "-c", 'cat "$0" > a.txt; mkdir -p d/e; echo b > d/e/b.txt'],
            "inputs": {"seed": {"type": "File", "inputBinding": {}}},
            "outputs": {
                "file": {"type": "File", "outputBinding": {"glob": "a.txt"}},
                "folder": {"type": "Directory", "outputBinding": {"glob": "d"}},
            },
        },
        {
            "class": "ExpressionTool",
            "id": "write",
            "requirements": {"InlineJavascriptRequirement": {}},
            "inputs": {},
            "outputs": {"written": "File"},
            "expression": "${ return {written: {class: 'File', basename: 'w', contents: 'x'}}; }",
        },
    ],
}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give what has been written through to the disk, by its numbers: links are one file."""
    found: set[str] = set()
    fsync = os.fsync

    def noted(file: int) -> None:
        fsync(file)
        found.add(number(os.fstat(file)))

    monkeypatch.setattr(os, "fsync", noted)
    return found


def number(of: os.stat_result) -> str:
    return f"{of.st_dev}:{of.st_ino}"


def local_files(value: Any) -> Iterator[str]:
    """Give the paths of all files and folders in outputs, with what folders hold."""
    if isinstance(value, dict):
        location = str(value.get("location", ""))
        if location.startswith("file:"):
            path = unquote(urlsplit(location).path)
            yield path
            for folder, folders, names in os.walk(path):
                yield from (os.path.join(folder, name) for name in (*folders, *names))
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from local_files(one)


def test_what_is_recorded_is_on_the_disk(
    tmp_path: Path, kept: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seed.txt").write_text("seed\n")
    home = tmp_path / "home"
    commit = SqliteStore.commit
    missing: list[str] = []
    looked_at: set[str] = set()

    def checked(self: SqliteStore, owner: str, changes: Any) -> Any:
        for change in changes:
            for event in change.events:
                outputs = event.outputs if isinstance(event, (StepFinished, Succeeded)) else None
                for path in local_files(dict(outputs or {})):
                    if path.startswith(str(home)):
                        looked_at.add(path)
                        needed = (path, os.path.dirname(path))
                        missing.extend(one for one in needed if number(os.stat(one)) not in kept)
        return commit(self, owner, changes)

    monkeypatch.setattr(SqliteStore, "commit", checked)
    with Engine(home, durable=True) as engine:
        job = engine.run(OUTPUTS, {"seed": str(tmp_path / "seed.txt")}).raise_for_status()
        results = home / "results" / job.id
        assert (results / "d" / "e" / "b.txt").read_text() == "b\n"
    assert {Path(path).name for path in looked_at} == {"a.txt", "d", "e", "b.txt", "w"}
    assert missing == []
    for folder in (results, results.parent, home / "jobs" / job.id, home / "jobs"):
        assert number(folder.stat()) in kept


def test_without_it_nothing_waits_for_the_disk(
    localproc_engine: Engine, tmp_path: Path, kept: set[str]
) -> None:
    (tmp_path / "seed.txt").write_text("seed\n")
    localproc_engine.run(OUTPUTS, {"seed": str(tmp_path / "seed.txt")}).raise_for_status()
    assert kept == set()


#: Neither of the two ends before the other has begun.
TOGETHER: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "$graph": [
        {
            "class": "Workflow",
            "id": "main",
            "requirements": {"ScatterFeatureRequirement": {}},
            "inputs": {"words": "string[]", "notes": "string"},
            "outputs": {},
            "steps": {
                "say": {
                    "run": "#say",
                    "scatter": "word",
                    "in": {"word": "words", "notes": "notes"},
                    "out": [],
                }
            },
        },
        {
            "class": "CommandLineTool",
            "id": "say",
            "baseCommand": [
                "sh",
                "-c",
                'touch "$1/$0"; until [ -e "$1/a" ] && [ -e "$1/b" ]; do sleep 0.01; done',
            ],
            "inputs": {
                "word": {"type": "string", "inputBinding": {"position": 1}},
                "notes": {"type": "string", "inputBinding": {"position": 2}},
            },
            "outputs": {},
        },
    ],
}


@pytest.mark.parametrize(("durable", "runs"), [(True, 2), (False, 1)])
def test_an_end_from_before_a_restart_of_the_machine_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool, runs: int
) -> None:
    package = tmp_path / "together.cwl"
    package.write_text(json.dumps(TOGETHER))
    inputs = json.dumps({"words": ["a", "b"], "notes": str(tmp_path)})
    killer = Path(__file__).with_name("killer.py")
    command = [sys.executable, str(killer), str(tmp_path / "home"), str(package), inputs]
    ended = subprocess.run([*command, "step-finished"], check=False, timeout=patient(60))
    assert ended.returncode == -signal.SIGKILL
    journals = (tmp_path / "home" / "keepers").glob("*/journal")
    (journal,) = journals
    until(lambda: journal.read_text().count('"ended"') == 2)
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(job_starts, "booted", lambda: later)
    with Engine(tmp_path / "home", durable=durable) as engine:
        job = engine.jobs()[0].wait(patient(60)).raise_for_status()
        attempts = [step.attempt for step in job.steps if step.name in ("say", "say_2")]
    assert attempts == [runs, runs]


def test_many_paths_are_kept_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: set[str]
) -> None:
    paths = [tmp_path / str(number) for number in range(100)]
    for path in paths:
        path.write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    odd = [str(tmp_path / name) for name in ("pipe", "nowhere", "gone")]
    Safekeeping().keep([*map(str, paths), *odd])
    monkeypatch.setattr(safekeeping, "_syncfs", lambda: None)
    Safekeeping().keep([*map(str, paths), *odd])
    assert {number(path.stat()) for path in paths} <= kept


def test_many_threads_are_served_in_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Safekeeping()
    rounds: list[set[str]] = []
    entered, go_on = threading.Event(), threading.Event()

    def write_through(paths: set[str]) -> None:
        rounds.append(paths)
        entered.set()
        go_on.wait(patient(30))

    monkeypatch.setattr(safekeeping, "_write_through", write_through)
    threads = [threading.Thread(target=together.keep, args=([str(n)],)) for n in range(20)]
    threads[0].start()
    assert entered.wait(patient(30))
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < 19:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join()
    assert rounds == [{"0"}, {str(number) for number in range(1, 20)}]


def test_a_disk_that_refuses_is_told_to_all_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    together = Safekeeping()
    with pytest.raises(OSError, match="Input/output error"):
        together.keep([str(tmp_path)])


def test_only_what_is_the_jobs_own_is_kept(tmp_path: Path) -> None:
    job = tmp_path / "jobs" / "1"
    (job / "work").mkdir(parents=True)
    own, theirs = job / "work" / "a", tmp_path / "b"
    for path in (own, theirs):
        path.write_text("x")
    outputs = {
        "own": {"class": "File", "location": own.as_uri()},
        "theirs": [{"class": "File", "location": theirs.as_uri()}],
    }
    assert set(paths_of(outputs, [str(job)])) == {
        str(path) for path in (own, own.parent, job, job.parent, tmp_path)
    }
    assert stat.S_ISDIR(job.stat().st_mode)


def test_links_are_kept_with_what_they_lead_to(tmp_path: Path) -> None:
    job = tmp_path / "job"
    for folder in ("work/a", "work/b", "work/c/deep", "elsewhere"):
        (job / folder).mkdir(parents=True)
    (job / "work/b/real.txt").write_text("b")
    (job / "work/c/deep/inner.txt").write_text("c")
    (tmp_path / "theirs.txt").write_text("not ours")
    (job / "work/a/link.txt").symlink_to("../b/real.txt")
    (job / "work/a/folder").mkdir()
    (job / "work/a/folder/c").symlink_to("../../c")
    (job / "work/a/folder/theirs").symlink_to(tmp_path / "theirs.txt")
    (job / "work/c/deep/up").symlink_to("../../a/folder")  # around in a circle
    outputs = {
        "file": {"class": "File", "location": (job / "work/a/link.txt").as_uri()},
        "folder": {"class": "Directory", "location": (job / "work/a/folder").as_uri()},
    }
    found = {os.path.relpath(path, job) for path in paths_of(outputs, [str(job)])}
    assert {
        "work/a/link.txt",
        "work/a",
        "work/b/real.txt",
        "work/b",
        "work/a/folder",
        "work/a/folder/c",
        "work/c",
        "work/c/deep",
        "work/c/deep/inner.txt",
    } <= found
    assert "../theirs.txt" not in found


def test_what_goes_wrong_as_files_are_kept_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(safekeeping, "_write_through", fails)
        keeping = Safekeeping()
        with pytest.raises(MemoryError):
            keeping.keep([str(tmp_path)])
    keeping.keep([str(tmp_path)])
    assert not keeping._is_working


def test_what_was_kept_by_an_engine_that_is_not_durable_is_written_through_when_it_is_used(
    tmp_path: Path, kept: set[str]
) -> None:
    (tmp_path / "seed.txt").write_text("seed")
    inputs = {"seed": str(tmp_path / "seed.txt")}
    with Engine(tmp_path / "home", reuse=True) as engine:
        engine.run(OUTPUTS, inputs).raise_for_status()
    files = list((tmp_path / "home" / "cache" / "steps").rglob("b.txt"))
    assert files
    kept.clear()
    with Engine(tmp_path / "home", reuse=True, durable=True) as engine:
        job = engine.run(OUTPUTS, inputs).raise_for_status()
        assert any(step.reused_from for step in job.steps)
    assert {number(one.stat()) for one in files} <= kept
