"""Archives as Directory inputs: what becomes of them, and what they may not have."""

import bz2
import gzip
import io
import lzma
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.errors import InvalidInputs, PluginMissing, StagingError
from localproc.model import InputPolicy
from localproc.storage import archives, inflating
from localproc.storage.archives import unpack
from tests.storage.conftest import OpenDesk
from tests.storage.desk import Desk, tree
from tests.storage.website import Site

FILES = {"S2A.SAFE/manifest.xml": b"<m/>", "S2A.SAFE/data/a b.tif": b"pixels"}


def zipped(files: dict[str, bytes], **modes: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = modes.get("mode", 0) << 16
            archive.writestr(info, data)
    return written.getvalue()


def tarred(files: dict[str, bytes], form: str = "w:gz", **fields: Any) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=form) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    return written.getvalue()


def archive(uri: str, kind: str) -> dict[str, Any]:
    return {"class": "Directory", "location": uri, "localproc:archive": kind}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("zip", zipped(FILES)),
        ("tar.gz", tarred(FILES)),
        ("tar", tarred(FILES, "w")),
        ("tar.bz2", tarred(FILES, "w:bz2")),
        ("tar.xz", tarred(FILES, "w:xz")),
    ],
)
def test_an_archive_is_the_only_folder_that_is_in_it(
    desk: Desk, site: Site, kind: str, data: bytes
) -> None:
    uri = site.add("/S2A", data)
    staged = desk.bring(archive(uri, kind))
    assert staged == {
        "class": "Directory",
        "location": (desk.folder / "scene_1" / "S2A.SAFE").as_uri(),
        "basename": "S2A.SAFE",
    }
    assert tree(desk.folder / "scene_1") == ["S2A.SAFE/data/a b.tif", "S2A.SAFE/manifest.xml"]
    assert desk.bring(archive(uri, kind)) == staged
    assert site.asked == ["GET /S2A"]


@pytest.mark.parametrize(
    ("kind", "compress"), [("tar.bz2", bz2.compress), ("tar.xz", lzma.compress)]
)
def test_an_archive_may_be_compressed_in_parts(
    tmp_path: Path, kind: str, compress: Callable[[bytes], bytes]
) -> None:
    """Programs that use several processors write one stream after the other."""
    dice = random.Random(kind)
    files = {f"{size}": dice.randbytes(size) for size in (0, 1, 511, 512, 700_000, 3_000_001)}
    whole = tarred(files, "w")
    half = len(whole) // 2 - 7
    filled = b"\0" * 8 if kind == "tar.xz" else b""
    (tmp_path / "archive").write_bytes(compress(whole[:half]) + filled + compress(whole[half:]))
    (tmp_path / "out").mkdir()
    unpack(str(tmp_path / "archive"), kind, str(tmp_path / "out"), "it")
    found = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert found == files


def test_zstandard_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zstd = pytest.importorskip("backports.zstd")
    (tmp_path / "archive").write_bytes(zstd.compress(tarred(FILES, "w")))
    for folder in ("out", "other"):
        (tmp_path / folder).mkdir()
    unpack(str(tmp_path / "archive"), "tar.zst", str(tmp_path / "out"), "it")
    assert tree(tmp_path / "out") == ["S2A.SAFE/data/a b.tif", "S2A.SAFE/manifest.xml"]
    monkeypatch.setattr(inflating, "_ZSTD", ("there.is.none",))
    with pytest.raises(PluginMissing) as caught:
        unpack(str(tmp_path / "archive"), "tar.zst", str(tmp_path / "other"), "it")
    assert "[zstd]" in caught.value.hint


def test_an_archive_of_several_things_is_the_folder_of_them(desk: Desk, site: Site) -> None:
    uri = site.add("/a.zip", zipped({"a.txt": b"a", "b/c.txt": b"c", "./d.txt": b"d"}))
    (staged,) = desk.bring([archive(uri, "zip")])
    assert staged["basename"] == "scene_1"
    assert tree(desk.folder / "scene_1") == ["a.txt", "b/c.txt", "d.txt"]


LINK: dict[str, Any] = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}
MUCH = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]
HOSTILE = {
    "up": ("zip", zipped({"a/../../out.txt": b"x"}), "cannot be a name"),
    "root": ("zip", zipped({"/out.txt": b"x"}), "leads out of it"),
    "backslash": ("zip", zipped({"..\\out.txt": b"x"}), "cannot be a name"),
    "link in zip": ("zip", zipped({"a": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), "neither"),
    "twice": ("tar", tarred({"a": b"x"}, "w")[:1024] + tarred({"a": b"y"}, "w"), "twice"),
    "below a file": ("zip", zipped({"a": b"x", "a/b": b"y"}), "twice"),
    "up in tar": ("tar.gz", tarred({"../out.txt": b"x"}), "cannot be a name"),
    "link": ("tar.gz", tarred({"a": b""}, **LINK), "neither a file nor a folder"),
    "hard link": ("tar.gz", tarred({"a": b""}, **{**LINK, "type": tarfile.LNKTYPE}), "neither"),
    "device": ("tar.gz", tarred({"a": b""}, type=tarfile.CHRTYPE), "neither a file nor a folder"),
    "broken": ("zip", zipped(FILES)[:-30], "is broken"),
    "cut off": ("tar.gz", tarred(FILES)[:-40], "is broken"),
    "cut between files": ("tar", tarred({"a": b"x", "b": b"y"}, "w")[:1024], "broken off after"),
    "second header": (
        "tar",
        tarred({"a": b"x", "b": b"y"}, "w").replace(b"b\0\0", b"c\0\0", 1),
        "broken off after",
    ),
    "no archive": ("tar", b"text" * 1000, "is broken"),
    "other kind": ("tar.gz", zipped(FILES), "is broken"),
    "up in bzip2": ("tar.bz2", tarred({"../out.txt": b"x"}, "w:bz2"), "cannot be a name"),
    "up in xz": ("tar.xz", tarred({"../out.txt": b"x"}, "w:xz"), "cannot be a name"),
    "link in xz": ("tar.xz", tarred({"a": b""}, "w:xz", **LINK), "neither a file nor a folder"),
    "bzip2 cut off": ("tar.bz2", tarred(FILES, "w:bz2")[:-20], "is cut off"),
    "xz cut off": ("tar.xz", tarred(FILES, "w:xz")[:-20], "is cut off"),
    "xz of another kind": ("tar.xz", tarred(FILES, "w:bz2"), "is broken"),
    "bzip2 of another kind": ("tar.bz2", tarred(FILES, "w:xz"), "is broken"),
    "xz that takes memory": (
        "tar.xz",
        lzma.compress(
            tarred(FILES, "w"), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]
        ),
        "Memory usage limit",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_an_archive_may_not_have_is_refused(desk: Desk, site: Site, name: str) -> None:
    kind, data, why = HOSTILE[name]
    uri = site.add("/a.zip?token=hush", data)
    with pytest.raises(StagingError, match=why) as caught:
        desk.bring(archive(uri + "?token=hush", kind))
    assert "hush" not in str(caught.value)
    assert desk.left() == []
    assert not (desk.folder.parent / "out.txt").exists()


def test_what_takes_too_much_memory_is_refused_in_a_zip_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w", zipfile.ZIP_LZMA) as opened:
        opened.writestr("a", b"pixels")
    data = bytearray((tmp_path / "archive").read_bytes())
    at = 30 + len("a") + 5  # behind the local header: the size of the dictionary
    data[at : at + 4] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "archive").write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(StagingError, match="'a' takes too much memory"):
        unpack(str(tmp_path / "archive"), "zip", str(tmp_path / "out"), "it")


def test_what_was_compressed_is_compared_with_its_checksum(tmp_path: Path) -> None:
    """It stands behind the end of the tar archive, to which it is read otherwise."""
    whole = tarred({"a": b"x" * 700}, "w")
    stored = bytearray(gzip.compress(whole, 0))
    stored[stored.index(b"x" * 50)] = ord("y")
    for number, data in enumerate((bytes(stored), gzip.compress(whole)[:-8])):
        (tmp_path / "archive").write_bytes(data)
        (tmp_path / str(number)).mkdir()
        with pytest.raises(StagingError, match="or is broken"):
            unpack(str(tmp_path / "archive"), "tar.gz", str(tmp_path / str(number)), "it")


def test_what_comes_behind_its_end_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_REST", 1 << 20)
    data = tarred({"a": b"x"}) + gzip.compress(bytes(4 << 20))
    (tmp_path / "archive").write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(StagingError, match="too many bytes"):
        unpack(str(tmp_path / "archive"), "tar.gz", str(tmp_path / "out"), "it")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes is counted, and not what the archive says of it."""
    monkeypatch.setattr(archives, "_ALWAYS", 1000)
    zeros = {"zeros": bytes(10_000_000)}
    path = tmp_path / "bomb"
    form = f"w:{kind.removeprefix('tar.')}"
    path.write_bytes(zipped(zeros) if kind == "zip" else tarred(zeros, form))
    (tmp_path / "out").mkdir()
    with pytest.raises(StagingError, match="more bytes than may come"):
        unpack(str(path), kind, str(tmp_path / "out"), "bomb")
    assert (tmp_path / "out" / "zeros").stat().st_size < 4_000_000


@pytest.mark.parametrize("policy", [InputPolicy(most=500), InputPolicy(most_of_job=700)])
def test_limits_hold_for_what_is_in_an_archive(
    open_desk: OpenDesk, site: Site, policy: InputPolicy
) -> None:
    uri = site.add("/a.zip", zipped({"a": bytes(600), "b": bytes(600)}))
    with pytest.raises(StagingError, match=r"more bytes than may come|have more than 700 bytes"):
        open_desk(policy).bring(archive(uri, "zip"))


def test_all_archives_of_a_job_count_together(open_desk: OpenDesk, site: Site) -> None:
    given = [archive(site.add(f"/{n}.zip", zipped({"a": bytes(9000)})), "zip") for n in "abc"]
    desk = open_desk(InputPolicy(most_of_job=20_000))
    desk.bring(given[:2])
    with pytest.raises(StagingError, match="all inputs of the job have more than 20000 bytes"):
        desk.bring(given)


def test_folders_that_names_alone_stand_for_count_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MOST_ENTRIES", 100)
    names = [f"{number}/" + "/".join("abcdefgh") for number in range(20)]
    (tmp_path / "archive").write_bytes(zipped(dict.fromkeys(names, b"")))
    (tmp_path / "out").mkdir()
    with pytest.raises(StagingError, match="more than 100 entries and folders"):
        unpack(str(tmp_path / "archive"), "zip", str(tmp_path / "out"), "it")
    assert len(list((tmp_path / "out").rglob("*"))) <= 100


def test_there_may_be_so_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_ENTRIES", 3)
    path = tmp_path / "many.zip"
    path.write_bytes(zipped({f"{number}": b"" for number in range(4)}))
    (tmp_path / "out").mkdir()
    with pytest.raises(StagingError, match="more than 3 entries"):
        unpack(str(path), "zip", str(tmp_path / "out"), "many")


def said_of(files: int, **headers: str) -> bytes:
    """Return a tar archive that says something of each of its files."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for number in range(files):
            info = tarfile.TarInfo(f"{number}")
            info.pax_headers = {name: text * (number + 1) for name, text in headers.items()}
            archive.addfile(info)
    return written.getvalue()


def said_of_all(count: int) -> bytes:
    """Return a tar archive that says so many things of all that follows."""
    written = io.BytesIO()
    said = {f"comment.{number}": "x" for number in range(count)}
    with tarfile.open(
        fileobj=written, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=said
    ) as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return written.getvalue()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("tar.gz", said_of(1, comment="x" * 2_000_000)),
        ("tar.gz", said_of_all(101)),
        ("zip", zipped({f"{number:0200}": b"" for number in range(50)})),
    ],
)
def test_what_an_archive_says_of_its_files_has_a_bound(
    tmp_path: Path, kind: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept in memory, and a few bytes may become very many."""
    monkeypatch.setattr(archives, "_DIRECTORY", 10_000)
    path = tmp_path / "archive"
    path.write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(StagingError, match=r"is no .* archive, or is broken: .* headers"):
        unpack(str(path), kind, str(tmp_path / "out"), "archive")
    assert tree(tmp_path / "out") == []


def test_what_it_says_of_each_file_may_be_as_much(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(said_of(4, comment="x" * 200_000))
    (tmp_path / "out").mkdir()
    unpack(str(tmp_path / "archive"), "tar.gz", str(tmp_path / "out"), "archive")
    assert tree(tmp_path / "out") == ["0", "1", "2", "3"]


LISTS: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "lists",
    "baseCommand": ["sh", "-c", 'basename "$0"; ls "$0"'],
    "inputs": [{"id": "folder", "type": "Directory", "inputBinding": {}}],
    "stdout": "said.txt",
    "outputs": [{"id": "said", "type": "stdout"}],
}


def test_an_archive_is_asked_for_by_its_media_type(tmp_path: Path) -> None:
    path = tmp_path / "S2A.zip"
    path.write_bytes(zipped(FILES))
    with Engine(tmp_path / "home") as engine:
        given = {"folder": {"href": str(path), "type": "application/zip"}}
        job = engine.run(LISTS, given).raise_for_status()
        assert job.result("said").read_text() == "S2A.SAFE\ndata\nmanifest.xml\n"
        packed = tmp_path / "S2A.tar.xz"
        packed.write_bytes(tarred(FILES, "w:xz"))
        given = {"folder": {"href": str(packed), "type": "application/x-xz"}}
        job = engine.run(LISTS, given).raise_for_status()
        assert job.result("said").read_text() == "S2A.SAFE\ndata\nmanifest.xml\n"
        with pytest.raises(InvalidInputs) as caught:
            engine.run(LISTS, {"folder": {"href": str(path), "type": "application/vnd.rar"}})
        hint = "there is: zip, tar.gz, tar, tar.bz2, tar.xz, tar.zst"
        assert str(caught.value.problems[0].hint) == hint
        with pytest.raises(InvalidInputs) as caught:
            engine.run(LISTS, {"folder": str(path)})
        assert "type: application/zip" in str(caught.value.problems[0].hint)


@pytest.mark.parametrize("form", ["zip", "bzip2", "lzma", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_whatever_is_broken_in_an_archive_is_told(form: str, tmp_path: Path) -> None:
    """Some bytes are changed: it is unpacked all the same, or said to be broken."""
    dice = random.Random(form)
    forms = {"zip": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}
    written = io.BytesIO()
    if form in forms:
        with zipfile.ZipFile(written, "w", forms[form]) as archive:
            archive.writestr("a.txt", dice.randbytes(300) + bytes(900))
    compression = form.partition(".")[2]
    whole = written.getvalue() or tarred({"a.txt": bytes(900)}, f"w:{compression}")
    said = []
    for number in range(120):
        data = bytearray(whole)
        for _ in range(dice.choice([1, 4])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        (tmp_path / "archive").write_bytes(data)
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            unpack(str(tmp_path / "archive"), "zip" if form in forms else form, str(folder), "it")
        except StagingError as error:
            said.append(error.message)
    about = ("it is no ", "it is not unpacked: ", "'")  # the last one is of a name
    assert [one for one in said if not one.startswith(about)] == []
    assert said != []


def test_folders_in_one_another_have_a_bound(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(zipped({"a/" * 1500 + "b": b""}))
    (tmp_path / "folder").mkdir()
    with pytest.raises(StagingError, match="more than 100 folders in one another"):
        unpack(str(tmp_path / "archive"), "zip", str(tmp_path / "folder"), "it")
    assert tree(tmp_path / "folder") == []
