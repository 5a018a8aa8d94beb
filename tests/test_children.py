"""A test that fails tells what has become of the processes that it had started."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.children import child
from tests.patience import until

WAITS = "import sys\ndef hangs():\n  print('up', flush=True)\n  sys.stdin.read()\nhangs()"


def fail(command: list[str], condition: Callable[["subprocess.Popen[str]"], object]) -> None:
    """Fail once a process is so far."""
    pipe = subprocess.PIPE
    with child(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        until(lambda: condition(process))
        raise AssertionError("it never came to that")


def test_one_that_has_ended_is_told_with_its_code_and_words() -> None:
    with pytest.raises(AssertionError) as caught:
        fail(["sh", "-c", "echo why >&2; exit 3"], lambda one: one.poll() is not None)
    (note,) = caught.value.__notes__
    assert "had ended with 3\n--- stderr\nwhy\n" in note


def test_one_that_hangs_is_told_with_its_threads() -> None:
    def is_up(process: "subprocess.Popen[str]") -> bool:
        assert process.stdout is not None
        return process.stdout.readline() == "up\n"

    with pytest.raises(AssertionError) as caught:
        fail([sys.executable, "-c", WAITS], is_up)
    (note,) = caught.value.__notes__
    assert "was still running" in note
    assert " in hangs\n" in note
