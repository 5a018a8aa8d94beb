"""``localproc run``: one job from package to results."""

import json
import os
import re
import subprocess
from pathlib import Path

import psutil
import pytest

from localproc import Engine, Job
from tests.cli.terminal import command, elsewhere, end_of, localproc, started
from tests.patience import patient, until


def test_a_job_that_is_successful(packages: Path, home: Path) -> None:
    said = localproc("run", packages / "three-steps.cwl", "text=hello")
    assert said.code == 0
    (result,) = said.out.splitlines()
    name, _, path = result.partition(": ")
    assert name == "last"
    assert Path(path).read_text() == "hello\n"
    lines = said.err.splitlines()
    for step in ("first", "second", "third", "stage_out"):
        assert any(re.fullmatch(rf"{step}: successful in \d+\.\d s", one) for one in lines), step
    assert "was successful in" in lines[-1]
    logs = Path(lines[-1].partition("logs: ")[2])
    assert (logs / "node_second.log").read_text() == "one line\nthis is why\n"
    assert home in logs.resolve().parents


def test_nothing_but_the_end_is_shown_if_so_wished(packages: Path) -> None:
    said = localproc("run", "--quiet", packages / "echo.cwl", "message=x")
    assert said.code == 0
    assert len(said.err.splitlines()) == 1


def test_a_document_and_nothing_else_on_stdout(packages: Path, home: Path) -> None:
    said = elsewhere("run", "--json", "--title", "Täst", packages / "echo.cwl", "message=x")
    assert said.code == 0
    assert said.err == ""
    document = said.document
    assert {name: document[name] for name in ("processID", "type", "status", "progress")} == {
        "processID": "echo",
        "type": "process",
        "status": "successful",
        "progress": 100,
    }
    assert document["message"] == "successful"
    assert document["title"] == "Täst"
    assert document["created"] <= document["started"] <= document["finished"]
    assert document["updated"] == document["finished"]
    assert [step["name"] for step in document["steps"]] == ["echo", "stage_out"]
    assert document["links"][0]["rel"] == "monitor"
    assert document["folder"] == str(home / "jobs" / document["jobID"])
    assert document["results"]["said"]["href"].startswith("file:///")
    assert document["results"]["said"]["length"] == 2


def test_a_package_that_fails_tells_its_story_in_a_few_lines(packages: Path, home: Path) -> None:
    said = localproc("run", packages / "three-steps.cwl", "text=x", "code=3")
    assert said.code == 1
    assert said.out == ""
    lines = said.err.splitlines()
    story = lines[lines.index("failed: step second failed with exit code 3") :]
    assert story[1:3] == ["  | one line", "  | this is why"]
    facts = dict(line.strip().split(": ", 1) for line in story[3:])
    assert list(facts) == ["command", "folder", "log", "hint"]
    assert facts["command"].startswith("sh -c ")
    assert Path(facts["folder"]).is_dir()
    assert facts["log"].startswith(str(home / "jobs"))
    assert Path(facts["log"]).read_text() == "one line\nthis is why\n"
    assert any(re.fullmatch(r"second: failed in \d+\.\d s \(exit code 3\)", one) for one in lines)


def test_the_document_of_a_failure_has_its_problem(packages: Path) -> None:
    said = localproc("run", "--json", packages / "three-steps.cwl", "text=x", "code=3")
    assert said.code == 1
    document = said.document
    assert document["status"] == "failed"
    assert document["message"] == "step second failed with exit code 3"
    assert document["problem"]["exitCode"] == 3
    assert document["problem"]["stderrTail"] == ["one line", "this is why"]
    assert "results" not in document


def test_a_job_that_somebody_dismisses(sleeper: Path, home: Path) -> None:
    with started("run", sleeper) as process:
        with Engine(home, run_jobs=False) as engine:
            job = until(lambda: engine.jobs(status="running"))[0]
            until(lambda: job.steps)
        dismissed = localproc("dismiss", job.id)
        assert (dismissed.code, dismissed.out) == (0, f"{job.id}: dismissed\n")
        said = end_of(process)
    assert said.code == 3
    assert said.err.splitlines()[-1] == f"job {job.id} was dismissed"


FAMILY = """\
cwlVersion: v1.2
class: CommandLineTool
id: family
baseCommand: [sh, -c, 'trap "" TERM; sh -c "sleep 300 & sleep 300" & echo "$$" >&2; wait; wait']
inputs: {}
outputs: {}
"""


def family(job: Job) -> list[psutil.Process]:
    """Wait for the tool to have children and grandchildren; give them all."""
    leader = psutil.Process(int(until(lambda: job.steps and job.logs().stderr)))
    until(lambda: len(leader.children(recursive=True)) == 3)
    return [leader, *leader.children(recursive=True)]


def test_a_dismissal_from_elsewhere_leaves_nothing_of_a_job_and_all_of_others(
    here: Path, home: Path
) -> None:
    (here / "family.cwl").write_text(FAMILY)
    with started("run", "family.cwl") as one, started("run", "family.cwl") as other:
        with Engine(home, run_jobs=False) as engine:
            jobs = until(lambda: len(engine.jobs(status="running")) == 2 and engine.jobs())
            doomed, lucky = [(job, family(job)) for job in jobs]
            assert elsewhere("dismiss", doomed[0].id).out == f"{doomed[0].id}: dismissed\n"
            assert [process for process in doomed[1] if process.is_running()] == []
            assert all(process.is_running() for process in lucky[1])
            assert lucky[0].status == "running"
            elsewhere("dismiss", lucky[0].id)
        assert {end_of(one).code, end_of(other).code} == {3}


def test_a_deployed_process_is_run_by_its_id(packages: Path) -> None:
    localproc("deploy", packages / "echo.cwl")
    assert localproc("run", "echo", "message=x").code == 0
    said = localproc("run", "ecco", "message=x")
    assert said.code == 2
    assert "'ecco' is neither a file nor a deployed process" in said.err
    assert "did you mean 'echo'?" in said.err


def test_a_folder_is_no_package(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is often called like the process that came from it."""
    (tmp_path / "echo").mkdir()
    monkeypatch.chdir(tmp_path)
    said = localproc("run", "echo", "message=x")
    assert said.code == 2
    assert "'echo' is a folder, and no process is deployed under that name" in said.err
    assert "name a document in it: echo/package.cwl, say" in said.err
    localproc("deploy", packages / "echo.cwl")
    assert localproc("run", "echo", "message=x").code == 0


def test_one_process_of_many_in_a_package(packages: Path) -> None:
    said = localproc("run", f"{packages / 'three-steps.cwl'}#write", "text=hello")
    assert said.code == 0
    assert Path(said.out.strip().partition(": ")[2]).read_text() == "hello\n"


def test_results_go_where_they_are_wanted(packages: Path, here: Path) -> None:
    said = localproc("run", "--results", "out", "--json", packages / "echo.cwl", "message=x")
    assert (here / "out" / said.document["jobID"] / "said.txt").read_text() == "x\n"


@pytest.mark.parametrize("keep", [False, True])
def test_folders_of_steps_are_kept_if_so_wished(packages: Path, home: Path, keep: bool) -> None:
    localproc("run", *["--keep"] * keep, packages / "echo.cwl", "message=x")
    until(lambda: [path.exists() for path in home.glob("jobs/*/work")] == [True] * keep)


def test_what_is_asked_for_is_recorded(packages: Path) -> None:
    words = ["--tag", "a", "--tag", "b", "--reason", "why not", "--slots", "1", "--ram", "512"]
    said = localproc("run", "--json", *words, packages / "echo.cwl", "message=x")
    assert said.document["properties"]["tags"] == ["a", "b"]
    assert said.document["properties"]["reason"] == "why not"


def test_a_package_that_is_wrong(here: Path) -> None:
    (here / "wrong.cwl").write_text(
        "cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\nbaseComand: x\n"
    )
    said = localproc("run", "wrong.cwl")
    assert said.code == 2
    assert "wrong.cwl:5:1: unknown field 'baseComand'" in said.err


def test_an_executor_that_is_not_there(packages: Path) -> None:
    said = localproc("run", "--executor", "moon", packages / "echo.cwl", "message=x")
    assert said.code == 4
    assert "there is no executor 'moon'" in said.err
    said = localproc(
        "run", packages / "echo.cwl", "message=x", "--executor-option", "moon.tide=high"
    )
    assert said.code == 4
    assert "there is no executor 'moon'" in said.err


@pytest.mark.parametrize(
    ("option", "code", "reason"),
    [
        ("--results=s3://bucket/results", 4, "there is no storage 's3'"),
        ("--results=gopher://host/results", 4, "there is no storage 'gopher'"),
        ("--results=file/results", 4, "results cannot be published in"),
        ("--slots=-1", 2, "slots: cannot be negative"),
        ("--namespace=a/b", 2, "No such option"),
    ],
)
def test_what_cannot_work_is_told_before_a_job_is_accepted(
    packages: Path, here: Path, home: Path, option: str, code: int, reason: str
) -> None:
    (here / "file").touch()
    said = localproc("run", option, packages / "echo.cwl", "message=x")
    assert said.code == code
    assert reason in said.err
    with Engine(home, run_jobs=False) as engine:
        assert engine.jobs() == []


def test_a_home_that_cannot_be_used(packages: Path, here: Path) -> None:
    (here / "file").touch()
    said = localproc("--home", "file/home", "run", packages / "echo.cwl", "message=x")
    assert said.code == 4
    assert said.out == ""
    assert "cannot be used: Not a directory" in said.err
    assert "--home or LOCALPROC_HOME" in said.err


def test_the_home_is_in_the_current_folder_unless_told_otherwise(
    packages: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCALPROC_HOME")
    localproc("run", packages / "echo.cwl", "message=x")
    assert (here / ".localproc" / "localproc.db").exists()
    localproc("--home", "other", "run", packages / "echo.cwl", "message=x")
    assert (here / "other" / "localproc.db").exists()


def test_many_values_are_not_all_printed(here: Path) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "ExpressionTool",
        "id": "counts",
        "requirements": {"InlineJavascriptRequirement": {}},
        "inputs": [],
        "outputs": {"numbers": "int[]"},
        "expression": "${ return {numbers: [...Array(100).keys()]}; }",
    }
    (here / "counts.cwl").write_text(json.dumps(package))
    assert localproc("run", "counts.cwl").out == "numbers: 100 values, the first 0\n"


def test_stac_results_are_told_with_their_items(here: Path) -> None:
    item: dict[str, object] = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "N",
        "geometry": None,
        "properties": {"datetime": None},
        "links": [],
        "assets": {"mask": {"href": "mask.tif"}},
    }
    catalog = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "c",
        "description": "d",
        "links": [{"rel": "item", "href": "./N/N.json"}],
    }
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "writes",
        "baseCommand": ["sh", "-c", "mkdir N; mv N.json N; touch N/mask.tif"],
        "requirements": {
            "InitialWorkDirRequirement": {
                "listing": [
                    {"entryname": "catalog.json", "entry": json.dumps(catalog), "writable": True},
                    {"entryname": "N.json", "entry": json.dumps(item), "writable": True},
                ]
            }
        },
        "inputs": [],
        "outputs": {"out": {"type": "Directory", "outputBinding": {"glob": "."}}},
    }
    (here / "writes.cwl").write_text(json.dumps(package))
    said = localproc("run", "writes.cwl")
    assert said.code == 0, said.err
    first, second = said.out.splitlines()
    assert first.startswith("out: file:///")
    assert first.endswith("/catalog.json (1 item)")
    assert second == "  N: mask.tif"


def test_a_reader_that_goes_away_is_no_error(packages: Path) -> None:
    localproc("run", packages / "echo.cwl", "message=x")
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        command("jobs"), stdout=writing, stderr=subprocess.PIPE, check=False, timeout=patient(30)
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_results_are_printed_as_yaml_has_them(tmp_path: Path) -> None:
    values = {"none": None, "yes": True, "text": "a b", "few": [1, None], "all": {"a": None}}
    package = tmp_path / "values.cwl"
    document = {
        "cwlVersion": "v1.2",
        "class": "ExpressionTool",
        "id": "values",
        "requirements": {"InlineJavascriptRequirement": {}},
        "expression": f"${{ return {json.dumps(values)}; }}",
        "inputs": {},
        "outputs": dict.fromkeys(values, "Any?"),
    }
    package.write_text(json.dumps(document))
    assert localproc("run", package).out.splitlines() == [
        "none: null",
        "yes: true",
        "text: a b",
        "few: [1, null]",
        'all: {"a": null}',
    ]


def test_a_step_that_is_not_there_cannot_go_elsewhere(packages: Path, home: Path) -> None:
    for word in ("run", "plan"):
        said = localproc(
            word, packages / "three-steps.cwl", "text=x", "--executor", "local;thrid=local"
        )
        assert said.code == 2
        assert "executor.thrid: fits no step (did you mean 'third'?)" in said.err
    with Engine(home, run_jobs=False) as engine:
        assert engine.jobs() == []
