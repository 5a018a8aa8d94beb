"""Slurm's commands as they are called, and what their answers mean."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localproc_slurm import calls, command_answers
from localproc_slurm.cluster import Cluster

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import Allocation, Failed, Request, TooMany
from localproc.model import TaskState
from localproc.plugins.backend import Refused


def allocation(count: int = 0, **fields: object) -> Allocation:
    needs = Request(**{"cores": 1, "ram": 256, **fields})  # type: ignore[arg-type]
    return Allocation("lp-a", "/b/script", "/b/log", "/b", needs, count)


def test_a_job_is_asked_for_in_a_clean_environment_and_never_requeued() -> None:
    words = calls.sbatch(allocation())
    assert words[0] == "sbatch"
    assert words[-1] == "/b/script"
    assert {"--parsable", "--no-requeue", "--export=ALL", "--kill-on-invalid-dep=yes"} <= set(words)
    assert {"--job-name=lp-a", "--cpus-per-task=1", "--mem=256M", "--nodes=1"} <= set(words)
    assert {"--chdir=/b", "--output=/b/log"} <= set(words)
    assert not any(word.startswith(("--time", "--gres", "--array")) for word in words)


@pytest.mark.parametrize("folder", ["/50%done", "/back\\slash"])
def test_a_log_whose_name_slurm_would_change_is_none(folder: str) -> None:
    """It would not be found, and the job would not begin for want of it."""
    there = replace(allocation(), folder=folder, log=f"{folder}/log")
    assert {f"--chdir={folder}", "--output=/dev/null"} <= set(calls.sbatch(there))


def test_what_the_options_say_is_asked_for() -> None:
    options = (
        ("account", "eo"),
        ("constraint", "avx512"),
        ("extra", ("--mail-type=END",)),
        ("gpu", "gpu:a100:{}"),
        ("gres", "lustre:1"),
        ("licenses", "idl:1"),
        ("partition", "long"),
        ("qos", "high"),
        ("reservation", "night"),
    )
    words = calls.sbatch(
        allocation(8, cores=4, seconds=90, gpus=2, nodes=2, processes=6, options=options)
    )
    assert {
        "--account=eo",
        "--constraint=avx512",
        "--mail-type=END",
        "--gres=gpu:a100:2,lustre:1",
        "--licenses=idl:1",
        "--partition=long",
        "--qos=high",
        "--reservation=night",
        "--time=2",
        "--nodes=2",
        "--ntasks=6",
        "--array=0-7",
    } <= set(words)


def test_all_jobs_are_asked_for_at_once() -> None:
    rows = "--format=job %i|%T|%r|%N|%S|%j"
    assert calls.squeue() == ["squeue", "--me", "--noheader", "--array", rows]
    assert "--clusters=big" in calls.squeue("big")


@pytest.mark.parametrize(
    ("line", "state", "reason"),
    [
        ("7|PENDING|Priority|", TaskState.QUEUED, "Priority"),
        ("7_3|RUNNING|None|n1", TaskState.RUNNING, ""),
        ("7|COMPLETING|None|n1", TaskState.RUNNING, ""),
        ("7|PENDING|PartitionConfig|", TaskState.REFUSED, "no such time, nodes or memory)"),
        ("7|PENDING|PartitionNodeLimit|", TaskState.REFUSED, "never start it: PartitionNodeLimit"),
        ("7|PENDING|InvalidAccount|", TaskState.REFUSED, "would never start it: InvalidAccount"),
        ("7|COMPLETED|None|n1", TaskState.ENDED, ""),
        ("7|FAILED|NonZeroExitCode|n1", TaskState.ENDED, "NonZeroExitCode"),
        ("7|TIMEOUT|TimeLimit|n1", TaskState.TIMED_OUT, "Slurm's time limit"),
        ("7|OUT_OF_MEMORY|OutOfMemory|n1", TaskState.OUT_OF_MEMORY, "OutOfMemory"),
        ("7|NODE_FAIL|None|n1", TaskState.NODE_LOST, "Slurm has lost the node n1"),
        ("7|DEADLINE|DeadLine|", TaskState.TIMED_OUT, "it had not ended by its deadline"),
        ("7|CANCELLED|None|n1", TaskState.CANCELLED, "somebody cancelled it by way of Slurm"),
        ("7|PREEMPTED|None|n1", TaskState.LOST, "for a job of higher priority"),
        ("7|A_STATE_OF_NEXT_YEAR|None|", TaskState.QUEUED, ""),
    ],
)
def test_what_squeue_lists_is_read(line: str, state: TaskState, reason: str) -> None:
    [(job, seen)] = command_answers.queue(f"job {line}|N/A|lp-a\n").items()
    assert job == line.split("|")[0]
    assert (seen.state, seen.name) == (state, "lp-a")
    assert seen.reason.endswith(reason)


@pytest.mark.parametrize(
    ("state", "node", "again"),
    [
        ("CANCELLED", "n1", True),  # slurmd itself does so where it has a job of that id still
        ("CANCELLED by 0", "n1", True),
        ("CANCELLED by 1000", "n1", False),
        ("CANCELLED", "", False),
        ("FAILED", "n1", False),
    ],
)
def test_what_was_cancelled_on_its_node_by_nobody_else_may_begin_again(
    state: str, node: str, again: bool
) -> None:
    said = f"job 7|{state}|None|{node}|2026-11-29T07:12:30|lp-a\n"
    assert command_answers.queue(said)["7"].again is again
    said = f"7|{state}|{node or 'None assigned'}|lp-a\n"
    assert command_answers.accounted(said, ["7"])["7"].again is again


@pytest.mark.parametrize(
    "said",
    [
        "slurm_load_jobs error\n",
        "<html>\n",
        "\n",
        "7|RUNNING\n",
        "job 7|RUNNING\n",
        "job x|y|z||||\n",
    ],
)
def test_a_queue_that_makes_no_sense_is_none(said: str) -> None:
    """Jobs that are not listed have ended: so anything else must not pass for a list."""
    cluster = Cluster(call=lambda argv: said)
    with pytest.raises(ExecutorUnavailable, match="squeue makes no sense"):
        cluster.jobs()


PIECES = [
    "job ",
    "7",
    "_[0-3,5%2]",
    "|",
    "PENDING",
    "CANCELLED by 0",
    "²",
    "\n",
    "lp-a",
    "<html>",
    "up",
]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_answer_is_more_than_one_that_makes_no_sense(said: str) -> None:
    def call(argv: Sequence[str]) -> str:
        return said

    cluster = Cluster(call=call)
    of_some = partial(cluster.ended, ["7"]), partial(cluster.named, ["lp-a"])
    for question in (cluster.jobs, cluster.places, *of_some):
        with suppress(ExecutorUnavailable):
            question()
    with suppress(ExecutorUnavailable):
        cluster.submit(allocation())
    cluster.partitions()
    assert cluster.unfit(Request(1, 1)) == ""


def test_when_slurm_expects_a_job_to_begin_is_part_of_why_it_waits() -> None:
    [seen] = command_answers.queue("job 7|PENDING|Priority||2026-11-28T21:53:15|lp-a\n").values()
    assert seen.reason == "Priority; Slurm expects it to begin about 2026-11-28 21:50"
    [seen] = command_answers.queue("job 7|RUNNING|None|n1|2026-11-28T21:53:15|lp-a\n").values()
    assert seen.reason == ""


def test_places_are_those_of_everybodys_jobs_in_a_partition() -> None:
    """As Slurm 22.05 lists them."""
    said = (
        "job 4_0|main|Resources\njob 4_1|main|Resources\njob 5|main|Priority\n"
        "job 5|short|Nodes required for job are DOWN, DRAINED or reserved for other jobs\n"
        "job 7|main|Dependency\njob 8|main|BeginTime\njob 9|short|Priority\n"
        "job 6|main|JobHeldUser\njob 10|main|Priority\n"
    )
    assert command_answers.places(said) == {"4_0": 0, "4_1": 1, "5": 0, "9": 1, "10": 3}
    words = calls.squeue_places("big")
    assert words[:3] == ["squeue", "--noheader", "--states=PENDING"]
    assert {"--array", "--priority", "--sort=-p,i", "--clusters=big"} <= set(words)


def test_other_jobs_of_the_user_may_have_any_name() -> None:
    said = (
        "job 1|RUNNING|None|n1|N/A|a|b c\njob 2|PENDING|Priority||N/A|a\nb|c\n"
        "job 3|RUNNING|None|n1|N/A|lp-a\n"
    )
    found = command_answers.queue(said)
    assert {job: one.name for job, one in found.items()} == {"1": "a|b c", "2": "a", "3": "lp-a"}


def test_the_accounting_tells_who_cancelled() -> None:
    said = (
        "7|CANCELLED by 1000|n1|a\n8_2|NODE_FAIL|n2|b\n9|REQUEUED|n1|c\n10|RUNNING|n1|d\n"
        "11_[0-1,4%2]|CANCELLED by 0|None assigned|e\n12|OUT_OF_MEMORY|n1|f\n13|TIMEOUT|n1|g\n"
    )
    ids = ["7", "8_2", "9", "10", "11_0", "11_2", "11_4", "12", "13", "14"]
    found = command_answers.accounted(said, ids)
    assert set(found) == {"7", "8_2", "11_0", "11_4", "12", "13"}
    assert found["11_4"].state is TaskState.CANCELLED
    assert found["12"].state is TaskState.OUT_OF_MEMORY
    assert found["13"].state is TaskState.TIMED_OUT
    assert found["7"].reason == ("somebody cancelled it by way of Slurm, 1000 by its user id")


def test_what_an_accounting_has_listed_is_read() -> None:
    """As slurmdbd 22.05.8 with MariaDB has told of jobs that came to all kinds of ends."""
    said = (
        "13|CANCELLED by 0|None assigned|wrap\n"
        "17|OUT_OF_MEMORY|n1|lp-975b12c234e3\n"
        "22|COMPLETED|n1|lp-d3804f77ccf3\n"
        "23_1|COMPLETED|n1|lp-3e2380291364\n"
        "23_3|CANCELLED by 0|n1|lp-3e2380291364\n"
        "29|CANCELLED by 0|None assigned|lp-b8e6dc82e8d5\n"
        "30|REQUEUED|n1|lp-3cb68ab905c8\n"
        "31|NODE_FAIL|n1|lp-9ae8a8a47609\n"
        "70_0|TIMEOUT|n1|lp-c7e1d63a5f8c\n"
        "2540_[3,6%2]|CANCELLED by 0|None assigned|wrap\n"
    )
    ids = ["17", "22", "23_1", "23_3", "29", "30", "31", "70_0", "2540_3", "2540_6", "2540_4"]
    assert {job: one.state for job, one in command_answers.accounted(said, ids).items()} == {
        "17": TaskState.OUT_OF_MEMORY,
        "22": TaskState.ENDED,
        "23_1": TaskState.ENDED,
        "23_3": TaskState.CANCELLED,
        "29": TaskState.CANCELLED,
        "31": TaskState.NODE_LOST,
        "70_0": TaskState.TIMED_OUT,
        "2540_3": TaskState.CANCELLED,
        "2540_6": TaskState.CANCELLED,
    }


def test_an_element_that_slurm_has_forgotten_at_once_was_cancelled_before_it_began() -> None:
    """As 22.05.8 lists an array of five, of which the elements 2 and 4 were cancelled."""
    said = (
        "job 9_0|COMPLETED|None|n1|2026-11-29T00:33:34|lp-a\njob 9_1|RUNNING|None|n1|N/A|lp-a\n"
        "job 9_3|PENDING|JobHeldUser||N/A|lp-a\n"
    )
    found = command_answers.ended(said, ["9_0", "9_1", "9_2", "9_3", "8_2", "7"])
    assert {job: one.state for job, one in found.items()} == {
        "9_0": TaskState.ENDED,
        "9_2": TaskState.NEVER_STARTED,
    }
    assert found["9_2"].reason == "somebody cancelled it by way of Slurm"
    assert found["9_2"].name == "lp-a"
    assert "--jobs=7,9" in calls.squeue_ended(["9_0", "9_2", "7"])


def test_the_accounting_is_asked_for_whole_arrays() -> None:
    """Elements that have not begun share a row there, which none of their ids finds."""
    assert "--jobs=2540,7" in calls.sacct(["2540_3", "2540_4", "7"])


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1-02:03:04", 93784), ("02:03:04", 7384), ("03:04", 184), ("5", 300), ("2-00", 172_800)],
)
def test_times_are_read(said: str, seconds: int) -> None:
    assert command_answers.seconds(said) == seconds


@pytest.mark.parametrize("said", ["infinite", "UNLIMITED", "", "n/a"])
def test_no_limit_is_none(said: str) -> None:
    assert command_answers.minutes(said) is None


def test_the_accounting_is_asked_for_what_the_controller_has_forgotten() -> None:
    asked = []

    def call(argv: Sequence[str]) -> str:
        asked.append(argv[0])
        if argv[0] == "squeue":
            raise Failed(argv, 1, "slurm_load_jobs error: Invalid job id specified")
        return "7|TIMEOUT|n1|lp-a\n"

    [seen] = Cluster(call=call).ended(["7"]).values()
    assert (seen.state, seen.host, seen.name) == (TaskState.TIMED_OUT, "n1", "lp-a")
    assert asked == ["squeue", "sacct"]


def test_an_accounting_that_is_away_is_asked_again_and_one_that_is_off_is_not() -> None:
    said = ["Slurm accounting storage is disabled", "Problem talking to the database"]
    asked = []

    def call(argv: Sequence[str]) -> str:
        if argv[0] == "squeue":
            return ""
        asked.append(said[-1])
        raise Failed(argv, 1, said.pop())

    cluster = Cluster(call=call)
    with pytest.raises(ExecutorUnavailable, match="talking to the database"):
        cluster.ended(["7"])
    assert cluster.ended(["7"]) == {}
    assert cluster.ended(["7"]) == {}, "it is off"
    assert len(asked) == 2


def refusing(said: str) -> Cluster:
    def call(argv: Sequence[str]) -> str:
        raise Failed(argv, 1, said)

    return Cluster(call=call)


LIMITS = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"


@pytest.mark.parametrize("limit", ["QOSMaxSubmitJobPerUserLimit", "AssocGrpSubmitJobsLimit"])
def test_a_limit_of_jobs_in_the_queue_passes(limit: str) -> None:
    said = f"sbatch: error: {limit}\nsbatch: error: Batch job submission failed: {LIMITS}\n"
    with pytest.raises(TooMany, match=limit):
        refusing(said).submit(allocation())


def test_fewer_are_handed_in_where_the_controller_has_as_many_as_it_can() -> None:
    """Sbatch goes on trying till it is ended: an array may be more than that alone."""
    said = "Slurm temporarily unable to accept job, sleeping and retrying"

    def call(argv: Sequence[str]) -> str:
        raise ExecutorUnavailable(f"sbatch does not answer within 30 s: sbatch: error: {said}")

    with pytest.raises(TooMany, match=said):
        Cluster(call=call).submit(allocation(count=64))


def test_an_array_that_is_too_wide_for_a_site_is_handed_in_by_parts() -> None:
    said = "sbatch: error: Batch job submission failed: Invalid job array specification\n"
    with pytest.raises(TooMany, match="Invalid job array"):
        refusing(said).submit(allocation(count=64))
    assert isinstance(refusing(said).submit(allocation()), Refused), "it is none of ours"


@pytest.mark.parametrize(
    "limit", ["QOSMaxWallDurationPerJobLimit", "QOSGrpCpuLimit", "AssocMaxCpuPerJobLimit"]
)
def test_a_limit_that_the_job_itself_is_over_does_not_pass(limit: str) -> None:
    """Slurm says the same of all limits, but for the line before, where they deny on the limit."""
    said = f"sbatch: error: {limit}\nsbatch: error: Batch job submission failed: {LIMITS}\n"
    assert refusing(said).submit(allocation()) == Refused(f"sbatch: {limit}; {LIMITS}")


@pytest.mark.parametrize(
    "said",
    [
        "Unable to contact slurm controller (connect failure)",
        "Socket timed out on send/recv operation",
        "Slurm temporarily unable to accept job, sleeping and retrying",
        "I/O error writing script/environment to file",  # the controller's disk is full
        "Protocol authentication error",  # munge is away
        LIMITS,
    ],
)
def test_what_may_be_taken_later_is_not_refused(said: str) -> None:
    with pytest.raises(ExecutorUnavailable):
        refusing(f"sbatch: error: Batch job submission failed: {said}").submit(allocation())


def test_what_is_refused_is_told_in_slurms_words() -> None:
    said = (
        "sbatch: error: Batch job submission failed: Requested node configuration is not available"
    )
    answer = refusing(said).submit(allocation())
    assert answer == Refused("sbatch: Requested node configuration is not available")


def test_partitions_are_read_with_their_devices() -> None:
    said = (
        "gpu|64|512000|2-00:00:00|4|gpu:a100:8(S:0-1)|up\nmain|128+|256000|infinite|90|(null)|up\n"
    )
    gpu, main = command_answers.partitions(said)
    assert (gpu.cores, gpu.gpus, gpu.minutes, gpu.nodes) == (64, 8, 2880, 4)
    assert (main.cores, main.gpus, main.minutes) == (128, 0, None)
    cluster = Cluster(call=lambda argv: said)
    cluster.partitions()
    assert cluster.unfit(Request(64, 1000)) == ""
    assert cluster.unfit(Request(1, 1000, gpus=9)) == (
        "it needs 9 GPUs on a node, and the cluster has 8 at most"
    )
    long = Request(1, 1, seconds=4 * 86_400, options=(("partition", "gpu"),))
    assert cluster.unfit(long) == "it may take 5760 min, and the partition gpu allows 2880"
    assert cluster.unfit(Request(1, 1, options=(("partition", "no"),))) == (
        "there is no partition no"
    )
