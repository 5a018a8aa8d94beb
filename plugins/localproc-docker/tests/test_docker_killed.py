"""Engines that are killed while a daemon does something for them; what becomes of containers."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import localproc_docker
import pytest
from docker_daemon import containers
from docker_fixtures import PATIENCE, api, ended, gone, tool, until
from localproc_docker.engine_api import EngineApi
from tests.children import child

from localproc import Engine

__all__ = ["api"]  # a fixture

pytestmark = pytest.mark.service

#: Runs a package, and is killed before or after the daemon is asked for something.
RUN = """
import os, signal, sys, localproc, localproc_docker
from localproc_docker.engine_api import EngineApi

home, package, verb, request, moment = sys.argv[1:]
ask = getattr(EngineApi, verb)

def asked(self, path, *args, **query):
    meant = path.endswith(request)
    if meant and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = ask(self, path, *args, **query)
    if meant and (moment == "after" or moment in str(answer)):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

setattr(EngineApi, verb, asked)
options = {"docker": {"warm": os.environ["WARM"]}}
with localproc.Engine(
    home, plugins=[localproc_docker], executor="docker", executor_options=options
) as engine:
    engine.run(package)
"""


@pytest.mark.parametrize(
    ("warm", "verb", "request_", "moment"),
    [
        ("no", "post", "/containers/create", "after"),
        ("no", "post", "/start", "after"),
        ("no", "get", "/json", "exited"),
        ("no", "delete", "", "before"),
        ("step", "post", "/start", "after"),
        ("step", "delete", "", "before"),
    ],
)
def test_an_engine_that_is_killed_leaves_nothing_and_runs_nothing_twice(
    tmp_path: Path, api: EngineApi, warm: str, verb: str, request_: str, moment: str
) -> None:
    package = tool("echo ran >&2; exit 3")
    (tmp_path / "tool.cwl").write_text(json.dumps(package))
    home = tmp_path / "home"
    arguments = [str(home), str(tmp_path / "tool.cwl"), verb, request_, moment]
    environment = {**os.environ, "PYTHONPATH": source_path(), "WARM": warm}
    ended = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], env=environment, check=False, timeout=PATIENCE
    )
    assert ended.returncode == -signal.SIGKILL
    options = {"docker": {"warm": warm}}
    with Engine(
        home, plugins=[localproc_docker], executor="docker", executor_options=options
    ) as engine:
        [job] = engine.jobs()
        assert job.wait().message == "step tool failed with exit code 3"
        assert job.logs("tool").text == "ran\n", "it ran once"
        if verb == "delete":  # the end was recorded: nobody asks the daemon again for this job
            again = engine.execute(job.process_id, {})
            assert again.wait().message == "step tool failed with exit code 3"
        if warm == "no":  # a server that is never idle leaves nothing either
            gone(api, home / "executor-docker")
    gone(api, home / "executor-docker")


def source_path() -> str:
    source = Path(localproc_docker.__file__).parents[1]
    return os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.mark.parametrize(
    ("ends", "warm"), [("before", "no"), ("after", "no"), ("before", "step"), ("after", "step")]
)
def test_a_container_goes_on_when_its_engine_is_killed(
    tmp_path: Path, api: EngineApi, ends: str, warm: str
) -> None:
    """It ends before, or after, another engine looks for it; either way it has run once."""
    go = tmp_path / "go"
    go.mkdir()
    script = "echo begun >&2; until [ -e $0/go ]; do sleep 0.05; done; echo done"
    slow = tool(script, inputs={"go": "Directory"}, arguments=["$(inputs.go.path)"])
    slow |= {"stdout": "out.txt", "outputs": {"out": "stdout"}}
    package = {**slow, "inputs": {"go": {"type": "Directory", "default": directory(go)}}}
    (tmp_path / "slow.cwl").write_text(json.dumps(package))
    home = tmp_path / "home"
    command = [sys.executable, "-c", RUN, str(home), str(tmp_path / "slow.cwl"), "get", "no", "no"]
    environment = {**os.environ, "PYTHONPATH": source_path(), "WARM": warm}
    with child(command, env=environment) as running_engine:
        until(lambda: any(log.read_text() for log in home.glob("jobs/*/logs/node_tool.log")))
        running_engine.send_signal(signal.SIGKILL)
    mine = home / "executor-docker"
    if ends == "before":
        (go / "go").touch()
        ended(api, mine)
    with Engine(home, plugins=[localproc_docker]) as engine:
        (go / "go").touch()
        job = engine.jobs()[0].wait().raise_for_status()
        assert job.result("out").read_text() == "done\n"
        assert job.logs("tool").text == "begun\n", "it ran once"
    assert containers(api, mine) == []


def directory(path: Path) -> dict[str, str]:
    return {"class": "Directory", "location": path.as_uri()}
