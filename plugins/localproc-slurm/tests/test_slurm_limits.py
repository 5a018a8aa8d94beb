"""Jobs that are over a limit of a group all by themselves would wait for ever.

The answers are those of Slurm 22.05.8 with slurmdbd, which enforced GrpTRES of a QOS (cpu=4,node=1)
and of an account (cpu=6,mem=2G); records are shortened after GrpTRES.
"""

from collections.abc import Mapping, Sequence

import pytest
from localproc_slurm import limits
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
1|small|eo|root|main|5|1|100M
2|normal|eo|root|main|8|1|100M
3|normal|eo|root|main|1|1|3000M
4|small|eo|root|main|2|2|100M
6|normal|eo|root|main|4|1|100M
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
            "%i|%q": WISHES,
            "assoc_mgr": GROUPS,
            "partition": PARTITIONS,
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


@pytest.mark.parametrize("which", ["%i|%q", "assoc_mgr", "partition"])
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
    wish = limits.wishes("1|a|eo|me|main|8|1|1.50G\n")["1"]
    assert wish.needs["mem"] == 1536
    assert limits.over(wish, "QOSGrpCpuLimit", known, "b") == ""
    assert limits.over(wish, "QOSGrpCpuLimit", known, "").endswith("together may have 4")
    wide = limits.wishes("1|a|eo|me|main|20|1|1G\n")["1"]
    said = "it needs 20 cores, and all jobs of the QOS b together may have 16"
    assert limits.over(wide, "QOSGrpCpuLimit", known, "b") == said
    said = "PartitionName=main AllowGroups=ALL QoS=b DefaultTime=NONE\n" + PARTITIONS
    assert limits.partition_qos(said.replace("main", "other", 1)) == {"other": "b", "main": ""}


def test_accounts_that_are_part_of_each_other_end_somewhere() -> None:
    known = limits.groups("Account=eo ParentAccount=x(1)\nAccount=x ParentAccount=eo(2)\n")
    wish = limits.wishes("1|a|eo|me|main|8|1|1G\n")["1"]
    assert limits.over(wish, "AssocGrpCpuLimit", known, "") == ""
