"""localproc within a job of Slurm: what it begins, how it hands back, and who goes on."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import localproc_slurm
import pytest
from localproc_slurm import succession
from localproc_slurm.allocation import Allocation, AllocationExecutor
from localproc_slurm.succession import asked_for, facts
from slurm_cluster import Cluster
from slurm_fixtures import PATIENCE, cluster, running_cluster, until

from localproc import Engine
from localproc.errors import EnvironmentProblem
from localproc.model import Resources, TaskState
from localproc.plugins.executor import ExecutorSettings
from localproc.testing.executor_tests import ExecutorTests

__all__ = ["cluster", "running_cluster"]  # fixtures

EXAMPLES = Path(__file__).parents[3] / "examples" / "slurm"
ENVIRONMENT = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NUM_NODES": "3",
    "SLURM_JOB_CPUS_PER_NODE": "4(x2),8",
    "SLURM_MEM_PER_NODE": "2000",
}


#: As Slurm 22.05 shows jobs that run; lines that say nothing of what was asked for are left out.
SHOWN = """\
JobId=7 JobName=D e
   Priority=4294901754 Nice=7 Account=(null) QOS=(null)
   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0
   RunTime=00:10:00 TimeLimit=1-00:00:00 TimeMin=N/A
   Partition=main AllocNode:Sid=localhost:31470
   ReqNodeList=(null) ExcNodeList=n1
   NumNodes=3 NumCPUs=16 NumTasks=3 CPUs/Task=2 ReqB:S:C:T=0:0:*:*
   Socks/Node=* NtasksPerN:B:S:C=1:0:*:* CoreSpec=*
   MinCPUsNode=2 MinMemoryCPU=150M MinTmpDiskNode=0
   Features=fast&big DelayBoot=00:00:00
   OverSubscribe=OK Contiguous=0 Licenses=idl:1 Network=(null)
   Command=/here/inside.sh a b
   WorkDir=/here/with spaces
   Comment=two words 
   StdErr=/here/err-7
   StdIn=/dev/null
   StdOut=/here/7/out-7.77.log
   Power=
   MailUser=me@x MailType=END,FAIL
   TresPerNode=gres:gpu:2,gres:disc:1

"""  # noqa: W291
GPUS = """\
JobId=9 ArrayJobId=8 ArrayTaskId=3 JobName=B
   JobState=RUNNING Reason=None Dependency=(null)
   Requeue=0 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0
   RunTime=00:00:01 TimeLimit=UNLIMITED TimeMin=00:05:00
   NumNodes=3 NumCPUs=4 NumTasks=1 CPUs/Task=2 ReqB:S:C:T=0:0:*:*
   Socks/Node=* NtasksPerN:B:S:C=0:0:1:* CoreSpec=*
   MinCPUsNode=2 MinMemoryNode=0 MinTmpDiskNode=10M
   OverSubscribe=NO Contiguous=1 Licenses=(null) Network=(null)
   Command=(null)
   StdErr=/here/slurm-8_3.out
   StdOut=/here/slurm-8_3.out
   CpusPerTres=gres:gpu:2
   MemPerTres=gres:gpu:100
   TresPerJob=gres:gpu:a100:2
   TresPerTask=cpu=2,gres/gpu=1
"""


def test_what_there_is_of_a_job_is_read() -> None:
    found = Allocation.of(ENVIRONMENT, SHOWN, now=1000)
    assert found == Allocation("7", 3, 16, 6000, 1000 + 86_400 - 600, SHOWN)
    assert Allocation.of(ENVIRONMENT, "TimeLimit=UNLIMITED", now=0).end is None


def test_a_successor_is_asked_for_as_its_job_was() -> None:
    """On the command line of sbatch, which its script does not tell."""
    assert asked_for(facts(SHOWN)) == [
        "--job-name=D e",
        "--partition=main",
        "--time=1-00:00:00",
        "--nodes=3",
        "--exclude=n1",
        "--mincpus=2",
        "--tmp=0",
        "--constraint=fast&big",
        "--licenses=idl:1",
        "--comment=two words",
        "--mail-user=me@x",
        "--mail-type=END,FAIL",
        "--chdir=/here/with spaces",
        "--input=/dev/null",
        "--ntasks=3",
        "--ntasks-per-node=1",
        "--cpus-per-task=2",
        "--gres=gpu:2,disc:1",
        "--mem-per-cpu=150M",
        "--nice=7",
        "--requeue",
        "--output=/here/7/out-%j.77.log",
        "--error=/here/err-%j",
        "--open-mode=append",
    ]
    assert asked_for(facts(GPUS)) == [
        "--job-name=B",
        "--time=UNLIMITED",
        "--time-min=00:05:00",
        "--nodes=3",
        "--mincpus=2",
        "--tmp=10M",
        "--array=3",
        "--ntasks-per-socket=1",
        "--gpus=a100:2",
        "--gpus-per-task=1",
        "--cpus-per-gpu=2",
        "--mem-per-gpu=100",
        "--exclusive",
        "--contiguous",
        "--no-requeue",
        "--output=/here/slurm-%A_%a.out",
        "--open-mode=append",
    ]
    assert asked_for(facts("")) == ["--open-mode=append"]


def test_the_script_of_a_job_is_a_file_and_has_its_arguments(tmp_path: Path) -> None:
    path = tmp_path / "my script.sh"
    path.touch()
    assert succession.script({"Command": f"{path} a b"}) == [str(path), "a", "b"]
    assert succession.script({"Command": f"{tmp_path / 'gone.sh'} a"}) == []
    assert succession.script(facts(GPUS)) == []


def test_outside_of_a_job_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(EnvironmentProblem, match="this is no job of Slurm"):
        localproc_slurm.open_allocation(ExecutorSettings(str(tmp_path), "first", 0, 0, 0))


class TestAnAllocationThatEnds(ExecutorTests):
    patience = 200

    @pytest.fixture
    def ending(self, tmp_path: Path) -> Iterator[AllocationExecutor]:
        options = {"by": "processes", "margin": 10}
        settings = ExecutorSettings(str(tmp_path / "home"), "first", 0, 0, 0, options)
        there = Allocation("7", nodes=1, cores=4, ram=4000, end=time.time() + 3600)
        executor = AllocationExecutor(settings, there)
        yield executor
        executor.close()

    def test_what_would_not_end_in_time_is_left_to_the_next_one(
        self, ending: AllocationExecutor, tmp_path: Path
    ) -> None:
        short = self.task(tmp_path, "short", "exit 3")
        long = self.task(tmp_path, "long", "touch on", resources=Resources(time=7200))
        ending.submit([short, long])
        found = self.until(ending, [long.key], lambda report: True)[long.key]
        assert found.state is TaskState.QUEUED
        assert found.reason == "the allocation ends before it would: it is left to the next one"
        assert self.reports(ending, [short.key])[short.key].exit_code == 3
        ending.cancel([long.key], 0)
        assert self.reports(ending, [long.key])[long.key].state is TaskState.CANCELLED
        assert not (Path(long.outdir) / "on").exists()

    def test_what_is_more_than_there_is_can_never_run(
        self, ending: AllocationExecutor, tmp_path: Path
    ) -> None:
        wide = self.task(tmp_path, "wide", "true", resources=Resources(cores=5))
        assert ending.check([wide])[wide.key] == (
            "it needs 5 cores on 1 nodes, and the allocation has 4 on 1"
        )


TWO_STEPS = """
cwlVersion: v1.2
class: Workflow
id: two
inputs: {go: Directory}
steps:
  first:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo ran >&2; echo "$SLURM_STEP_ID"']
      inputs: {}
      stdout: out.txt
      outputs: {out: stdout}
    in: {}
    out: [out]
  second:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo begun >&2; until [ -e $0/go ]; do sleep 0.05; done; cat $1']
      inputs:
        go: {type: Directory, inputBinding: {position: 1}}
        file: {type: File, inputBinding: {position: 2}}
      stdout: out.txt
      outputs: {out: stdout}
    in: {go: go, file: first/out}
    out: [out]
outputs: {out: {type: File, outputSource: second/out}}
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a localproc on the PATH that has this plugin."""
    site, programs = tmp_path / "site", tmp_path / "bin"
    (site / "localproc_slurm-0.1.0.dist-info").mkdir(parents=True)
    programs.mkdir()
    about = site / "localproc_slurm-0.1.0.dist-info"
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: localproc-slurm\nVersion: 0.1.0\n"
    )
    (about / "entry_points.txt").write_text("[localproc]\nslurm = localproc_slurm\n")
    (site / "localproc_slurm").symlink_to(Path(localproc_slurm.__file__).parent)
    program = programs / "localproc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m localproc "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)


@pytest.mark.service
def test_a_workflow_in_an_allocation_is_handed_to_a_successor(
    tmp_path: Path, cluster: Cluster, commands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, go = tmp_path / "home", tmp_path / "go"
    go.mkdir()
    (tmp_path / "two.cwl").write_text(TWO_STEPS)
    (tmp_path / "inputs.yml").write_text("go: {class: Directory, path: go}\n")
    script = str(shutil.copy(EXAMPLES / "inside.sh", tmp_path))
    monkeypatch.setenv("LOCALPROC_HOME", str(home))
    files = [str(tmp_path / "two.cwl"), str(tmp_path / "inputs.yml")]
    log = f"--output={tmp_path}/log"
    own = ["--time=45", "--partition=main", "--job-name=mine", f"--chdir={tmp_path}"]
    job = cluster.call("sbatch", "--parsable", log, *own, script, *files).strip()
    said = until(lambda: list(home.glob("jobs/*/logs/node_second.log")))[0]
    until(said.read_text)
    cluster.call("scancel", "--batch", "--signal=TERM", job)
    [successor] = until(
        lambda: [
            one for one in cluster.call("squeue", "--noheader", "--format=%i").split() if one != job
        ]
    )
    until(lambda: job not in cluster.call("squeue", "--noheader", "--format=%i").split())
    said = cluster.call("squeue", "--noheader", "--format=%j %l %D %C %Z", f"--jobs={successor}")
    assert said.split() == ["mine", "45:00", "2", "8", str(tmp_path)]
    (go / "go").touch()
    until(lambda: successor not in cluster.call("squeue", "--noheader", "--format=%i").split())
    with Engine(home, plugins=[localproc_slurm], run_jobs=False) as engine:
        [done] = engine.jobs()
        done.raise_for_status()
        assert done.result("out").read_text().strip().isdigit(), "it was a step of the job"
        assert done.logs("first").text == "ran\n", "what had ended is not run again"


MPI = """\
cwlVersion: v1.2
$namespaces: {cwltool: "http://commonwl.org/cwltool#"}
class: CommandLineTool
id: mpi
requirements:
  cwltool:MPIRequirement: {processes: 4}
  ResourceRequirement: {coresMin: 2, ramMin: 100}
  ShellCommandRequirement: {}
arguments: [{shellQuote: false, valueFrom: echo $SLURM_PROCID of $SLURM_NTASKS}]
inputs: []
stdout: ranks
outputs: {ranks: stdout}
"""


@pytest.mark.service
def test_processes_of_a_tool_are_those_of_one_step_over_all_nodes(
    tmp_path: Path, cluster: Cluster, commands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no mpirun, and need be none."""
    (tmp_path / "mpi.cwl").write_text(MPI)
    monkeypatch.setenv("LOCALPROC_HOME", str(tmp_path / "home"))
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/sh\nexec localproc run mpi.cwl --executor slurm-allocation\n")
    job = ["--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=4", "--mem=1000"]
    cluster.call("sbatch", "--wait", *job, f"--chdir={tmp_path}", str(script))
    [ranks] = (tmp_path / "home").glob("results/*/ranks")
    assert sorted(ranks.read_text().splitlines()) == [f"{one} of 4" for one in range(4)]


@pytest.mark.service
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_successor_is_to_slurm_what_its_job_was(
    wrapped: bool, tmp_path: Path, cluster: Cluster
) -> None:
    script = tmp_path / "my script.sh"
    script.write_text("#!/bin/sh\n#SBATCH --nodes=1 --time=3\n")
    options = ["--nodes=2", "--ntasks=2", "--cpus-per-task=3", "--mem-per-cpu=120", "--time=50"]
    options += ["--constraint=fast&big", "--gres=disc:1", "--licenses=idl:1", "--nice=7"]
    options += ["--comment=two words", "--job-name=D e", f"--output={tmp_path}/out-%j", "--hold"]
    options += [f"--error={tmp_path}/err", f"--chdir={tmp_path}", "--exclusive", "--time-min=40"]
    what = ["--wrap", "exit 3"] if wrapped else [str(script), "a", "b"]
    job = cluster.call("sbatch", "--parsable", *options, *what).strip()
    shown = succession.shown(job)
    succession.succeed(job, shown)
    [successor] = set(cluster.call("squeue", "--noheader", "--format=%i").split()) - {job}
    before, after = facts(shown), dict(facts(succession.shown(successor)))
    assert after.pop("Dependency").startswith(f"afterany:{job}")
    assert after.pop("StdOut") == before["StdOut"].replace(f"out-{job}", f"out-{successor}")
    own = ("JobId", "Priority", "Reason", "StdOut", "StdIn")
    moments = ("SubmitTime", "EligibleTime", "AccrueTime", "LastSchedEval", "Scheduler")
    same = {name: value for name, value in before.items() if name not in (*own, *moments)}
    assert same == {name: after.get(name) for name in same}
    kept = [cluster.call("scontrol", "write", "batch_script", one, "-") for one in (job, successor)]
    assert kept[0] == kept[1]


@pytest.mark.service
def test_each_step_is_a_job_from_a_login_node(
    tmp_path: Path, cluster: Cluster, commands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, go, shared = tmp_path / "home", tmp_path / "go", tmp_path / "shared"
    for folder in (go, shared):
        folder.mkdir()
    (go / "go").touch()
    (tmp_path / "two.cwl").write_text(TWO_STEPS)
    (tmp_path / "inputs.yml").write_text("go: {class: Directory, path: go}\n")
    monkeypatch.setenv("LOCALPROC_HOME", str(home))
    files = [str(tmp_path / "two.cwl"), str(tmp_path / "inputs.yml")]
    subprocess.run(
        [str(EXAMPLES / "outside.sh"), *files, str(shared)], check=True, timeout=3 * PATIENCE
    )
    assert list(shared.glob("results/*/out.txt"))
    assert list(shared.glob("localproc-home-*/jobs/*/logs/node_second.log"))
