"""Steps in rows: the instances of a scatter as one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from localproc.model import Step, StepStatus
from localproc.views.step_rows import scatter_totals, step_rows

DONE, RUNNING, FAILED = StepStatus.SUCCESSFUL, StepStatus.RUNNING, StepStatus.FAILED


def step(key: str, status: StepStatus = DONE) -> Step:
    return Step(key.rpartition("/")[2], key, status, f"{key}.log")


def test_single_steps_are_rows_of_their_own() -> None:
    rows = step_rows([step("/stage_in"), step("a"), step("inner/a", FAILED)])
    assert [(row.name, row.said, row.scattered) for row in rows] == [
        ("stage_in", "successful", False),
        ("a", "successful", False),
        ("a", "failed", False),
    ]


def test_the_instances_of_a_scatter_are_one_row() -> None:
    steps = [step(f"crop[{number}]") for number in range(42)]
    steps += [step(f"crop[{number}]", RUNNING) for number in range(42, 45)]
    steps += [step("crop[45]", FAILED), step("other")]
    first, other = step_rows(steps, {"crop": 120})
    assert (first.name, first.said) == ("crop", "42 of 120, 3 running, 1 failed")
    assert first.status is FAILED
    assert other.name == "other"
    assert step_rows(steps)[0].said == "42 done, 3 running, 1 failed"


def test_a_row_of_which_nothing_runs_says_why_its_first_step_waits() -> None:
    waiting = replace(step("crop[1]", StepStatus.ACCEPTED), reason="Priority; 3 jobs before it")
    behind = replace(step("crop[2]", StepStatus.ACCEPTED), reason="Priority; 4 jobs before it")
    (row,) = step_rows([step("crop[0]"), waiting, behind])
    assert row.waits == "Priority; 3 jobs before it"
    (row,) = step_rows([step("crop[0]", RUNNING), waiting])
    assert row.waits == "", "something goes on"
    (row,) = step_rows([replace(waiting, due=datetime(2026, 11, 28, tzinfo=UTC))])
    assert row.waits == "", "it is not at its executor"


def test_nested_scatters_are_one_row_for_each_place() -> None:
    keys = [f"items[{one}]/crop[{other}]" for one in range(2) for other in range(3)]
    (row,) = step_rows([step(key) for key in keys])
    assert (row.name, row.said) == ("items/crop", "6 done")


def resolved(**scattered: Any) -> dict[str, Any]:
    step = {
        "id": "crop",
        "in": [{"id": "a", "source": ["x"]}, {"id": "b", "source": ["y"]}],
        "scatter": [],
        **scattered,
    }
    ports = [{"id": "x", "type": "Any"}, {"id": "y", "type": "Any", "default": [1, 2]}]
    return {"main": "m", "processes": {"m": {"inputs": ports, "steps": [step]}}}


def test_how_many_there_will_be() -> None:
    inputs = {"x": [1, 2, 3]}
    assert scatter_totals(resolved(scatter=["a"]), inputs) == {"crop": 3}
    assert scatter_totals(resolved(scatter=["b"]), inputs) == {"crop": 2}
    cross = resolved(scatter=["a", "b"], scatterMethod="flat_crossproduct")
    assert scatter_totals(cross, inputs) == {"crop": 6}
    assert scatter_totals(resolved(scatter=["c"]), inputs) == {}
    assert scatter_totals(resolved(), inputs) == {}
