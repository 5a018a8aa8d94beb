"""The executor keeps the contract, on a real cluster, however tasks are handed in."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from slurm_fixtures import SlurmTests, cluster

from localproc.testing.executors import ExecutorContract

__all__ = ["cluster"]  # a fixture

pytestmark = pytest.mark.service


class SlurmContract(SlurmTests, ExecutorContract):
    fillers = 4
    enforces_memory = True


class TestSingles(SlurmContract):
    options: ClassVar[Mapping[str, Any]] = {"mode": "single"}


class TestArrays(SlurmContract):
    options: ClassVar[Mapping[str, Any]] = {"mode": "array"}


class TestBundles(SlurmContract):
    options: ClassVar[Mapping[str, Any]] = {"mode": "bundle"}
