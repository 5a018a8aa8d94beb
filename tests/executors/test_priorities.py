"""Who gives way on this machine."""

import os
import subprocess
from pathlib import Path

from localproc.priorities import lower_session


def test_a_session_gives_way_as_a_whole() -> None:
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        lower_session(process.pid, 12)
        niceness = os.getpriority(os.PRIO_PROCESS, process.pid)
        session = Path(f"/proc/{process.pid}/autogroup")
        told = session.read_text() if session.exists() and os.getuid() == 0 else "nice 12"
        process.kill()
    assert niceness == max(12, os.getpriority(os.PRIO_PROCESS, 0))
    assert told.split()[-2:] == ["nice", "12"]


def test_nothing_is_made_of_a_process_that_has_ended() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    lower_session(process.pid, 12)
    assert process.returncode == 0


def test_nobody_comes_back_who_gives_way_already() -> None:
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        lower_session(process.pid, 12)
        lower_session(process.pid, 3)
        niceness = os.getpriority(os.PRIO_PROCESS, process.pid)
        process.kill()
    assert niceness >= 12
