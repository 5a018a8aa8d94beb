"""What tests share: the packages they run, and a switch that makes absent services failures."""

import os
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent / "packages"


@pytest.fixture(scope="session")
def packages() -> Path:
    """Give the folder of the tests' own packages."""
    return PACKAGES


def absent(what: str) -> None:
    """Skip a test for want of a service, or fail it where ``LOCALPROC_TEST_ALL`` is set."""
    if os.environ.get("LOCALPROC_TEST_ALL"):
        pytest.fail(f"{what}, and LOCALPROC_TEST_ALL forbids skipping")
    pytest.skip(what)
