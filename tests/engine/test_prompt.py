"""Asking what may hang."""

import threading

import pytest

from localproc.engine.prompt import Prompt
from localproc.errors import ExecutorUnavailable, ImageError
from tests.patience import patient, until


def test_who_answers_is_waited_for() -> None:
    assert Prompt().ask("docker", lambda: 7) == 7


def test_what_is_raised_is_raised_here() -> None:
    def lacks() -> None:
        raise ImageError("it is not here")

    with pytest.raises(ImageError, match="it is not here"):
        Prompt().ask("docker", lacks)


def test_who_does_not_answer_is_asked_no_more_until_it_has_done() -> None:
    prompt, answer, asked = Prompt(0.01), threading.Event(), []

    def hang() -> None:
        asked.append("once")
        answer.wait()

    for _ in range(3):
        with pytest.raises(ExecutorUnavailable, match=r"docker does not answer within 0\.01 s"):
            prompt.ask("docker", hang)
    until(lambda: asked)
    assert asked == ["once"]
    prompt._seconds = patient(5)
    assert prompt.ask("podman", lambda: 7) == 7
    answer.set()
