"""Whole jobs on a cluster: engines that are killed, dismissals, and a cluster that is away."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import localproc_slurm
import psutil
import pytest
from slurm_cluster import NODES, Cluster
from slurm_fixtures import cluster, running_cluster, until
from tests.children import child

from localproc import Engine, JobFailed
from localproc.model import JobStatus

__all__ = ["cluster", "running_cluster"]  # fixtures

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[3]
WATER = ROOT / "examples" / "water_bodies"


def tool(script: str, **fields: Any) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "tool",
        "baseCommand": ["sh", "-c", script],
        "inputs": {},
        "outputs": {},
        **fields,
    }


def scattered(script: str) -> dict[str, Any]:
    inputs = {"n": {"type": "int", "inputBinding": {}}}
    step = {"run": tool(script, inputs=inputs), "in": {"n": "all"}, "out": []}
    return {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "many",
        "requirements": [{"class": "ScatterFeatureRequirement"}],
        "inputs": {"all": "int[]"},
        "outputs": {},
        "steps": {"sleeps": {**step, "scatter": "n"}},
    }


def engine(home: Path, **options: Any) -> Engine:
    return Engine(
        home, plugins=[localproc_slurm], executor="slurm", executor_options={"slurm": options}
    )


def queue(cluster: Cluster, *states: str) -> list[str]:
    said = cluster.call("squeue", "--noheader", "--array", "--format=%i|%T")
    rows = [line.split("|") for line in said.splitlines()]
    return [job for job, state in rows if not states or state in states]


def kept(home: Path) -> list[Path]:
    """Return what is left of batches and exit records."""
    return [*home.glob("executor-slurm/batches/*"), *home.glob("executor-slurm/done/*")]


def sleepers(seconds: str) -> list[int]:
    """Return the processes that sleep for so long."""
    return [
        one.pid
        for one in psutil.process_iter(["cmdline"])
        if one.info["cmdline"] == ["sleep", seconds]
    ]


def test_a_step_that_waits_tells_its_place_among_everybodys_jobs(
    tmp_path: Path, cluster: Cluster
) -> None:
    whole = ["--output=/dev/null", "--exclusive", "--wrap", "sleep 300"]
    for _ in range(NODES + 2):
        cluster.call("sbatch", "--partition=main", f"--nodes={NODES}", *whole)
    with engine(tmp_path / "home", extra=["--exclusive"]) as one, one.client() as client:
        job = one.execute(one.deploy(tool("true")).id, {})
        place = f"{NODES + 1} jobs come before it"
        until(lambda: any(place in step.reason for step in job.steps))
        [step] = client.get(f"/jobs/{job.id}").json()["steps"]
        assert place in step["reason"]
        page = client.get(f"/jobs/{job.id}", headers={"accept": "text/html"}).text
        assert place in page
        job.dismiss()
        job.wait()


@pytest.mark.parametrize("mode", ["array", "bundle"])
def test_a_hundred_tasks_that_are_dismissed_leave_nothing(
    mode: str, tmp_path: Path, cluster: Cluster
) -> None:
    seconds = f"3{os.getpid()}" + ("1" if mode == "array" else "2")
    # Small bundles: however they are grouped, all of them have room at once.
    with engine(tmp_path / "home", mode=mode, bundle=5, bundle_cores=5) as one:
        package = scattered(f"exec sleep {seconds}")
        job = one.execute(one.deploy(package).id, {"all": list(range(100))})
        until(lambda: len(sleepers(seconds)) == 100)
        job.dismiss()
        assert job.wait().status is JobStatus.DISMISSED
        assert sleepers(seconds) == []
        assert queue(cluster) == []
    assert kept(tmp_path / "home") == []


def test_queries_are_a_second_apart_whatever_happens(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of an engine: of the queue, of ends, and while a job is dismissed."""
    log, seconds = tmp_path / "queries", f"4{os.getpid()}"
    squeue = shutil.which("squeue")
    assert squeue is not None
    (tmp_path / "bin").mkdir()
    for name in {"squeue", "scontrol", "sacct", "sinfo"} & set(os.listdir(Path(squeue).parent)):
        fake = tmp_path / "bin" / name
        fake.write_text(
            f'#!/bin/sh\nread -r now idle </proc/uptime\necho "$now" >>"{log}"\n'
            f'exec {Path(squeue).with_name(name)} "$@"\n'
        )
        fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with engine(tmp_path / "home", mode="single") as one:
        many = one.deploy(scattered(f"test $0 -lt 6 || exec sleep {seconds}"))
        job = many.execute({"all": list(range(9))})
        until(lambda: len(sleepers(seconds)) == 3)
        cluster.call("scancel", cluster.call(squeue, "--noheader", "--format=%i").split()[-1])
        assert job.wait().status is JobStatus.FAILED
        other = many.execute({"all": [7, 8]})
        until(lambda: len(sleepers(seconds)) == 2)
        other.dismiss()
        assert other.wait().status is JobStatus.DISMISSED
    asked = [float(line) for line in log.read_text().splitlines()]
    assert len(asked) > 4
    apart = [after - before for before, after in itertools.pairwise(asked)]
    assert min(apart) > 0.98, "the clock has steps of 0.01 s"


@pytest.mark.parametrize("extra", [["--hold"], []])
def test_tasks_that_wait_or_are_about_to_begin_are_dismissed(
    extra: list[str], tmp_path: Path, cluster: Cluster
) -> None:
    with engine(tmp_path / "home", extra=extra) as one:
        job = one.execute(one.deploy(scattered("exec sleep 300")).id, {"all": list(range(20))})
        until(lambda: queue(cluster))
        job.dismiss()
        assert job.wait().status is JobStatus.DISMISSED
        assert queue(cluster) == []
    assert kept(tmp_path / "home") == []


def test_neither_the_folders_name_nor_the_users_variables_change_a_job(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm has variables for options and for filters, and patterns in names of files."""
    for name in ("SBATCH_PARTITION", "SBATCH_TIMELIMIT", "SQUEUE_FORMAT", "SQUEUE_USERS"):
        monkeypatch.setenv(name, "nonsense")
    monkeypatch.setenv("SBATCH_EXPORT", "NONE")
    monkeypatch.setenv("SQUEUE_STATES", "PD")
    folder = tmp_path / '50%j "it\'s" $HOME`x` back\\slash\nline'
    folder.mkdir()
    for mode in ("single", "bundle"):
        with engine(folder / mode, mode=mode) as one:
            job = one.run(tool("echo here", stdout="o.txt", outputs={"o": "stdout"}), {})
            assert job.raise_for_status().result("o").read_text() == "here\n"


def test_a_tool_of_several_processes_runs_as_many(tmp_path: Path, cluster: Cluster) -> None:
    """They are those of one job, and each has the cores that the tool asks for."""
    several = tool(
        "echo $SLURM_PROCID of $SLURM_NTASKS, $SLURM_CPUS_PER_TASK cores",
        **{"$namespaces": {"cwltool": "http://commonwl.org/cwltool#"}},
        requirements={
            "cwltool:MPIRequirement": {"processes": 3},
            "ResourceRequirement": {"coresMin": 2, "ramMin": 200},
        },
        stdout="o.txt",
        outputs={"o": "stdout"},
    )
    with engine(tmp_path / "home") as one:
        job = one.run(several, {}).raise_for_status()
        assert sorted(job.result("o").read_text().splitlines()) == [
            f"{number} of 3, 2 cores" for number in range(3)
        ]
        shown = cluster.call("scontrol", "show", "job", job.steps[0].native_id)
        assert "NumTasks=3 CPUs/Task=2" in shown
        assert "MinMemoryNode=600M" in shown
        several["requirements"]["ResourceRequirement"] = {"coresMin": 14}
        with pytest.raises(JobFailed, match="needs 42 cores on a node, and the cluster has 40"):
            one.run(several, {}).raise_for_status()


def test_why_a_step_waits_is_told_while_it_does(tmp_path: Path, cluster: Cluster) -> None:
    with engine(tmp_path / "home", extra=["--hold"]) as one:
        job = one.execute(one.deploy(tool("true")).id, {})
        [step] = until(lambda: [step for step in job.steps if step.reason])
        assert step.reason == "JobHeldUser"
        assert step.native_id in queue(cluster)
        cluster.call("scontrol", "release", step.native_id)
        job.wait().raise_for_status()


def test_a_controller_that_hangs_delays_no_other_job(tmp_path: Path, cluster: Cluster) -> None:
    with engine(tmp_path / "home") as one:
        go = tmp_path / "go"
        slow = tool(f"until [ -e {go} ]; do sleep 0.05; done; exit 3")
        job = one.execute(one.deploy(slow).id, {})
        until(lambda: queue(cluster, "RUNNING"))
        cluster.stop("slurmctld")
        try:
            here = one.run(tool("true", id="here"), {}, executor="local")
            assert here.status is JobStatus.SUCCESSFUL
            assert job.status is JobStatus.RUNNING
        finally:
            cluster.go_on("slurmctld")
        go.touch()
        assert job.wait().message == "step tool failed with exit code 3"


RUN = """
import sys, localproc, localproc_slurm
engine = localproc.Engine(sys.argv[1], plugins=[localproc_slurm], executor="slurm",
    executor_options={"slurm": {"extra": sys.argv[3:]}})
engine.run(sys.argv[2])
"""


def killed_engine(tmp_path: Path, *extra: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    """Start an engine in a process of its own that runs a tool until there is a file ``go``."""
    script = "echo begun >&2; until [ -e $0/go ]; do sleep 0.05; done; echo done"
    (tmp_path / "go").mkdir()
    folder = {"class": "Directory", "location": (tmp_path / "go").as_uri()}
    inputs = {"go": {"type": "Directory", "default": folder}}
    slow = tool(script, inputs=inputs, arguments=["$(inputs.go.path)"])
    slow |= {"stdout": "out.txt", "outputs": {"out": "stdout"}}
    (tmp_path / "slow.cwl").write_text(json.dumps(slow))
    source = Path(localproc_slurm.__file__).parents[1]
    path = os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-c", RUN, str(tmp_path / "home"), str(tmp_path / "slow.cwl")]
    return child([*command, *extra], env={**os.environ, "PYTHONPATH": path})


@pytest.mark.parametrize("phase", ["queued", "running", "ended"])
def test_a_job_goes_on_when_its_engine_is_killed(
    phase: str, tmp_path: Path, cluster: Cluster
) -> None:
    home = tmp_path / "home"
    with killed_engine(tmp_path, *(["--hold"] if phase == "queued" else [])) as process:
        if phase == "queued":
            [job_id] = until(lambda: queue(cluster))
        else:
            until(lambda: any(log.read_text() for log in home.glob("jobs/*/logs/node_tool.log")))
        process.send_signal(signal.SIGKILL)
    if phase == "queued":
        cluster.call("scontrol", "release", job_id)
    if phase == "ended":
        (tmp_path / "go" / "go").touch()
        until(lambda: not queue(cluster))
    with Engine(home, plugins=[localproc_slurm]) as one:
        (tmp_path / "go" / "go").touch()
        job = one.jobs()[0].wait().raise_for_status()
        assert job.result("out").read_text() == "done\n"
        assert job.logs("tool").text == "begun\n", "it ran once"
    assert queue(cluster) == []
    assert kept(home) == []


def test_an_engine_that_is_killed_as_it_hands_in_hands_in_once(
    tmp_path: Path, cluster: Cluster
) -> None:
    """Its sbatch is one that kills it, before or after the job was taken."""
    real = shutil.which("sbatch")
    for when in ("before", "after"):
        folder = tmp_path / when
        (folder / "bin").mkdir(parents=True)
        fake = folder / "bin" / "sbatch"
        handed_in = f'{real} "$@" >/dev/null\n' if when == "after" else ""
        fake.write_text(f"#!/bin/sh\n{handed_in}kill -KILL $PPID\n")
        fake.chmod(0o755)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
            with killed_engine(folder) as process:
                process.wait()
        with Engine(folder / "home", plugins=[localproc_slurm]) as one:
            (folder / "go" / "go").touch()
            job = one.jobs()[0].wait().raise_for_status()
            assert job.result("out").read_text() == "done\n"
            assert job.logs("tool").text == "begun\n", when
        assert queue(cluster) == []


def test_water_bodies_have_the_same_masks_as_on_this_machine(
    tmp_path: Path, cluster: Cluster
) -> None:
    masks = []
    for executor in ("local", "slurm"):
        with Engine(tmp_path / executor, plugins=[localproc_slurm], executor=executor) as one:
            one.run(WATER / "water-bodies.cwl", WATER / "inputs.yml").raise_for_status()
        found = sorted((tmp_path / executor / "results").rglob("otsu.tif"))
        masks.append([path.read_bytes() for path in found])
    assert len(masks[0]) == 2
    assert masks[0] == masks[1]
