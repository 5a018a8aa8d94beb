"""Schedules and subscriptions while those who see to them are killed with -9, again and again."""

import signal
import subprocess
import sys
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from localproc import Engine, JobStatus
from tests.children import child
from tests.patience import patient, until

ECHO: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "ExpressionTool",
    "id": "echo",
    "requirements": {"InlineJavascriptRequirement": {}},
    "inputs": {"text": "string"},
    "outputs": {"said": "string"},
    "expression": "$({said: inputs.text})",
}
SERVING = """
import sys
import localproc
with localproc.Engine(sys.argv[1], slots=2) as engine:
    engine.run_triggers()
    sys.stdin.read()
"""


def fire_under_kills(home: Path, *, servers: int, kills: int, ticks: int) -> int:
    """Kill one of the servers after every so many jobs; return how many jobs there were.

    Each second has set off one job by then, none two, and each job is seen to its end.
    """
    with Engine(home, run_jobs=False) as engine:
        engine.deploy(ECHO)
        engine.schedules.add("echo", "* * * * * ?", {"text": "tick"}, missed="all")
        with ExitStack() as stack:
            alive = [stack.enter_context(serving(home)) for _ in range(servers)]
            for _ in range(kills):
                _wait_for(engine, ticks)
                end(alive.pop(0))
                alive.append(stack.enter_context(serving(home)))
            _wait_for(engine, ticks)
            engine.schedules.disable("echo")
        history = engine.schedules.history("echo", 10_000)
        dues = sorted(one.due for one in history)
        lasted = round((dues[-1] - dues[0]).total_seconds())
        assert dues == [dues[0] + timedelta(seconds=number) for number in range(lasted + 1)]
        assert all(one.job_id for one in history)
        fired = Counter(job.record.reason for job in engine.jobs(limit=10_000))
        assert len(fired) == len(history)
        assert set(fired.values()) == {1}
    with Engine(home) as engine:
        for job in engine.resume():
            job.wait(patient(60))
        ends = Counter(job.status for job in engine.jobs(limit=10_000))
        assert ends == {JobStatus.SUCCESSFUL: len(history)}
    return len(history)


def watch_under_kills(folder: Path, *, rounds: int, each: int) -> int:
    """Kill whoever watches a folder in each round; return how many versions there were of files.

    Half of the files have a name of their own, the others are written again in each round; each
    version has set off one job by then, none two.
    """
    home, inbox = folder / "home", folder / "inbox"
    inbox.mkdir()
    expected: Counter[str] = Counter()
    with Engine(home, run_jobs=False) as engine:
        engine.deploy(ECHO)
        when = {"event": "file", "folder": str(inbox), "settled": 0}
        target = {"process": "echo", "inputs": {"text": "$(event.name) $(event.size)"}}
        engine.subscriptions.add("s", when, target, every=0.1)
        for turn in range(rounds):
            with serving(home):
                for number in range(each):
                    name = f"{turn}-{number}" if number % 2 else f"{number}"
                    part = inbox / f"{name}.part"
                    part.write_text("x" * (each * turn + number + 1))
                    part.rename(inbox / name)
                    expected[f"{name} {each * turn + number + 1}"] += 1
                _wait_until(engine, expected.total() - each // 2)
            with serving(home):
                _wait_until(engine, expected.total())
        jobs = engine.jobs(process="echo", limit=10_000)
        assert Counter(str(job.inputs["text"]) for job in jobs) == expected
    return expected.total()


def serving(home: Path) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    """Start an engine that sees to triggers; it is killed with -9 at the end of the block."""
    return child([sys.executable, "-c", SERVING, home], stdin=subprocess.PIPE)


def end(one: "subprocess.Popen[bytes]") -> None:
    """Kill it."""
    one.send_signal(signal.SIGKILL)
    one.communicate()


def _wait_for(engine: Engine, more: int) -> None:
    """Wait until so many more jobs have been set off."""
    _wait_until(engine, len(engine.jobs(limit=10_000)) + more)


def _wait_until(engine: Engine, count: int) -> None:
    until(lambda: len(engine.jobs(limit=10_000)) >= count)
