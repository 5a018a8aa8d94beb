"""Who runs the cases: a bare loop, localproc, cwltool in a process, and cwltool's command.

Owns how each is set up, so that what is measured is the run alone. Must not know what the figures
are compared with. Each function is made to be called in a process of its own.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Command
from benchmarks.measure import Cost, command, cost_of

SLOTS = 2


def floor(case: Case, folder: str) -> Cost:
    """Make a folder for each command and start it there, two at a time: the least one can do."""
    return cost_of(lambda: bare(case.stages, tempfile.mkdtemp(dir=folder)), case.repeats)


def bare(stages: Sequence[Sequence[Command]], folder: str, **options: Any) -> None:
    """Run the commands of each stage, two at a time, each in a folder of its own.

    It waits for any child, so the process must have no others.
    """
    count = 0
    for stage in stages:
        running: dict[int, subprocess.Popen[bytes]] = {}
        for argv in stage:
            if len(running) == SLOTS:
                _wait_for_one(running)
            own = f"{folder}/{count}"
            count += 1
            os.mkdir(own)
            with open(f"{own}/said.txt", "wb") as out:
                process = subprocess.Popen(argv, cwd=own, stdout=out, **options)
            running[process.pid] = process
        while running:
            _wait_for_one(running)


def _wait_for_one(running: dict[int, "subprocess.Popen[bytes]"]) -> None:
    pid, status = os.wait()
    process = running.pop(pid)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{process.args!r} failed"


def localproc(case: Case, folder: str) -> Cost:
    """Run it in an engine with its durable store, once it has run something before."""
    from localproc import Engine

    with Engine(f"{folder}/home", slots=SLOTS) as engine:
        process = engine.deploy(case.package)
        engine.run(process, case.warm_up).raise_for_status()
        return cost_of(lambda: engine.run(process, case.inputs).raise_for_status(), case.repeats)


def cwltool(case: Case, folder: str) -> Cost:
    """Run it by cwltool's Python interface, once it has run something before."""
    import logging

    from cwltool.context import LoadingContext, RuntimeContext
    from cwltool.factory import Factory

    logging.getLogger("cwltool").setLevel(logging.ERROR)
    package, _ = case.write(folder)
    options = {
        "basedir": folder,
        "outdir": f"{folder}/out",
        "tmpdir_prefix": f"{folder}/tmp/",
        "tmp_outdir_prefix": f"{folder}/work/",
        "use_container": False,
    }
    for part in ("out", "tmp", "work"):
        Path(folder, part).mkdir()
    run: Callable[..., Any] = Factory(
        runtime_context=RuntimeContext(options), loading_context=LoadingContext({})
    ).make(package)
    run(**case.warm_up)
    return cost_of(lambda: run(**case.inputs), case.repeats)


def cwltool_command(case: Case, folder: str) -> Cost:
    """Run it by the cwltool command: what a user types who has neither."""
    package, inputs = case.write(folder)
    prefixes = ["--tmpdir-prefix", f"{folder}/tmp/", "--tmp-outdir-prefix", f"{folder}/work/"]
    quiet = ["--quiet", "--no-container", "--outdir", f"{folder}/out"]
    return command(str(script("cwltool")), *quiet, *prefixes, package, inputs)


def script(name: str) -> Path:
    """Give a command of this Python's environment."""
    return Path(sys.executable).with_name(name)
