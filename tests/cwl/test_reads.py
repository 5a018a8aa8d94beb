"""What a task has to see of the disk, for executors that show it nothing else."""

from typing import Any

import pytest

from localproc.cwl.run.prepare import prepare
from localproc.cwl.run.reads import place, reads, writes
from tests.cwl.memory import FOLDERS, Memory, directory, file, runnable

DISK = Memory(
    {
        "/data/a.txt": "a",
        "/data/a.txt.idx": "i",
        "/data/sub/b.txt": "b",
        "/far/away.tif": "far",
        "/far/deep/c.txt": "c",
        "/other/d.txt": "d",
    },
    links={
        "/data/sub/linked.tif": "/far/away.tif",
        "/data/sub/up": "..",
        "/far/deep/more": "/other",
        "/job/item/asset.tif": "/far/away.tif",
        "/job/deep": "/far/deep",
    },
)


def told(inputs: dict[str, Any], text: str = "", links: bool = True) -> tuple[Any, Any]:
    names = "".join(f"\n  {name}: Any" for name in inputs)
    tool = runnable(f"inputs:{names}\n{text}")
    done = prepare(tool, inputs, FOLDERS, DISK, {})
    return reads(done, DISK, links=links), writes(done)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, ()),
        ("/data/a.txt", ()),
        (file("/data/a.txt"), ("/data/a.txt",)),
        ([file("/data/a.txt"), file("/other/d.txt")], ("/data/a.txt", "/other/d.txt")),
        ({"nested": [{"f": file("/data/a.txt")}]}, ("/data/a.txt",)),
        (
            file("/data/a.txt", secondaryFiles=[file("/data/a.txt.idx")]),
            ("/data/a.txt", "/data/a.txt.idx"),
        ),
        (directory("/other"), ("/other",)),
        (file("/job/item/asset.tif"), ("/far/away.tif", "/job/item/asset.tif")),
        (directory("/job/item"), ("/far/away.tif", "/job/item")),
        (directory("/data"), ("/data", "/far/away.tif")),
        (directory("/job/deep"), ("/far/deep", "/job/deep", "/other")),
        ([directory("/data"), file("/data/a.txt")], ("/data", "/far/away.tif")),
        ({"class": "File", "contents": "x", "basename": "literal.txt"}, ("/stage",)),
    ],
    ids=repr,
)
def test_what_a_task_reads(value: Any, expected: tuple[str, ...]) -> None:
    assert told({"x": value}) == (expected, ())


def test_links_below_folders_are_looked_for_where_that_matters() -> None:
    assert told({"x": directory("/data")}, links=False)[0] == ("/data",)


def test_what_is_staged_is_read_where_it_lies() -> None:
    """An input under another name is a link in the task's own folder to where it is."""
    renamed = {**file("/data/a.txt"), "basename": "new.txt"}
    assert told({"x": renamed})[0] == ("/data/a.txt", "/stage")


def test_what_is_updated_in_place_is_written() -> None:
    text = """
requirements:
  InlineJavascriptRequirement: {}
  InplaceUpdateRequirement: {inplaceUpdate: true}
  InitialWorkDirRequirement:
    listing:
      - {entry: $(inputs.x), writable: true}
      - {entry: $(inputs.y), writable: false}
"""
    inputs = {"x": file("/data/a.txt"), "y": file("/other/d.txt")}
    assert told(inputs, text) == (("/data/a.txt", "/other/d.txt"), ("/data/a.txt",))
    copied = text.replace("inplaceUpdate: true", "inplaceUpdate: false")
    assert told(inputs, copied)[1] == ()


@pytest.mark.parametrize(
    ("key", "expected"), [("crop", "crop"), ("items[1]/crop[0]", "items/crop"), ("a[1][2]", "a")]
)
def test_tasks_that_differ_in_their_inputs_alone_have_one_place(key: str, expected: str) -> None:
    assert place(key) == expected


def test_files_that_strings_name_are_read_where_an_input_names_them() -> None:
    named = {"/data/a.txt": ("/far/away.tif",), "/other/d.txt": ()}
    tool = runnable("inputs:\n  x: Any\n  y: Any\n")
    inputs = {"x": [{"deep": "/data/a.txt"}], "y": "/data/a.txt.idx"}
    done = prepare(tool, inputs, FOLDERS, DISK, {})
    assert reads(done, DISK, links=True, named=named) == ("/data/a.txt", "/far/away.tif")
    assert reads(done, DISK, links=True) == ()
