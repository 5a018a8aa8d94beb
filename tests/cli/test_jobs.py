"""Commands that look at jobs."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from localproc import Engine
from tests.cli.terminal import Said, elsewhere, localproc
from tests.conftest import PACKAGES
from tests.patience import patient

TOOL = """\
cwlVersion: v1.2
class: CommandLineTool
id: speaks
baseCommand: [sh, -c, 'echo to stdout; echo to stderr >&2']
inputs: []
outputs: []
"""


@dataclass(frozen=True)
class Past:
    """A home in which something has happened."""

    home: Path
    echoed: str
    failed: str
    spoke: str
    waits: str

    def localproc(self, *words: object) -> Said:
        return localproc("--home", self.home, *words)

    def listed(self, *words: object) -> list[str]:
        """List the names of jobs."""
        said = self.localproc("jobs", "--json", *words)
        assert said.code == 0, said.err
        names = {getattr(self, name): name for name in ("echoed", "failed", "spoke", "waits")}
        return [names[one["jobID"]] for one in said.document["jobs"]]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    home = tmp_path_factory.mktemp("past") / "home"
    with Engine(home) as engine:
        package = PACKAGES / "echo.cwl"
        echoed = engine.run(package, {"message": "x"}, title="Täst", tags=["a", "b"])
        failed = engine.run(PACKAGES / "three-steps.cwl", {"text": "x", "code": 3}, tags=["b"])
        spoke = engine.run(TOOL)
        waits = engine.execute("echo", {"message": "later"}, detached=True)
    took(home, {echoed.id: 0.5, failed.id: 1.0, spoke.id: 2.0})
    return Past(home, echoed.id, failed.id, spoke.id, waits.id)


def took(home: Path, seconds: Mapping[str, float]) -> None:
    """Set how long jobs have taken."""
    with closing(sqlite3.connect(home / "localproc.db", timeout=patient(10))) as db, db:
        for job, duration in seconds.items():
            change = "UPDATE jobs SET finished = started + ? WHERE id = ?"
            db.execute(change, (int(duration * 1e6), job))


# Lists


def test_jobs_are_listed_newest_first(past: Past) -> None:
    assert past.listed() == ["waits", "spoke", "failed", "echoed"]
    lines = past.localproc("jobs").out.splitlines()
    assert lines[0].split() == ["job", "process", "status", "created", "took", "message"]
    row = lines[-1].split()
    assert row[:5] == [past.echoed, "echo", "successful", "100", "%"]
    assert row[-1] == "Täst"
    assert "step second failed with exit code 3" in lines[-2]


def test_the_document_of_a_list(past: Past) -> None:
    document = past.localproc("jobs", "--json").document
    assert set(document) == {"jobs", "links"}
    first = document["jobs"][-1]
    assert (first["jobID"], first["type"], first["status"]) == (
        past.echoed,
        "process",
        "successful",
    )


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("--process echo", ["waits", "echoed"]),
        ("--process echo --process speaks", ["waits", "spoke", "echoed"]),
        ("--process nothing", []),
        ("--status failed", ["failed"]),
        ("--status failed --status successful", ["spoke", "failed", "echoed"]),
        ("--status accepted", ["waits"]),
        ("--status dismissed", []),
        ("--tag b", ["failed", "echoed"]),
        ("--tag a --status failed", []),
        ("--min-duration 1.5", ["spoke"]),
        ("--max-duration 1.5", ["failed", "echoed"]),
        ("--min-duration 0 --max-duration 1000", ["spoke", "failed", "echoed"]),
        ("--datetime 2020-01-01T00:00:00Z/..", ["waits", "spoke", "failed", "echoed"]),
        ("--datetime ../2020-01-01T00:00:00Z", []),
        ("--datetime 2020-01-01T00:00:00Z", []),
        ("--limit 2", ["waits", "spoke"]),
    ],
)
def test_jobs_are_filtered(past: Past, words: str, names: list[str]) -> None:
    assert past.listed(*words.split()) == names


def created(past: Past, job_id: str) -> str:
    with Engine(past.home, run_jobs=False) as engine:
        return engine.job(job_id).created.isoformat()


def test_the_times_of_jobs_are_exact(past: Past) -> None:
    first, second = created(past, past.failed), created(past, past.spoke)
    assert past.listed("--datetime", first) == ["failed"]
    assert past.listed("--datetime", f"{first}/{second}") == ["spoke", "failed"]
    assert past.listed("--datetime", f"../{first}") == ["failed", "echoed"]


def test_pages_follow_one_another(past: Past) -> None:
    first = past.localproc("jobs", "--limit", 3)
    hint = first.err.splitlines()[-1]
    assert hint == f"more: localproc jobs --before {past.failed}"
    assert past.listed("--limit", 3, "--before", past.failed) == ["echoed"]
    assert past.localproc("jobs", "--limit", 3, "--before", past.failed).err == ""


@pytest.mark.parametrize("command", ["jobs", "executions"])
def test_a_page_after_a_job_that_is_not_there_is_refused(past: Past, command: str) -> None:
    said = past.localproc(command, "--before", "nothing")
    assert said.code == 2
    assert "no job 'nothing'" in said.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--status lost", "'lost' is not one of"),
        ("--datetime yesterday", "'yesterday' is not a time"),
        ("--datetime 2026-02-01T00:00:00Z/2026-01-01T00:00:00Z", "ends before it begins"),
        ("--limit 0", "0 is not in the range"),
        ("--min-duration long", "'long' is not a valid float"),
    ],
)
def test_filters_that_make_no_sense_are_told(past: Past, words: str, reason: str) -> None:
    said = past.localproc("jobs", *words.split())
    assert said.code == 2
    assert reason in said.err


# One job


def test_the_status_of_a_job_and_its_steps(past: Past) -> None:
    said = past.localproc("status", past.echoed)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == f"{past.echoed}  echo  successful  100 %"
    assert [line.split()[0] for line in lines[-3:]] == ["step", "echo", "stage_out"]
    assert lines[-2].split()[-1] == "node_echo.log"


def test_the_status_of_a_failure_has_its_story(past: Past) -> None:
    said = past.localproc("status", past.failed)
    assert said.code == 0
    for part in ("step second failed with exit code 3", "  | this is why", "  log: ", "  hint: "):
        assert part in said.out
    document = past.localproc("status", "--json", past.failed).document
    assert document["problem"]["step"] == "second"
    assert [step["exitCode"] for step in document["steps"]] == [0, 3]


def test_the_last_job_needs_no_id(past: Past) -> None:
    assert past.localproc("status").out.startswith(past.waits)
    assert past.localproc("status", "last").out.startswith(past.waits)


@pytest.mark.parametrize("command", ["status", "logs", "results", "dismiss"])
def test_a_job_that_is_not_there(past: Past, command: str) -> None:
    said = past.localproc(command, "nothing")
    assert said.code == 2
    assert "no job 'nothing'" in said.err
    assert said.err.endswith("jobs lists them\n")


@pytest.mark.parametrize("command", ["status", "logs", "results"])
def test_an_empty_home_has_no_last_job(command: str, packages: Path) -> None:
    localproc("deploy", packages / "echo.cwl")
    said = localproc(command)
    assert said.code == 2
    assert "no job has been accepted in this home yet" in said.err


# Logs


def test_the_log_of_a_step(past: Past) -> None:
    both = "==> stdout <==\nto stdout\n==> stderr <==\nto stderr\n"
    for step in ("speaks", "node_speaks.log", ""):
        assert past.localproc("logs", past.spoke, *filter(None, [step])).out == both


def test_the_logs_of_all_steps(past: Past) -> None:
    out = past.localproc("logs", past.failed).out
    assert out == "--- first ---\n--- second ---\none line\nthis is why\n"


@pytest.mark.parametrize(("stream", "text"), [("stdout", "to stdout\n"), ("stderr", "to stderr\n")])
def test_one_stream_of_a_log(past: Past, stream: str, text: str) -> None:
    assert past.localproc("logs", past.spoke, "speaks", "--stream", stream).out == text


def test_logs_as_a_document(past: Past) -> None:
    assert past.localproc("logs", "--json", past.spoke).document == {
        "speaks": {"stdout": "to stdout\n", "stderr": "to stderr\n"}
    }


def test_following_what_has_ended_shows_it_all(past: Past) -> None:
    said = past.localproc("logs", "--follow", past.spoke, "speaks")
    assert (said.out, said.err) == ("to stdout\nto stderr\n", "")
    said = past.localproc("logs", "-f", "--stream", "stdout", past.spoke)
    assert (said.out, said.err) == ("[speaks] to stdout\n", "")


def test_a_step_that_is_not_there(past: Past) -> None:
    said = past.localproc("logs", past.failed, "third")
    assert said.code == 2
    assert "has no step 'third'" in said.err
    assert "it has: first, second" in said.err


# Results


def test_results_for_people(past: Past) -> None:
    path = past.home / "results" / past.echoed / "said.txt"
    assert past.localproc("results", past.echoed).out == f"said: {path}\n"
    assert past.localproc("results", past.echoed, "said").out == f"said: {path}\n"


def test_results_as_a_document(past: Past) -> None:
    document = past.localproc("results", "--json", past.echoed).document
    assert document["said"]["title"] == "said.txt"
    one = past.localproc("results", "--json", past.echoed, "said").document
    assert one == document["said"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_output_that_is_not_there(past: Past, form: list[str]) -> None:
    said = past.localproc("results", *form, past.echoed, "written")
    assert said.code == 2
    assert "has no output 'written'" in said.err
    assert "it has: said" in said.err


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_results_of_what_is_not_successful(past: Past, form: list[str]) -> None:
    said = past.localproc("results", *form, past.failed)
    assert said.code == 1
    assert "step second failed with exit code 3" in said.err
    said = past.localproc("results", *form, past.waits)
    assert said.code == 2
    assert "is accepted" in said.err


# Ending


def test_dismissing_what_waits_and_what_has_ended(packages: Path, home: Path) -> None:
    with Engine(home) as engine:
        ended = engine.run(packages / "echo.cwl", {"message": "x"})
        waits = engine.execute("echo", {"message": "x"}, detached=True)
    said = elsewhere("dismiss", waits.id, ended.id)
    assert said.code == 0
    assert said.out.splitlines() == [f"{waits.id}: dismissed", f"{ended.id}: successful"]


def test_several_dismissals_are_one_document(packages: Path, home: Path) -> None:
    with Engine(home) as engine:
        jobs = [engine.run(packages / "echo.cwl", {"message": "x"}) for _ in range(2)]
    said = localproc("dismiss", "--json", *[job.id for job in jobs])
    assert said.code == 0
    assert [one["jobID"] for one in said.document["jobs"]] == [job.id for job in jobs]
    assert {one["status"] for one in said.document["jobs"]} == {"successful"}


def test_nothing_to_resume(packages: Path) -> None:
    localproc("run", packages / "echo.cwl", "message=x")
    said = localproc("resume")
    assert (said.code, said.out) == (0, "there is nothing to resume\n")
    assert localproc("resume", "--json").document == {"jobs": []}


def test_resuming_what_nobody_runs(packages: Path, home: Path) -> None:
    with Engine(home, run_jobs=False) as engine:
        process = engine.deploy(packages / "three-steps.cwl")
        jobs = [process.execute({"text": "x", "code": code}) for code in (0, 3)]
    said = localproc("resume")
    assert said.code == 1, "one of them has failed"
    assert set(said.out.splitlines()) == {f"{jobs[0].id}: successful", f"{jobs[1].id}: failed"}
