"""The core of batch schedulers: which tasks go together, what nodes are given, what records say."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.errors import EnvironmentProblem, ExecutorUnavailable
from localproc.executors.batch import (
    Failed,
    Options,
    Paced,
    Request,
    Seen,
    called,
    commands,
    shared_paths,
)
from localproc.executors.batch.grouping import Batch, Mode, batches
from localproc.executors.batch.handed import Handed
from localproc.executors.batch.node_scripts import (
    NodeSetup,
    has_node_tmpdir,
    shell_tasks,
    with_setup,
)
from localproc.executors.batch.records import keeper_record, report, shell_record, unrecorded
from localproc.executors.batch.runner_files import copied
from localproc.executors.batch.shared_paths import Sharing, own_machine
from localproc.executors.batch.spool import Spool
from localproc.model import Resources, Task, TaskState
from tests.conftest import fill
from tests.patience import patient, until

NODE = NodeSetup("JOB", "INDEX")


def task(key: str = "j:s:1", *argv: str, **fields: Any) -> Task:
    made = Task(key, argv or ("true",), {}, "/w/out", "/w/tmp", None, "/w/o", "/w/e", step="s")
    return replace(made, **fields)


def grouped(tasks: list[Task], **options: Any) -> list[Batch]:
    return list(batches(tasks, lambda _: options))


def test_one_task_is_a_job_and_more_are_an_array() -> None:
    tasks = [task(f"j:s_{n}:1") for n in range(3)]
    assert [one.mode for one in grouped(tasks[:1])] == [Mode.SINGLE]
    assert [(one.mode, len(one.tasks)) for one in grouped(tasks)] == [(Mode.ARRAY, 3)]
    assert [one.mode for one in grouped(tasks, mode="single")] == [Mode.SINGLE] * 3
    assert [one.mode for one in grouped(tasks[:1], mode="array")] == [Mode.SINGLE]


def test_engines_that_begin_together_share_one_whole_runner(tmp_path: Path) -> None:
    """Also those of one process: there may be several."""
    with ThreadPoolExecutor(8) as pool:
        (folder,) = set(pool.map(copied, [str(tmp_path)] * 32))
    assert os.listdir(tmp_path) == [os.path.basename(folder)]
    assert all(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


def test_tasks_that_ask_for_something_else_go_apart() -> None:
    large = task("j:large:1", resources=Resources(cores=8))
    tasks = [task("j:a:1"), large, task("j:b:1")]
    assert [[one.key for one in batch.tasks] for batch in grouped(tasks)] == [
        ["j:a:1", "j:b:1"],
        ["j:large:1"],
    ]


def test_a_bundle_packs_by_its_cores() -> None:
    needs = Resources(cores=2, ram=100, time=60)
    [bundle] = grouped(
        [task(f"j:s_{n}:1", resources=needs) for n in range(10)], mode="bundle", bundle_cores=8
    )
    assert (bundle.mode, bundle.slots) == (Mode.BUNDLE, 4)
    assert (bundle.request.cores, bundle.request.ram) == (8, 400)
    assert bundle.request.seconds == 3 * 60 + 60, "three rounds, and a minute for the scheduler"


@given(count=st.integers(1, 200), size=st.integers(1, 60), mode=st.sampled_from([*Mode, None]))
def test_every_task_is_in_one_batch(count: int, size: int, mode: Mode | None) -> None:
    tasks = [task(f"j:s_{n}:1") for n in range(count)]
    options: dict[str, Any] = {"bundle": size, **({"mode": mode} if mode else {})}
    found = grouped(tasks, **options)
    assert sorted(one.key for batch in found for one in batch.tasks) == sorted(
        one.key for one in tasks
    )
    if mode is Mode.BUNDLE:
        sizes = [len(batch.tasks) for batch in found]
        assert max(sizes) <= size
        assert max(sizes) - min(sizes) <= len(sizes), "they are as equal as can be"


def test_options_of_steps_add_to_those_of_all() -> None:
    given_options = {"mode": "array", "steps": {"crop*": {"mode": "bundle"}, "a/b": {"jobs": 3}}}
    options = Options("x", given_options, {})
    assert options.of("items/crop_2") == {"mode": "bundle"}
    assert options.of("a/b") == {"mode": "array", "jobs": 3}
    assert options.of("other") == {"mode": "array"}


def test_options_of_processes_add_to_those_of_steps() -> None:
    water = {"partition": "long", "steps": {"node_train": {"partition": "gpu"}}}
    options = Options(
        "x",
        {"partition": "main", "steps": {"node_*": {"jobs": 3}}, "processes": {"water*": water}},
        {"partition": "where"},
    )
    assert options.of("node_crop", "fire") == {"partition": "main", "jobs": 3}
    assert options.of("node_crop", "water-bodies") == {"partition": "long", "jobs": 3}
    assert options.of("node_train", "water-bodies") == {"partition": "gpu", "jobs": 3}
    assert options.get("partition", "") == "main"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"processes": {"a": {"nope": 1}}}, "the executor x has no option 'nope'"),
        ({"processes": {"a": {"steps": {"b": {"mode": "x"}}}}}, "x.mode cannot be 'x'"),
        ({"processes": {"a": {"steps": 1}}}, "x.processes.a.steps is not a mapping of patterns"),
        ({"processes": {"a": {"processes": {}}}}, "x.processes.a cannot have processes"),
        ({"steps": {"a": {"steps": {}}}}, "x.steps.a cannot have steps"),
        ({"patition": "x"}, "the executor x has no option 'patition'"),
        ({"steps": {"a": {"nope": 1}}}, "the executor x has no option 'nope'"),
        ({"steps": ["a"]}, "is not a mapping of patterns"),
        ({"steps": {"a": "bundle"}}, "are not a mapping"),
        ({"mode": "bundles"}, "cannot be 'bundles'"),
        ({"jobs": 0}, "x.jobs cannot be 0"),
        ({"jobs": "many"}, "x.jobs cannot be 'many'"),
        ({"steps": {"a": {"bundle": 0}}}, "x.bundle cannot be 0"),
        ({"bundle_cores": "0"}, "x.bundle_cores cannot be '0'"),
        ({"timeout": None}, "x.timeout cannot be None"),
        ({"silence": -1}, "x.silence cannot be -1"),
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: Mapping[str, Any], said: str) -> None:
    with pytest.raises(EnvironmentProblem, match=said):
        Options("x", wrong, {"partition": "where"})


ARGUMENTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


def test_a_task_of_several_processes_is_started_as_often_with_memory_for_each() -> None:
    """Lines of the shell come before that: they may be what brings the command that starts them."""
    several = task("k", "solve", resources=Resources(cores=2, ram=300, processes=3))
    [plain] = grouped([several])
    assert (plain.request.cores, plain.request.ram, plain.request.each) == (2, 900, 3)
    node = replace(NODE, mpirun="start --threads={cores}")
    assert "start --threads=2 -n 3 solve ;;" in shell_tasks(plain, node)["tasks.0.sh"]
    [other] = grouped([several], mode="bundle", mpirun="mpiexec --oversubscribe", setup="load mpi")
    assert other.mode is Mode.SINGLE
    [said] = shell_tasks(other, node.of(other)).values()
    assert """{\nload mpi\n} >&2\nexec "$@"' sh mpiexec --oversubscribe -n 3 solve ;;""" in said
    [alone] = grouped([task("k", "solve", resources=Resources(ram=300))])
    assert alone.request.ram == 300
    assert "start" not in shell_tasks(alone, node)["tasks.0.sh"]


@settings(deadline=None, max_examples=20)
@given(words=st.lists(ARGUMENTS, min_size=1, max_size=4), value=ARGUMENTS)
def test_a_command_reaches_its_program_as_it_was(
    words: list[str], value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The shell, setsid and env are between them."""
    show = "import os, sys, json; print(json.dumps([sys.argv[1:], os.environ['X']]))"
    batch = Batch(
        Mode.SINGLE,
        (task("k", "python3", "-c", show, *words, env={"PATH": "/usr/bin:/bin", "X": value}),),
        Request(1, 1),
    )
    script = f"{shell_tasks(batch, NODE)['tasks.0.sh']}\nlocal=\n(command_of 0)"
    path = tmp_path_factory.mktemp("s") / "script"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(["sh", path], capture_output=True, check=True)
    assert json.loads(done.stdout) == [words, value]


def test_what_the_lines_before_a_task_say_is_none_of_its_output() -> None:
    """Modules and profiles greet."""
    argv = with_setup(["printenv", "GREETING"], "echo loaded gdal\nexport GREETING=hi # so far")
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("hi\n", "loaded gdal\n")
    assert with_setup(["true"], "") == ["true"]


def test_a_temporary_folder_is_the_nodes_if_nothing_else_names_it() -> None:
    env = {"TMPDIR": "/w/tmp", "HOME": "/w/out"}
    assert has_node_tmpdir(task("k", "sort", env=env))
    assert not has_node_tmpdir(task("k", "sort", "-T", "/w/tmp", env=env))
    assert not has_node_tmpdir(task("k", "sort", env={**env, "CACHE": "/w/tmp/cache"}))
    assert not has_node_tmpdir(task("k", "sort", env=env, tmpdir="/w/out"))


RECORD = "code 3\nhost n1\njob 17\npeak 41943040\n0m0.01s 0m0.02s\n0m1.50s 1m0.25s\n"


def test_a_record_of_the_shell_is_read() -> None:
    found = shell_record(RECORD, 100.0, 161.0)
    assert found is not None
    assert (found.code, found.state, found.host, found.job) == (3, TaskState.ENDED, "n1", "17")
    assert found.cpu == pytest.approx(61.75)
    assert found.rss == 40960


@pytest.mark.parametrize("text", ["", "code 3\n", "code x\n0m0s 0m0s\n0m0s 0m0s\n", "\0\0\0"])
def test_a_record_that_makes_no_sense_is_none(text: str) -> None:
    assert shell_record(text, None, 0.0) is None


@pytest.mark.parametrize(
    ("lines", "state", "told"),
    [
        ("code 143\nwhy late\n", TaskState.TIMED_OUT, True),
        ("code 143\nwhy note\n", TaskState.CANCELLED, True),
        ("code 143\nwhy TERM\n", TaskState.ENDED, False),
        ("code 137\noom 2\n", TaskState.OUT_OF_MEMORY, True),
        ("code 137\noom 0\n", TaskState.ENDED, False),
        ("code 143\n", TaskState.ENDED, True),
    ],
)
def test_why_a_task_ended_is_told_or_asked(lines: str, state: TaskState, told: bool) -> None:
    found = shell_record(f"{lines}0m0s 0m0s\n0m0s 0m0s\n", None, 0.0)
    assert found is not None
    assert (found.state, found.told) == (state, told)


def test_the_scheduler_explains_a_kill_and_nothing_else() -> None:
    killed = shell_record("code 137\n0m0s 0m0s\n0m0s 0m0s\n", None, 0.0)
    ended = shell_record(RECORD, None, 0.0)
    assert killed is not None
    assert ended is not None
    seen = Seen(TaskState.OUT_OF_MEMORY, "the limit")
    assert report("k", killed, seen, None).state is TaskState.OUT_OF_MEMORY
    assert report("k", killed, Seen(TaskState.ENDED), None).state is TaskState.ENDED
    assert report("k", killed, None, None).state is TaskState.ENDED
    assert report("k", ended, seen, None).state is TaskState.ENDED


def test_an_id_that_is_given_out_twice_is_told_apart_by_the_name() -> None:
    assert Seen(TaskState.RUNNING, name="lp-a").is_of("lp-a")
    assert not Seen(TaskState.RUNNING, name="lp-b").is_of("lp-a")
    assert Seen(TaskState.RUNNING).is_of("lp-a"), "it is not known"


BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@pytest.mark.skipif(not BOOT_ID.exists(), reason="machines have no boot id here")
@pytest.mark.parametrize("options", [{}, {"tmp": "$PLACE"}])
@pytest.mark.parametrize("machine", ["own", "other", ""])
def test_on_the_machine_of_the_engine_its_own_temporary_folder_does(
    tmp_path: Path, machine: str, options: Mapping[str, Any]
) -> None:
    """Nothing is made there nor removed, unless somebody has said where."""
    place, own = tmp_path / "place", tmp_path / "own"
    for folder in (place, own):
        folder.mkdir()
    script = 'echo "$TMPDIR"; [ -d "$TMPDIR" ] && touch "$TMPDIR/x"'
    plain = here(tmp_path, "a", "sh", "-c", script)
    Path(plain.outdir).mkdir()
    one = replace(plain, tmpdir=str(own), env={"TMPDIR": str(own)})
    boot = BOOT_ID.read_text().strip() if machine == "own" else machine
    spool = Spool(str(tmp_path / "home"), replace(NODE, tmp="$PLACE", machine=boot))
    node = tuple(options.items())
    handed = spool.add(Batch(Mode.SINGLE, (one,), Request(1, 1), node=node))
    env = {"JOB": "18", "PLACE": str(place)}
    subprocess.run(["sh", f"{handed.folder}/script"], check=True, env=env)
    is_own = machine == "own" and not options
    used = own if is_own else place / "localproc.18.0"
    assert Path(one.stdout).read_text() == f"{used}\n"
    assert (own / "x").exists() is is_own
    assert list(place.iterdir()) == []
    assert [record.code for _, record in spool.ends([], ())] == [0]


def test_what_is_on_a_network_is_no_disk_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    own = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    assert own_machine("/") == own
    monkeypatch.setattr(shared_paths, "on_network", lambda _: True)
    assert own_machine("/") == ""


def test_a_line_of_a_keeper_is_a_record() -> None:
    line = {"key": "k", "at": 5.0, "started": 2.0, "code": -15, "why": "timed-out", "rss": 100}
    found = keeper_record(line, "n1", "17")
    assert (found.state, found.code, found.rss) == (TaskState.TIMED_OUT, -15, 100)


@pytest.mark.parametrize(
    ("seen", "begun", "state"),
    [
        (Seen(TaskState.ENDED), False, TaskState.REFUSED),
        (Seen(TaskState.ENDED), True, TaskState.LOST),
        (Seen(TaskState.NODE_LOST, "n1"), True, TaskState.NODE_LOST),
        (Seen(TaskState.CANCELLED, "by root"), False, TaskState.CANCELLED),
        (Seen(TaskState.CANCELLED, again=True), False, TaskState.LOST),
        (Seen(TaskState.CANCELLED, again=True), True, TaskState.CANCELLED),
        (Seen(TaskState.TIMED_OUT), True, TaskState.TIMED_OUT),
        (Seen(TaskState.NEVER_STARTED), False, TaskState.CANCELLED),
        (Seen(TaskState.NEVER_STARTED), True, TaskState.LOST),
    ],
)
def test_a_job_without_a_record_is_what_the_scheduler_says(
    seen: Seen, begun: bool, state: TaskState
) -> None:
    found = unrecorded("k", seen, "17", begun=begun, log="/b/script: not found")
    assert found.state is state
    if seen.state is TaskState.ENDED:
        assert found.reason.endswith("/b/script: not found")


def test_only_the_first_makes_a_marker(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), NODE)
    handed = spool.add(Batch(Mode.ARRAY, (here(tmp_path, "a"), here(tmp_path, "b")), Request(1, 1)))
    marker = Path(handed.folder) / "begun.0"
    marker.write_text("17 n1\n")
    assert not spool.fence(handed, 0)
    assert spool.fence(handed, 1)
    assert spool.fence(handed, 1), "it is ours"
    assert (Path(handed.folder) / "begun.1").read_text() == "-\n"
    done = subprocess.run(
        ["sh", f"{handed.folder}/script"], check=True, env={"JOB": "18", "INDEX": "1"}
    )
    assert done.returncode == 0
    assert list((tmp_path / "done").iterdir()) == [], "what is fenced never begins"


@pytest.mark.parametrize(
    ("own", "python", "by"),
    [
        (sys.executable, "no-such-python", "keeper"),
        ("/nowhere/python", sys.executable, "keeper"),
        ("/bin/false", sys.executable, "keeper"),
        ("/bin/false", "no-such-python", "shell"),
        ("", "/bin/false", "shell"),
    ],
)
def test_a_bundle_is_run_by_the_first_python_that_can(
    own: str, python: str, by: str, tmp_path: Path
) -> None:
    spool = Spool(str(tmp_path), replace(NODE, own=own, python=python))
    tasks = tuple(here(tmp_path, name, "sh", "-c", "echo ran >&2") for name in "ab")
    for one in tasks:
        Path(one.outdir).mkdir()
    handed = spool.add(Batch(Mode.BUNDLE, tasks, Request(2, 100), slots=2))
    assert run(handed).returncode == 0
    ends = dict(spool.ends([handed], ()))
    assert [ends[handed.handle(number)].code for number in range(2)] == [0, 0]
    assert [Path(one.stderr).read_text() for one in tasks] == ["ran\n"] * 2
    assert ("keeper" if (Path(handed.folder) / "journal").exists() else "shell") == by


@pytest.mark.parametrize(
    "other",
    [
        "import time; right = time.time; time.time = lambda: right() + 3600",
        "import time; right = time.time; time.time = lambda: right() - 3600",
        "import fcntl, os; fcntl.flock = lambda *_: os.open('/dev/full/no-locks', 0)",
    ],
    ids=["its clock is ahead", "its clock is behind", "its disk has no locks"],
)
def test_a_bundle_is_run_on_a_node_of_another_kind(other: str, tmp_path: Path) -> None:
    """When its tasks began and ended is told as the disk has it, which others see as well."""
    python = tmp_path / "python"
    run_it = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = shlex.join([sys.executable, "-I", "-S", "-c", f"{other}\n{run_it}"])
    python.write_text(f'#!/bin/sh\nshift 2\nexec {command} "$@"\n')
    python.chmod(0o755)
    spool = Spool(str(tmp_path), replace(NODE, own=str(python)))
    tasks = tuple(here(tmp_path, name, "true") for name in "ab")
    for one in tasks:
        Path(one.outdir).mkdir()
    handed = spool.add(Batch(Mode.BUNDLE, tasks, Request(2, 100), slots=2))
    before = datetime.now(UTC) - timedelta(seconds=2)
    assert run(handed).returncode == 0
    ends = dict(spool.ends([handed], ()))
    assert len(ends) == 2
    for record in ends.values():
        assert record.code == 0
        assert record.started is not None
        assert record.ended is not None
        assert before < record.started <= record.ended < datetime.now(UTC) + timedelta(seconds=2)
    assert (Path(handed.folder) / "journal").exists(), "it was run by that Python"


def test_a_shell_that_works_off_a_bundle_survives_a_signal_as_it_starts(tmp_path: Path) -> None:
    script = f"""
        . {copied(str(tmp_path))}/runner.sh
        begin() {{ :; }}
        give_signs() {{ exec sleep 3600 >/dev/null; }}
        work() {{
            sh -c 'kill -s USR2 $PPID'
            trap : USR2
            echo listens
        }}
        run_bundle 1 1 1 1 '' ''
    """
    ended = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    assert ended.stdout == "listens\n"


def test_nothing_begins_while_the_disk_is_full(small_disk: Path) -> None:
    spool = Spool(str(small_disk), NODE)
    one = here(small_disk, "a", "sh", "-c", "exit 3")
    Path(one.outdir).mkdir()
    handed = spool.add(Batch(Mode.SINGLE, (one,), Request(1, 1)))
    fill(small_disk / "filler")
    assert run(handed).returncode == 1
    with pytest.raises(ExecutorUnavailable, match="No space left"):
        spool.fence(handed, 0)
    assert spool.begun(handed, 0) is None, "nobody has, and nobody is kept from it"
    (small_disk / "filler").unlink()
    assert run(handed).returncode == 0
    [(_, record)] = spool.ends([handed], ())
    assert record.code == 3


def test_a_record_is_written_once_there_is_room(small_disk: Path) -> None:
    spool = Spool(str(small_disk), NODE)
    one = here(small_disk, "a", "sh", "-c", f"cat /dev/zero >{small_disk}/filler; exit 3")
    Path(one.outdir).mkdir()
    handed = spool.add(Batch(Mode.SINGLE, (one,), Request(1, 1)))
    env = {"JOB": "17", "PATH": os.environ["PATH"]}
    with subprocess.Popen(["sh", f"{handed.folder}/script"], env=env, stderr=subprocess.DEVNULL):
        until(lambda: list((small_disk / "done").iterdir()))
        assert list(spool.ends([handed], ())) == []
        (small_disk / "filler").unlink()
    [(_, record)] = spool.ends([handed], ())
    assert record.code == 3


def run(handed: Handed) -> subprocess.CompletedProcess[bytes]:
    """Run the script of a batch, as a scheduler does."""
    env = {"JOB": "17", "PATH": os.environ["PATH"]}
    argv = ["sh", f"{handed.folder}/script"]
    return subprocess.run(argv, check=False, env=env, capture_output=True)


@pytest.mark.parametrize("first", [0, 1])
def test_each_task_of_a_wide_array_is_run_by_its_number(first: int, tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), replace(NODE, first_index=first))
    tasks = tuple(here(tmp_path, f"a{n}", "sh", "-c", f"exit {n}") for n in range(60))
    handed = spool.add(Batch(Mode.ARRAY, tasks, Request(1, 1)))
    for number in (0, 24, 25, 59):
        Path(tasks[number].outdir).mkdir()
        env = {"JOB": "17", "INDEX": str(number + first), "PATH": os.environ["PATH"]}
        subprocess.run(["sh", f"{handed.folder}/script"], check=True, env=env)
    codes = {handle: record.code for handle, record in spool.ends([handed], ())}
    assert codes == {handed.handle(number): number for number in (0, 24, 25, 59)}


def test_another_process_finds_what_was_written_down(tmp_path: Path) -> None:
    first = Spool(str(tmp_path), NODE)
    one = here(tmp_path, "a")
    handed = first.add(Batch(Mode.SINGLE, (one,), Request(2, 3, options=(("extra", ("-x",)),))))
    first.took(handed, "17")
    found, number = Spool(str(tmp_path), NODE).find([one.key, "unknown"])[one.key]
    assert (found.job, found.request, number) == ("17", handed.request, 0)
    first.forget(handed, [0])
    assert Spool(str(tmp_path), NODE).find([one.key]) == {}


def test_a_half_written_batch_is_none(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), NODE)
    (tmp_path / "batches" / "lp-half").mkdir()
    (tmp_path / "batches" / "lp-half" / "about.json").write_text('{"mode": "sin')
    assert spool.find(["a"]) == {}


def here(folder: Path, name: str, *argv: str) -> Task:
    out = str(folder / name)
    return task(f"j:{name}:1", *argv, outdir=out, stdout=f"{out}.o", stderr=f"{out}.e")


def test_paths_that_nodes_do_not_see_are_told(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    sharing = Sharing([str(shared)])
    sharing.check_home(str(shared / "home"))
    with pytest.raises(EnvironmentProblem, match="--work DIR"):
        sharing.check_home(str(tmp_path / "home"))
    seen = task("k", outdir=str(shared / "w"), reads=(str(shared / "in.tif"),))
    assert sharing.unseen(seen) == ""
    hidden = replace(seen, reads=(str(tmp_path / "in.tif"),))
    assert sharing.unseen(hidden) == f"the nodes do not see {tmp_path}/in.tif: they see {shared}"
    assert Sharing([]).unseen(hidden) == "", "nothing is known"


def test_queries_are_a_second_apart_whoever_asks_and_however_they_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, began = 100.0, list[float]()

    def pass_by(seconds: float) -> None:
        nonlocal now
        now += seconds

    def call(argv: Sequence[str]) -> str:
        began.append(now)
        pass_by(float(argv[1]))
        if argv[0] == "away":
            raise ExecutorUnavailable("nobody answers")
        return argv[0]

    monkeypatch.setattr(commands, "monotonic", lambda: now)
    monkeypatch.setattr(commands, "sleep", pass_by)
    query = Paced(call)
    assert query(["squeue", "0.25"]) == "squeue"
    with pytest.raises(ExecutorUnavailable):
        query(["away", "9"])
    assert query(["sacct", "0"]) == "sacct"
    pass_by(0.75)
    assert query(["squeue", "0"]) == "squeue"
    pass_by(30)
    assert query(["squeue", "0"]) == "squeue"
    assert began == [100, 101.25, 111.25, 112.25, 142.25], "after the end of the one before it"


def test_commands_get_little_of_the_environment_and_not_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("SLURM_CONF", "y")
    said = called(["env"], timeout=patient(60), keep=("SLURM_",))
    assert "SLURM_CONF=y" in said
    assert "SECRET" not in said
    with pytest.raises(Failed, match="sh: no"):
        called(["sh", "-c", "echo no >&2; exit 3"], timeout=patient(60))
    with pytest.raises(ExecutorUnavailable, match="does not answer within"):
        called(["sleep", "60"], timeout=0.1)
    with pytest.raises(ExecutorUnavailable, match=r" s: it is sleeping$"):
        called(["sh", "-c", "echo it is sleeping >&2; exec sleep 60"], timeout=patient(1))
    with pytest.raises(ExecutorUnavailable, match="cannot be run"):
        called(["no-such-command-anywhere"], timeout=patient(1))
