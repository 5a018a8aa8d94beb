"""A schedule of every second while those who see to it are killed with -9, again and again."""

import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from localproc import Engine, JobStatus
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
        alive = [_serving(home) for _ in range(servers)]
        for _ in range(kills):
            _wait_for(engine, ticks)
            _kill(alive.pop(0))
            alive.append(_serving(home))
        _wait_for(engine, ticks)
        engine.schedules.disable("echo")
        for one in alive:
            _kill(one)
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


def _serving(home: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", SERVING, home], stdin=subprocess.PIPE)


def _kill(one: "subprocess.Popen[bytes]") -> None:
    one.send_signal(signal.SIGKILL)
    one.communicate()


def _wait_for(engine: Engine, more: int) -> None:
    """Wait until so many more jobs have been set off."""
    known = len(engine.jobs(limit=10_000))
    until(lambda: len(engine.jobs(limit=10_000)) >= known + more)
