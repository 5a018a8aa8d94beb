"""Why steps wait, in plain lines: what is told, and how often."""

from datetime import UTC, datetime

from localproc.cli.show import Waits, step_line
from localproc.model import Step, StepStatus


def waiting(reason: str, number: int = 0) -> Step:
    name = f"crop_{number + 1}" if number else "crop"
    return Step(name, f"crop[{number}]", StepStatus.ACCEPTED, "log", reason=reason)


def told(*steps: Step) -> list[str]:
    waits = Waits()
    return [step_line(step) for step in steps if waits.are_news(step)]


def test_a_reason_is_told_when_it_is_known_and_when_it_changes() -> None:
    assert told(
        waiting(""),
        waiting("Priority"),
        waiting("Priority"),
        waiting("Resources"),
        waiting("Priority"),
    ) == ["crop: waiting: Priority", "crop: waiting: Resources", "crop: waiting: Priority"]


def test_of_a_scatter_one_at_a_time_tells() -> None:
    many = [waiting(f"about {count} jobs come before it", count) for count in range(100)]
    assert told(*many, *many) == ["crop: waiting: about 0 jobs come before it"]


def test_another_one_tells_once_the_first_waits_no_more() -> None:
    runs = Step("crop", "crop[0]", StepStatus.RUNNING, "log")
    assert told(waiting("Priority"), waiting("Priority", 1), runs, waiting("Resources", 1)) == [
        "crop: waiting: Priority",
        "crop_2: waiting: Resources",
    ]


def test_an_attempt_that_is_due_later_is_told_as_that() -> None:
    later = Step("crop", "crop", StepStatus.ACCEPTED, "log", reason="killed", due=datetime.now(UTC))
    assert told(later) == []
    assert step_line(later).startswith("crop: waiting until ")
