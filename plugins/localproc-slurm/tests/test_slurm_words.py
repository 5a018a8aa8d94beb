"""Slurm's commands as they are called, and what their answers mean."""

from collections.abc import Sequence

import pytest
from localproc_slurm import answers, calls
from localproc_slurm.cluster import Cluster

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import Allocation, Failed, Request
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
    assert not any(word.startswith(("--time", "--gres", "--array")) for word in words)


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
    assert calls.squeue() == ["squeue", "--me", "--noheader", "--array", "--format=%i|%T|%r|%N"]
    assert "--clusters=big" in calls.squeue("big")


@pytest.mark.parametrize(
    ("line", "state", "reason"),
    [
        ("7|PENDING|Priority|", TaskState.QUEUED, "Priority"),
        ("7_3|RUNNING|None|n1", TaskState.RUNNING, ""),
        ("7|COMPLETING|None|n1", TaskState.RUNNING, ""),
        ("7|PENDING|PartitionConfig|", TaskState.REFUSED, "would never start it: PartitionConfig"),
        ("7|PENDING|InvalidAccount|", TaskState.REFUSED, "would never start it: InvalidAccount"),
        ("7|COMPLETED|None|n1", TaskState.ENDED, ""),
        ("7|FAILED|NonZeroExitCode|n1", TaskState.ENDED, "NonZeroExitCode"),
        ("7|TIMEOUT|TimeLimit|n1", TaskState.TIMED_OUT, "Slurm's time limit"),
        ("7|OUT_OF_MEMORY|OutOfMemory|n1", TaskState.OUT_OF_MEMORY, "OutOfMemory"),
        ("7|NODE_FAIL|None|n1", TaskState.NODE_LOST, "Slurm has lost the node n1"),
        ("7|CANCELLED|None|n1", TaskState.CANCELLED, "somebody cancelled it by way of Slurm"),
        ("7|PREEMPTED|None|n1", TaskState.LOST, "for a job of higher priority"),
        ("7|A_STATE_OF_NEXT_YEAR|None|", TaskState.QUEUED, ""),
    ],
)
def test_what_squeue_lists_is_read(line: str, state: TaskState, reason: str) -> None:
    [(job, seen)] = answers.queue(f"{line}\n").items()
    assert job == line.split("|")[0]
    assert seen.state is state
    assert seen.reason.endswith(reason)


@pytest.mark.parametrize("said", ["slurm_load_jobs error\n", "<html>\n", "7|RUNNING\n", "x|y|z|\n"])
def test_a_queue_that_makes_no_sense_is_none(said: str) -> None:
    """Jobs that are not listed have ended: so anything else must not pass for a list."""
    cluster = Cluster(call=lambda argv: said)
    with pytest.raises(ExecutorUnavailable, match="squeue makes no sense"):
        cluster.jobs()


def test_the_accounting_tells_who_cancelled() -> None:
    said = "7|CANCELLED by 1000|n1\n8_2|NODE_FAIL|n2\n9|REQUEUED|n1\n"
    found = answers.accounted(said)
    assert set(found) == {"7", "8_2"}
    assert found["7"].reason == ("somebody cancelled it by way of Slurm, 1000 by its user id")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1-02:03:04", 93784), ("02:03:04", 7384), ("03:04", 184), ("5", 300), ("2-00", 172_800)],
)
def test_times_are_read(said: str, seconds: int) -> None:
    assert answers.seconds(said) == seconds


@pytest.mark.parametrize("said", ["infinite", "UNLIMITED", "", "n/a"])
def test_no_limit_is_none(said: str) -> None:
    assert answers.minutes(said) is None


def refusing(said: str) -> Cluster:
    def call(argv: Sequence[str]) -> str:
        raise Failed(argv, 1, said)

    return Cluster(call=call)


@pytest.mark.parametrize(
    "said",
    [
        "Unable to contact slurm controller (connect failure)",
        "Socket timed out on send/recv operation",
        "Slurm temporarily unable to accept job, sleeping and retrying",
        "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
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
    gpu, main = answers.partitions(said)
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
