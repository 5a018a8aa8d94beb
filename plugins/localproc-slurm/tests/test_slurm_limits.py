"""Jobs that are over a limit of a group all by themselves would wait for ever.

The answers are those of Slurm 22.05.8 with slurmdbd, which enforced GrpTRES of a QOS (cpu=4,node=1)
and of an account (cpu=6,mem=2G), and all other limits below; records are shortened.
"""

from collections.abc import Mapping, Sequence

import pytest
from localproc_slurm import command_answers, limits
from localproc_slurm.cluster import Cluster

from localproc.executors.batch import Failed
from localproc.model import TaskState

QUEUE = """\
job 1|PENDING|QOSGrpCpuLimit||N/A|lp-a
job 2|PENDING|AssocGrpCpuLimit||N/A|lp-b
job 3|PENDING|AssocGrpMemLimit||N/A|lp-c
job 4|PENDING|QOSGrpNodeLimit||N/A|lp-d
job 6|PENDING|AssocGrpCpuLimit||2026-11-29T03:27:32|lp-e
job 5|RUNNING|None|n1|2026-11-29T03:27:32|lp-f
"""
WISHES = """\
1|small|eo|root|main|1:00:00|cpu=5,mem=500M,node=1,billing=5
2|normal|eo|root|main|1:00:00|cpu=8,mem=800M,node=1,billing=8
3|normal|eo|root|main|1:00:00|cpu=1,mem=3000M,node=1,billing=1
4|small|eo|root|main|1:00:00|cpu=2,mem=200M,node=2,billing=2
6|normal|eo|root|main|1:00:00|cpu=4,mem=400M,node=1,billing=4
"""
NONE_SET = "cpu=N(4),mem=N(400),energy=N(0),node=N(1),billing=N(4),fs/disk=N(0),pages=N(0)"
OF_ACCOUNT = "cpu=6(4),mem=2048(400),energy=N(0),node=N(1),billing=N(4),fs/disk=N(0)"
OF_QOS = "cpu=4(0),mem=N(0),energy=N(0),node=1(0),billing=N(0),fs/disk=N(0),pages=N(0)"
GROUPS = f"""\
Current Association Manager state
Association Records
ClusterName=lptest Account=root UserName= Partition= Priority=0 ID=1 ParentAccount= Lft=1 GrpTRES={NONE_SET}
ClusterName=lptest Account=root UserName=root(0) Partition= Priority=0 ID=2 ParentAccount= GrpTRES={NONE_SET}
ClusterName=lptest Account=eo UserName= Partition= Priority=0 ID=3 ParentAccount=root(1) GrpTRES={OF_ACCOUNT}
ClusterName=lptest Account=eo UserName=root(0) Partition= Priority=0 ID=4 ParentAccount= GrpTRES={NONE_SET}
QOS Records
QOS=normal(1) UsageRaw=0.000000 GrpJobs=N(1) GrpTRES={NONE_SET} User Limits= 0={{MaxJobsPU=N(1)}}
QOS=small(2) UsageRaw=0.000000 GrpJobs=N(0) GrpTRES={OF_QOS} User Limits= 0={{MaxJobsPU=N(0)}}
"""  # noqa: E501
PARTITIONS = "PartitionName=main AllowGroups=ALL Default=YES QoS=N/A DefaultTime=01:00:00\n"
CPU = "it needs 8 cores, and all jobs of the account eo together may have 6"


class Answers:
    """Answers by the names of commands, and counts the calls."""

    def __init__(self, **changed: str) -> None:
        self.called: list[str] = []
        self.said: Mapping[str, str] = {
            "job %i": QUEUE,
            "tres-alloc": WISHES,
            "assoc_mgr": GROUPS,
            "show partition": PARTITIONS,
            **changed,
        }

    def __call__(self, argv: Sequence[str]) -> str:
        [which] = [one for one in self.said if one in " ".join(argv)]
        self.called.append(which)
        return self.said[which]


def test_a_job_that_alone_is_over_a_limit_of_a_group_is_refused_with_it() -> None:
    found = Cluster(call=Answers()).jobs()
    said = "Slurm would never start it: "
    assert {job: one.reason for job, one in found.items() if one.state is TaskState.REFUSED} == {
        "1": f"{said}QOSGrpCpuLimit: it needs 5 cores, and all jobs of the QOS small together "
        "may have 4",
        "2": f"{said}AssocGrpCpuLimit: {CPU}",
        "3": f"{said}AssocGrpMemLimit: it needs 3000 MiB of memory, and all jobs of the account eo "
        "together may have 2048",
        "4": f"{said}QOSGrpNodeLimit: it needs 2 nodes, and all jobs of the QOS small together "
        "may have 1",
    }
    assert found["6"].state is TaskState.QUEUED, "others of its account have what there is"
    assert found["6"].reason.startswith("AssocGrpCpuLimit")


OTHERS = """\
ClusterName=lptest Account=eo UserName= Partition= ID=3 ParentAccount=root(1) GrpWall=N(0.00) \
GrpTRES=cpu=N(0),gres/disc=1(0),gres/gpu=N(0) GrpTRESMins=cpu=N(0),mem=6000000(0) \
GrpTRESRunMins=cpu=N(0),mem=40000(0),gres/gpu=N(0)
QOS=gpuq(2) UsageRaw=0.000000 GrpWall=N(0.00) GrpTRES=cpu=N(0),gres/gpu=2(0) \
GrpTRESMins=cpu=100(90),mem=N(0),gres/gpu=60(0) GrpTRESRunMins=cpu=50(0),gres/gpu=N(0)
QOS=u(3) UsageRaw=0.000000 GrpWall=N(0.00) GrpTRES=cpu=N(0) MaxTRESPJ=gres/disc=1 \
Account Limits= eo={MaxJobsPA=N(0) MaxTRESPA=cpu=N(0),mem=500(0),gres/gpu=N(0)} \
User Limits= 0={MaxJobsPU=N(0) MaxTRESPU=cpu=2(0),mem=N(0),gres/disc=N(0),gres/gpu=1(0)}
QOS=w(4) UsageRaw=0.000000 GrpWall=10(0.00) GrpTRES=cpu=N(0),gres/gpu=0(0)
""".replace("\\\n", "")


@pytest.mark.parametrize(
    ("reason", "qos", "minutes", "needs", "said"),
    [
        ("AssocGrpGRES", "u", "5:00", "gres/disc=2", "2 disc/the account eo/1"),
        ("QOSGrpGRES", "gpuq", "1:00", "gres/gpu=3", "3 gpu/the QOS gpuq/2"),
        ("QOSGrpGRES", "w", "1:00", "gres/gpu=1", "1 gpu/the QOS w/0"),
        ("QOSGrpGRESMinutes", "gpuq", "45:00", "gres/gpu=2", "90 minutes of gpu/the QOS gpuq/60"),
        ("QOSGrpCPUMinutesLimit", "gpuq", "1:42:00", "", "102 minutes of cores/the QOS gpuq/100"),
        ("QOSGrpCPURunMinutesLimit", "gpuq", "51:00", "", "51 minutes of cores/the QOS gpuq/50"),
        (
            "AssocGrpMemMinutes",
            "u",
            "2-10:20:00",
            "mem=2000M",
            "7000000 minutes of MiB of memory/the account eo/6000000",
        ),
        (
            "AssocGrpMemRunMinutes",
            "u",
            "30:00",
            "mem=2000M",
            "60000 minutes of MiB of memory/the account eo/40000",
        ),
        ("QOSGrpWallLimit", "w", "20:00", "", "20 minutes of its time/the QOS w/10"),
        ("QOSMaxCpuPerUserLimit", "u", "1:00", "cpu=3", "3 cores/one user in the QOS u/2"),
        ("QOSMaxGRESPerUser", "u", "1:00", "gres/gpu=2", "2 gpu/one user in the QOS u/1"),
        (
            "MaxMemoryPerAccount",
            "u",
            "1:00",
            "mem=600M",
            "600 MiB of memory/one account in the QOS u/500",
        ),
        ("QOSGrpCPUMinutesLimit", "gpuq", "50:00", "", ""),  # it waits for what others have used
        ("QOSGrpCPUMinutesLimit", "gpuq", "UNLIMITED", "", ""),
        ("QOSMaxCpuPerUserLimit", "u", "1:00", "cpu=2", ""),
        ("QOSMaxJobsPerUserLimit", "u", "1:00", "cpu=3", ""),
        ("QOSGrpJobsLimit", "w", "20:00", "gres/gpu=1", ""),
    ],
)
def test_each_kind_of_limit_is_that_of_its_reason(
    reason: str, qos: str, minutes: str, needs: str, said: str
) -> None:
    needs = ",".join(filter(None, ["" if "cpu=" in needs else "cpu=1", needs, "node=1"]))
    wish = limits.wishes(f"1|{qos}|eo|root|main|{minutes}|{needs}\n")["1"]
    what, who, most = said.split("/") if said.count("/") == 2 else ("", "", "")
    expected = f"it needs {what}, and all jobs of {who} together may have {most}" if said else ""
    assert limits.over(wish, reason, limits.groups(OTHERS), "") == expected


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("QOSMaxGRESPerJob", TaskState.REFUSED),
        ("QOSMaxCpuMinutesPerJobLimit", TaskState.REFUSED),
        ("QOSMaxCpuPerNode", TaskState.REFUSED),
        ("AssocMaxBBMinutesPerJob", TaskState.REFUSED),
        ("QOSMinCpuNotSatisfied", TaskState.REFUSED),
        ("QOSMaxJobsPerUserLimit", TaskState.QUEUED),
        ("AssocMaxJobsLimit", TaskState.QUEUED),
        ("AssocGrpCPUMinutesLimit", TaskState.QUEUED),
    ],
)
def test_a_limit_of_each_job_is_for_ever_and_one_on_their_number_is_not(
    reason: str, state: TaskState
) -> None:
    [seen] = command_answers.queue(f"job 7|PENDING|{reason}||N/A|lp-a\n").values()
    assert seen.state is state


def test_limits_are_asked_for_seldom_and_only_while_something_waits_for_one() -> None:
    answers = Answers()
    cluster = Cluster(call=answers)
    for _ in range(5):
        assert cluster.jobs()["1"].state is TaskState.REFUSED
    assert answers.called.count("job %i") == 5
    assert len(answers.called) == 5 + 3
    calm = Answers(**{"job %i": "job 7|PENDING|Priority||N/A|lp-a\n"})
    Cluster(call=calm).jobs()
    assert calm.called == ["job %i"]


@pytest.mark.parametrize("which", ["tres-alloc", "assoc_mgr", "show partition"])
@pytest.mark.parametrize("said", ["", "slurm_load error: Access denied\n", "<html>|||||||\n"])
def test_what_is_not_known_to_be_too_much_waits(which: str, said: str) -> None:
    found = Cluster(call=Answers(**{which: said})).jobs()
    assert {one.state for job, one in found.items() if job != "5"} == {TaskState.QUEUED}


def test_a_user_who_may_not_see_limits_is_shown_what_slurm_says() -> None:
    def call(argv: Sequence[str]) -> str:
        if argv[0] == "scontrol":
            raise Failed(argv, 1, "slurm_load_assoc_mgr_info error: Access/permission denied")
        return Answers()(argv)

    assert Cluster(call=call).jobs()["2"].reason == "AssocGrpCpuLimit"


def test_the_qos_of_a_partition_may_allow_what_that_of_a_job_does_not() -> None:
    """Which of both counts depends on their flags: so either may."""
    known = limits.groups("QOS=a(1) GrpTRES=cpu=4(0)\nQOS=b(2) GrpTRES=cpu=16(0)\n")
    wish = limits.wishes("1|a|eo|me|main|1:00|cpu=8,mem=1.50G,node=1\n")["1"]
    assert wish.needs["mem"] == 1536
    assert limits.over(wish, "QOSGrpCpuLimit", known, "b") == ""
    assert limits.over(wish, "QOSGrpCpuLimit", known, "").endswith("together may have 4")
    wide = limits.wishes("1|a|eo|me|main|UNLIMITED|cpu=20,mem=1G,node=1\n")["1"]
    said = "it needs 20 cores, and all jobs of the QOS b together may have 16"
    assert limits.over(wide, "QOSGrpCpuLimit", known, "b") == said
    said = "PartitionName=main AllowGroups=ALL QoS=b DefaultTime=NONE\n" + PARTITIONS
    assert limits.partition_qos(said.replace("main", "other", 1)) == {"other": "b", "main": ""}


def test_accounts_that_are_part_of_each_other_end_somewhere() -> None:
    known = limits.groups("Account=eo ParentAccount=x(1)\nAccount=x ParentAccount=eo(2)\n")
    wish = limits.wishes("1|a|eo|me|main|1:00|cpu=8,mem=1G,node=1\n")["1"]
    assert limits.over(wish, "AssocGrpCpuLimit", known, "") == ""
