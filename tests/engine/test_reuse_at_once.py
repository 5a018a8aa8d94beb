"""What a job has given is there for the next one from the moment that its end is seen."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from localproc import Engine, Job
from localproc.storage.step_cache import StepCache
from tests.patience import patient, until

TOOL: Final[dict[str, Any]] = {
    "class": "CommandLineTool",
    "inputs": {},
    "outputs": {"out": {"type": "File", "outputBinding": {"glob": "made.txt"}}},
}
WRITES: Final = {**TOOL, "baseCommand": ["sh", "-c", "echo made > made.txt"]}
FAILS: Final = {**WRITES, "inputs": {"after": "File"}, "baseCommand": "false"}
ONE: Final[dict[str, Any]] = {"cwlVersion": "v1.2", "id": "one", **WRITES}
TWO: Final[dict[str, Any]] = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "id": "two",
    "inputs": {},
    "outputs": {},
    "steps": {
        "first": {"run": WRITES, "in": {}, "out": ["out"]},
        "second": {"run": FAILS, "in": {"after": "first/out"}, "out": ["out"]},
    },
}


class Keeping:
    """The cache of steps, which keeps nothing until it is let."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.may_keep = threading.Event(), threading.Event()
        keep = StepCache.keep

        def late(cache: StepCache, *args: Any, **more: Any) -> bool:
            self.asked.set()
            self.may_keep.wait(patient(30))
            return keep(cache, *args, **more)

        monkeypatch.setattr(StepCache, "keep", late)


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeping]:
    keeping = Keeping(monkeypatch)
    yield keeping
    keeping.may_keep.set()


def steps(job: Job) -> dict[str, str]:
    """Give how the steps of its package are: not those of the engine's own."""
    return {one.name: str(one.status) for one in job.steps if not one.name.startswith("stage_")}


def test_a_job_has_not_ended_before_its_steps_are_kept(tmp_path: Path, keeping: Keeping) -> None:
    with Engine(tmp_path / "home", reuse=True) as engine:
        process = engine.deploy(ONE)
        job = process.execute({})
        keeping.asked.wait()
        until(lambda: steps(job) == {"one": "successful"})
        assert job.status == "running"
        keeping.may_keep.set()
        job.wait()
        assert steps(process.execute({}).wait()) == {"one": "reused"}
        with Engine(tmp_path / "home", reuse=True) as other:
            assert steps(other.run(ONE, {})) == {"one": "reused"}


def test_so_it_is_with_one_that_fails(tmp_path: Path, keeping: Keeping) -> None:
    with Engine(tmp_path / "home", reuse=True) as engine:
        process = engine.deploy(TWO)
        job = process.execute({})
        until(lambda: steps(job).get("second") == "failed")
        assert job.status == "running"
        keeping.may_keep.set()
        job.wait()
        assert job.status == "failed"
        assert steps(process.execute({}).wait())["first"] == "reused"


def test_and_with_one_that_is_dismissed(tmp_path: Path, keeping: Keeping) -> None:
    waits = {**TWO["steps"], "second": {**TWO["steps"]["second"], "run": {**FAILS}}}
    waits["second"]["run"]["baseCommand"] = ["sleep", "3600"]
    with Engine(tmp_path / "home", reuse=True) as engine:
        process = engine.deploy({**TWO, "steps": waits})
        job = process.execute({})
        until(lambda: steps(job).get("second") == "running")
        job.dismiss(wait=False)
        until(lambda: steps(job).get("second") == "dismissed")
        assert job.status == "running"
        keeping.may_keep.set()
        assert job.wait().status == "dismissed"
        again = process.execute({})
        until(lambda: steps(again).get("first") == "reused")
        again.dismiss()


def test_many_one_after_the_other(tmp_path: Path) -> None:
    """Each looks in the moment in which the one before it has ended."""
    tool = {**ONE, "inputs": {"n": {"type": "int", "inputBinding": {}}}}
    with Engine(tmp_path / "home", reuse=True) as engine:
        process = engine.deploy(tool)
        for number in range(30):
            assert steps(process.execute({"n": number}).wait()) == {"one": "successful"}
            assert steps(process.execute({"n": number}).wait()) == {"one": "reused"}


def test_an_engine_that_is_closed_has_kept_what_it_was_keeping(
    tmp_path: Path, keeping: Keeping
) -> None:
    engine = Engine(tmp_path / "home", reuse=True)
    job = engine.deploy(ONE).execute({})
    keeping.asked.wait()
    closing = threading.Thread(target=engine.close)
    closing.start()
    keeping.may_keep.set()
    closing.join()
    with Engine(tmp_path / "home", reuse=True) as other:
        assert other.job(job.id).wait().status == "successful"
        assert steps(other.run(ONE, {})) == {"one": "reused"}
