"""What is said about a step that did not end well."""

import pytest

from localproc.engine.job.failure_text import step_failed
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
