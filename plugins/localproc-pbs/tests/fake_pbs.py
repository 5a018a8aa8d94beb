"""Commands of PBS Pro for tests: a queue that begins everything at once, on this machine.

``fake_pbs.py qsub|qstat|qsig|qdel ARGUMENTS`` keeps its jobs in the folder ``PBS_FAKE``, and
answers in the formats that are documented for PBS Pro.
"""

import contextlib
import getpass
import itertools
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil

FOLDER = Path(os.environ["PBS_FAKE"])


def main(command: str, arguments: list[str]) -> int:
    """Be one of the commands."""
    (FOLDER / "calls").open("a").write(f"{command} {' '.join(arguments)}\n")
    if (FOLDER / "away").exists():
        print(f"{command}: cannot connect to server (errno=15010)", file=sys.stderr)
        return 1
    return {"qsub": qsub, "qstat": qstat, "qsig": qsig, "qdel": qdel}[command](arguments)


def qsub(arguments: list[str]) -> int:
    """Begin a job, or each element of an array."""
    options = dict(itertools.pairwise(arguments))
    if options.get("-q") == "nowhere":
        print("qsub: Unknown queue", file=sys.stderr)
        return 170
    number = len(list(FOLDER.glob("*.name"))) + 1
    count = int(options["-J"].partition("-")[2]) + 1 if "-J" in options else 0
    job = f"{number}[].server" if count else f"{number}.server"
    (FOLDER / f"{job}.name").write_text(options["-N"])
    elements = [job.replace("[]", f"[{n}]") for n in range(count)] if count else [job]
    for n, one in enumerate(elements):
        env = {**os.environ, "PBS_JOBID": one, "PBS_ARRAY_INDEX": str(n)}
        script = f'/bin/sh {arguments[-1]}; echo $? >"{FOLDER}/{one}.new"; mv "{FOLDER}/{one}.new" '
        process = subprocess.Popen(
            ["/bin/sh", "-c", f'trap : USR2 TERM; {script}"{FOLDER}/{one}.code"'],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        (FOLDER / f"{one}.pid").write_text(str(process.pid))
    print(job)
    return 0


def qstat(arguments: list[str]) -> int:
    """List jobs, those that have ended with ``-x`` only."""
    if arguments == ["--version"]:
        print("pbs_version = 23.06.06")
        return 0
    wanted = [one for one in arguments if not one.startswith("-")]
    for file in sorted(FOLDER.glob("*.pid")):
        job = file.name.removesuffix(".pid")
        if wanted and job not in wanted:
            continue
        name = (FOLDER / f"{re.sub(r'[[].*[]]', '[]', job)}.name").read_text()
        code = FOLDER / f"{job}.code"
        ended = code.exists() or not psutil.pid_exists(int(file.read_text()))
        if ended and "-x" not in arguments:
            continue
        status = code.read_text().strip() if code.exists() else "271"
        print(f"Job Id: {job}\n    Job_Name = {name}\n    Job_Owner = {getpass.getuser()}@here")
        print(f"    job_state = {'F' if ended else 'R'}\n    exec_host = node1/0*1")
        print(f"    Exit_status = {status}\n" if ended else "")
    return 0


def qsig(arguments: list[str]) -> int:
    """Send a signal to all processes of jobs."""
    for job in arguments[2:]:
        for process in processes(job):
            with contextlib.suppress(psutil.Error):
                process.send_signal(getattr(signal, arguments[1]))
    return 0


def qdel(arguments: list[str]) -> int:
    """End jobs."""
    for job in arguments:
        for process in processes(job):
            with contextlib.suppress(psutil.Error):
                process.kill()
    return 0


def processes(job: str) -> list[psutil.Process]:
    """Return the shells of a job's script, and with KILL all that it has started."""
    try:
        first = psutil.Process(int((FOLDER / f"{job}.pid").read_text()))
        found = [first, *first.children(recursive=True)]
    except (OSError, psutil.Error):
        return []
    quiet = "SIGUSR2" in sys.argv
    leaders = {os.getsid(first.pid)}
    return [one for one in found if not quiet or os.getsid(one.pid) in leaders]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
