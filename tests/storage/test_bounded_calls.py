"""Calls that never come back: whoever waits has an end of it, and so have threads and processes."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from localproc.storage.bounded_calls import Helper, Helpers, Left, Told
from tests.patience import patient, until

EXITS = """
import threading
from localproc.storage.bounded_calls import Helpers
helpers = Helpers(1024)
def enough(_):
    raise SystemExit(3)
with helpers.one() as helper:
    helper.do(lambda _: threading.Event().wait(), watch=enough)
"""


@pytest.fixture
def helpers() -> Iterator[Helpers]:
    found = Helpers(1024)
    yield found
    found.close()


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Give what calls wait for that do not come back."""
    found = threading.Event()
    yield found
    found.set()
    until(lambda: not Helper._left)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localproc.storage.bounded_calls.patience", lambda *_: 0.1)


def test_what_comes_back_is_given_and_its_thread_is_used_again(helpers: Helpers) -> None:
    threads = set()
    for _ in range(3):
        with helpers.one() as helper:
            threads.add(helper.do(lambda _: threading.get_ident()))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_error_is_raised_where_it_is_waited_for(helpers: Helpers) -> None:
    with helpers.one() as helper, pytest.raises(ZeroDivisionError):
        helper.do(lambda _: 1 / 0)
    with helpers.one() as again:
        assert again is helper


@pytest.mark.usefixtures("impatient")
def test_what_does_not_come_back_is_left_with_its_thread(
    helpers: Helpers, over: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    further: list[str] = []

    def silent(told: Told) -> None:
        over.wait()
        try:
            told(1)
        except Left:
            further.append("left")
            raise
        further.append("went on")

    with helpers.one() as helper:
        with pytest.raises(TimeoutError, match="no answer within"):
            helper.do(silent)
        assert helper.is_left
    assert "its thread is left" in caplog.text
    with helpers.one() as another:
        assert another is not helper
        assert another.do(lambda _: "answers") == "answers"
    over.set()
    until(lambda: further == ["left"])


@pytest.mark.usefixtures("impatient")
def test_how_many_are_left_is_bounded(
    helpers: Helpers, over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localproc.storage.bounded_calls._MOST", 2)
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(TimeoutError), helpers.one() as helper:
            helper.do(lambda _: over.wait())
    assert threading.active_count() <= before + 2
    over.set()
    until(lambda: not Helper._left)
    with helpers.one() as helper:
        assert helper.do(lambda _: "answers") == "answers"


@pytest.mark.usefixtures("impatient")
def test_what_tells_how_it_goes_is_waited_for(helpers: Helpers) -> None:
    """However long it takes altogether."""
    pause, seen = threading.Event(), list[int]()

    def slow(told: Told) -> str:
        for number in range(10):
            pause.wait(0.03)
            told(number)
        return "done"

    with helpers.one() as helper:
        assert helper.do(slow, watch=seen.append) == "done"
    assert seen == sorted(seen)
    assert seen[-1] == 9


def test_whoever_watches_ends_the_waiting(helpers: Helpers, over: threading.Event) -> None:
    def enough(_: int) -> None:
        raise InterruptedError

    with helpers.one() as helper, pytest.raises(InterruptedError):
        helper.do(lambda _: over.wait(), watch=enough)
    assert helper.is_left


def test_a_process_ends_though_a_call_does_not() -> None:
    ended = subprocess.run([sys.executable, "-c", EXITS], timeout=patient(60), check=False)
    assert ended.returncode == 3
