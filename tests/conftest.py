"""What tests share: packages, a small disk, what they are marked with, and how absences count."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["LOCALPROC_CACHE"] = ""  # tests load what they run, and leave the user's cache alone

PACKAGES = Path(__file__).parent / "packages"
ROOT = Path(__file__).parents[1]

#: Marks of folders and modules. What is in none of them is a unit test: rules, decider, views.
MARKS = {
    "plugins": ["slow"],
    "tests/benchmarks": ["slow"],
    "tests/browser": ["slow", "browser"],
    "tests/cli": ["slow"],
    "tests/cli/test_remote.py": ["service"],
    "tests/cli/test_serve.py": ["service"],
    "tests/conformance": ["slow", "conformance"],
    "tests/cwl/test_eo_types.py": ["slow"],
    "tests/differential": ["slow", "conformance"],
    "tests/docs": ["slow"],
    "tests/engine": ["slow"],
    "tests/examples": ["slow"],
    "tests/executors": ["slow"],
    "tests/http": ["slow"],
    "tests/http/test_clients.py": ["service"],
    "tests/http/test_conformance.py": ["conformance"],
    "tests/plugins": ["slow"],
    "tests/storage": ["slow"],
    "tests/storage/test_guard.py": ["service"],
    "tests/storage/test_stage_in.py": ["service"],
    "tests/store": ["slow"],
    "tests/testing": ["slow"],
    "tests/triggers": ["slow"],
}

#: Unit tests in folders whose other modules are slow.
UNITS = {
    "tests/engine/test_event_writer.py",
    "tests/engine/test_job_queue.py",
    "tests/engine/test_job_run.py",
    "tests/engine/test_job_staging.py",
    "tests/engine/test_loop_parts.py",
    "tests/engine/test_planning.py",
    "tests/engine/test_replay.py",
    "tests/triggers/test_cron.py",
}

#: The folder of the tests that take long without doing much: of a scheduler, which takes its time.
WAITING = "plugins/localproc-slurm/"

# For a quick look: fewer examples of every property (make test-fast).
settings.register_profile("fast", max_examples=15, deadline=None)
# How long an example takes, or is made up, is nothing to assert; the profile for CI says so too.
if not os.environ.get("CI"):
    slow = [HealthCheck.too_slow]
    settings.register_profile("patient", deadline=None, suppress_health_check=slow)
    settings.load_profile("patient")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read the modules of which ``make test-fast`` would run nothing."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return True if "slow" in marks_of(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by where they are; those that wait for others most come first, beside the rest."""
    items.sort(key=lambda item: WAITING not in item.path.as_posix())
    for item in items:
        for mark in marks_of(item.path):
            item.add_marker(mark)


def marks_of(path: Path) -> list[str]:
    """Give the markers of the tests of a module."""
    place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    if place.as_posix() in UNITS:
        return []
    return [mark for part in (place, *place.parents) for mark in MARKS.get(part.as_posix(), ())]


@pytest.fixture(scope="session")
def packages() -> Path:
    """Give the folder of the tests' own packages."""
    return PACKAGES


def absent(what: str) -> None:
    """Skip a test for want of a service, or fail it where ``LOCALPROC_TEST_ALL`` is set."""
    if os.environ.get("LOCALPROC_TEST_ALL"):
        pytest.fail(f"{what}, and LOCALPROC_TEST_ALL forbids skipping")
    pytest.skip(what)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of three megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        absent("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(file, bytes(4096))
    except OSError:
        os.close(file)
