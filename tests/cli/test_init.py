"""A package to begin with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import localproc
from tests.patience import patient


@pytest.fixture
def made(here: Path) -> Path:
    said = localproc("init", "bright-pixels")
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 7
    return here / "bright-pixels"


def test_its_own_test_passes(made: Path) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=made,
        env=plain,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
    )
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_what_its_readme_says_works(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    said = localproc("validate", "bright-pixels.cwl", "--profile", "eoap")
    assert (said.code, "error" in said.err) == (0, False)
    said = localproc("run", "bright-pixels.cwl", "--scene", "tests/scene", "--threshold", 60)
    assert said.code == 0, said.err
    assert "catalog.json (1 item)" in said.out
    packed = localproc("pack", "bright-pixels.cwl")
    assert packed.code == 0
    assert "def read_pgm" in packed.out


def test_nothing_is_overwritten(made: Path) -> None:
    (made / "README.md").write_text("mine")
    said = localproc("init", "bright-pixels")
    assert said.code == 2
    assert "is there already" in said.err
    assert (made / "README.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["Bright", "a b", "1st"])
def test_a_name_that_cannot_be_an_id_is_refused(name: str) -> None:
    said = localproc("init", "somewhere", "--name", name)
    assert said.code == 2
    assert not Path("somewhere").exists()
