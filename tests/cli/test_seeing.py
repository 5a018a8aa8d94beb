"""Seeing what goes on: waiting, rows of scatters, all logs at once, completion."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from localproc import Engine, Job
from tests.cli.terminal import command, localproc
from tests.conftest import PACKAGES
from tests.patience import patient

MANY = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "id": "many",
    "requirements": {"ScatterFeatureRequirement": {}},
    "inputs": {"words": "string[]"},
    "outputs": {},
    "steps": {
        "say": {
            "run": {
                "class": "CommandLineTool",
                "baseCommand": ["sh", "-c", 'echo "out $0"; echo "err $0" >&2; test "$0" != bad'],
                "inputs": {"word": {"type": "string", "inputBinding": {}}},
                "outputs": {},
            },
            "scatter": "word",
            "in": {"word": "words"},
            "out": [],
        }
    },
}


def run(home: Path, *words: str) -> Job:
    with Engine(home, slots=1) as engine:
        return engine.run(MANY, {"words": list(words)})


def test_a_scatter_is_one_row_that_opens_on_demand(home: Path) -> None:
    run(home, "a", "b", "c")
    rows = localproc("status").out
    assert rows.splitlines()[-1].startswith("say   3 of 3  ")
    assert "say_2" not in rows
    opened = localproc("status", "--steps").out
    assert "say_2  successful" in opened
    assert "command    sh -c" in opened


def test_all_of_a_step_that_failed_is_told(home: Path) -> None:
    job = run(home, "bad")
    said = localproc("status", "--steps").out
    folder = os.path.join(job.folder, "work", "say")
    for line in ("say  failed", "exit code  1", "inputs     word=bad", f"folder     {folder}"):
        assert line in said
    assert f"log        {job.logs_folder}/node_say.log" in said
    (step, *_) = localproc("status", "--steps", "--json").document["steps"]
    assert step["command"][:2] == ["sh", "-c"]
    assert step["inputs"] == {"word": "bad"}
    assert "memory" in said
    assert step["cpuSeconds"] >= 0
    assert "0 of 1, 1 failed" in localproc("status").out


def test_waiting_gives_the_exit_code_of_the_first_that_did_not_end_well(home: Path) -> None:
    good, bad = run(home, "a"), run(home, "bad")
    assert localproc("wait", good.id[-12:]).out == f"{good.id}: successful\n"
    said = localproc("wait", good.id, "last")
    assert said.code == 1
    assert said.out.splitlines()[1] == f"{bad.id}: failed"
    document = localproc("wait", "--json").document
    assert [one["jobID"] for one in document["jobs"]] == [bad.id]


def test_waiting_gives_up_in_time(home: Path) -> None:
    with Engine(home, run_jobs=False) as engine:
        job = engine.execute(engine.deploy(PACKAGES / "echo.cwl"), {"message": "x"})
    said = localproc("wait", "--timeout", "0.01")
    assert said.code == 4
    assert said.out == f"{job.id}: abandoned\n"


def test_watching_a_job_shows_its_steps_and_then_its_status(home: Path) -> None:
    run(home, "a", "b")
    said = localproc("status", "--watch")
    assert "say: successful" in said.err
    assert said.out.splitlines()[-1].startswith("say   2 of 2  ")


def test_the_logs_of_all_steps_are_followed_at_once(home: Path) -> None:
    run(home, "a", "b")
    said = localproc("logs", "--follow", "last")
    assert sorted(one for one in said.out.splitlines() if "[say" in one) == [
        "[say] err a",
        "[say] out a",
        "[say_2] err b",
        "[say_2] out b",
    ]
    said = localproc("logs", "--follow", "--stream", "stdout")
    assert sorted(said.out.splitlines()) == ["[say] out a", "[say_2] out b"]
    with Engine(home) as engine:
        job = engine.execute("many", {"words": ["c", "d", "e"]})
        told = [(step, text) for step, stream, text in job.follow_all() if stream == "stdout"]
    assert sorted(told) == [("say", "out c\n"), ("say_2", "out d\n"), ("say_3", "out e\n")]


def test_a_stream_that_is_followed_begins_a_line_of_its_own(here: Path) -> None:
    """Also where the other one has not ended its last line."""
    tool = {"cwlVersion": "v1.2", "class": "CommandLineTool", "inputs": [], "outputs": []}
    script = "printf out; printf err >&2"
    (here / "parts.cwl").write_text(json.dumps({**tool, "baseCommand": ["sh", "-c", script]}))
    assert localproc("run", "parts.cwl").code == 0
    assert localproc("logs", "--follow", "last", "parts").out == "out\nerr\n"


def test_a_log_is_printed_piece_by_piece(home: Path) -> None:
    job = run(home, "a")
    path = Path(job.logs_folder, "node_say.log")
    path.write_text("x" * 100 + "\n" + "y" * (3 << 20))
    said = localproc("logs", "last", "say", "--stream", "stderr")
    assert said.out == path.read_text() + "\n"
    assert localproc("logs", "last", "say", "--stream", "stdout").out == "out a\n"


def test_when_a_job_may_end_is_known_from_earlier_ones(home: Path) -> None:
    run(home, "a")
    with Engine(home, run_jobs=False) as engine:
        waits = engine.execute("many", {"words": ["b"]})
        assert waits.expected_end() is None, "it has not started"
    with Engine(home) as engine:
        process = engine.deploy({**MANY, "id": "other"})
        found = process.execute({"words": ["b"]})
        found.wait()
        assert found.expected_end() is None, "it has ended"


def test_when_a_running_job_may_end(home: Path, sleeper: Path) -> None:
    with Engine(home) as engine:
        engine.run(sleeper, {"seconds": 0.0})
        job = engine.execute("sleeper", {"seconds": 300.0})
        for _ in job.watch():
            break
        expected = job.expected_end()
        assert expected is not None
        assert job.record.started is not None
        assert expected > job.record.started
        assert "expected to end at" in localproc("status", job.id).out
        job.dismiss()


# Completion


def completed(*words: str) -> list[str]:
    typed = {"COMP_WORDS": " ".join(("localproc", *words))}
    ended = subprocess.run(
        command(),
        env={**os.environ, **typed, "_LOCALPROC_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(30),
    )
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.splitlines() if line[:5] == "plain"]


def test_jobs_steps_processes_and_inputs_are_completed(home: Path) -> None:
    job = run(home, "a", "b")
    assert completed("status", job.id[:8]) == [job.id]
    assert completed("status", "last") == ["last", "last:failed"]
    assert completed("logs", "last", "say_") == ["say_2"]
    assert completed("describe", "ma") == ["many"]
    assert completed("run", "many", "w") == ["words="]
    assert completed("run", "many", "--wo") == ["--work", "--words"]
    assert completed("prun") == ["prune"]


def test_completing_makes_no_home_and_says_nothing(home: Path) -> None:
    assert completed("status", "x") == []
    assert not home.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_needs(shell: str) -> None:
    said = localproc("completion", shell)
    assert said.code == 0
    assert f"_LOCALPROC_COMPLETE={shell}_complete" in said.out


def test_logs_of_all_jobs_are_searched(home: Path) -> None:
    run(home, "fine")
    failed = run(home, "bad")
    said = localproc("logs", "--search", "err bad")
    assert said.out.splitlines() == [f"{failed.id} say  many, failed", "  err bad"]
    found = localproc("logs", "--search", "err", "--json").document
    assert [one["lines"] for one in found["matches"]] == [["err bad"], ["err fine"]]
    assert "no log has that" in localproc("logs", "--search", "unheard").err
    assert "without JOB" in localproc("logs", "last", "--search", "err").err
