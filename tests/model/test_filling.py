"""What is filled by assignments is a frozen class as any other."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from localproc.model import Report, TaskState


def test_it_is_frozen() -> None:
    report = Report("a:b:1", TaskState.ENDED, exit_code=0)
    assert type(report) is Report
    with pytest.raises(FrozenInstanceError):
        report.exit_code = 1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del report.exit_code
    assert report.exit_code == 0


def test_it_is_copied_and_changed_as_any_other() -> None:
    report = Report("a:b:1", TaskState.ENDED, exit_code=0)
    assert copy.copy(report) == report == pickle.loads(pickle.dumps(report))
    assert replace(report, exit_code=1).exit_code == 1
    assert repr(report).startswith("Report(key='a:b:1', state=<TaskState.ENDED: 'ended'>, ")


def test_each_has_defaults_of_its_own() -> None:
    assert Report("a", TaskState.ENDED).details is not Report("a", TaskState.ENDED).details


def test_it_takes_what_the_class_takes() -> None:
    assert list(inspect.signature(Report).parameters)[:3] == ["key", "state", "exit_code"]
    with pytest.raises(TypeError, match=r"Report.*'state'"):
        Report("a")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="surplus"):
        Report("a", TaskState.ENDED, surplus=1)  # type: ignore[call-arg]
