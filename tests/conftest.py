"""What tests share: packages to run, a small disk, and a switch that makes absences failures."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["LOCALPROC_CACHE"] = ""  # tests load what they run, and leave the user's cache alone

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
