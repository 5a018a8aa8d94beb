"""File and Directory objects, and the memory that the other tests take for a disk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.cwl.base.files import (
    has_files,
    is_local,
    local_path,
    local_paths,
    map_files,
    normalize,
    split_name,
    walk,
)
from localproc.errors import InvalidInputs
from localproc.storage.disk import Disk
from localproc.uris import canonical, path_uri, uri_path
from tests.cwl.memory import Memory, directory, file

BASE = "file:///base/here"


@given(st.text("abc /%#?&+'\"\u00e9\U0001f30d", min_size=1).map(lambda text: "/" + text))
def test_a_path_survives_becoming_a_uri(path: str) -> None:
    uri = path_uri(path)
    assert uri_path(uri) == path
    assert is_local({"location": uri})
    assert local_path({"location": uri}) == path


@given(st.text("abc /%#?&+'\"\u00e9\U0001f30d", min_size=1).map(lambda text: "/" + text))
@pytest.mark.parametrize("form", ["file:", "file://localhost", "file://LOCALHOST", "FILE://"])
def test_a_file_has_one_address(form: str, path: str) -> None:
    uri = path_uri(path)
    other = form + uri.removeprefix("file://")
    if not path.startswith("//") or form != "file:":
        assert canonical(other) == uri
        assert normalize({"class": "File", "location": other})["location"] == uri.rstrip("/")


@pytest.mark.parametrize(
    "uri",
    ["file:///a%20b#c", "file:///a b", "https://x.org:8443/a?b=c", "s3://bucket/a", "memory:a"],
)
def test_other_addresses_stay_as_they_are(uri: str) -> None:
    assert canonical(uri) == uri


@pytest.mark.parametrize(
    "uri",
    ["file://server/a", "http://[::1/a", "http:///a", "https://:80/a", "http://x:99999/a"],
)
def test_an_address_that_leads_nowhere_is_told(uri: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        canonical(uri)
    with pytest.raises(InvalidInputs, match="location cannot be used"):
        normalize(
            [
                {
                    "class": "File",
                    "location": "a",
                    "secondaryFiles": [{"class": "File", "location": uri}],
                }
            ],
            BASE,
        )


@pytest.mark.parametrize(
    ("name", "root", "extension"),
    [
        ("a.txt", "a", ".txt"),
        ("a.tar.gz", "a.tar", ".gz"),
        ("a", "a", ""),
        (".hidden", ".hidden", ""),
        (".hidden.txt", ".hidden", ".txt"),
        ("a.", "a", "."),
    ],
)
def test_the_extension_begins_at_the_last_dot(name: str, root: str, extension: str) -> None:
    assert split_name(name) == (root, extension)


@pytest.mark.parametrize(
    ("given", "location", "basename"),
    [
        ({"path": "a.txt"}, "file:///base/here/a.txt", "a.txt"),
        ({"path": "/data/a b.txt"}, "file:///data/a%20b.txt", "a b.txt"),
        ({"path": "../x/./a"}, "file:///base/x/a", "a"),
        ({"location": "a%20b.txt"}, "file:///base/here/a%20b.txt", "a b.txt"),
        ({"location": "file:///data/d/"}, "file:///data/d", "d"),
        ({"location": "https://x.org/a.tif?b=c"}, "https://x.org/a.tif?b=c", "a.tif"),
        ({"location": "a", "path": "b"}, "file:///base/here/a", "a"),
        ({"path": "a", "basename": "named"}, "file:///base/here/a", "named"),
        ({"path": "a", "dirname": "/elsewhere"}, "file:///base/here/a", "a"),
    ],
)
def test_an_object_gets_a_location_and_a_name(
    given: dict[str, str], location: str, basename: str
) -> None:
    clean = normalize({"class": "File", **given}, BASE)
    assert clean == {"class": "File", "location": location, "basename": basename}


def test_what_is_inside_and_beside_is_normalized_too() -> None:
    value = {
        "class": "Directory",
        "basename": "d",
        "listing": [
            {"class": "File", "path": "a", "secondaryFiles": [{"class": "File", "path": "b"}]}
        ],
    }
    assert normalize([value], BASE)[0]["listing"] == [
        file("/base/here/a", secondaryFiles=[file("/base/here/b")])
    ]


def test_an_object_made_of_text_needs_no_location() -> None:
    literal = {"class": "File", "contents": "text"}
    assert normalize(literal, BASE) == literal


@pytest.mark.parametrize("kind", ["File", "Directory"])
def test_an_object_of_nothing_is_refused(kind: str) -> None:
    with pytest.raises(InvalidInputs, match=f"a {kind} object has neither location nor path"):
        normalize({"a": [{"class": kind, "basename": "a"}]}, BASE)


def test_files_are_found_wherever_they_are() -> None:
    value = {
        "a": [file("/1", secondaryFiles=[file("/2")]), directory("/3", listing=[file("/4")])],
        "b": {"class": "Other", "of": file("/5")},
        "c": 1,
    }
    assert [one["basename"] for one in walk(value)] == ["1", "2", "3", "4", "5"]
    assert has_files(value)
    assert not has_files({"a": [1, {"b": None}]})


def test_paths_are_those_of_objects_on_this_machine() -> None:
    elsewhere = {"class": "File", "location": "https://example.com/2", "basename": "2"}
    value = [file("/1", secondaryFiles=[elsewhere]), {"a": directory("/3", listing=[file("/3/4")])}]
    assert local_paths(value) == ["/1", "/3", "/3/4"]
    assert local_paths({"a": [1, "file:///5"]}) == []


def test_only_the_outermost_objects_are_replaced() -> None:
    value = {"a": [file("/1", secondaryFiles=[file("/2")])], "b": {"c": directory("/3")}}
    assert map_files(value, lambda one: one["basename"]) == {"a": ["1"], "b": {"c": "3"}}


def test_the_memory_of_the_tests_is_like_a_disk(tmp_path: Path) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("a.txt", "b.txt", ".h.txt", "d/a.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "l").symlink_to("d")
    (tmp_path / "broken").symlink_to("nowhere")
    root = str(tmp_path)
    contents = {f"{root}/{name}": name for name in ("a.txt", "b.txt", ".h.txt", "d/a.txt")}
    links = {f"{root}/l": "d", f"{root}/broken": "nowhere"}
    memory, disk = Memory(contents, [f"{root}/d/e"], links), Disk()

    patterns = [
        "*",
        "*.txt",
        ".*",
        "d/*",
        "l/*",
        "*/a.txt",
        "a.txt",
        "no",
        ".",
        "l",
        "[ab].*",
        "br*",
    ]
    for pattern in patterns:
        assert list(memory.glob(root, pattern)) == list(disk.glob(root, pattern)), pattern
    for name in ("a.txt", "d", "l", "l/a.txt", "broken", "no", "a.txt/no"):
        path = f"{root}/{name}"
        if name != "a.txt/no":
            assert memory.realpath(path) == disk.realpath(path)
        found, real = memory.stat(path), disk.stat(path)
        assert (found and found.is_dir) == (real and real.is_dir)
        assert list(memory.listdir(path)) == list(disk.listdir(path))
    assert memory.read(f"{root}/l/a.txt", 3) == disk.read(f"{root}/l/a.txt", 3) == b"d/a"
    assert memory.checksum(f"{root}/a.txt") == disk.checksum(f"{root}/a.txt")


def test_a_folder_may_be_called_a_dot() -> None:
    literal = {"class": "Directory", "basename": ".", "listing": []}
    assert normalize(literal) == literal
    there = {"class": "Directory", "basename": ".", "location": "file:///data/a"}
    assert normalize(there)["basename"] == "a"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("file:///data/a%20b.txt", "file:///data/a%20b.txt"),
        ("file:/data/a.txt", "file:///data/a.txt"),
        ("https://example.org/a.txt", "https://example.org/a.txt"),
        ("a:b.txt", "file:///base/a%3Ab.txt"),
    ],
)
def test_a_uri_as_path_is_the_location(path: str, location: str) -> None:
    assert normalize({"class": "File", "path": path}, "file:///base")["location"] == location
