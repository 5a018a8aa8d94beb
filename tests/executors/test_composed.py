"""The local executor with Charliecloud keeps the contract; what is in a container stays there."""

import grp
import os
import pwd
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import psutil

from localproc.executors.composed import Composed, make_beside
from localproc.model import Container, Mount, Resources, Task, TaskState
from localproc.plugins.executor import Executor
from localproc.testing.executors import ExecutorContract
from tests.executors.charliecloud_tests import (
    IMAGE,
    CharliecloudTests,
    charliecloud,
    files_of,
)
from tests.executors.local_tests import keeper_of

__all__ = ["charliecloud"]  # a fixture


class TestComposed(CharliecloudTests, ExecutorContract):
    enforces_memory = True

    def lose(self, executor: Executor, task: Task) -> bool:
        """Kill the keeper: nobody sees the task's end."""
        os.kill(keeper(executor), signal.SIGKILL)
        return True

    def cancel_elsewhere(self, executor: Executor, task: Task) -> bool:
        """Kill the task's process."""
        for process in psutil.Process(keeper(executor)).children():
            process.kill()
        return True


class TestContainers(CharliecloudTests):
    def test_only_what_a_task_reads_is_there_and_its_image_stays_as_it_is(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        (tmp_path / "other").write_text("nobody reads this")
        script = f"""
            ls {tmp_path} > seen
            touch /bin/made /made {tmp_path}/made 2>/dev/null
            echo kept > /tmp/own && cat /tmp/own
        """
        task = self.task(tmp_path, "s", script)
        before = files_of(self._image())
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].state is TaskState.ENDED
        assert (Path(task.outdir) / "seen").read_text().split() == [Path(task.outdir).name]
        assert Path(task.stdout).read_text() == "kept\n"
        assert files_of(self._image()) == before
        assert not (tmp_path / "made").exists()

    def test_the_environment_is_the_images_and_the_tasks(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "env | sort")
        env = {"HOME": task.outdir, "TMPDIR": task.outdir, "ODD": "it's '$HOME'"}
        task = replace(task, env=env)
        executor.submit([task])
        self.reports(executor, [task.key])
        found = dict(
            line.partition("=")[::2] for line in Path(task.stdout).read_text().splitlines()
        )
        own = {"CH_RUNNING", "PWD", "SHLVL"}  # those of ch-run, and of the shell
        assert found.pop("PATH").endswith("/usr/bin:/sbin:/bin")
        assert {name: value for name, value in found.items() if name not in own} == env

    def test_there_is_no_network_but_the_loopback_device(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "ip -o link")
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        [device] = Path(task.stdout).read_text().splitlines()
        assert "lo: <LOOPBACK,UP," in device

    def test_names_of_hosts_are_found_as_on_this_machine(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        """Few images have the files that say so, and there is no program that brings them."""
        files = ("/etc/hosts", "/etc/resolv.conf")
        here = "".join(Path(one).read_text() for one in files if os.path.exists(one))
        task = self.task(tmp_path, "s", f"cat {' '.join(files)}")
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        assert Path(task.stdout).read_text() == here

    def test_memory_is_limited_for_all_that_a_task_has_started_together(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        script = """
            for each in 1 2 3; do
                setsid sh -c 'x=$(head -c 60000000 /dev/zero | tr "\\0" x); echo; sleep 300' &
            done
            wait
        """
        tasks = [
            replace(self.task(tmp_path, name, script), resources=Resources(ram=most, ram_max=most))
            for name, most in (("little", 100), ("enough", 4000))
        ]
        executor.submit(tasks)
        report = self.reports(executor, [tasks[0].key])[tasks[0].key]
        assert (report.state, report.exit_code) == (TaskState.OUT_OF_MEMORY, -signal.SIGKILL)
        self.running(executor, Path(tasks[1].stdout))
        executor.cancel([tasks[1].key], 0)
        assert self.reports(executor, [tasks[1].key])[tasks[1].key].state is TaskState.CANCELLED

    def test_too_many_processes_are_ended_and_told(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        script = "for each in $(seq 4200); do setsid sleep 600 & done; wait"
        task = self.task(tmp_path, "s", script)
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        if os.getuid() == 0:  # others cannot even start as many
            assert report.exit_code == -signal.SIGKILL
            assert report.reason == "it had more than 4096 processes and threads"

    def test_it_has_no_more_processors_than_it_asks_for(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        needs = (Resources(cores=1), Resources(cores=1, cores_max=1000))
        both = [replace(self.task(tmp_path, "s", "nproc"), resources=one) for one in needs]
        executor.submit(both)
        self.reports(executor, [one.key for one in both])
        there = len(os.sched_getaffinity(0))
        assert [int(Path(one.stdout).read_text()) for one in both] == [1, there]

    def test_the_output_directory_and_files_can_be_anywhere_inside(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        (tmp_path / "note.txt").write_text("from outside\n")
        task = self.task(tmp_path, "s", "pwd; cat /etc/deep/note.txt; echo done > made")
        assert task.container is not None
        note = Mount(str(tmp_path / "note.txt"), "/etc/deep/note.txt")
        box = replace(task.container, outdir="/var/out", mounts=(note,))
        task = replace(task, container=box)
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        assert Path(task.stdout).read_text() == "/var/out\nfrom outside\n"
        assert (Path(task.outdir) / "made").read_text() == "done\n"

    def test_folders_below_tmp_are_seen_though_an_image_has_a_link_there(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        shutil.copytree(self._image(), root := tmp_path / "root", symlinks=True)
        (root / "tmp").rmdir()
        (root / "tmp").symlink_to("var/tmp")
        task = self.task(tmp_path, "s", "pwd; touch made /tmp/own")
        box = Container(str(root), "/tmp/out", runtime="charliecloud")
        executor.submit([task := replace(task, container=box)])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        assert Path(task.stdout).read_text() == "/tmp/out\n"
        assert (Path(task.outdir) / "made").exists()

    def test_outputs_belong_to_who_runs_the_task(self, executor: Executor, tmp_path: Path) -> None:
        task = self.task(tmp_path, "s", "id -u; id -g; touch made")
        executor.submit([task])
        self.reports(executor, [task.key])
        made = (Path(task.outdir) / "made").stat()
        assert (made.st_uid, made.st_gid) == (os.getuid(), os.getgid())
        # Who is root inside would keep what root may do there.
        assert Path(task.stdout).read_text().split() == [
            str(os.getuid() or 1000),
            str(os.getgid()),
        ]

    def test_a_tool_has_no_capabilities_whoever_runs_it(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        script = """
            grep -E "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)" /proc/self/status
            mount -t tmpfs none /tmp 2>/dev/null && echo mounted
            hostname other 2>/dev/null && echo named
        """
        task = self.task(tmp_path, "s", script)
        executor.submit([task])
        self.reports(executor, [task.key])
        found = dict(one.split() for one in Path(task.stdout).read_text().splitlines())
        assert found.pop("NoNewPrivs:") == "1"
        assert {name: int(value, 16) for name, value in found.items()} == dict.fromkeys(
            ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:"), 0
        )

    def test_what_is_its_users_alone_is_for_the_tool(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        (own := tmp_path / "own").write_text("own\n")
        own.chmod(0o400)
        script = f"cat {own}; mkdir -m 700 sub; (umask 077; echo inner >sub/f); cat sub/f /image"
        task = self.task(tmp_path, "s", script, reads=(str(own),))
        image = Path(self._image(), "image")
        image.write_text("image\n")
        image.chmod(0o600)
        executor.submit([task])
        self.reports(executor, [task.key])
        image.unlink()
        assert Path(task.stdout).read_text() == "own\ninner\nimage\n"

    def test_inputs_are_read_only_whatever_they_are_called(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        names = ["a b", "ü,x", "tab\there", "two\nlines", "back\\040slash", "#x", "x" * 200]
        (folder := tmp_path / "in put").mkdir()
        files = [folder / name for name in names]
        for file in files:
            file.write_text("as it was\n")
        script = """
            for each; do cat "$each"; echo changed >"$each" && exit 3; done
            echo new >"$(dirname "$1")/beside"; echo here >here
        """
        argv = ("sh", "-c", script, "sh", *map(str, files))
        for reads in ([str(one) for one in files], [str(folder)]):
            task = self.command(tmp_path, "s", argv, reads=tuple(reads))
            executor.submit([task])
            assert self.reports(executor, [task.key])[task.key].exit_code == 0
            assert Path(task.stdout).read_text() == "as it was\n" * len(files)
            assert (Path(task.outdir) / "here").read_text() == "here\n"
        assert {one.read_text() for one in files} == {"as it was\n"}
        assert not (folder / "beside").exists()

    def test_an_input_in_which_the_task_writes_is_no_hindrance(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        argv = ("sh", "-c", "echo here >here")
        task = self.command(tmp_path, "s", argv, reads=(str(tmp_path),))
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        assert (Path(task.outdir) / "here").read_text() == "here\n"

    def test_a_path_with_a_colon_is_seen_too(self, executor: Executor, tmp_path: Path) -> None:
        odd = tmp_path / "in" / "a:b.txt"
        odd.parent.mkdir()
        odd.write_text("odd\n")
        task = self.task(tmp_path, "s", f"cat {odd}", reads=(str(odd),))
        executor.submit([task])
        self.reports(executor, [task.key])
        assert Path(task.stdout).read_text() == "odd\n"

    def test_what_leaves_its_session_ends_with_the_task_too(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        beats = "while :; do echo beat >> beat; sleep 0.05; done"
        script = f"setsid sh -c '{beats}' & until [ -e beat ]; do sleep 0.05; done; touch on; wait"
        task = self.task(tmp_path, "s", script)
        beat = Path(task.outdir) / "beat"
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        executor.cancel([task.key], 0.2)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.CANCELLED
        self.still(beat)

    def test_an_entry_point_stands_before_the_command(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        image = self.runtime.image(Container(IMAGE, ""))
        assert image is not None
        whole = replace(image, entrypoint=("echo", "first"), command=("nothing",))
        task = self.task(tmp_path, "s", "true")
        assert self.runtime.command(task, whole).argv[-5:-3] == ("echo", "first")
        alone = self.runtime.command(replace(task, argv=()), whole)
        assert alone.argv[-3:] == ("echo", "first", "nothing")

    def test_its_user_has_a_name_there(self, executor: Executor, tmp_path: Path) -> None:
        task = self.task(tmp_path, "s", "id -un; id -gn; cut -d: -f1,3 /etc/passwd")
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        name = pwd.getpwuid(os.getuid()).pw_name if os.getuid() else "localproc"
        group = grp.getgrgid(os.getgid()).gr_name
        said = Path(task.stdout).read_text().split()
        assert said == [name, group, "nobody:65534", f"{name}:{os.getuid() or 1000}"]

    def test_why_there_is_no_root_is_said(self, executor: Executor, tmp_path: Path) -> None:
        """An image that went away between looking at it and starting the task, say."""
        task = self.task(tmp_path, "s", "true")
        image = self.runtime.image(Container(IMAGE, ""))
        assert image is not None
        plain = self.runtime.command(task, image)
        make_beside(plain.stage)
        (link := Path(f"{task.outdir}.box/image")).unlink()
        link.symlink_to(tmp_path / "gone")
        executor.submit([plain])
        assert self.reports(executor, [task.key])[task.key].exit_code == 126
        assert "mount" in Path(task.stderr).read_text()

    def test_an_image_that_is_not_here_is_refused_with_what_brings_it(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "true")
        assert task.container is not None
        task = replace(task, container=replace(task.container, image="nobody/has:1"))
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        assert report.state is TaskState.REFUSED
        assert "localproc images pull nobody/has:1" in report.reason

    def test_an_image_that_was_replaced_meanwhile_is_refused(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "true")
        assert task.container is not None
        task = replace(task, container=replace(task.container, digest="sha256:0"))
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        assert report.state is TaskState.REFUSED
        assert "another one since" in report.reason

    def test_a_task_without_a_container_is_a_process_of_this_machine(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = replace(self.task(tmp_path, "s", f"ls {tmp_path}"), container=None)
        (tmp_path / "other").touch()
        executor.submit([task])
        self.reports(executor, [task.key])
        assert "other" in Path(task.stdout).read_text().split()

    def _image(self) -> str:
        [found] = self.runtime.images()
        return found.path


def keeper(executor: Executor) -> int:
    """Give the process of the keeper below."""
    assert isinstance(executor, Composed)
    return keeper_of(executor._inner)
