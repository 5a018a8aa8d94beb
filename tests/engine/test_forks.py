"""A process that has opened engines may fork: they stay its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from localproc import Engine
from tests.patience import patient

BEGIN = """
import multiprocessing, os, signal, sys, time
import localproc
home, package = sys.argv[1:]
go = home + ".go"

def said(word):
    return localproc.run(package, {"message": word}, home=home).result("said").read_text().strip()
"""
CHILDREN_RUN = """
said("parent")
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(*pool.map(said, ["one", "two", "three"]))
print(said("parent again"))
"""
CHILD_ENDS = """
said("parent")
before = sorted(os.listdir(home + "/engines"))
if os.fork() == 0:
    sys.exit(0)
os.wait()
print(before == sorted(os.listdir(home + "/engines")), said("parent again"))
"""
CHILD_ASKS = """
engine = localproc.Engine(home)
job = engine.run(package, {"message": "x"})
if os.fork() == 0:
    print(engine.job(job.id).status, len(engine.jobs()))
    try:
        engine.process("echo").execute({"message": "y"})
    except localproc.LocalprocError as error:
        print(error.message)
    engine.close()
    with localproc.Engine(home) as own:
        print(own.process("echo").execute({"message": "y"}).wait().status)
    sys.exit(0)
os.wait()
print(engine.process("echo").execute({"message": "z"}).wait().status)
engine.close()
"""
THREADS_READ = """
import threading
engine = localproc.Engine(home)
def read():
    while True:
        engine.jobs()
for _ in range(3):
    threading.Thread(target=read, daemon=True).start()
for _ in range(150):
    child = os.fork()
    if child == 0:
        os._exit(len(engine.jobs()))
    print(os.waitpid(child, 0)[1], end="")
os._exit(sys.stdout.flush() or 0)
"""
SLEEPER = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "sleeper",
    "baseCommand": ["sh", "-c", 'until [ -e "$0" ]; do sleep 0.05; done'],
    "inputs": [{"id": "go", "type": "string", "inputBinding": {}}],
    "outputs": [],
}
PARENT_IS_KILLED = f"""
job = localproc.Engine(home).deploy({SLEEPER}).execute({{"go": go}})
while not job.steps:
    time.sleep(0.01)
child = os.fork()
if child == 0:
    os.closerange(0, 3)
    time.sleep(60)
print(job.id, child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def forking(script: str, home: Path, packages: Path) -> str:
    """Run a script that forks, in a process of its own; give what it prints."""
    quiet = [sys.executable, "-W", "ignore::DeprecationWarning", "-c"]
    command = [*quiet, BEGIN + script, str(home), str(packages / "echo.cwl")]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=patient(60)
    )
    assert ended.stderr == ""
    return ended.stdout


def test_forked_children_run_jobs_in_the_home_of_their_parent(
    tmp_path: Path, packages: Path
) -> None:
    said = forking(CHILDREN_RUN, tmp_path / "home", packages)
    assert said == "one two three\nparent again\n"


def test_the_end_of_a_child_leaves_the_engine_of_its_parent_alone(
    tmp_path: Path, packages: Path
) -> None:
    assert forking(CHILD_ENDS, tmp_path / "home", packages) == "True parent again\n"


def test_a_child_may_look_through_an_engine_of_its_parent_but_opens_its_own_to_run(
    tmp_path: Path, packages: Path
) -> None:
    lines = forking(CHILD_ASKS, tmp_path / "home", packages).splitlines()
    assert lines == [
        "successful 1",
        "this engine belongs to the process that this one was forked from",
        "successful",
        "successful",
    ]


def test_threads_that_read_the_store_let_a_fork_pass(tmp_path: Path, packages: Path) -> None:
    """A child that has to wait for a thread of its parent's waits for ever."""
    assert forking(THREADS_READ, tmp_path / "home", packages) == "0" * 150


def test_a_child_that_lives_on_keeps_nobody_from_the_jobs_of_its_dead_parent(
    tmp_path: Path, packages: Path
) -> None:
    job, child = forking(PARENT_IS_KILLED, tmp_path / "home", packages).split()
    (tmp_path / "home.go").touch()
    try:
        with Engine(tmp_path / "home") as engine:
            assert engine.job(job).wait(patient(20)).status == "successful"
        os.kill(int(child), 0)
    finally:
        os.kill(int(child), signal.SIGKILL)
