"""Whatever jobs are made of, the loop's thread does nothing that may take long.

Allowed, as it takes no time: making folders, looking at some files, digests and literals that are
small, and asking the process of JavaScript for a moment.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from localproc import Engine
from localproc.engine.home.liveness import Liveness
from localproc.engine.job import planning, staging
from localproc.engine.loop import job_work
from localproc.engine.loop.job_starts import JobStarts
from localproc.engine.loop.loop import Loop
from localproc.engine.loop.quick_disk import QuickDisk
from localproc.errors import JobFailed
from localproc.storage.disk import TooBig
from tests.engine.loop_spy import LOOP, listening
from tests.patience import patient, until

MANY: Final = 600  #: instances of a scatter: more than is looked at in no time
FILES: Final = 1200  #: outputs: more than the loop may look at
DIGESTED: Final = 4 << 20  #: bytes that the loop may digest for a job
READ: Final = 256 << 10  #: ... and read
WRITTEN: Final = 64 << 10  #: ... and write
ENCODED: Final = 256 << 10  #: characters of an event that the loop may write
MOST_BEGUN: Final = 8  #: jobs that the loop takes up in one turn
LARGE: Final = 8 << 20  #: bytes: more than the loop may read


def tool(script: str, **more: Any) -> dict[str, Any]:
    """Give a tool that runs a script of the shell."""
    inputs: Mapping[str, Any] = more.pop("inputs", {})
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "requirements": {"InlineJavascriptRequirement": {}, **more.pop("requirements", {})},
        "baseCommand": ["sh", "-c", script],
        "inputs": inputs,
        "outputs": more.pop("outputs", {}),
        **more,
    }


def globbed(pattern: str, kind: str = "File", **binding: Any) -> dict[str, Any]:
    return {"out": {"type": kind, "outputBinding": {"glob": pattern, **binding}}}


def said(size: int) -> str:
    """Give a script that writes ``cwl.output.json`` with a text of so many characters."""
    text = f"head -c {size} /dev/zero | tr '\\0' x"
    return f"""(printf '{{"out": "'; {text}; printf '"}}') > cwl.output.json"""


POSITION: Final = {"inputBinding": {"position": 1}}
PACKAGES: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "secondary files": (
        tool(
            'cat "$0" > out',
            inputs={"file": {"type": "File", "secondaryFiles": [".idx"], **POSITION}},
            outputs=globbed("out"),
        ),
        {"file": {"class": "File", "path": "large"}},
    ),
    "a literal": (
        tool(
            'cat "$0" > out', inputs={"file": {"type": "File", **POSITION}}, outputs=globbed("out")
        ),
        {"file": {"class": "File", "contents": "x" * 60_000, "basename": "text"}},
    ),
    "InitialWorkDir": (
        tool(
            "cat own text > out",
            inputs={"file": "File"},
            outputs=globbed("*", "File[]"),
            requirements={
                "InitialWorkDirRequirement": {
                    "listing": [
                        {"entryname": "own", "entry": "$(inputs.file)", "writable": True},
                        {"entryname": "text", "entry": "$(inputs.file.basename)".ljust(70_000)},
                    ]
                }
            },
        ),
        {"file": {"class": "File", "path": "large"}},
    ),
    "a large output": (tool(f"head -c {LARGE} /dev/zero > out", outputs=globbed("out")), {}),
    "many outputs": (
        tool(f"seq {FILES} | xargs touch", outputs=globbed("*", "File[]")),
        {},
    ),
    "a large cwl.output.json": (tool(said(LARGE), outputs={"out": "string"}), {}),
    "loadContents": (
        tool(
            "head -c 60000 /dev/zero > out",
            inputs={"file": {"type": "File", "loadContents": True}},
            outputs={
                "out": {
                    "type": "int",
                    "outputBinding": {
                        "glob": "out",
                        "loadContents": True,
                        "outputEval": "$(self[0].contents.length + inputs.file.contents.length)",
                    },
                }
            },
        ),
        {"file": {"class": "File", "path": "large.idx"}},
    ),
    "a Directory with its listing": (
        tool(
            f"mkdir out && cd out && seq {FILES} | xargs touch",
            outputs=globbed("out", "Directory", loadListing="deep_listing"),
        ),
        {},
    ),
    "a scatter": (
        {
            "cwlVersion": "v1.2",
            "class": "Workflow",
            "requirements": {"ScatterFeatureRequirement": {}, "InlineJavascriptRequirement": {}},
            "inputs": {"n": "int[]"},
            "outputs": {"out": {"type": "Any", "outputSource": "each/out"}},
            "steps": {
                "each": {
                    "run": {
                        "class": "ExpressionTool",
                        "inputs": {"n": "int"},
                        "outputs": {"out": "int"},
                        "expression": "${return {out: inputs.n + 1};}",
                    },
                    "scatter": "n",
                    "in": {"n": "n"},
                    "out": ["out"],
                }
            },
        },
        {"n": list(range(MANY))},
    ),
    "a large literal of JavaScript": (
        {
            "cwlVersion": "v1.2",
            "class": "ExpressionTool",
            "requirements": {"InlineJavascriptRequirement": {}},
            "inputs": {},
            "outputs": {"out": "File"},
            "expression": "$({out: {class: 'File', basename: 'x', contents: 'y'.repeat(65000)}})",
        },
        {},
    ),
    "a file from the web": (
        tool(
            'cat "$0" > out', inputs={"file": {"type": "File", **POSITION}}, outputs=globbed("out")
        ),
        {"file": {"class": "File", "location": "{web}/large"}},
    ),
}


@pytest.fixture
def files(tmp_path: Path) -> Iterator[str]:
    """Give the address of a folder with a large file and a small one, in which the test runs."""
    (tmp_path / "large").write_bytes(b"x" * LARGE)
    (tmp_path / "large.idx").write_text("index")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("what", PACKAGES)
def test_the_loop_does_nothing_slow(
    what: str, tmp_path: Path, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, inputs = PACKAGES[what]
    asked = json.loads(json.dumps(inputs).replace("{web}", files))
    with Engine(tmp_path / "home", keep=True) as engine:
        process = engine.deploy(package, process_id="package")
        engine.warm_up()
        with listening(monkeypatch) as heard:
            job = process.execute(asked, base=tmp_path).wait(patient(60))
        job.raise_for_status()
        assert not heard.slow
        assert sum(heard.digested) <= DIGESTED
        assert sum(heard.read) <= READ
        assert sum(map(os.path.getsize, heard.written)) <= WRITTEN
        assert max(heard.encoded) <= ENCODED


def test_what_the_loop_would_do_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from localproc.storage.disk import Disk

    path = tmp_path / "file"

    def act() -> None:
        path.write_text("x")
        Disk().checksum(str(path))
        Disk().read(str(path))
        os.symlink(path, tmp_path / "link")

    with listening(monkeypatch) as heard:
        thread = threading.Thread(target=act, name=LOOP)
        thread.start()
        thread.join()
    assert (heard.written, heard.digested, dict(heard.slow)) == (
        [str(path)],
        [1],
        {"os.symlink": 1},
    )


SCATTERED: Final = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "requirements": {"ScatterFeatureRequirement": {}, "MultipleInputFeatureRequirement": {}},
    "inputs": {"times": "string[]"},
    "outputs": {
        "one": {"type": "Any", "outputSource": "say/out"},
        "more": {"type": "Any", "outputSource": "say/out"},
    },
    "steps": {
        "say": {
            "run": tool('echo "{\\"out\\": \\"$0\\"}" > cwl.output.json', outputs={"out": "string"})
            | {"inputs": {"text": {"type": "string", "inputBinding": {"position": 1}}}},
            "scatter": "text",
            "in": {"text": "times"},
            "out": ["out"],
        }
    },
}


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (2, ""),
        (3, "what it gives, written as JSON, has more than 0 MiB"),
        (9, "what the steps have given, written as JSON, has more than 0 MiB"),
    ],
)
def test_all_outputs_of_a_job_together_have_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, message: str
) -> None:
    """Those of its steps, and those that it gives: one value may be many of them."""
    for module in (planning, job_work):
        monkeypatch.setattr(module, "MOST", 1600)
    monkeypatch.setattr(staging, "LARGE", 400)
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(SCATTERED, process_id="package")
        job = process.execute({"times": ["x" * 300] * count}).wait(patient(60))
        if not message:
            job.raise_for_status()
            return
        with pytest.raises(JobFailed, match=message) as failed:
            job.raise_for_status()
        assert failed.value.hint == "let tools write files, and have these be their outputs"
        assert not list((tmp_path / "home" / "results").glob("*"))
        assert process.execute({"times": ["x"]}).wait(patient(60)).status == "successful"


HUGE: Final = ["x" * 1000] * 2000


def test_no_event_that_the_loop_writes_is_large(tmp_path: Path) -> None:
    """Large members of events are written by whoever has made them, before the events."""
    package = tool(
        said(3_000_000),
        id="package",
        inputs={"many": "string[]"},
        outputs={"out": "string"},
    )
    with Engine(tmp_path / "home") as engine:
        job = engine.run(package, {"many": HUGE})
        assert job.results() == {"out": "x" * 3_000_000}
        assert job.inputs == {"many": HUGE}
        with sqlite3.connect(tmp_path / "home" / "localproc.db") as db:
            ((longest,),) = db.execute("SELECT max(length(data)) FROM events")
            ((largest,),) = db.execute("SELECT max(length(data)) FROM apart")
        db.close()
    assert longest <= ENCODED
    assert largest <= 2 * ENCODED


def test_many_inputs_are_gone_through_by_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That they are of their types, and whether there are files among them."""
    threads: list[str] = []
    filled_inputs = staging.filled_inputs

    def told(*args: Any) -> Any:
        threads.append(threading.current_thread().name)
        return filled_inputs(*args)

    for module in (staging, job_work):
        monkeypatch.setattr(module, "filled_inputs", told)
    package = tool("true", id="package", inputs={"many": "Any"})
    (tmp_path / "file").write_text("x")
    file = {"class": "File", "location": (tmp_path / "file").as_uri()}
    with Engine(tmp_path / "home") as engine:
        plain = engine.run(package, {"many": HUGE})
        assert [step.name for step in plain.steps] == ["package"]
        brought = engine.run(package, {"many": [*HUGE, file]})
        assert [step.name for step in brought.steps] == ["stage_in", "package"]
        assert threads == ["localproc-planning"] * 2
        engine.run(package, {"many": "few"})
        assert threads[2:] == [LOOP]


class Turns:
    """How many jobs the loop takes up in each of its turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken_up = [0]
        turn, take_up = Loop._turn, JobStarts.take_up

        def told_turn(loop: Loop) -> None:
            self.taken_up.append(0)
            turn(loop)

        def told_take_up(starts: JobStarts, *args: Any) -> Any:
            self.taken_up[-1] += 1
            return take_up(starts, *args)

        monkeypatch.setattr(Loop, "_turn", told_turn)
        monkeypatch.setattr(JobStarts, "take_up", told_take_up)


def test_few_jobs_are_taken_up_in_one_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(monkeypatch)
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        process = engine.deploy(tool("true", id="package"))
        waiting = [process.execute({}) for _ in range(60)]
    with Engine(tmp_path / "home") as engine:
        for job in waiting:
            assert engine.job(job.id).wait(patient(60)).status == "successful"
    assert sum(turns.taken_up) == 60
    assert max(turns.taken_up) <= MOST_BEGUN


def test_jobs_that_have_to_wait_for_others_leave_the_loop_asleep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakes: list[str] = []
    wake = Liveness.wake

    def told(bell: Liveness) -> None:
        wakes.append(threading.current_thread().name)
        wake(bell)

    with Engine(tmp_path / "home", active=2) as engine:
        sleeping = engine.deploy(tool("sleep 3600", id="sleeping"))
        first, last = sleeping.execute({}), sleeping.execute({})
        until(lambda: (first.status, last.status) == ("running", "running"))
        monkeypatch.setattr(Liveness, "wake", told)
        quick = engine.deploy(tool("true", id="quick"))
        waiting = [quick.execute({}) for _ in range(20)]
        assert threading.current_thread().name not in wakes
        assert first.dismiss().status == "dismissed"
        assert {job.wait(patient(60)).status for job in waiting} == {"successful"}
        last.dismiss()


def test_few_jobs_that_wait_are_dismissed_in_one_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(monkeypatch)
    with Engine(tmp_path / "home", active=2) as engine:
        process = engine.deploy(tool("sleep 3600", id="package"))
        jobs = [process.execute({}) for _ in range(60)]
        until(lambda: [str(job.status) for job in jobs].count("running") == 2)
        for job in jobs:
            job.dismiss(wait=False)
        assert {job.wait(patient(60)).status for job in jobs} == {"dismissed"}
    assert max(turns.taken_up) <= 2 * MOST_BEGUN


def test_of_a_large_folder_the_loop_reads_few_names(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / str(number)).touch()
    with pytest.raises(TooBig):
        QuickDisk().listdir(str(tmp_path))
    with pytest.raises(TooBig):
        QuickDisk().glob(str(tmp_path), "*")
