"""Temporary folders of a node, lent to tasks."""

from pathlib import Path

from localproc.executors.keeper.scratch import Scratch


def test_a_folder_that_nobody_has_touched_is_lent_again(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path))
    first, second = scratch.lend("a"), scratch.lend("b")
    assert [Path(one).stat().st_mode & 0o777 for one in (first, second)] == [0o700, 0o700]
    scratch.take_back(first)
    assert scratch.lend("c") == first
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "b"]


def test_a_folder_that_was_used_is_removed(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path))
    filled, opened, gone, another = (Path(scratch.lend(name)) for name in "abcd")
    (filled / "x" / "y").mkdir(parents=True)
    opened.chmod(0o777)
    gone.rmdir()
    another.rmdir()
    another.symlink_to("/")
    for one in (filled, opened, gone):
        scratch.take_back(str(one))
        assert not one.exists()
    scratch.take_back(str(another))
    assert scratch.spares == []


def test_what_is_kept_goes_at_the_end(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path))
    for path in [scratch.lend(name) for name in "abc"]:
        scratch.take_back(path)
    scratch.close()
    assert list(tmp_path.iterdir()) == []
