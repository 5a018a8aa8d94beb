"""The disk as the interpreter sees it, and files put in place for tools."""

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from localproc.cwl.base.files import Stat
from localproc.cwl.base.listing import with_checksums
from localproc.errors import JobDismissed, StagingError
from localproc.model import StageAction
from localproc.storage.disk import Disk, TooBig, is_full, stage
from localproc.uris import path_uri


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


# Looking


def test_what_is_there(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt")
    (tmp_path / "link").symlink_to("a.txt")
    (tmp_path / "dangling").symlink_to("nothing")
    disk = Disk()
    assert disk.stat(str(tmp_path)) == Stat(is_dir=True, size=tmp_path.stat().st_size)
    assert disk.stat(str(tmp_path / "a.txt")) == Stat(is_dir=False, size=5)
    assert disk.stat(str(tmp_path / "link")) == Stat(is_dir=False, size=5)
    (tmp_path / "a.txt").chmod(0o755)
    assert disk.stat(str(tmp_path / "a.txt")) == Stat(is_dir=False, size=5, is_executable=True)
    assert disk.stat(str(tmp_path / "dangling")) is None
    assert disk.stat(str(tmp_path / "a.txt" / "below")) is None


def test_listings_are_sorted_and_have_hidden_files(tmp_path: Path) -> None:
    touch(tmp_path, "b", ".hidden", "a", "C/x")
    assert Disk().listdir(str(tmp_path)) == [".hidden", "C", "a", "b"]
    assert Disk().listdir(str(tmp_path / "missing")) == []
    assert Disk().listdir(str(tmp_path / "a")) == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.tif", ["a.tif", "b.tif"]),
        ("*", ["a.tif", "b.tif", "c[1].txt", "deep"]),
        (".*", [".hidden", ".more.tif"]),
        (".*.tif", [".more.tif"]),
        ("?.tif", ["a.tif", "b.tif"]),
        ("[ab].tif", ["a.tif", "b.tif"]),
        ("[!a].tif", ["b.tif"]),
        ("*/*.tif", ["deep/d.tif"]),
        ("deep/*", ["deep/d.tif"]),
        ("**", ["a.tif", "b.tif", "c[1].txt", "deep"]),
        ("deep", ["deep"]),
        ("deep/", ["deep"]),
        (".", ["."]),
        (".hidden", [".hidden"]),
        ("c[[]1].txt", ["c[1].txt"]),
        ("*.png", []),
        ("missing.tif", []),
    ],
)
def test_globs_give_sorted_paths(tmp_path: Path, pattern: str, found: list[str]) -> None:
    touch(tmp_path, "b.tif", "a.tif", "c[1].txt", ".hidden", ".more.tif", "deep/d.tif", "deep/.e")
    expected = [os.path.normpath(tmp_path / name) for name in found]
    assert Disk().glob(str(tmp_path), pattern) == expected


def test_a_glob_finds_links_whether_they_lead_anywhere_or_not(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nothing")
    for pattern in ("dangling", "dang*"):
        assert Disk().glob(str(tmp_path), pattern) == [str(tmp_path / "dangling")]


def test_a_folder_with_magic_in_its_name_is_looked_through(tmp_path: Path) -> None:
    touch(tmp_path, "[odd]*/a.tif")
    assert Disk().glob(str(tmp_path / "[odd]*"), "*.tif") == [str(tmp_path / "[odd]*" / "a.tif")]


def test_contents_and_links(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.txt")
    (tmp_path / "link").symlink_to("real")
    assert Disk().read(str(tmp_path / "link" / "a.txt")) == b"real/a.txt"
    assert Disk().read(str(tmp_path / "link" / "a.txt"), 4) == b"real"
    assert Disk().realpath(str(tmp_path / "link" / "a.txt")) == str(tmp_path / "real" / "a.txt")


def test_a_checksum_is_the_sha1_of_the_contents(tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    (tmp_path / "a.bin").write_bytes(data)
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    assert Disk().checksum(str(tmp_path / "a.bin")) == f"sha1${digest}"


def test_a_budget_bounds_what_is_read_for_checksums(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(600))
    disk = Disk(budget=1000)
    disk.checksum(str(tmp_path / "a.bin"))
    with pytest.raises(TooBig, match=r"a\.bin"):
        disk.checksum(str(tmp_path / "a.bin"))
    assert Disk(budget=600).checksum(str(tmp_path / "a.bin"))


def test_room_on_the_disk(tmp_path: Path) -> None:
    assert not is_full(str(tmp_path))
    assert not is_full(str(tmp_path / "missing"))


# Putting in place


def test_a_link_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt")
    link = tmp_path / "in" / "1" / "a.txt"
    action = StageAction("link", str(link), str(tmp_path / "a.txt"))
    stage([action, action])
    assert os.readlink(link) == str(tmp_path / "a.txt")


def test_two_files_do_not_share_a_place(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "b.txt")
    target = str(tmp_path / "in" / "x.txt")
    with pytest.raises(StagingError, match="File exists"):
        stage([StageAction("link", target, str(tmp_path / name)) for name in ("a.txt", "b.txt")])


def test_a_file_is_written_and_a_folder_made(tmp_path: Path) -> None:
    stage(
        [
            StageAction("mkdir", str(tmp_path / "deep" / "empty")),
            StageAction("write", str(tmp_path / "notes" / "n.txt"), contents="hellö\n"),
        ]
    )
    assert (tmp_path / "notes" / "n.txt").read_bytes() == "hellö\n".encode()
    assert list((tmp_path / "deep" / "empty").iterdir()) == []


def test_a_copy_of_a_file_is_writable_and_not_the_original(tmp_path: Path) -> None:
    touch(tmp_path, "run.sh")
    source = tmp_path / "run.sh"
    source.chmod(0o555)
    stage([StageAction("copy", str(tmp_path / "out" / "run.sh"), str(source))])
    copied = tmp_path / "out" / "run.sh"
    assert copied.stat().st_mode & 0o777 == 0o755, "writable, and still a program"
    copied.write_text("changed")
    assert source.read_text() == "run.sh"


@pytest.mark.parametrize("size", [0, 1, (8 << 20) - 1, 8 << 20, (9 << 20) + 3])
def test_a_copy_of_any_size_is_whole(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (tmp_path / "a.bin").write_bytes(data)
    stage([StageAction("copy", str(tmp_path / "b.bin"), str(tmp_path / "a.bin"))])
    assert (tmp_path / "b.bin").read_bytes() == data


def test_a_copy_is_whole_where_the_kernel_cannot_copy(tmp_path: Path) -> None:
    """Files of /proc have no size, and their contents can be read alone."""
    source = Path("/proc/version") if Path("/proc/version").exists() else Path(__file__)
    stage([StageAction("copy", str(tmp_path / "copied"), str(source))])
    assert (tmp_path / "copied").read_bytes() == source.read_bytes()


def test_a_copy_of_a_read_only_tree_is_writable(tmp_path: Path) -> None:
    touch(tmp_path, "tree/deep/a.txt", "outside.txt")
    (tmp_path / "tree" / "link.txt").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "tree" / "deep" / "a.txt").chmod(0o444)
    (tmp_path / "tree" / "deep").chmod(0o555)
    (tmp_path / "tree").chmod(0o555)
    stage([StageAction("copy", str(tmp_path / "out" / "tree"), str(tmp_path / "tree"))])
    copied = tmp_path / "out" / "tree"
    for path in (copied, copied / "deep"):
        assert path.stat().st_mode & 0o700 == 0o700
    for path in (copied / "deep" / "a.txt", copied / "link.txt"):
        assert path.stat().st_mode & 0o200
        path.write_text("changed")
    assert (tmp_path / "outside.txt").read_text() == "outside.txt", "links were followed"
    assert (tmp_path / "tree" / "deep" / "a.txt").read_text() == "tree/deep/a.txt"
    (tmp_path / "tree").chmod(0o755)
    (tmp_path / "tree" / "deep").chmod(0o755)


def test_what_is_not_there_cannot_be_copied(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="No such file"):
        stage([StageAction("copy", str(tmp_path / "out.txt"), str(tmp_path / "missing.txt"))])


def test_a_copy_and_a_checksum_of_a_large_file_end_when_they_are_not_wanted(tmp_path: Path) -> None:
    class NotWantedError(Exception):
        pass

    def go_on() -> None:
        if next(looks) == 3:
            raise NotWantedError

    big = tmp_path / "folder" / "big"
    big.parent.mkdir()
    with open(big, "wb") as file:
        file.truncate(1 << 40)
    for source in (big, big.parent):
        looks = iter(range(10))
        with pytest.raises(NotWantedError):
            stage([StageAction("copy", str(tmp_path / "copied"), str(source))], go_on)
        shutil.rmtree(tmp_path / "copied") if source.is_dir() else (tmp_path / "copied").unlink()
    looks = iter(range(10))
    with pytest.raises(NotWantedError):
        Disk(go_on=go_on).checksum(str(big))


@pytest.mark.parametrize(
    "look", [lambda disk, path: disk.checksum(path), Disk.stat, lambda disk, _: disk.listdir("/")]
)
def test_looks_end_when_they_are_not_wanted(
    tmp_path: Path, look: Callable[[Disk, str], object]
) -> None:
    def go_on() -> None:
        raise JobDismissed("nobody waits for it")

    path = tmp_path / "empty"
    path.touch()
    with pytest.raises(JobDismissed):
        look(Disk(go_on=go_on), str(path))


def test_a_copy_is_whole(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "big").write_bytes(bytes(range(256)) * 10_000)
    os.utime(tmp_path / "folder" / "big", (1, 1))
    stage([StageAction("copy", str(tmp_path / "copied"), str(tmp_path / "folder"))])
    copied = tmp_path / "copied" / "big"
    assert copied.read_bytes() == (tmp_path / "folder" / "big").read_bytes()
    assert copied.stat().st_mtime == 1


def test_links_below_a_settled_folder_are_followed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "step").mkdir(parents=True)
    (work / "step" / "file").write_text("x")
    (work / "link").symlink_to(tmp_path)
    disk = Disk(settled=str(work))
    for path in ("step/file", "link/work/step/file", "step/../step/file", "link", "missing"):
        whole = f"{work}/{path}"
        assert disk.realpath(whole) == os.path.realpath(whole)


# Errors


def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    loop = str(tmp_path / "loop")
    for look in (Disk().stat, Disk().listdir, Disk().read, Disk().checksum):
        with pytest.raises(StagingError, match="loop: Too many levels of symbolic links") as error:
            look(loop)
        assert error.value.hint == "a link leads to itself: remove it"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for look in (Disk().read, Disk().checksum):
        with pytest.raises(StagingError, match=r"missing\.txt: No such file or directory"):
            look(str(tmp_path / "missing.txt"))


def test_what_cannot_be_put_in_place_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "file")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "loop").symlink_to("loop")
    source, folder = str(tmp_path / "file"), str(tmp_path / "folder")
    for action, reason in (
        (StageAction("copy", f"{source}/below/a", source), "Not a directory"),
        (StageAction("copy", f"{tmp_path}/copied", f"{source}s"), "No such file"),
        (StageAction("copy", f"{tmp_path}/whole", folder), "Too many levels"),
        (StageAction("write", f"{tmp_path}/{'x' * 300}", contents="x"), "File name too long"),
    ):
        with pytest.raises(StagingError, match=reason):
            stage([action])


# Sizes and checksums


def test_all_that_is_listed_has_a_size_and_a_checksum(tmp_path: Path) -> None:
    """In literal folders as well, at any depth."""
    touch(tmp_path, "a")
    file = {"class": "File", "location": path_uri(str(tmp_path / "a")), "basename": "a"}
    literal = {"class": "File", "basename": "b", "contents": "\xe9"}
    inner = {"class": "Directory", "basename": "inner", "listing": [file, literal]}
    outer = {"class": "Directory", "basename": "outer", "listing": [inner]}
    listed = with_checksums(outer, Disk())["listing"][0]["listing"]
    digests = [hashlib.sha1(data).hexdigest() for data in (b"a", "\xe9".encode())]
    assert [one["size"] for one in listed] == [1, 2]
    assert [one["checksum"] for one in listed] == [f"sha1${one}" for one in digests]
