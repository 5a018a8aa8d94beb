"""``localproc retry``, and options that say how jobs go on."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import localproc

PACKAGE = """\
cwlVersion: v1.2
class: Workflow
id: chain
inputs: {word: string}
outputs: {out: {type: File, outputSource: last/out}}
steps:
  first: {run: &say {class: CommandLineTool, id: say, baseCommand: sh, inputs: {script: {type: File,
      inputBinding: {position: 1}}, word: {type: string?, inputBinding: {position: 2}},
      file: File?}, stdout: out.txt, outputs: {out: stdout}},
    in: {word: word, script: {default: {class: File, location: first.sh}}}, out: [out]}
  last: {run: *say, in: {file: first/out, script: {default: {class: File, location: last.sh}}},
    out: [out]}
"""


@pytest.fixture
def chain(here: Path) -> str:
    (here / "chain.cwl").write_text(PACKAGE)
    (here / "first.sh").write_text('echo "$1"; echo told >&2\n')
    (here / "last.sh").write_text("exit 3\n")
    return "chain.cwl"


def test_a_script_is_mended_and_the_last_step_runs(chain: str, here: Path) -> None:
    failed = localproc("run", chain, "word=hi")
    assert failed.code == 1
    (here / "last.sh").write_text("echo well\n")
    again = localproc("retry", "last")
    assert again.code == 0, again.err
    rows = [line.split(maxsplit=2) for line in again.out.splitlines()[1:3]]
    assert {(row[0], row[1]) for row in rows} == {("first", "reused"), ("last", "successful")}
    assert "it failed before: failed with exit code 3" in again.out
    assert "out: " in again.out
    assert "told" in localproc("logs", "last", "first", "--stream", "stderr").out


def test_inputs_change_and_the_rest_is_as_it_was(chain: str) -> None:
    localproc("run", chain, "word=hi", "--title", "mine")
    again = localproc("retry", "last", "word=ho", "--json")
    assert again.code == 1
    found = again.document
    assert found["title"] == "mine"
    reasons = {one["name"]: one.get("because") for one in found["steps"]}
    assert reasons["first"] == "its inputs have changed: word"


def test_a_package_elsewhere_may_be_what_the_process_is_now(chain: str, here: Path) -> None:
    localproc("run", chain, "word=hi")
    other = here / "other"
    other.mkdir()
    (other / "chain.cwl").write_text(PACKAGE + "label: a newer one\n")
    (other / "first.sh").write_text((here / "first.sh").read_text())
    (other / "last.sh").write_text("echo well\n")
    again = localproc("retry", "last", "--package", "other/chain.cwl", "--json")
    assert again.code == 0, again.err
    assert [one["status"] for one in again.document["steps"] if one["name"] == "first"] == [
        "reused"
    ]


def test_what_is_not_there_cannot_be_retried(chain: str) -> None:
    assert localproc("retry", "last").code == 2
    localproc("run", chain, "word=hi")
    assert localproc("retry", "nothing").code == 2
    wrong = localproc("retry", "last", "wrod=ho")
    assert wrong.code == 2
    assert "word" in wrong.err


FLAKY = """\
cwlVersion: v1.2
class: CommandLineTool
id: flaky
baseCommand: [sh, -c, 'echo try >> $0; test $(wc -l < $0) -gt 1 || exit 75']
inputs: {notes: {type: string, inputBinding: {}}}
outputs: {}
"""


@pytest.fixture
def flaky(here: Path) -> list[str]:
    (here / "flaky.cwl").write_text(FLAKY)
    return ["flaky.cwl", f"notes={here / 'notes'}"]


def test_steps_are_tried_again(flaky: list[str]) -> None:
    tried = localproc(
        "run", *flaky, "--retries", "flaky=2:0", "--retry-on", "75,timed-out", "--json"
    )
    assert tried.code == 0, tried.err
    assert tried.document["steps"][0]["attempt"] == 2


def test_a_waiting_retry_is_shown(flaky: list[str]) -> None:
    said = localproc("run", *flaky, "--retries", "1:0.01")
    assert said.code == 0
    assert "flaky: waiting until" in said.err
    assert "attempt 1 failed with exit code 75" in said.err


def test_retries_that_make_no_sense_are_wrong_usage(flaky: list[str]) -> None:
    for words in (["--retries", "often"], ["--retries", "2:x"], ["--retry-on", "sometimes"]):
        assert localproc("run", *flaky, *words).code == 2


def test_what_was_done_once_is_not_done_again(flaky: list[str], here: Path) -> None:
    words = ["--retries", "1:0", "--once", "nightly"]
    first = localproc("run", *flaky, *words, "--json")
    assert first.code == 0, first.err
    again = localproc("run", *flaky, *words, "--json")
    assert again.document["jobID"] == first.document["jobID"]
    assert "has this key: it is successful" in again.err
    assert (here / "notes").read_text() == "try\ntry\n"


def test_a_job_has_a_time_limit_and_a_priority(here: Path, sleeper: Path) -> None:
    said = localproc("run", sleeper, "--time-limit", "0.2s", "--priority", "4", "--json")
    assert said.code == 1
    assert said.document["problem"]["cause"] == "time-limit"
    assert said.document["properties"]["priority"] == 4


def test_a_job_keeps_going(here: Path) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "wide",
        "requirements": {"ScatterFeatureRequirement": {}},
        "inputs": {"codes": "int[]"},
        "outputs": {},
        "steps": {
            "end": {
                "run": {
                    "class": "CommandLineTool",
                    "id": "end",
                    "baseCommand": ["sh", "-c", 'exit "$0"'],
                    "inputs": {"code": {"type": "int", "inputBinding": {}}},
                    "outputs": {},
                },
                "scatter": "code",
                "in": {"code": "codes"},
                "out": [],
            }
        },
    }
    (here / "wide.cwl").write_text(json.dumps(package))
    said = localproc("run", "wide.cwl", "codes=[1, 0, 2]", "--keep-going")
    assert said.code == 1
    assert "2 steps failed" in said.err
    assert "exit code 1" in said.err
    assert "exit code 2" in said.err
