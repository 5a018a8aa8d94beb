"""Where a tool finds its files, and what has to be put in place for that."""

from typing import Any

import pytest

from localproc.cwl.run.task_layout import Layout
from localproc.errors import StepError
from tests.cwl.memory import FOLDERS, Memory, directory, file


def layout() -> Layout:
    return Layout(FOLDERS, Memory())


def actions(done: Layout) -> list[tuple[str, str, str]]:
    """Give each action's kind, target, and source or contents."""
    return [(one.kind, one.target, one.source or one.contents) for one in done.actions]


def test_a_file_is_used_where_it_is() -> None:
    here = layout()
    assert here.localize(file("/data/a.tar.gz", size=5)) == {
        "class": "File",
        "location": "file:///data/a.tar.gz",
        "path": "/data/a.tar.gz",
        "dirname": "/data",
        "basename": "a.tar.gz",
        "nameroot": "a.tar",
        "nameext": ".gz",
        "size": 5,
    }
    assert here.actions == []


def test_a_directory_is_used_where_it_is() -> None:
    here = layout()
    found = here.localize(directory("/data/d", listing=[file("/data/d/a.txt")]))
    assert (found["path"], found["dirname"], found["basename"]) == ("/data/d", "/data", "d")
    assert found["listing"][0]["path"] == "/data/d/a.txt"
    assert "nameroot" not in found
    assert here.actions == []


def test_files_inside_of_values_are_found() -> None:
    found = layout().localize({"a": [{"b": file("/data/a.txt")}], "c": 5})
    assert found["a"][0]["b"]["path"] == "/data/a.txt"
    assert found["c"] == 5


def test_locations_are_unquoted() -> None:
    value = {"class": "File", "location": "file:///data/a%20%23b.txt", "basename": "a #b.txt"}
    assert layout().localize(value)["path"] == "/data/a #b.txt"


def test_a_file_that_is_called_otherwise_is_linked_under_its_name() -> None:
    here = layout()
    found = here.localize(file("/data/0815", basename="scene.tif"))
    assert found["path"] == "/stage/1/scene.tif"
    assert (found["nameroot"], found["nameext"]) == ("scene", ".tif")
    assert actions(here) == [("link", "/stage/1/scene.tif", "/data/0815")]


def test_a_folder_called_a_dot_keeps_that_name_wherever_it_lies() -> None:
    here = layout()
    text = {"class": "File", "basename": "a.txt", "contents": "A"}
    found = here.localize({"class": "Directory", "basename": ".", "listing": [text]})
    assert (found["basename"], found["listing"][0]["path"]) == (".", f"{found['path']}/a.txt")
    assert ("write", f"{found['path']}/a.txt", "A") in actions(here)


def test_two_files_of_one_name_are_kept_apart() -> None:
    here = layout()
    here.localize([file("/data/1", basename="same"), file("/data/2", basename="same")])
    assert actions(here) == [
        ("link", "/stage/1/same", "/data/1"),
        ("link", "/stage/2/same", "/data/2"),
    ]


def test_secondary_files_at_their_files_side_are_used_there() -> None:
    here = layout()
    found = here.localize(file("/data/a.tif", secondaryFiles=[file("/data/a.tfw")]))
    assert found["secondaryFiles"][0]["path"] == "/data/a.tfw"
    assert here.actions == []


def test_secondary_files_from_elsewhere_are_brought_to_their_files_side() -> None:
    here = layout()
    found = here.localize(file("/data/a.tif", secondaryFiles=[file("/other/a.tfw")]))
    assert found["path"] == "/stage/1/a.tif"
    assert found["secondaryFiles"][0]["path"] == "/stage/1/a.tfw"
    assert actions(here) == [
        ("link", "/stage/1/a.tif", "/data/a.tif"),
        ("link", "/stage/1/a.tfw", "/other/a.tfw"),
    ]


def test_a_file_made_of_text_is_written() -> None:
    here = layout()
    found = here.localize({"class": "File", "basename": "a.txt", "contents": "text"})
    assert found["path"] == "/stage/1/a.txt"
    assert actions(here) == [("write", "/stage/1/a.txt", "text")]


def test_a_file_without_a_name_gets_one() -> None:
    here = layout()
    assert here.localize({"class": "File", "contents": ""})["basename"] == "input_1"


def test_a_directory_made_of_a_listing_is_put_together() -> None:
    here = layout()
    inner = {"class": "Directory", "basename": "in", "listing": [file("/data/b.txt")]}
    text = {"class": "File", "basename": "c.txt", "contents": "c"}
    made = {
        "class": "Directory",
        "basename": "d",
        "listing": [file("/data/a.txt"), inner, text],
    }
    found = here.localize(made)
    assert [one["path"] for one in found["listing"]] == [
        "/stage/1/d/a.txt",
        "/stage/1/d/in",
        "/stage/1/d/c.txt",
    ]
    assert found["listing"][1]["listing"][0]["path"] == "/stage/1/d/in/b.txt"
    assert actions(here) == [
        ("mkdir", "/stage/1/d", ""),
        ("link", "/stage/1/d/a.txt", "/data/a.txt"),
        ("mkdir", "/stage/1/d/in", ""),
        ("link", "/stage/1/d/in/b.txt", "/data/b.txt"),
        ("write", "/stage/1/d/c.txt", "c"),
    ]


def test_secondary_files_of_what_is_listed_come_along() -> None:
    here = layout()
    listed = file("/data/a.tif", secondaryFiles=[file("/data/a.tfw")])
    here.localize({"class": "Directory", "basename": "d", "listing": [listed]})
    assert ("link", "/stage/1/d/a.tfw", "/data/a.tfw") in actions(here)


def test_a_directory_that_lists_more_than_it_holds_is_put_together() -> None:
    here = layout()
    here.localize(directory("/data/d", listing=[file("/data/d/a"), file("/other/b")]))
    assert actions(here) == [
        ("mkdir", "/stage/1/d", ""),
        ("link", "/stage/1/d/a", "/data/d/a"),
        ("link", "/stage/1/d/b", "/other/b"),
    ]


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../a", "a\0b"])
def test_a_name_that_is_no_name_of_a_file_is_refused(name: str) -> None:
    with pytest.raises(StepError, match="cannot be the name of a file"):
        layout().localize(file("/data/a", basename=name))
    with pytest.raises(StepError, match="cannot be the name of a file"):
        layout().localize(file("/data/a", secondaryFiles=[file("/data/b", basename=name)]))


def test_a_file_that_is_elsewhere_is_an_error() -> None:
    value = {"class": "File", "location": "https://example.org/a.tif", "basename": "a.tif"}
    with pytest.raises(StepError, match=r"https://example.org/a.tif has not been staged"):
        layout().localize(value)


# The working directory


@pytest.mark.parametrize(
    ("writable", "in_place", "kind"),
    [(False, False, "link"), (True, False, "copy"), (True, True, "link"), (False, True, "link")],
)
def test_a_file_is_copied_into_the_working_directory_to_be_written(
    writable: bool, in_place: bool, kind: str
) -> None:
    here = layout()
    here.put(file("/data/a.txt"), "sub/b.txt", writable=writable, in_place=in_place)
    assert actions(here) == [(kind, "/out/sub/b.txt", "/data/a.txt")]


def test_a_file_that_was_put_somewhere_is_found_there() -> None:
    here = layout()
    value = file("/data/a.tif", secondaryFiles=[file("/data/a.tfw")])
    here.put(value, "b.tif", writable=False, in_place=False)
    found = here.localize(value)
    assert (found["path"], found["basename"]) == ("/out/b.tif", "b.tif")
    assert found["secondaryFiles"][0]["path"] == "/out/a.tfw"


def test_a_directory_is_put_with_all_that_is_in_it() -> None:
    here = layout()
    text = {"class": "File", "basename": "c.txt", "contents": "c"}
    made = {"class": "Directory", "basename": "d", "listing": [file("/data/a"), text]}
    here.put(made, "d", writable=True, in_place=False)
    assert actions(here) == [
        ("mkdir", "/out/d", ""),
        ("copy", "/out/d/a", "/data/a"),
        ("write", "/out/d/c.txt", "c"),
    ]


def test_the_same_file_may_be_put_twice() -> None:
    here = layout()
    for _ in range(2):
        here.put(file("/data/a"), "a", writable=False, in_place=False)
    assert actions(here) == [("link", "/out/a", "/data/a")]


LITERAL = {"class": "File", "basename": "a", "contents": "one"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (file("/data/1/a"), file("/data/2/a")),
        (file("/data/1/a"), LITERAL),
        (LITERAL, {**LITERAL, "contents": "another"}),
        (
            {"class": "Directory", "listing": [LITERAL]},
            {"class": "Directory", "listing": [file("/data/a")]},
        ),
    ],
)
def test_two_different_files_under_one_name_are_refused(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    here = layout()
    here.put(first, "a", writable=False, in_place=False)
    with pytest.raises(StepError, match="two different files would be staged as 'a") as error:
        here.put(second, "a", writable=False, in_place=False)
    assert error.value.hint == "give one of them another entryname"


def test_two_different_texts_under_one_name_are_refused() -> None:
    here = layout()
    here.write("one", "a.txt")
    here.write("one", "a.txt")
    with pytest.raises(StepError, match=r"two different files would be staged as 'a\.txt'"):
        here.write("another", "a.txt")


# Names, and what stands beside what


@pytest.mark.parametrize("name", ["a" * 256, "é" * 128])
def test_a_name_that_no_disk_takes_is_told_before(name: str) -> None:
    literal = {"class": "File", "basename": name, "contents": ""}
    listed = {"class": "Directory", "basename": "d", "listing": [literal]}
    beside = file("/data/a", secondaryFiles=[literal])
    for value in (literal, listed, beside):
        with pytest.raises(StepError, match="too long"):
            layout().localize(value)
    with pytest.raises(StepError, match="too long"):
        layout().write("", f"d/{name}")
    layout().localize({**literal, "basename": name[: 255 // len(name[0].encode())]})


def test_secondary_files_of_secondary_files_stand_beside_them() -> None:
    deep = file("/c/a.bai.md5")
    given = file("/a/a.bam", secondaryFiles=[file("/b/a.bai", secondaryFiles=[deep])])
    staged, put = layout(), layout()
    found = staged.localize(given)
    assert [target for _, target, _ in actions(staged)] == [
        "/stage/1/a.bam",
        "/stage/1/a.bai",
        "/stage/1/a.bai.md5",
    ]
    assert found["secondaryFiles"][0]["secondaryFiles"][0]["path"] == "/stage/1/a.bai.md5"
    put.put(given, "in/a.bam", writable=True, in_place=False)
    assert [(kind, target) for kind, target, _ in actions(put)] == [
        ("copy", "/out/in/a.bam"),
        ("copy", "/out/in/a.bai"),
        ("copy", "/out/in/a.bai.md5"),
    ]


def test_folders_of_one_name_in_a_listing_are_one() -> None:
    """CWL v1.2 Directory.listing."""
    disk = Memory({"/a/d/x": "", "/b/d/y": "", "/a/d/e/1": "", "/b/d/e/2": ""})
    here = Layout(FOLDERS, disk)
    both = {"class": "Directory", "basename": "both"}
    here.localize({**both, "listing": [directory("/a/d"), directory("/b/d")]})
    links = {target: source for kind, target, source in actions(here) if kind == "link"}
    assert links == {
        "/stage/1/both/d/x": "/a/d/x",
        "/stage/1/both/d/y": "/b/d/y",
        "/stage/1/both/d/e/1": "/a/d/e/1",
        "/stage/1/both/d/e/2": "/b/d/e/2",
    }


def test_a_file_shares_its_name_with_nothing_else_in_a_listing() -> None:
    disk = Memory({"/a/d": "", "/b/d/y": ""})
    listing = [file("/a/d"), directory("/b/d")]
    with pytest.raises(StepError, match="two different files in one listing have the name 'd'"):
        Layout(FOLDERS, disk).localize({"class": "Directory", "basename": "x", "listing": listing})
