"""Options of the executor that are refused before anything is handed in."""

from collections.abc import Mapping
from typing import Any

import pytest
from localproc_slurm.opening import check_cluster

from localproc.errors import EnvironmentProblem


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cluster": "big,small"}, "slurm.cluster names several clusters"),
        ({"cluster": "all"}, "slurm.cluster names several clusters"),
        (
            {"extra": ["--mail-type=END", "--clusters=big"]},
            "slurm.extra cannot have --clusters=big",
        ),
        ({"extra": "-Mbig"}, "slurm.extra cannot have -Mbig"),
        ({"steps": {"crop*": {"cluster": "big"}}}, r"slurm.steps.crop\* cannot have a cluster"),
        (
            {"processes": {"water": {"steps": {"crop": {"extra": ["-M", "big"]}}}}},
            "slurm.processes.water.steps.crop.extra cannot have -M",
        ),
    ],
)
def test_jobs_go_to_one_cluster_which_is_asked_for_them(
    options: Mapping[str, Any], said: str
) -> None:
    """Ids of one mean other jobs on another: they would be lost, or taken for each other."""
    with pytest.raises(EnvironmentProblem, match=said) as caught:
        check_cluster(options)
    assert "slurm.cluster=NAME" in (caught.value.hint or "")
