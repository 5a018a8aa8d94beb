"""The ``/tmp`` of a container before any daemon is asked for one."""

import stat
from pathlib import Path

import pytest
from localproc_docker import private_tmp


@pytest.mark.parametrize("below", [[], ["scene"]])
def test_what_is_mounted_there_is_made(tmp_path: Path, below: list[str]) -> None:
    """Also where nothing is mounted below it: homes lie elsewhere, as a rule."""
    (tmp_path / "scene").mkdir()
    others = [{"Source": str(tmp_path / one), "Target": f"/tmp/in/{one}"} for one in below]
    private_tmp.make([private_tmp.mount(str(tmp_path / "own.tmp")), *others])
    assert stat.S_IMODE((tmp_path / "own.tmp").stat().st_mode) == 0o1777
    assert [(tmp_path / "own.tmp/in" / name).is_dir() for name in below] == [True] * len(below)


def test_the_folder_of_a_task_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    private_tmp.make([private_tmp.mount(str(tmp_path))])
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
