"""JavaScript in processes of its own: values, limits, stopping, and what is left behind."""

import marshal
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from io import BytesIO
from types import SimpleNamespace

import psutil
import pytest

from localproc.cwl.expr.javascript import Script, evaluate, evaluating_with
from localproc.cwl.expr.realm import ScriptFailed
from localproc.errors import ExpressionError
from localproc.executors import script_main, script_process
from localproc.executors.script_process import TakesLong
from localproc.executors.scripts import NoneFree, Scripts
from tests.patience import patient, until

ENDLESS = "(function () { while (true) {} })"
STUBBORN = "(function () { return [2n ** 1000000n].toString().length; })"
DOUBLE = "(function (a) { return a * 2; })"


@pytest.fixture
def scripts() -> Iterator[Scripts]:
    scripts = Scripts()
    yield scripts
    scripts.close()


def run(
    scripts: Scripts,
    source: str,
    *,
    limit: float = 20,
    argument: str = "1",
    unwanted: Callable[[], bool] = lambda: False,
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> str:
    return scripts.run(source, (argument, "null", "{}"), limit, unwanted, waiting)


def helpers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if is_helper(one)]


def is_helper(process: psutil.Process) -> bool:
    try:
        return any("script_main" in part for part in process.cmdline())
    except psutil.Error:  # it has just ended
        return False


def test_a_value_is_json(scripts: Scripts) -> None:
    assert run(scripts, DOUBLE, argument="21") == "[42]"


def test_a_process_answers_though_it_gets_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    asked = BytesIO(marshal.dumps((DOUBLE, ("21", "null", "{}"), 20.0)))
    monkeypatch.setattr(threading.Thread, "start", fails)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=asked))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=(answered := BytesIO())))
    before = signal.getsignal(signal.SIGPROF)
    try:
        script_main.main()
    finally:
        signal.signal(signal.SIGPROF, before)
    assert marshal.loads(answered.getvalue()[script_main.HEAD :]) == (True, "[42]")


@pytest.mark.parametrize("text", ["", "é \U0001f30d", "\\ud800", "a" * 1_000_000])
def test_texts_come_back_whole(scripts: Scripts, text: str) -> None:
    assert run(scripts, "(function (a) { return a; })", argument=f'"{text}"').isprintable()


def test_a_process_is_used_again(scripts: Scripts) -> None:
    for number in range(5):
        assert run(scripts, DOUBLE, argument=str(number)) == f"[{number * 2}]"
    assert len(helpers()) == 1


def test_errors_are_those_of_the_realm(scripts: Scripts) -> None:
    with pytest.raises(ScriptFailed, match="ReferenceError: b is not defined"):
        run(scripts, "(function () { return b; })")


@pytest.mark.parametrize("source", [ENDLESS, STUBBORN])
def test_what_takes_too_long_is_stopped(scripts: Scripts, source: str) -> None:
    with pytest.raises(ScriptFailed, match="interrupted"):
        run(scripts, source, limit=0.3)
    assert run(scripts, DOUBLE) == "[2]"


def settled(scripts: Scripts) -> None:
    """Wait until a process is there that can be asked at once."""
    run(scripts, DOUBLE)


def briefly(scripts: Scripts, source: str, argument: str = "1") -> str:
    """Ask as the loop does, but wait for as long as a slow machine needs."""
    return scripts.run_briefly(source, (argument, "null", "{}"), patient(30))


def test_no_process_is_started_for_a_short_look(scripts: Scripts) -> None:
    with pytest.raises(NoneFree):
        briefly(scripts, DOUBLE)
    assert helpers() == []


def test_a_short_look_uses_a_process_that_is_there(scripts: Scripts) -> None:
    settled(scripts)
    for number in range(5):
        assert briefly(scripts, DOUBLE, str(number)) == f"[{number * 2}]"
    with pytest.raises(ScriptFailed, match="ReferenceError: b is not defined"):
        briefly(scripts, "(function () { return b; })")
    assert len(helpers()) == 1


@pytest.mark.parametrize("source", [ENDLESS, STUBBORN])
def test_a_short_look_does_not_wait(scripts: Scripts, source: str) -> None:
    settled(scripts)
    with pytest.raises(TakesLong):
        scripts.run_briefly(source, ("1", "null", "{}"), 0)
    with pytest.raises(NoneFree):  # what it does is not wanted any more, but it still does it
        briefly(scripts, DOUBLE)
    assert run(scripts, DOUBLE, argument="21") == "[42]", "no answer is taken for another's"
    assert run(scripts, DOUBLE, argument="22") == "[44]"


def test_an_answer_that_came_too_late_is_dropped(scripts: Scripts) -> None:
    settled(scripts)
    for number in range(20):
        long = f"(function () {{ return 'x'.repeat(1e5 * {number}); }})"
        with suppress(TakesLong, NoneFree):
            scripts.run_briefly(long, ("1", "null", "{}"), 0)
        assert run(scripts, DOUBLE, argument=str(number)) == f"[{number * 2}]"


def test_a_short_look_at_a_process_that_died_gives_nothing(scripts: Scripts) -> None:
    settled(scripts)
    for one in helpers():
        one.kill()
        one.wait()
    with pytest.raises(TakesLong):
        briefly(scripts, DOUBLE)
    assert run(scripts, DOUBLE) == "[2]"


def test_what_takes_long_is_waited_for(scripts: Scripts) -> None:
    waited = []

    @contextmanager
    def waiting() -> Iterator[None]:
        waited.append(True)
        yield

    long = "(function () { let i = 0; while (i < 3e7) i++; return i; })"
    assert run(scripts, long, waiting=waiting) == "[30000000]"
    assert run(scripts, DOUBLE, waiting=waiting) == "[2]"
    assert waited == [True], "the short one needed none"


class Asking:
    """A thread that has a script run until nobody wants it; ``ends`` says how it was told."""

    def __init__(self, scripts: Scripts, source: str = ENDLESS) -> None:
        self._scripts, self._source = scripts, source
        self.looked: list[bool] = []  #: what it was told each time that it was asked
        self.waits, self.stopped = threading.Event(), threading.Event()
        self.said = ""
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        with pytest.raises(ScriptFailed) as told:
            run(
                self._scripts,
                self._source,
                limit=10_000,
                unwanted=self._unwanted,
                waiting=self._waiting,
            )
        self.said = str(told.value)

    def _unwanted(self) -> bool:
        self.looked.append(self.stopped.is_set())
        return self.looked[-1]

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self.waits.set()
        yield

    def stop(self) -> None:
        """Say that nobody wants it any more."""
        self.stopped.set()
        self._scripts.look_again()


@pytest.mark.parametrize("source", [ENDLESS, STUBBORN])
def test_what_is_not_wanted_any_more_is_stopped(scripts: Scripts, source: str) -> None:
    asking = Asking(scripts, source)
    asking.waits.wait()
    asking.stop()
    asking.thread.join()
    assert asking.said == "it was stopped"
    assert run(scripts, DOUBLE) == "[2]"


def test_a_stop_is_no_look_now_and_then(scripts: Scripts) -> None:
    """Who wants a script is asked when that has changed: its process is dead when it is told."""
    asking = Asking(scripts)
    asking.waits.wait()
    until(lambda: any(one.nice() > psutil.Process().nice() for one in helpers()))
    until(lambda: scripts._slow._asked != set())
    (slow,) = scripts._slow._asked
    until(lambda: slow.process is not None)
    looked, process = len(asking.looked), slow.process
    asking.stopped.set()
    assert len(asking.looked) == looked, "nobody asks by himself"
    assert process is not None
    assert process.lives
    scripts.look_again()
    assert process.stopped
    asking.thread.join()
    assert asking.said == "it was stopped"


def test_no_script_gets_a_process_that_another_one_was_stopped_in(scripts: Scripts) -> None:
    for number in range(5):
        asking = Asking(scripts)
        asking.waits.wait()
        asking.stop()
        assert run(scripts, DOUBLE, argument=str(number)) == f"[{number * 2}]"
        asking.thread.join()
        assert asking.said == "it was stopped"


def test_those_that_wait_for_a_process_can_be_stopped_too(scripts: Scripts) -> None:
    asking = [Asking(scripts) for _ in range(4)]
    for one in asking:
        one.waits.wait()
    for one in reversed(asking):  # the last ones wait until there is a slow process for them
        one.stop()
        one.thread.join()
    assert {one.said for one in asking} == {"it was stopped"}
    assert run(scripts, DOUBLE) == "[2]"


def test_one_whose_thread_is_interrupted_is_ended(
    scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    settled(scripts)
    (helper,) = helpers()
    monkeypatch.setattr(script_process.ScriptProcess, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(scripts, ENDLESS, limit=10_000)
    assert not helper.is_running()
    monkeypatch.undo()
    assert run(scripts, DOUBLE) == "[2]"


def test_those_that_never_end_do_not_keep_short_ones_waiting(scripts: Scripts) -> None:
    entered = threading.Semaphore(0)

    @contextmanager
    def waiting() -> Iterator[None]:
        entered.release()
        yield

    def ask() -> None:
        with pytest.raises(ScriptFailed):
            run(scripts, ENDLESS, limit=10_000, waiting=waiting)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for one in threads:
        one.start()
    for _ in threads:
        entered.acquire()
    assert run(scripts, DOUBLE) == "[2]"
    own = psutil.Process().nice()
    assert sum(one.nice() > own for one in helpers()) <= 2
    scripts.close()
    for one in threads:
        one.join()
    assert helpers() == []


def test_a_process_that_dies_is_replaced(scripts: Scripts) -> None:
    run(scripts, DOUBLE)
    for one in helpers():
        one.kill()
        one.wait()
    with pytest.raises(ScriptFailed, match="died"):
        run(scripts, DOUBLE)
    assert run(scripts, DOUBLE) == "[2]"


def test_the_interpreter_asks_them_within(scripts: Scripts) -> None:
    def evaluator(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        return scripts.run(source, arguments, time_limit, lambda: False, nullcontext)

    with evaluating_with(evaluator):
        assert evaluate(Script("(inputs.a + 1)"), '{"a": 1}', "null", "{}") == 2
        with pytest.raises(ExpressionError, match=r"b is not defined, at line 1 of the expression"):
            evaluate(Script("(b)"), "{}", "null", "{}")
        with pytest.raises(ExpressionError, match=r"took longer than 0.2 s"):
            evaluate(Script("{ while (true) {} }"), "{}", "null", "{}", time_limit=0.2)
        text = "{ var all = []; while (true) all.push(new Array(100000).fill(1)); }"
        with pytest.raises(ExpressionError, match=r"used more than 256 MiB"):
            evaluate(Script(text), "{}", "null", "{}")
    assert len(helpers()) >= 1


def test_after_the_end_callers_work_it_out_themselves() -> None:
    scripts = Scripts()
    scripts.close()
    assert scripts.evaluate(DOUBLE, ("21", "null", "{}"), 20) == "[42]"
    assert helpers() == []


_KILLED = f"""
import os, signal, threading, psutil
from contextlib import contextmanager
from localproc.executors.scripts import Scripts
@contextmanager
def waiting():
    print(*[one.pid for one in psutil.Process().children()], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    yield
scripts = Scripts()
scripts.run({ENDLESS!r}, ("1", "1", "1"), 10_000, lambda: False, waiting)
"""


def test_they_end_with_an_engine_that_is_killed() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED], capture_output=True, text=True, check=False
    )
    assert ended.returncode == -9, ended.stderr
    for pid in map(int, ended.stdout.split()):
        if psutil.pid_exists(pid):
            psutil.Process(pid).wait(patient(30))


def test_they_are_asked_through_any_descriptor() -> None:
    """A server may have more open files than ``select`` counts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    low = os.open(os.devnull, os.O_RDONLY)
    many = [os.dup(low) for _ in range(1100)]
    scripts = Scripts()
    try:
        assert run(scripts, DOUBLE) == "[2]"
    finally:
        scripts.close()
        for file in (low, *many):
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_forked_child_leaves_them_to_its_parent(scripts: Scripts) -> None:
    run(scripts, DOUBLE)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert run(scripts, DOUBLE) == "[2]"
