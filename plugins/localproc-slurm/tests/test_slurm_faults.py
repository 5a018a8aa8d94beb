"""What happens to jobs behind localproc's back, and to a cluster of which parts are gone."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from slurm_cluster import CORES, NODES, Cluster
from slurm_fixtures import (
    SlurmTests,
    cluster,
    hasty_cluster,
    open_slurm,
    own_cluster,
    running_cluster,
    until,
)

from localproc.executors.batch import scheduler_backend, telling
from localproc.model import Report, Resources, Task, TaskState
from localproc.plugins.executor import Executor
from localproc.testing.executors import OpenExecutor

__all__ = ["cluster", "hasty_cluster", "own_cluster", "running_cluster"]  # fixtures

pytestmark = pytest.mark.service

GO_ON = "echo ran >> ran.txt; touch on; until [ -e go ]; do sleep 0.05; done; exit 5"


class FaultTests(SlurmTests):
    def running_task(self, executor: Executor, tmp_path: Path, script: str = GO_ON) -> Task:
        """Return a task that runs, and ends with 5 once there is a file ``go``."""
        task = self.task(tmp_path, "s", script)
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        return task

    def end_of(self, executor: Executor, task: Task) -> Report:
        return self.reports(executor, [task.key])[task.key]

    def batch_of(self, tmp_path: Path) -> Path:
        [folder] = (tmp_path / "home" / "batches").iterdir()
        return folder


class Everywhere(FaultTests):
    """What holds however tasks are handed in."""

    def test_a_script_that_is_started_twice_runs_its_task_once(
        self, executor: Executor, cluster: Cluster, tmp_path: Path
    ) -> None:
        task = self.running_task(executor, tmp_path)
        script = self.batch_of(tmp_path) / "script"
        again = cluster.call("sbatch", "--parsable", "--output=/dev/null", str(script)).strip()
        until(lambda: again not in cluster.call("squeue", "--noheader", "--format=%i").split())
        (Path(task.outdir) / "go").touch()
        assert self.end_of(executor, task).exit_code == 5
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"

    def test_a_job_that_the_administrator_puts_back_into_the_queue_is_lost(
        self, executor: Executor, cluster: Cluster, tmp_path: Path
    ) -> None:
        task = self.running_task(executor, tmp_path)
        job = self.job_of(task)
        cluster.call("scontrol", "update", f"jobid={job}", "requeue=1")
        cluster.call("scontrol", "requeue", job)
        report = self.end_of(executor, task)
        assert report.state is TaskState.LOST
        assert report.reason == "the scheduler ended it, and put it back into the queue"
        until(lambda: not cluster.call("squeue", "--noheader"))
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"

    def test_what_was_taken_without_an_answer_is_found_by_its_name(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.running_task(first, tmp_path)
        first.close()
        (self.batch_of(tmp_path) / "id").unlink()
        second = open_executor("second")
        second.submit([task])
        (Path(task.outdir) / "go").touch()
        assert self.end_of(second, task).exit_code == 5
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"

    def test_a_temporary_folder_is_the_nodes_unless_the_command_names_it(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        """Also on the machine of the engine, if it is said where."""
        executor = open_slurm(tmp_path / "home", "first", {**self.options, "tmp": "/tmp"})
        shared = tmp_path / "tmp"
        shared.mkdir()
        local = self.task(tmp_path, "local", 'echo "$TMPDIR"; touch "$TMPDIR/x"')
        env = {**local.env, "TMPDIR": str(shared)}
        local = replace(local, env=env, tmpdir=str(shared))
        named = self.task(tmp_path, "named", f'echo "$TMPDIR"; ls {shared}')
        named = replace(named, env=env, tmpdir=str(shared))
        executor.submit([local, named])
        self.reports(executor, [local.key, named.key])
        made = Path(Path(local.stdout).read_text().strip())
        assert made.name.startswith("localproc.")
        assert not made.exists(), "it is removed"
        assert Path(named.stdout).read_text() == f"{shared}\n"
        executor.close()

    def test_peak_memory_and_processor_time_are_told(
        self, executor: Executor, cluster: Cluster, tmp_path: Path
    ) -> None:
        busy = "x=$(head -c 40000000 /dev/zero | tr '\\0' x)"
        task = self.task(tmp_path, "s", busy)
        executor.submit([task])
        report = self.end_of(executor, task)
        assert report.cpu is not None
        assert report.cpu > 0
        assert report.host
        assert report.queued is not None
        if cluster.limits:
            assert report.rss is not None
            assert report.rss > 30_000


class TestSingles(Everywhere):
    def test_a_controller_that_is_killed_loses_nothing(
        self, own_cluster: Cluster, tmp_path: Path
    ) -> None:
        cluster, executor = own_cluster, open_slurm(tmp_path / "home", "first", {})
        task = self.running_task(executor, tmp_path)
        cluster.kill("slurmctld")
        after = self.task(tmp_path, "after", "echo ran >> ran.txt; exit 6")
        executor.submit([after])
        (Path(task.outdir) / "go").touch()
        assert self.end_of(executor, task).exit_code == 5, "its record is there without it"
        cluster.start_controller()
        cluster.wait_for_nodes()
        assert self.end_of(executor, after).exit_code == 6
        for one in (task, after):
            assert (Path(one.outdir) / "ran.txt").read_text() == "ran\n"
        executor.close()

    def test_tasks_go_to_all_nodes(
        self, executor: Executor, cluster: Cluster, tmp_path: Path
    ) -> None:
        needs = Resources(cores=CORES)
        tasks = [
            replace(self.task(tmp_path, f"s{n}", GO_ON), resources=needs) for n in range(NODES)
        ]
        executor.submit(tasks)
        for one in tasks:
            self.running(executor, Path(one.outdir) / "on")
        assert len(set(cluster.call("squeue", "--noheader", "--format=%N").split())) == NODES
        for one in tasks:
            (Path(one.outdir) / "go").touch()
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.exit_code for one in found.values()} == {5}

    def test_a_node_that_is_gone_is_told_as_that(
        self, own_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(telling, "_SETTLE", 1.0)
        cluster, executor = own_cluster, open_slurm(tmp_path / "home", "first", {})
        task = self.running_task(executor, tmp_path, f"trap '' TERM; {GO_ON}")
        host = cluster.call("squeue", "--noheader", "--format=%N").strip()
        cluster.kill(host)
        cluster.call("scontrol", "update", f"nodename={host}", "state=down", "reason=test")
        report = self.end_of(executor, task)
        cluster.start_node(int(host.removeprefix(cluster.name)))
        cluster.call("scontrol", "update", f"nodename={host}", "state=resume")
        cluster.wait_for_nodes()
        assert report.state is TaskState.NODE_LOST
        assert report.reason == f"Slurm has lost the node {host}"
        executor.close()

    def test_a_cancelled_job_that_had_not_begun_is_told(
        self, executor: Executor, cluster: Cluster, tmp_path: Path
    ) -> None:
        hold = open_slurm(tmp_path / "home", "second", {"extra": ["--hold"]})
        task = self.task(tmp_path, "s", "true")
        hold.submit([task])
        waiting = self.until(hold, [task.key], lambda report: bool(report.reason))[task.key]
        assert (waiting.state, waiting.reason) == (TaskState.QUEUED, "JobHeldUser")
        cluster.call("scancel", waiting.native_id)
        report = self.end_of(hold, task)
        hold.close()
        assert report.state is TaskState.CANCELLED
        assert report.reason == "somebody cancelled it by way of Slurm"

    def test_an_element_that_is_cancelled_while_it_waits_is_told(
        self, tmp_path: Path, cluster: Cluster
    ) -> None:
        """Slurm forgets it at once, as if it had never been."""
        executor = open_slurm(tmp_path / "home", "first", {"extra": ["--hold"]})
        tasks = [self.task(tmp_path, f"s{n}", "true") for n in range(3)]
        executor.submit(tasks)
        waiting = self.until(executor, [one.key for one in tasks], lambda one: bool(one.reason))
        job = waiting[tasks[1].key].native_id
        cluster.call("scancel", job)
        report = self.end_of(executor, tasks[1])
        assert (report.state, report.native_id) == (TaskState.CANCELLED, job)
        assert report.reason == "somebody cancelled it by way of Slurm"
        cluster.call("scontrol", "release", job.partition("_")[0])
        found = self.reports(executor, [tasks[0].key, tasks[2].key])
        executor.close()
        assert {one.exit_code for one in found.values()} == {0}

    def test_what_slurm_would_let_wait_for_ever_is_refused(
        self, tmp_path: Path, cluster: Cluster
    ) -> None:
        executor = open_slurm(tmp_path / "home", "first", {"partition": "short", "time": 60})
        task = self.task(tmp_path, "s", "true")
        executor.submit([task])
        report = self.end_of(executor, task)
        executor.close()
        assert report.state is TaskState.REFUSED
        said = report.reason.removeprefix("Slurm would never start it: ")
        soon = "PartitionConfig (its partition has no such time, nodes or memory)"
        assert said in ("PartitionTimeLimit", soon)
        assert not cluster.call("squeue", "--noheader")

    def test_what_no_node_has_is_known_before(self, executor: Executor, tmp_path: Path) -> None:
        wide = self.task(tmp_path, "wide", "true", resources=Resources(cores=64))
        large = self.task(tmp_path, "large", "true", resources=Resources(ram=1_000_000))
        reasons = executor.check([wide, large])
        assert reasons[wide.key] == ("it needs 64 cores on a node, and the cluster has 40 at most")
        assert reasons[large.key].startswith("it needs 1000000 MiB of memory on a node")

    def test_what_sbatch_refuses_is_refused_with_its_words(
        self, tmp_path: Path, cluster: Cluster
    ) -> None:
        executor = open_slurm(tmp_path / "home", "first", {"extra": ["--dependency=nonsense"]})
        tasks = [self.task(tmp_path, "s", "true") for _ in range(2)]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        executor.close()
        assert {one.state for one in found.values()} == {TaskState.REFUSED}
        assert {one.reason for one in found.values()} == {"sbatch: Job dependency problem"}

    def test_what_was_written_down_and_never_handed_in_never_runs(
        self, executor: Executor, cluster: Cluster, tmp_path: Path
    ) -> None:
        task = self.running_task(executor, tmp_path)
        script = self.batch_of(tmp_path)
        kept = tmp_path / "kept"
        shutil.copytree(script, kept)
        (Path(task.outdir) / "go").touch()
        self.end_of(executor, task)
        executor.release([task.key])
        until(lambda: not script.exists())
        kept.rename(script)
        for one in [script / "id", *script.glob("begun.*")]:
            one.unlink()
        about = (script / "about.json").read_text().replace(task.key, "another:key:1")
        (script / "about.json").write_text(about)
        script.rename(script.with_name("lp-never"))
        second = open_slurm(tmp_path / "home", "second", {})
        never = replace(task, key="another:key:1")
        second.reattach([never])
        assert self.end_of(second, never).state is TaskState.NEVER_STARTED
        second.close()
        assert not script.with_name("lp-never").exists()


class TestBundles(Everywhere):
    options: ClassVar[Mapping[str, Any]] = {"mode": "bundle"}

    def test_one_of_many_is_stopped_alone(self, executor: Executor, tmp_path: Path) -> None:
        tasks = [self.task(tmp_path, f"s{n}", GO_ON) for n in range(6)]
        executor.submit(tasks)
        for one in tasks[:4]:  # as many as there are cores
            self.running(executor, Path(one.outdir) / "on")
        executor.cancel([tasks[0].key, tasks[5].key], 0.1)
        stopped = self.reports(executor, [tasks[0].key, tasks[5].key])
        assert {one.state for one in stopped.values()} == {TaskState.CANCELLED}
        for one in tasks[1:5]:
            (Path(one.outdir) / "go").touch()
        found = self.reports(executor, [one.key for one in tasks[1:5]])
        assert {one.exit_code for one in found.values()} == {5}
        assert not (Path(tasks[5].outdir) / "ran.txt").exists()

    def test_a_bundle_that_somebody_cancels_takes_along_what_waits_there(
        self, executor: Executor, cluster: Cluster, tmp_path: Path
    ) -> None:
        """Who cancels it does not want it run again, by another bundle."""
        tasks = [self.task(tmp_path, f"s{n}", GO_ON) for n in range(6)]
        executor.submit(tasks)
        for one in tasks[:4]:
            self.running(executor, Path(one.outdir) / "on")
        cluster.call("scancel", self.job_of(tasks[0]))
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.state for one in found.values()} == {TaskState.CANCELLED}

    def test_a_runner_that_is_killed_with_its_job_is_missed_before_slurm_does(
        self, own_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (scheduler_backend, telling):
            monkeypatch.setattr(module, "SILENT", 8.0)
        monkeypatch.setattr(telling, "_SETTLE", 1.0)
        executor = open_slurm(tmp_path / "home", "first", {**self.options, "silence": 8})
        task = self.running_task(executor, tmp_path)
        own_cluster.kill_steps()
        report = self.end_of(executor, task)
        executor.close()
        assert report.state is TaskState.NODE_LOST
        assert report.reason == f"its runner on {report.host} gave no sign of life any more"
        until(lambda: not own_cluster.call("squeue", "--noheader"))

    def test_what_goes_on_though_slurm_has_lost_its_job_comes_to_its_own_end(
        self, hasty_cluster: Cluster, tmp_path: Path
    ) -> None:
        executor = open_slurm(tmp_path / "home", "first", self.options)
        task = self.running_task(executor, tmp_path)
        hasty_cluster.kill_steps(runners=False)
        said = "the scheduler has lost the node, but its runner"
        self.until(executor, [task.key], lambda report: report.reason.startswith(said))
        (Path(task.outdir) / "go").touch()
        assert self.end_of(executor, task).exit_code == 5
        executor.close()


class TestBundlesWithoutPython(TestBundles):
    options: ClassVar[Mapping[str, Any]] = {"mode": "bundle", "python": "no-such-python"}
