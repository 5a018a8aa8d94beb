"""Images in files: layers over layers, links that lead nowhere else, both kinds of archives."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.errors import ImageError
from localproc.executors.containers import image_archives, roots
from localproc.executors.containers.image_folder import ImageFolder, normalized

CONFIG = {
    "config": {
        "Env": ["PATH=/bin", "WORD=a=b"],
        "Entrypoint": ["/bin/sh"],
        "Cmd": ["-c"],
        "WorkingDir": "/work",
    }
}


def layer(*members: tuple[str, str | None], kind: str = "w") -> bytes:
    """Make a layer of files (a text), folders (``None``) and links (``-> target``)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=kind) as tar:  # type: ignore[call-overload]
        for name, text in members:
            info = tarfile.TarInfo(name)
            if text is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            elif text.startswith("-> "):
                info.type, info.linkname = tarfile.SYMTYPE, text.removeprefix("-> ")
                tar.addfile(info)
            elif text.startswith("=> "):
                info.type, info.linkname = tarfile.LNKTYPE, text.removeprefix("=> ")
                tar.addfile(info)
            else:
                info.size, info.mode = len(text), 0o644
                tar.addfile(info, io.BytesIO(text.encode()))
    return file.getvalue()


def unpacked(root: Path, *layers: bytes) -> dict[str, str]:
    """Unpack layers; give the files with what is in them."""
    root.mkdir(exist_ok=True)
    for one in layers:
        with tarfile.open(fileobj=io.BytesIO(one)) as tar:
            roots.unpack(tar, str(root))
    return {
        str(path.relative_to(root)): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_a_layer_adds_changes_and_takes_away(tmp_path: Path) -> None:
    first = layer(("a", "1"), ("b/c", "2"), ("b/d", "3"), ("e/f", "4"), ("e/g", "5"))
    second = layer(("a", "new"), ("b/.wh.c", ""), ("e/.wh..wh..opq", ""), ("e/h", "6"))
    assert unpacked(tmp_path / "root", first, second) == {"a": "new", "b/d": "3", "e/h": "6"}


def test_links_of_an_image_lead_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("mine")
    evil = layer(
        ("away", f"-> {outside}"),
        ("up", "-> ../../outside"),
        ("away/made", "inside"),
        ("up/other", "inside"),
        ("away/.wh.kept", ""),
        ("../../outside/third", "inside"),
        ("/abs", "inside"),
        ("hard", "=> away/made"),
    )
    found = unpacked(tmp_path / "root", evil)
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert found["hard"] == "inside"
    assert found["abs"] == "inside"


def test_a_folder_may_take_the_place_of_a_link_and_the_other_way_round(tmp_path: Path) -> None:
    first = layer(("lib", "-> usr/lib"), ("usr/lib", None), ("etc", None), ("etc/a", "1"))
    second = layer(("lib/x", "2"), ("etc", "-> usr/etc"), ("usr/etc/b", "3"))
    assert unpacked(tmp_path / "root", first, second) == {"usr/lib/x": "2", "usr/etc/b": "3"}


def test_links_that_go_round_in_circles_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ImageError, match="go round in circles"):
        roots.inside(str(tmp_path), "/a/x")


@given(st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=8))
def test_a_path_never_leaves_its_root(parts: list[str]) -> None:
    found = roots.inside("/nowhere/at/all", "/".join(parts))
    assert found.startswith("/")
    assert ".." not in found.split("/")


def test_a_program_is_found_as_the_image_would(tmp_path: Path) -> None:
    unpacked(tmp_path, layer(("bin", "-> usr/bin"), ("usr/bin/tool", "x"), ("opt/own", "y")))
    assert roots.program(str(tmp_path), "tool", "/sbin:/bin") == "/usr/bin/tool"
    assert roots.program(str(tmp_path), "/opt/own", "") == "/opt/own"
    assert roots.program(str(tmp_path), "none", "/bin") is None


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def docker_archive(path: Path, *layers: bytes) -> Path:
    with tarfile.open(path, "w") as tar:
        names = [f"{number}/layer.tar" for number in range(len(layers))]
        manifest = [{"Config": "config.json", "RepoTags": ["named:1"], "Layers": names}]
        add(tar, "manifest.json", json.dumps(manifest).encode())
        add(tar, "config.json", json.dumps(CONFIG).encode())
        for name, one in zip(names, layers, strict=True):
            add(tar, name, one)
    return path


def oci_archive(path: Path, *layers: bytes) -> Path:
    def blob(data: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        add(tar, f"blobs/sha256/{digest}", data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    with tarfile.open(path, "w") as tar:
        found = {
            "config": blob(json.dumps(CONFIG).encode()),
            "layers": [blob(one) for one in layers],
        }
        manifest = blob(json.dumps(found).encode())
        manifest["annotations"] = {"org.opencontainers.image.ref.name": "named:1"}
        add(tar, "index.json", json.dumps({"manifests": [manifest]}).encode())
    return path


@pytest.mark.parametrize("write", [docker_archive, oci_archive])
@pytest.mark.parametrize("kind", ["w", "w:gz"])
def test_archives_of_both_kinds_are_read(write: Any, kind: str, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tar",
        layer(("a", "1"), ("b", "2"), kind=kind),
        layer((".wh.b", ""), kind=kind),
    )
    (tmp_path / "root").mkdir()
    with image_archives.opened(str(path)) as tar:
        found = image_archives.contents(tar)
        image_archives.unpack(tar, found, str(tmp_path / "root"))
    assert found.name == "named:1"
    assert [one.name for one in (tmp_path / "root").iterdir()] == ["a"]
    image = image_archives.described(found.name, found.config, "/place")
    assert image.env == {"PATH": "/bin", "WORD": "a=b"}
    assert (image.entrypoint, image.command, image.workdir) == (("/bin/sh",), ("-c",), "/work")
    assert image.digest == f"sha256:{hashlib.sha256(found.config).hexdigest()}"


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    unpacked(tmp_path / "root", layer(("a/b", "1"), ("link", "-> a/b")))
    image_archives.write(str(tmp_path / "b.tar"), "named:2", CONFIG, str(tmp_path / "root"))
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["b.tar"]
    (tmp_path / "again").mkdir()
    with image_archives.opened(str(tmp_path / "b.tar")) as tar:
        found = image_archives.contents(tar)
        image_archives.unpack(tar, found, str(tmp_path / "again"))
    assert found.name == "named:2"
    assert (tmp_path / "again/link").read_text() == "1"
    layers = json.loads(found.config)["rootfs"]["diff_ids"]
    assert len(layers) == 1


@pytest.mark.parametrize("name", ["none.tar", "text.tar", "empty.tar", "broken.tar"])
def test_what_is_no_image_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("text")
    with tarfile.open(tmp_path / "empty.tar", "w") as tar:
        add(tar, "readme", b"")
    with tarfile.open(tmp_path / "broken.tar", "w") as tar:
        add(tar, "manifest.json", b"{}")
    with (
        pytest.raises(ImageError, match="image"),
        image_archives.opened(str(tmp_path / name)) as tar,
    ):
        image_archives.contents(tar)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("debian", "debian:latest"),
        ("docker.io/library/debian:12", "debian:12"),
        ("docker.io/user/a", "user/a:latest"),
        ("index.docker.io/library/debian:12", "debian:12"),
        ("index.org/debian", "index.org/debian:latest"),
        ("host:5000/a", "host:5000/a:latest"),
        ("a@sha256:0", "a@sha256:0"),
    ],
)
def test_names_are_known_as_docker_knows_them(name: str, known: str) -> None:
    assert normalized(name) == known


def test_an_image_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    folder = ImageFolder(str(tmp_path))

    def fail(part: str) -> None:
        Path(part).mkdir()
        raise ImageError("no")

    with pytest.raises(ImageError):
        folder.make("a:1", fail)
    assert folder.names() == []
    assert folder.make("a:1", lambda part: Path(part).mkdir()) == folder.place("a:1")
    assert folder.names() == ["a:1"]
    assert not [one for one in tmp_path.iterdir() if ".part" in one.name]
