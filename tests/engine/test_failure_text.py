"""What is said about a step that did not end well."""

import errno

import pytest

from localproc.engine.job.failure_text import all_failed, as_ours, step_failed
from localproc.errors import JobFailed, LocalprocError
from localproc.model import Report, TaskState


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (Report("k", TaskState.ENDED, 3), "failed with exit code 3"),
        (Report("k", TaskState.ENDED, -9), "was killed by SIGKILL"),
        (
            Report("k", TaskState.ENDED, -9, reason="it had much"),
            "was killed by SIGKILL: it had much",
        ),
        (
            Report("k", TaskState.REFUSED, reason="no such partition"),
            "was refused by the executor: no such partition",
        ),
        (
            Report("k", TaskState.CANCELLED, reason="scancel by root"),
            "was cancelled, not by localproc: scancel by root",
        ),
        (
            Report("k", TaskState.CANCELLED),
            "was cancelled, not by localproc: nobody said why",
        ),
        (Report("k", TaskState.NODE_LOST, reason="n3 is down"), "was lost: n3 is down"),
        (
            Report("k", TaskState.ENDED, 126, reason="/j/x: No space left on device"),
            "could not be started: the disk is full",
        ),
        (Report("k", TaskState.ENDED, 127, reason="not found"), "failed with exit code 127"),
    ],
)
def test_the_reason_is_told(report: Report, expected: str) -> None:
    problem = step_failed("j", "crop", report, [], "/log", disk_full=False)
    assert problem.message == f"step crop {expected}"


def test_a_disk_without_room_for_files_is_full_too() -> None:
    report = Report("k", TaskState.ENDED, 126, reason="/j/x: No space left on device")
    problem = step_failed("j", "crop", report, [], "/log", disk_full=False)
    assert problem.hint.startswith("the disk is full")


def test_whoever_took_too_much_memory_is_not_told_of_the_system() -> None:
    report = Report("k", TaskState.OUT_OF_MEMORY, -9)
    problem = step_failed("j", "crop", report, [], "/log", disk_full=False)
    assert problem.message == "step crop was stopped: it used more memory than it may"
    assert problem.hint.startswith("raise ramMax")


@pytest.mark.parametrize(
    ("report", "lines", "hint"),
    [
        (Report("k", TaskState.ENDED, 127), [], "the command was not found"),
        (Report("k", TaskState.ENDED, 126), [], "the command could not be started"),
        (Report("k", TaskState.ENDED, -9), [], "the system may have run out of memory"),
        (Report("k", TaskState.ENDED, 137), [], "the system may have run out of memory"),
        (Report("k", TaskState.ENDED, -9, reason="by root"), [], "the whole log says more"),
        (Report("k", TaskState.ENDED, 1), ["ModuleNotFoundError: x"], "a Python module is missing"),
        (Report("k", TaskState.ENDED, 1), ["no"], "the whole log says more"),
        (Report("k", TaskState.TIMED_OUT), [], "raise ToolTimeLimit"),
        (Report("k", TaskState.REFUSED), [], "choose another executor"),
        (Report("k", TaskState.CANCELLED), [], "run the job again"),
        (Report("k", TaskState.NODE_LOST), [], "run the job again"),
    ],
)
def test_the_hint_says_what_to_do(report: Report, lines: list[str], hint: str) -> None:
    problem = step_failed("j", "crop", report, lines, "/log", disk_full=False)
    assert problem.hint.startswith(hint)
    full = step_failed("j", "crop", report, lines, "/log", disk_full=True)
    assert full.hint.startswith("the disk is full")


def test_the_inputs_of_an_instance_of_a_scatter_are_told_in_short() -> None:
    report = Report("k", TaskState.ENDED, 1)
    given = {
        "file": {"class": "File", "location": "file:///data/a.tif", "basename": "x"},
        "folder": {"class": "Directory", "basename": "scenes/"},
        "nameless": {"class": "File"},
        "three": [1, 2, 3],
        "four": [1, 2, 3, 4],
        "record": {"a": 1, "b": "c"},
        "number": 4.5,
        "exact": "x" * 60,
        "long": "x" * 61,
    }
    problem = step_failed("j", "crop", report, [], "/log", disk_full=False, scattered=given)
    assert problem.inputs == {
        "file": "a.tif",
        "folder": "scenes",
        "nameless": "File",
        "three": "[1, 2, 3]",
        "four": "4 values",
        "record": "{a: 1, b: c}",
        "number": "4.5",
        "exact": "x" * 60,
        "long": "x" * 60 + "...",
    }


def test_any_error_is_told_as_one_of_ours() -> None:
    missing = as_ours(FileNotFoundError(2, "No such file", "/a"))
    assert (missing.message, missing.hint) == ("No such file: /a", "")
    full = as_ours(OSError(errno.ENOSPC, "No space left"))
    assert (full.message, full.hint) == ("No space left", "the disk is full: make room")
    assert as_ours(KeyError("a")).message == "KeyError: 'a'"
    ours = LocalprocError("no")
    assert as_ours(ours) is ours


def test_many_steps_that_failed_are_counted() -> None:
    problems = [JobFailed(f"{name} failed", job_id="j", step=name) for name in "abcd"]
    assert all_failed("j", problems[:1]) is problems[0]
    assert all_failed("j", problems[:3]).message == "3 steps failed: a, b, c"
    every = all_failed("j", problems)
    assert every.message == "4 steps failed: a, b, c and 1 more"
    assert [one["step"] for one in every.to_problem()["failures"]] == list("abcd")
