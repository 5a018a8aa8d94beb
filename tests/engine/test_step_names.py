"""Steps may have any names: each has a key, a row, a log and a folder of its own."""

import json
import signal
import subprocess
import sys
import tracemalloc
import unicodedata
from pathlib import Path

import pytest

from localproc import Engine, Job
from localproc.engine.job.step_names import StepNames
from localproc.engine.job.steplog import LogNames, out_name
from localproc.model.events import STAGE_IN, STAGE_OUT
from tests.patience import patient

WORDS = ["stage_in", "crop", "node_crop", "crop.out", "crop.in", "nested", "stage_out"]


def check(job: Job) -> None:
    job.raise_for_status()
    assert job.result("first").read_text() == "seed\nstage_in\n"
    assert job.result("last").read_text() == "\n".join(["seed", *WORDS]) + "\n"
    steps = {step.key: step for step in job.steps}
    assert (steps[STAGE_IN].name, steps[STAGE_OUT].name) == (
        "localproc_stage_in",
        "localproc_stage_out",
    )
    names = [step.name for step in job.steps]
    logs = [file for step in job.steps for file in (step.log, out_name(step.log))]
    assert len(set(names)) == len(names)
    assert len(set(logs)) == len(logs)
    theirs = [step for step in job.steps if not step.key.startswith("/")]
    assert [step.key for step in theirs] == [
        {"nested": "nested/stage_in"}.get(word, word) for word in WORDS
    ]
    for word, step in zip(WORDS, theirs, strict=True):
        for one in (step.name, step.log):
            assert job.logs(one).stderr == f"log of {word}\n"
            assert job.logs(one).stdout == f"out of {word}\n"


def test_steps_named_like_the_engines_own_and_like_others_logs(
    localproc_engine: Engine, packages: Path, tmp_path: Path
) -> None:
    (tmp_path / "seed.txt").write_text("seed\n")
    job = localproc_engine.run(packages / "own-names.cwl", {"seed": str(tmp_path / "seed.txt")})
    check(job)
    with localproc_engine.client() as client:
        for step in job.steps:
            answer = client.get(f"jobs/{job.id}/{step.log}")
            assert answer.status_code == 200
            assert answer.text == job.logs(step.name).text


@pytest.mark.parametrize("number", range(2, 22, 3))
def test_they_are_told_apart_after_a_kill_too(tmp_path: Path, packages: Path, number: int) -> None:
    (tmp_path / "seed.txt").write_text("seed\n")
    killer = Path(__file__).with_name("killer.py")
    inputs = json.dumps({"seed": str(tmp_path / "seed.txt")})
    home, package = tmp_path / "home", packages / "own-names.cwl"
    command = [sys.executable, str(killer), str(home), str(package), inputs, str(number)]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=patient(60))
    assert ended.returncode in (0, -signal.SIGKILL)
    with Engine(home) as engine:
        job = engine.jobs()[0].wait(patient(60))
        check(job)


@pytest.mark.parametrize("name", ["stage_in", "stage_out"])
def test_a_tool_named_like_one_of_them(localproc_engine: Engine, tmp_path: Path, name: str) -> None:
    (tmp_path / "seed.txt").write_text("seed\n")
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": name,
        "baseCommand": ["cat"],
        "inputs": {"seed": {"type": "File", "inputBinding": {}}},
        "stdout": "said.txt",
        "outputs": {"said": "stdout"},
    }
    job = localproc_engine.run(tool, {"seed": str(tmp_path / "seed.txt")}).raise_for_status()
    assert job.result("said").read_text() == "seed\n"
    names = {step.key: step.name for step in job.steps}
    assert names[name] == name
    assert names[f"/{name}"] == f"localproc_{name}"


def test_a_step_of_that_name_that_fails_is_no_input_that_could_not_be_read(
    localproc_engine: Engine,
) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "stage_in",
        "baseCommand": ["false"],
        "inputs": {},
        "outputs": {},
    }
    job = localproc_engine.run(tool)
    with localproc_engine.client() as client:
        assert client.get(f"jobs/{job.id}/results").status_code == 500


def test_names_of_logs_stay_when_a_job_goes_on() -> None:
    names = LogNames({})
    assert [names.of(step) for step in ("crop", "node_crop", "crop.out", "crop")] == [
        "node_crop.log",
        "node_crop_2.log",
        "node_crop.out_2.log",
        "node_crop.log",
    ]
    again = LogNames({"crop": "node_crop.log", "node_crop": "node_crop_2.log"})
    assert again.of("node_crop") == "node_crop_2.log"
    assert again.of("crop_2") == "node_crop_2_2.log"


ALIKE = ["crop", "Crop", "CROP", "été", "e\u0301t\u00e9", "ÉTÉ", "ß", "ss"]


def told_apart_nowhere(name: str) -> str:
    """Return what a disk of macOS knows a file by."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def test_steps_whose_names_are_one_to_some_disks_share_nothing() -> None:
    names, logs = StepNames({}), LogNames({})
    taken = [names.take(step) for step in ALIKE for _ in range(2)]
    assert len(set(map(told_apart_nowhere, taken))) == 2 * len(ALIKE)
    files = [file for name in taken for file in (logs.of(name), out_name(logs.of(name)))]
    assert len(set(map(told_apart_nowhere, files))) == 4 * len(ALIKE)
    assert taken[:4] == ["crop", "crop_2", "Crop_3", "Crop_4"]


def test_a_job_that_goes_on_where_disks_are_like_that_takes_no_name_twice() -> None:
    names = StepNames({"Crop": 1})
    assert names.take("crop") == "crop_2"
    logs = LogNames({"Crop": "node_Crop.log"})
    assert logs.of("crop") == "node_crop_2.log"


def test_a_number_that_an_instance_has_is_no_name_of_another_step() -> None:
    names = StepNames({})
    steps = ["a", "a", "a", "A_2", "a_3", "a_5", "a", "a", "a_02", "a_1", "a_4.in"]
    assert [names.take(step) for step in steps] == [
        "a",
        "a_2",
        "a_3",
        "A_2_2",
        "a_3_2",
        "a_5",
        "a_4",
        "a_6",
        "a_02",
        "a_1",
        "a_4.in_2",
    ]


def test_the_names_of_a_wide_scatter_take_no_room() -> None:
    names = StepNames({})

    def take(times: int) -> None:
        for _ in range(times):
            names.take("crop")

    take(10)
    tracemalloc.start()
    take(1_000)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 1_000


def test_two_steps_of_such_names_have_their_own_folders_and_logs(
    localproc_engine: Engine,
) -> None:
    step = {
        "in": {},
        "out": ["out"],
        "run": {
            "class": "CommandLineTool",
            "baseCommand": ["sh", "-c", "echo out; echo log >&2"],
            "inputs": {},
            "stdout": "out.txt",
            "outputs": {"out": "stdout"},
        },
    }
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "alike",
        "inputs": {},
        "outputs": {
            "a": {"type": "File", "outputSource": "Crop/out"},
            "b": {"type": "File", "outputSource": "crop/out"},
        },
        "steps": {"Crop": step, "crop": step},
    }
    job = localproc_engine.run(package).raise_for_status()
    logs = [one.log for one in job.steps if not one.key.startswith("/")]
    assert len({log.lower() for log in logs}) == 2
    assert sorted(one.key for one in job.steps if not one.key.startswith("/")) == ["Crop", "crop"]
