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


def test_a_link_that_leads_nowhere_is_not_written_through(here: Path) -> None:
    (here / "new").mkdir()
    (here / "new/README.md").symlink_to(here / "elsewhere")
    assert localproc("init", "new").code == 2
    assert not (here / "elsewhere").exists()


def test_it_is_made_whole_or_not_at_all(here: Path, small_disk: Path) -> None:
    (here / "taken").mkdir()
    (here / "taken/tests").write_text("a file where a folder should be")
    said = localproc("init", "taken")
    assert (said.code, said.out) == (4, "")
    assert [path.name for path in here.glob("taken/*")] == ["tests"]
    (small_disk / "filler").write_bytes(bytes((3 << 20) - 8192))  # room for two of the files
    command = [sys.executable, "-m", "localproc", "init", str(small_disk / "a/new")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "No space left on device" in ended.stderr
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_file_is_no_folder_for_it(here: Path) -> None:
    (here / "new").write_text("mine")
    said = localproc("init", "new")
    assert (said.code, "new is not a folder" in said.err) == (2, True)
    assert (here / "new").read_text() == "mine"


@pytest.mark.parametrize("name", ["Bright", "a b", "1st"])
def test_a_name_that_cannot_be_an_id_is_refused(name: str) -> None:
    said = localproc("init", "somewhere", "--name", name)
    assert said.code == 2
    assert not Path("somewhere").exists()
