"""InitialWorkDirRequirement in all its forms."""

import json
from typing import Any

import pytest

from localproc.cwl.expr.expressions import Context
from localproc.cwl.run.prepare import Prepared, prepare
from localproc.cwl.run.task_layout import Layout
from localproc.cwl.run.workdir import set_up
from localproc.errors import LocalprocError, StepError
from tests.cwl.memory import FOLDERS, Memory, directory, file, runnable, tool

TOOL = """
requirements:
  InlineJavascriptRequirement: {}
  InplaceUpdateRequirement: {inplaceUpdate: %s}
  InitialWorkDirRequirement:
    listing: %s
inputs: {x: Any}
"""


def staged(listing: str, x: Any = None, *, in_place: bool = False) -> list[tuple[str, str, str]]:
    """Give what a listing puts in place: kinds, targets, and sources or contents."""
    layout = Layout(FOLDERS, Memory())
    context = Context({"x": Layout(FOLDERS, Memory()).localize(x)}, {"cores": 2})
    set_up(tool(TOOL % (str(in_place).lower(), listing)), context, layout)
    return [(one.kind, one.target, one.source or one.contents) for one in layout.actions]


def error(listing: str, x: Any = None) -> StepError:
    with pytest.raises(StepError) as raised:
        staged(listing, x)
    return raised.value


# Dirents


def test_a_text_is_written() -> None:
    assert staged("[{entryname: a.txt, entry: a text}]") == [("write", "/out/a.txt", "a text")]


def test_a_text_is_written_with_its_expressions_and_its_white_space() -> None:
    listing = r'[{entryname: "$(inputs.x).sh", entry: "  echo $(inputs.x) \\$(date)\n\n"}]'
    assert staged(listing, "go") == [("write", "/out/go.sh", "  echo go $(date)\n\n")]


def test_a_file_is_linked() -> None:
    assert staged("[{entry: $(inputs.x)}]", file("/data/a.txt")) == [
        ("link", "/out/a.txt", "/data/a.txt")
    ]


def test_a_file_is_linked_under_another_name() -> None:
    assert staged("[{entryname: b/c.txt, entry: $(inputs.x)}]", file("/data/a.txt")) == [
        ("link", "/out/b/c.txt", "/data/a.txt")
    ]


def test_a_directory_is_linked() -> None:
    assert staged("[{entryname: d, entry: $(inputs.x)}]", directory("/data/folder")) == [
        ("link", "/out/d", "/data/folder")
    ]


def test_secondary_files_come_along() -> None:
    scene = file("/data/a.tif", secondaryFiles=[file("/data/a.tfw")])
    assert staged("[{entryname: sub/b.tif, entry: $(inputs.x)}]", scene) == [
        ("link", "/out/sub/b.tif", "/data/a.tif"),
        ("link", "/out/sub/a.tfw", "/data/a.tfw"),
    ]


@pytest.mark.parametrize("x", [file("/data/a"), directory("/data/a")])
def test_what_is_writable_is_copied(x: Any) -> None:
    listing = "[{entry: $(inputs.x), writable: true}]"
    assert staged(listing, x) == [("copy", "/out/a", "/data/a")]
    assert staged(listing, x, in_place=True) == [("link", "/out/a", "/data/a")]


def test_nothing_is_put_for_null() -> None:
    assert staged("[{entryname: a.txt, entry: $(inputs.x)}]", None) == []


def test_an_array_of_files_is_linked_file_by_file() -> None:
    files = [file("/data/a"), directory("/data/b")]
    assert staged("[{entry: $(inputs.x)}]", files) == [
        ("link", "/out/a", "/data/a"),
        ("link", "/out/b", "/data/b"),
    ]
    assert "cannot name an array" in error("[{entryname: a, entry: $(inputs.x)}]", files).message


@pytest.mark.parametrize("listing", ['["$(%s)"]', '[{entry: "$(%s)"}]', '"$([%s])"'])
def test_a_literal_called_dot_is_the_working_directory_itself(listing: str) -> None:
    text = {"class": "File", "basename": "a", "contents": "A"}
    here = {"class": "Directory", "basename": ".", "listing": [text]}
    for literal in (here, {**here, "listing": [here]}):
        entry = json.dumps(literal).replace('"', "'")
        assert staged(listing % entry) == [("write", "/out/a", "A")]


def test_an_empty_array_of_files_puts_nothing() -> None:
    assert staged("[{entry: $(inputs.x)}]", []) == []


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (5, "5"),
        (1e-7, "0.0000001"),
        (True, "true"),
        ({"b": 1, "a": [None, 0.5]}, '{"a": [null, 0.5], "b": 1}'),
        (["a", 1], '["a", 1]'),
    ],
)
def test_other_values_are_written_as_json(x: Any, text: str) -> None:
    assert staged("[{entryname: a.json, entry: $(inputs.x)}]", x) == [
        ("write", "/out/a.json", text)
    ]


def test_a_text_needs_a_name() -> None:
    assert "needs an entryname" in error("[{entry: a text}]").message


def test_a_name_is_a_text() -> None:
    assert "entryname gave '5'" in error("[{entryname: $(inputs.x), entry: a}]", 5).message


# Expressions as items


@pytest.mark.parametrize(
    ("x", "names"),
    [
        (None, []),
        ([], []),
        (file("/data/a"), ["a"]),
        (directory("/data/d"), ["d"]),
        ([file("/data/a"), file("/data/b")], ["a", "b"]),
        ([[file("/data/a")], None, [[file("/data/b")]]], ["a", "b"]),
    ],
)
def test_an_item_may_give_files(x: Any, names: list[str]) -> None:
    assert [target for _, target, _ in staged("[$(inputs.x)]", x)] == [f"/out/{n}" for n in names]


def test_an_item_may_give_a_dirent() -> None:
    listing = """['$({entryname: "b.txt", entry: inputs.x, writable: true})',
                  '$({entryname: "c.txt", entry: "text"})']"""
    assert staged(listing, file("/data/a.txt")) == [
        ("copy", "/out/b.txt", "/data/a.txt"),
        ("write", "/out/c.txt", "text"),
    ]


def test_an_item_may_give_a_file_made_of_text() -> None:
    listing = """['$({class: "File", basename: "a.txt", contents: "text"})']"""
    assert staged(listing) == [("write", "/out/a.txt", "text")]


@pytest.mark.parametrize("x", [5, "text", True, {"a": 1}, [file("/data/a"), "text"]])
def test_an_item_gives_nothing_else(x: Any) -> None:
    wrong = error("[$(inputs.x)]", x)
    assert "InitialWorkDirRequirement.listing gave" in wrong.message
    assert wrong.hint == "expected File, Directory or Dirent objects, arrays of them, or null"


# Objects as items


def test_an_item_may_be_a_file_or_a_directory() -> None:
    listing = """
      - {class: File, basename: a.txt, contents: text}
      - class: Directory
        basename: d
        listing: [{class: File, basename: b.txt, contents: more}]
      - {class: File, location: c.txt}
    """
    assert staged(listing) == [
        ("write", "/out/a.txt", "text"),
        ("mkdir", "/out/d", ""),
        ("write", "/out/d/b.txt", "more"),
        ("link", "/out/c.txt", "/package/c.txt"),
    ]


# An expression as the whole listing


def test_the_listing_may_be_an_expression() -> None:
    assert staged("$(inputs.x)", [file("/data/a"), None, [file("/data/b")]]) == [
        ("link", "/out/a", "/data/a"),
        ("link", "/out/b", "/data/b"),
    ]


def test_the_listing_may_be_that_of_a_directory() -> None:
    folder = directory("/data/d", listing=[file("/data/d/a"), directory("/data/d/e")])
    assert staged("$(inputs.x.listing)", folder) == [
        ("link", "/out/a", "/data/d/a"),
        ("link", "/out/e", "/data/d/e"),
    ]


def test_the_listing_may_give_dirents() -> None:
    listing = '$([{entryname: "a.txt", entry: "text"}, {entry: inputs.x, writable: true}])'
    assert staged(f"'{listing}'", file("/data/b")) == [
        ("write", "/out/a.txt", "text"),
        ("copy", "/out/b", "/data/b"),
    ]


def test_a_text_that_an_expression_gave_is_not_evaluated_again() -> None:
    for listing in ("'$([inputs.x])'", "[$(inputs.x)]", "['$([inputs.x])']"):
        assert staged(listing, {"entryname": "go.sh", "entry": "echo $(date)"}) == [
            ("write", "/out/go.sh", "echo $(date)")
        ]


@pytest.mark.parametrize("x", [None, 5, {"a": 1}, file("/data/a")])
def test_the_listing_is_an_array(x: Any) -> None:
    assert "InitialWorkDirRequirement.listing gave" in error("$(inputs.x)", x).message


# Names


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a.txt", "/out/a.txt"),
        ("sub/a.txt", "/out/sub/a.txt"),
        ("./a.txt", "/out/a.txt"),
        ("sub/../a.txt", "/out/a.txt"),
        ("..a.txt", "/out/..a.txt"),
    ],
)
def test_a_name_may_lead_into_folders(name: str, target: str) -> None:
    assert staged(f"[{{entryname: '{name}', entry: $(inputs.x)}}]", "") == [("write", target, "")]


@pytest.mark.parametrize("name", ["..", "../a.txt", "sub/../../a.txt"])
def test_a_name_may_not_leave_the_working_directory(name: str) -> None:
    made = """'$({class: "File", basename: inputs.x, contents: "a"})'"""
    for listing in ("[{entryname: $(inputs.x), entry: a}]", f"[{made}]"):
        assert error(listing, name).message == f"main: {name!r} leaves the working directory"


def test_a_name_may_not_be_absolute() -> None:
    wrong = error("[{entryname: /etc/a.conf, entry: a}]")
    assert wrong.message.endswith("'/etc/a.conf' is absolute, which needs a container")
    assert "DockerRequirement" in wrong.hint


def test_two_different_entries_may_not_have_one_name() -> None:
    assert "two different files would be staged as 'a.txt'" in (
        error("[{entryname: a.txt, entry: one}, {entryname: a.txt, entry: two}]").message
    )
    files = [file("/data/1/a.txt"), file("/data/2/a.txt")]
    assert "two different files would be staged as 'a.txt'" in error("$(inputs.x)", files).message


# Together with the rest of the tool


def test_the_command_line_names_files_where_they_were_put() -> None:
    text = """
        baseCommand: cat
        requirements:
          InitialWorkDirRequirement:
            listing: [{entryname: renamed.txt, entry: $(inputs.a)}]
        arguments: [$(inputs.a.basename)]
        inputs:
          a: {type: File, inputBinding: {}}
          b: {type: File, inputBinding: {}}
    """
    disk = Memory({"/data/a.txt": "a", "/data/b.txt": "b"})
    inputs = {"a": file("/data/a.txt"), "b": file("/data/b.txt")}
    prepared = prepare(runnable(text), inputs, FOLDERS, disk, {"PATH": "/bin"})
    assert prepared.argv == ("cat", "renamed.txt", "/out/renamed.txt", "/data/b.txt")


LITERAL = {"class": "File", "basename": "a.txt", "contents": "text"}


def prepared_with(listing: str, **inputs: Any) -> Prepared:
    text = f"""
        baseCommand: cat
        requirements:
          InitialWorkDirRequirement: {{listing: {listing}}}
        inputs: {{x: {{type: "File[]", inputBinding: {{}}}}, d: Directory?}}
    """
    disk = Memory({"/data/d/b.txt": "b", "/data/a.txt": "a"})
    return prepare(runnable(text), inputs, FOLDERS, disk, {"PATH": "/bin"})


def test_a_literal_is_written_where_it_is_put() -> None:
    """CWL v1.2 File: literals also must be staged, and have the path where they are."""
    other = {**LITERAL, "basename": "b.txt", "contents": "other"}
    listing = "[{entry: '$(inputs.x[1])'}, {entryname: c.txt, entry: '$(inputs.x[0])'}]"
    prepared = prepared_with(listing, x=[LITERAL, other])
    assert prepared.argv == ("cat", "/out/c.txt", "/out/b.txt")
    written = [(one.kind, one.target, one.contents) for one in prepared.stage]
    assert written == [("write", "/out/b.txt", "other"), ("write", "/out/c.txt", "text")]


def test_what_is_put_into_a_folder_of_the_users_goes_into_a_copy() -> None:
    listing = "[{entryname: d, entry: $(inputs.d)}, {entryname: d/b.txt, entry: mine}]"
    prepared = prepared_with(listing, x=[], d=directory("/data/d"))
    assert [(one.kind, one.target) for one in prepared.stage] == [
        ("copy", "/out/d"),
        ("write", "/out/d/b.txt"),
    ]


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        ("[\"$({class: 'File', basename: 'a', contents: 5})\"]", "its contents is no text"),
        ("[\"$({class: 'File', path: 'a', listing: 5})\"]", "its listing is no array of File"),
        ("[\"$({class: 'File', location: [1]})\"]", "its location is no text"),
        ("[\"$({entry: 'a', entryname: 5})\"]", "entryname gave '5'"),
        ("[{entryname: a, entry: $('\\ud83d')}]", "has a lone surrogate in it"),
    ],
)
def test_what_cannot_be_written_is_told(listing: str, message: str) -> None:
    with pytest.raises(LocalprocError, match=message):
        staged(listing)


def test_what_is_in_a_literal_is_written_with_it() -> None:
    """Its listing, however deep, and what belongs beside it."""
    index = {**LITERAL, "basename": "a.idx"}
    folder = {"class": "Directory", "basename": "d", "listing": [LITERAL]}
    outer = {"class": "Directory", "basename": "o", "listing": [folder]}
    text = """
        requirements:
          InitialWorkDirRequirement: {listing: [$(inputs.x), $(inputs.d)]}
        inputs: {x: File, d: Directory}
    """
    inputs = {"x": {**LITERAL, "secondaryFiles": [index]}, "d": outer}
    prepared = prepare(runnable(text), inputs, FOLDERS, Memory(), {"PATH": "/bin"})
    assert [(one.kind, one.target) for one in prepared.stage] == [
        ("write", "/out/a.txt"),
        ("write", "/out/a.idx"),
        ("mkdir", "/out/o"),
        ("mkdir", "/out/o/d"),
        ("write", "/out/o/d/a.txt"),
    ]


@pytest.mark.parametrize("name", ["d", "a/d"])
def test_a_stream_in_a_folder_of_the_users_goes_into_a_copy(name: str) -> None:
    text = f"""
        requirements:
          InitialWorkDirRequirement: {{listing: [{{entryname: {name}, entry: $(inputs.d)}}]}}
        inputs: {{d: Directory}}
        stdout: {name}/said.txt
    """
    disk = Memory({"/data/d/b.txt": "b"})
    inputs = {"d": directory("/data/d")}
    prepared = prepare(runnable(text), inputs, FOLDERS, disk, {"PATH": "/bin"})
    assert [(one.kind, one.target) for one in prepared.stage] == [("copy", f"/out/{name}")]
