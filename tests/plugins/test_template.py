"""The template in use: a job whose tasks and results are its business."""

import importlib
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest

from localproc import Engine
from localproc.model import Kind
from tests.children import child
from tests.patience import patient, until

SOURCE = Path(__file__).parents[2] / "plugins" / "localproc-template" / "src"


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SOURCE)
    return importlib.import_module("localproc_template")


def test_a_job_runs_one_task_after_the_other(
    tmp_path: Path, packages: Path, template: ModuleType
) -> None:
    with Engine(tmp_path / "home", plugins=[template], executor="sequential") as engine:
        job = engine.run(packages / "three-steps.cwl", {"text": "hello"}).raise_for_status()
        assert job.result("last").read_text() == "hello\n"
        failed = engine.run(packages / "three-steps.cwl", {"text": "hello", "code": 3})
    assert failed.message == "step second failed with exit code 3"
    assert failed.problem["stderrTail"] == ["one line", "this is why"]
    assert not (tmp_path / "home" / "executor-sequential").exists(), "it is tidy"


def test_results_are_published_in_memory(
    tmp_path: Path, packages: Path, template: ModuleType
) -> None:
    with Engine(tmp_path / "home", plugins=[template], results="memory://results") as engine:
        job = engine.run(packages / "echo.cwl", {"message": "hello"}).raise_for_status()
        uri = job.result("said")
        assert uri == f"memory://results/{job.id}/said.txt"
        again = engine.run(
            {
                "cwlVersion": "v1.2",
                "class": "CommandLineTool",
                "id": "reads",
                "baseCommand": "cat",
                "inputs": [{"id": "file", "type": "File", "inputBinding": {}}],
                "stdout": "same.txt",
                "outputs": [{"id": "same", "type": "stdout"}],
            },
            {"file": {"href": uri}},
            results=str(tmp_path / "results"),
        )
        assert again.raise_for_status().result("same").read_text() == "hello\n"


SLOW = """
cwlVersion: v1.2
class: CommandLineTool
id: slow
baseCommand: [sh, -c, 'echo begun >&2; until [ -e "$0" ]; do sleep 0.05; done; echo done']
inputs: {go: {type: string, inputBinding: {}}}
stdout: out.txt
outputs: {out: stdout}
"""
RUN = """
import sys, localproc, localproc_template
engine = localproc.Engine(sys.argv[1], plugins=[localproc_template], executor="sequential")
engine.run(sys.argv[2], {"go": sys.argv[3]})
"""


def test_a_task_goes_on_when_its_engine_is_killed(tmp_path: Path, template: ModuleType) -> None:
    (tmp_path / "slow.cwl").write_text(SLOW)
    home, go = tmp_path / "home", tmp_path / "go"
    command = [sys.executable, "-c", RUN, str(home), str(tmp_path / "slow.cwl"), str(go)]
    path = os.pathsep.join([str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])])
    with child(command, env={**os.environ, "PYTHONPATH": path}) as running:
        until(lambda: any(log.read_text() for log in home.glob("jobs/*/logs/node_slow.log")))
        running.send_signal(signal.SIGKILL)
    go.touch()
    with Engine(home, plugins=[template]) as engine:
        job = engine.jobs()[0].wait()
    assert job.status == "successful"
    assert [step.attempt for step in job.steps if step.name == "slow"] == [1]
    assert [event.kind for event in job.events()].count(Kind.STEP_SUBMITTED) == 2
    assert job.logs("slow").text == "begun\n", "it ran once"


def test_a_job_whose_executor_is_gone_can_be_dismissed_before_it_has_begun(
    tmp_path: Path, template: ModuleType
) -> None:
    (tmp_path / "slow.cwl").write_text(SLOW)
    with Engine(tmp_path / "home", plugins=[template], run_jobs=False) as engine:
        process = engine.deploy(tmp_path / "slow.cwl")
        go = {"go": str(tmp_path)}  # which is there
        one, other = (process.execute(go, executor="sequential").id for _ in range(2))
    with Engine(tmp_path / "home") as engine:
        engine.resume()
        job = engine.job(one).dismiss(wait=False)
        assert job.wait(patient(20)).status == "dismissed"
        assert engine.job(other).status == "accepted"
        engine.close()
    with Engine(tmp_path / "home", plugins=[template]) as engine:
        assert engine.job(other).wait(patient(30)).status == "successful"
