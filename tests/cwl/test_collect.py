"""The outputs of tools that have ended."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from localproc.cwl.base.files import Stat
from localproc.cwl.base.listing import with_checksums
from localproc.cwl.expr.realm import RESULT_LIMIT
from localproc.cwl.run.collect import collect, succeeded
from localproc.cwl.run.prepare import prepare
from localproc.errors import ExpressionError, StepError
from localproc.lengths import WithLength, length
from localproc.uris import path_uri
from tests.cwl.memory import FOLDERS, Memory, directory, file, runnable, sha1, tool

JAVASCRIPT = "requirements: {InlineJavascriptRequirement: {}}\n"
DATA = {"/data/in.txt": "input", "/data/in.idx": "index", "/secret/key": "key"}


def outputs(
    text: str,
    files: Mapping[str, str | bytes],
    inputs: Mapping[str, Any] | None = None,
    *,
    exit_code: int = 0,
    version: str = "v1.2",
    folders: tuple[str, ...] = (),
    links: Mapping[str, str] | None = None,
    specials: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Give the outputs of a tool that left these files in its output directory."""
    disk = Memory(
        {**DATA, **{f"/out/{name}": data for name, data in files.items()}},
        ["/out", *(f"/out/{name}" for name in folders)],
        {f"/out/{name}": target for name, target in (links or {}).items()},
        [f"/out/{name}" for name in specials],
    )
    prepared = prepare(runnable(text, version), inputs or {}, FOLDERS, disk, {})
    return collect(prepared, exit_code, disk)


def one(port: str, files: Mapping[str, Any], **more: Any) -> Any:
    """Give the only output of a tool."""
    return outputs(f"{JAVASCRIPT}outputs: {{x: {port}}}", files, **more)["x"]


def names(found: Any) -> list[str]:
    return [one["basename"] for one in found]


def made(name: str, text: str, **members: Any) -> dict[str, Any]:
    """Give a File as it is collected."""
    return file(f"/out/{name}", size=len(text), checksum=sha1(text), **members)


# Globs


def test_a_file_has_its_size_and_its_checksum() -> None:
    found = one("{type: File, outputBinding: {glob: a.txt}}", {"a.txt": "text"})
    assert found == made("a.txt", "text")


def test_a_captured_stream_is_looked_at_once() -> None:
    looks: list[str] = []

    class Watched(Memory):
        def stat(self, path: str) -> Stat | None:
            looks.append(path)
            return super().stat(path)

    disk = Watched({"/out/a.txt": "text"}, ["/out"])
    prepared = prepare(runnable("stdout: a.txt\noutputs: {x: stdout}"), {}, FOLDERS, disk, {})
    assert collect(prepared, 0, disk) == {"x": made("a.txt", "text")}
    assert looks.count("/out/a.txt") == 1


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("a.txt", ["a.txt"]),
        ("'*.txt'", ["a.txt", "b.txt"]),
        ("'*'", ["a.txt", "b.txt", "c.csv", "d"]),
        ("'[ab].txt'", ["a.txt", "b.txt"]),
        ("'?.csv'", ["c.csv"]),
        ("'d/*'", ["a.txt", "e.txt"]),
        ("'*/a.txt'", ["a.txt"]),
        ("['*.csv', '*.txt']", ["c.csv", "a.txt", "b.txt"]),
        ("[b.txt, '*.txt']", ["b.txt", "a.txt"]),
        ("$(runtime.outdir)/a.txt", ["a.txt"]),
        ('\'$(["b.txt", "a.txt"])\'', ["b.txt", "a.txt"]),
        ("[$(null), '', c.csv]", ["c.csv"]),
        (".hidden", [".hidden"]),
        ("'no*'", []),
    ],
)
def test_a_glob_finds_files_in_order(glob: str, found: list[str]) -> None:
    files = dict.fromkeys(["b.txt", "a.txt", "c.csv", "d/e.txt", "d/a.txt", ".hidden"], "")
    kind = "{type: array, items: [File, Directory]}"
    assert names(one(f"{{type: {kind}, outputBinding: {{glob: {glob}}}}}", files)) == found


def test_a_directory_is_an_output_too() -> None:
    found = one("{type: Directory, outputBinding: {glob: d}}", {"d/a.txt": "a"})
    assert found == directory("/out/d")


def test_the_output_directory_itself_may_be_an_output() -> None:
    for glob in (".", "$(runtime.outdir)"):
        found = one(f"{{type: Directory, outputBinding: {{glob: {glob}}}}}", {"a.txt": "a"})
        assert found["location"] == "file:///out"


@pytest.mark.parametrize("glob", ["/data/in.txt", "/outside/a", "/"])
def test_a_glob_stays_in_the_output_directory(glob: str) -> None:
    with pytest.raises(StepError, match="is outside the output directory"):
        one(f"{{type: File, outputBinding: {{glob: {glob}}}}}", {})


@pytest.mark.parametrize("glob", ["../data/in.txt", "'../data/*.txt'", "d/../../data/in.txt"])
def test_a_glob_may_not_climb_out_of_the_output_directory(glob: str) -> None:
    with pytest.raises(StepError, match="leads out of the job's folder"):
        one(f"{{type: string, outputBinding: {{glob: {glob}, outputEval: a}}}}", {"d/a": ""})


def test_a_glob_is_a_text() -> None:
    with pytest.raises(StepError, match="the glob of x gave 5"):
        one("{type: File, outputBinding: {glob: $(5)}}", {})


# One file or several


def test_an_output_that_is_missing_tells_what_there_is() -> None:
    with pytest.raises(StepError) as error:
        one("{type: File, outputBinding: {glob: '*.tif'}}", {"b.txt": "", "a.txt": "", ".h": ""})
    assert error.value.message == "main: the output x is missing: nothing matches '*.tif'"
    assert error.value.hint == "the output directory holds: a.txt, b.txt"


@pytest.mark.parametrize("kind", ["File?", "'File[]?'", "Directory?"])
def test_an_optional_output_may_be_missing(kind: str) -> None:
    assert one(f"{{type: {kind}, outputBinding: {{glob: '*.tif'}}}}", {}) is None


def test_an_array_may_be_empty() -> None:
    assert one("{type: 'File[]', outputBinding: {glob: '*.tif'}}", {}) == []


def test_an_array_may_hold_one_file() -> None:
    assert names(one("{type: 'File[]', outputBinding: {glob: '*'}}", {"a": ""})) == ["a"]


def test_one_file_is_not_several() -> None:
    with pytest.raises(StepError, match="the output x is one file, but found a, b"):
        one("{type: File, outputBinding: {glob: '*'}}", {"a": "", "b": ""})


def test_a_file_is_no_directory() -> None:
    with pytest.raises(StepError, match="x: expected File, got a Directory"):
        one("{type: File, outputBinding: {glob: d}}", {"d/a": ""})


def test_every_output_of_another_type_is_told() -> None:
    text = (
        JAVASCRIPT
        + """outputs:
      a: {type: int, outputBinding: {outputEval: $("one")}}
      b: {type: 'string[]', outputBinding: {outputEval: '$(["b", 1])'}}
    """
    )
    with pytest.raises(StepError) as error:
        outputs(text, {})
    assert error.value.message == (
        "main: the outputs are not as promised: a: expected int, got string 'one'; "
        "b[1]: expected string, got int 1"
    )


# outputEval


@pytest.mark.parametrize(
    ("kind", "expression", "expected"),
    [
        ("string", "$(self[0].contents)", "a text"),
        ("int", "$(self.length)", 2),
        ("int", "$(self[0].size + self[1].size)", 10),
        ("string", "$(self[1].nameroot)$(self[1].nameext)", "b.txt"),
        (
            "'string[]'",
            "${ return self.map(function (one) { return one.basename; }); }",
            ["a.txt", "b.txt"],
        ),
        ("string", "$(inputs.word)", "from the inputs"),
        ("int?", "$(null)", None),
        ("int", "$(0)", 0),
        ("boolean", "$(false)", False),
        ("string", "$('')", ""),
        ("Any", "$({a: [1, {b: null}]})", {"a": [1, {"b": None}]}),
    ],
)
def test_output_eval_makes_any_value(kind: str, expression: str, expected: Any) -> None:
    text = f"""{JAVASCRIPT}
inputs: {{word: string}}
outputs:
  x:
    type: {kind}
    outputBinding: {{glob: '*.txt', loadContents: true, outputEval: "{expression}"}}
"""
    found = outputs(text, {"a.txt": "a text", "b.txt": "more"}, {"word": "from the inputs"})
    assert found == {"x": expected}


def test_output_eval_without_a_glob_sees_no_files() -> None:
    assert one("{type: int, outputBinding: {outputEval: $(self.length)}}", {"a": ""}) == 0


def test_output_eval_may_choose_files() -> None:
    files = {"a": "1", "b": "22", "c": "333"}
    port = "{type: %s, outputBinding: {glob: '*', outputEval: '%s'}}"
    assert one(port % ("File", "$(self[1])"), files) == made("b", "22")
    assert names(one(port % ("'File[]'", "$(self.slice(1))"), files)) == ["b", "c"]
    assert one(port % ("File", "$(self.slice(2))"), files) == made("c", "333")


def test_output_eval_may_change_a_file() -> None:
    port = """
      type: File
      outputBinding:
        glob: a.txt
        outputEval: |
          ${ self[0].basename = "b.txt"; self[0].metadata = {n: 1}; return self[0]; }
    """
    text = f"{JAVASCRIPT}outputs:\n  x:{port}"
    assert outputs(text, {"a.txt": "a"})["x"] == {
        **made("a.txt", "a"),
        "basename": "b.txt",
        "metadata": {"n": 1},
    }


def test_output_eval_may_make_a_file_of_text() -> None:
    expression = '${ return {class: "File", basename: "a.txt", contents: "text"}; }'
    found = one(f"{{type: File, outputBinding: {{outputEval: '{expression}'}}}}", {})
    assert found == {
        "class": "File",
        "basename": "a.txt",
        "contents": "text",
        "size": 4,
        "checksum": sha1("text"),
    }


def test_an_input_may_be_passed_on() -> None:
    text = """
        inputs: {x: File}
        outputs: {x: {type: File, outputBinding: {outputEval: $(inputs.x)}}}
    """
    given = file("/data/in.txt", secondaryFiles=[file("/data/in.idx")])
    found = outputs(text, {}, {"x": given})["x"]
    assert found["location"] == "file:///data/in.txt"
    assert found["checksum"] == sha1("input")
    assert names(found["secondaryFiles"]) == ["in.idx"]


@pytest.mark.parametrize("version", ["v1.1", "v1.2"])
def test_output_eval_knows_the_exit_code(version: str) -> None:
    port = "{type: int, outputBinding: {outputEval: $(runtime.exitCode)}}"
    assert one(port, {}, exit_code=3, version=version) == 3


def test_v1_0_knows_no_exit_code() -> None:
    port = "{type: int?, outputBinding: {outputEval: $(runtime.exitCode)}}"
    with pytest.raises(ExpressionError, match="there is no 'exitCode' here"):
        one(port, {}, exit_code=3, version="v1.0")


def test_contents_are_only_for_expressions() -> None:
    found = one("{type: File, outputBinding: {glob: a, loadContents: true}}", {"a": "text"})
    assert found == made("a", "text")


@pytest.mark.parametrize(
    ("listing", "seen"), [("no_listing", None), ("shallow_listing", 2), ("deep_listing", 2)]
)
def test_listings_of_outputs_are_for_expressions(listing: str, seen: int | None) -> None:
    port = """
      type: int?
      outputBinding:
        glob: d
        loadListing: %s
        outputEval: '$(self[0].listing ? self[0].listing.length : null)'
    """
    text = f"{JAVASCRIPT}outputs:\n  x:{port % listing}"
    assert outputs(text, {"d/a": "", "d/e/b": ""})["x"] == seen


# Streams


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_is_an_output(stream: str) -> None:
    found = outputs(f"{stream}: said.txt\noutputs: {{x: {stream}}}", {"said.txt": "hello"})
    assert found == {"x": made("said.txt", "hello")}


# Records


def test_a_record_is_made_of_its_fields() -> None:
    text = (
        JAVASCRIPT
        + """
outputs:
  scene:
    type:
      type: record
      fields:
        image: {type: File, outputBinding: {glob: '*.tif'}, secondaryFiles: [^.tfw]}
        bands: {type: int, outputBinding: {outputEval: $(3)}}
        note: {type: File?, outputBinding: {glob: note.txt}}
"""
    )
    found = outputs(text, {"a.tif": "", "a.tfw": ""})["scene"]
    assert names(found["image"]["secondaryFiles"]) == ["a.tfw"]
    assert (found["bands"], found["note"]) == (3, None)
    with pytest.raises(StepError, match=r"the output scene\.image is missing"):
        outputs(text, {})


# Secondary files and formats


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (".ovr", ["a.tif.ovr"]),
        ("[^.tfw, .ovr]", ["a.tfw", "a.tif.ovr"]),
        ("[.missing?, ^.tfw]", ["a.tfw"]),
        ("[.missing]", []),
        ("[$(self.nameroot).tfw]", ["a.tfw"]),
        ('[\'$(["a.tfw", self.basename + ".ovr"])\']', ["a.tfw", "a.tif.ovr"]),
        ('[\'$({class: "File", path: "a.tfw"})\']', ["a.tfw"]),
    ],
)
def test_secondary_files_are_found_beside_their_file(patterns: str, found: list[str]) -> None:
    port = f"{{type: File, secondaryFiles: {patterns}, outputBinding: {{glob: a.tif}}}}"
    collected = one(port, {"a.tif": "", "a.tif.ovr": "o", "a.tfw": "w"})
    assert names(collected["secondaryFiles"]) == found


def test_secondary_files_are_whole_objects() -> None:
    port = "{type: File, secondaryFiles: [.d, .e], outputBinding: {glob: a}}"
    assert one(port, {"a": "", "a.d/x": "", "a.e": "e"})["secondaryFiles"] == [
        directory("/out/a.d"),
        made("a.e", "e"),
    ]


def test_a_secondary_file_that_is_required_may_not_be_missing() -> None:
    port = "{type: File, secondaryFiles: [{pattern: .a, required: true}], outputBinding: {glob: a}}"
    with pytest.raises(StepError, match=r"x has no secondary file 'a\.a'"):
        one(port, {"a": ""})


def test_every_file_of_an_array_has_its_secondary_files() -> None:
    port = "{type: 'File[]', secondaryFiles: .i, outputBinding: {glob: '?'}}"
    found = one(port, {"a": "", "a.i": "", "b": "", "b.i": ""})
    assert [names(one["secondaryFiles"]) for one in found] == [["a.i"], ["b.i"]]


def test_files_get_the_format_of_their_output() -> None:
    port = "{type: 'File[]', format: 'http://example.org/%s', outputBinding: {glob: '*'}}"
    found = one(port % "$(self.nameext)", {"a.csv": "", "b.tif": ""})
    assert [one["format"] for one in found] == [
        "http://example.org/.csv",
        "http://example.org/.tif",
    ]


# cwl.output.json


TWO = "outputs: {a: File, b: string?}"


def test_cwl_output_json_is_taken_as_the_outputs() -> None:
    said = {"a": {"class": "File", "path": "sub/a.txt"}, "b": "text"}
    found = outputs(TWO, {"cwl.output.json": json.dumps(said), "sub/a.txt": "a"})
    assert found == {"a": made("sub/a.txt", "a"), "b": "text"}


@pytest.mark.parametrize(
    "place",
    [
        {"path": "a.txt"},
        {"path": "/out/a.txt"},
        {"location": "a.txt"},
        {"location": "file:///out/a.txt"},
    ],
)
def test_cwl_output_json_names_files_by_path_or_location(place: dict[str, str]) -> None:
    said = json.dumps({"a": {"class": "File", **place}})
    assert outputs(TWO, {"cwl.output.json": said, "a.txt": "a"})["a"] == made("a.txt", "a")


def test_cwl_output_json_has_its_limit() -> None:
    port, rest = "outputs: {x: string}", len('{"x":""}')
    most = json.dumps({"x": "y" * (RESULT_LIMIT - 100 - rest)}, separators=(",", ":"))
    assert len(outputs(port, {"cwl.output.json": most})["x"]) == RESULT_LIMIT - 100 - rest
    with pytest.raises(StepError, match=r"cwl.output.json has more than 32 MiB") as error:
        outputs(port, {"cwl.output.json": most + " " * 101})
    assert error.value.hint == "give out a Directory for many files, and a File for many values"


def test_so_have_outputs_that_were_collected() -> None:
    files = {f"f{number}": "" for number in range(20)}
    port = "{type: Any, outputBinding: {glob: 'f*', outputEval: '$(inputs.values)'}}"
    inputs = {"values": ["y" * (RESULT_LIMIT // 2)] * 3}
    text = f"{JAVASCRIPT}inputs: {{values: Any}}\noutputs: {{x: {port}}}"
    with pytest.raises(StepError, match=r"what its outputs are, .* has more than 32 MiB"):
        outputs(text, files, inputs)
    found = outputs(text, files, {"values": inputs["values"][:1]})
    assert found["x"] == inputs["values"][:1]


def test_what_cwl_output_json_does_not_name_is_null() -> None:
    said = json.dumps({"a": {"class": "File", "path": "a.txt"}})
    assert outputs(TWO, {"cwl.output.json": said, "a.txt": "a"})["b"] is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("{", "cwl.output.json is not JSON"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "it is nested too deeply"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "it has more than 100 levels"),
        ("[1]", "cwl.output.json is not an object"),
        ("{}", "a: expected File, got nothing"),
        ('{"a": 5}', "a: expected File, got int 5"),
        ('{"a": {"class": "File", "path": "no.txt"}}', "/out/no.txt does not exist"),
        ('{"a": {"class": "File", "path": "/secret/key"}}', "neither in the output directory nor"),
        (
            '{"a": {"class": "File", "path": "../secret/key"}}',
            "neither in the output directory nor",
        ),
    ],
)
def test_cwl_output_json_that_is_wrong(said: str, reason: str) -> None:
    with pytest.raises(StepError) as error:
        outputs(TWO, {"cwl.output.json": said})
    assert reason in error.value.message


@pytest.mark.parametrize("location", ["file:///secret/key", "../secret/key", "/secret/key"])
def test_cwl_output_json_may_not_name_files_of_others(location: str) -> None:
    said = json.dumps({"a": {"class": "File", "location": location}})
    with pytest.raises(StepError):
        outputs(TWO, {"cwl.output.json": said})


# Links


X = "{type: File, outputBinding: {glob: x}}"


def test_a_link_to_another_output_is_followed() -> None:
    found = one(X, {"a": "text"}, links={"x": "a"})
    assert (found["basename"], found["size"], found["checksum"]) == ("x", 4, sha1("text"))


def test_a_link_to_an_input_is_followed() -> None:
    text = f"inputs: {{i: File}}\noutputs: {{x: {X}}}"
    found = outputs(text, {}, {"i": file("/data/in.txt")}, links={"x": "/data/in.txt"})["x"]
    assert found["checksum"] == sha1("input")


def test_a_link_to_what_was_staged_is_followed() -> None:
    text = f"""
inputs: {{i: File}}
requirements: {{InitialWorkDirRequirement: {{listing: [{{entryname: x, entry: $(inputs.i)}}]}}}}
outputs: {{x: {X}}}
"""
    found = outputs(text, {}, {"i": file("/data/in.txt")}, links={"x": "/data/in.txt"})["x"]
    assert found["checksum"] == sha1("input")


@pytest.mark.parametrize("target", ["/secret/key", "../secret/key", "/data/in.txt", "hop"])
def test_a_link_that_leads_elsewhere_is_refused(target: str) -> None:
    with pytest.raises(StepError, match="'x' leads out of the job's folder") as error:
        one(X, {}, links={"x": target, "hop": "/secret/key"})
    assert error.value.hint == "copy the file into the output directory instead of linking to it"


def test_a_link_that_leads_nowhere_matches_nothing() -> None:
    """CWL v1.2 CommandOutputBinding.glob: only what actually exists."""
    with pytest.raises(StepError, match="the output x is missing") as error:
        one(X, {}, links={"x": "nowhere"})
    assert "x (a link that leads nowhere)" in error.value.hint
    assert one("{type: File?, outputBinding: {glob: x}}", {}, links={"x": "nowhere"}) is None


def test_what_is_no_regular_file_is_no_output() -> None:
    """Nobody would ever have read a pipe to its end."""
    declared = '{"x": {"class": "File", "path": "pipe"}}'
    for files in ({}, {"cwl.output.json": declared}):
        with pytest.raises(StepError, match=r"pipe.* is no regular file"):
            one("{type: File, outputBinding: {glob: pipe}}", files, specials=("pipe",))


# Exit codes


@pytest.mark.parametrize(
    ("codes", "good", "bad"),
    [
        ("", [0], [1, 2, 255, -9]),
        ("successCodes: [0, 3]", [0, 3], [1]),
        ("successCodes: [3]", [3], [0]),
        ("permanentFailCodes: [0]", [], [0, 1]),
        ("temporaryFailCodes: [5]", [0], [5, 1]),
    ],
)
def test_which_exit_codes_are_success(codes: str, good: list[int], bad: list[int]) -> None:
    compiled = tool(f"baseCommand: a\n{codes}")
    assert [code for code in good if not succeeded(compiled, code)] == []
    assert [code for code in bad if succeeded(compiled, code)] == []


# For those who print results


def test_results_are_completed_with_checksums_and_listings() -> None:
    disk = Memory({"/out/a": "a", "/out/a.i": "i", "/out/d/b": "bb"})
    value = [file("/out/a", secondaryFiles=[file("/out/a.i")]), directory("/out/d"), 5]
    assert with_checksums(value, disk) == [
        made("a", "a", secondaryFiles=[made("a.i", "i")]),
        directory("/out/d", listing=[made("d/b", "bb")]),
        5,
    ]


def test_a_checksum_that_is_known_is_not_made_again() -> None:
    known = file("/out/a", size=1, checksum="sha1$known")
    assert with_checksums(known, Memory({"/out/a": "a"})) == known


# What an output may be


def test_null_is_no_value_of_any() -> None:
    """Schema Salad, "Any": it matches any value but null."""
    with pytest.raises(StepError, match="x: expected Any, got nothing"):
        one("{type: Any, outputBinding: {outputEval: $(null)}}", {})
    with pytest.raises(StepError, match="x: expected Any, got nothing"):
        one("Any", {"cwl.output.json": "{}"})
    assert one("Any?", {"cwl.output.json": "{}"}) is None


def test_a_glob_that_matches_nothing_is_shown_as_it_was_evaluated() -> None:
    port = "{type: File, outputBinding: {glob: ['$(\"a\" + 1).tif', '*.png']}}"
    with pytest.raises(StepError, match=r"nothing matches 'a1\.tif' or '\*\.png'"):
        one(port, {})


@pytest.mark.parametrize("name", ["a*.txt", "[a].txt", "a\\b.txt", "a?.txt"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_is_found_whatever_its_name(stream: str, name: str) -> None:
    text = f"outputs: {{x: {stream}}}\ninputs: {{n: string}}\n{stream}: $(inputs.n)"
    found = outputs(text, {name: "said", "ab.txt": "other"}, {"n": name})["x"]
    assert found == {**made(name, "said"), "location": path_uri(f"/out/{name}")}


@pytest.mark.parametrize(
    "form", ["file:///out/a%20b", "file:/out/a%20b", "file://localhost/out/a b"]
)
def test_a_uri_may_stand_in_path(form: str) -> None:
    """CWL v1.2 File.location: "an implementation may assign the value of the path field"."""
    found = one("File", {"cwl.output.json": _file(path=form), "a b": "text"})
    assert found == {**made("a b", "text"), "location": "file:///out/a%20b"}
    evaluated = f"{{type: File, outputBinding: {{outputEval: '$({_file(path=form)}.x)'}}}}"
    assert one(evaluated, {"a b": "text"}) == found


def test_a_file_on_the_web_may_be_an_output() -> None:
    found = one("File", {"cwl.output.json": _file(path="https://host/a.txt", basename="a.txt")})
    assert found == {"class": "File", "location": "https://host/a.txt", "basename": "a.txt"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"class": "File", "path": "d"}, "d is not a file"),
        ({"class": "Directory", "path": "a"}, "a is not a directory"),
        ({"class": "File", "location": "b"}, "b does not exist"),
        ({"class": "File", "path": "file://elsewhere/a"}, "file of the machine"),
        ({"class": "File", "basename": "a"}, "neither location, path nor contents"),
        ({"class": "File", "basename": "a", "listing": []}, "neither location, path nor contents"),
        ({"class": "Directory", "basename": "a"}, "neither location, path nor listing"),
    ],
)
def test_an_output_that_is_nothing_is_refused(value: Any, reason: str) -> None:
    declared = json.dumps({"x": value})
    with pytest.raises(StepError, match=reason):
        one("Any", {"cwl.output.json": declared, "a": "", "d/b": ""})


def _file(**members: Any) -> str:
    return json.dumps({"x": {"class": "File", **members}})


# Sizes and checksums


def test_what_a_tool_says_of_its_files_is_not_believed() -> None:
    declared = _file(path="a", size=99, checksum="sha1$none")
    assert one("File", {"cwl.output.json": declared, "a": "text"}) == made("a", "text")


def test_every_file_of_a_literal_has_its_size_and_its_checksum() -> None:
    listing = [
        {"class": "File", "path": "a", "secondaryFiles": [{"class": "File", "path": "b"}]},
        {"class": "File", "basename": "c", "contents": "new"},
        {"class": "Directory", "basename": "e", "listing": [{"class": "File", "path": "d/f"}]},
    ]
    declared = {"x": {"class": "Directory", "basename": "all", "listing": listing}}
    files = {"cwl.output.json": json.dumps(declared), "a": "1", "b": "22", "d/f": "333"}
    first, second, third = one("Directory", files)["listing"]
    assert first == made("a", "1", secondaryFiles=[made("b", "22")])
    assert (second["size"], second["checksum"]) == (3, sha1("new"))
    assert third["listing"] == [made("d/f", "333", basename="f")]


# Secondary files that an expression names


@pytest.mark.parametrize("form", ['{class: "File", path: "%s"}', '{class: "File", location: "%s"}'])
def test_an_optional_secondary_file_need_not_be_there(form: str) -> None:
    port = """{type: File, outputBinding: {glob: a}, secondaryFiles: [
      {pattern: '$([%s, %s])', required: %s}]}"""
    objects = form % "b", form % "c"
    found = one(port % (*objects, "false"), {"a": "", "b": "22"})
    assert found["secondaryFiles"] == [made("b", "22")]
    with pytest.raises(StepError, match="x has no secondary file 'c'"):
        one(port % (*objects, "true"), {"a": "", "b": ""})


# Contents


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_contents_that_are_no_text_are_an_error(version: str) -> None:
    binding = "{glob: a, loadContents: true, outputEval: '$(self[0].contents)'}"
    port = f"{{type: Any, outputBinding: {binding}}}"
    with pytest.raises(StepError, match="a is not text in UTF-8"):
        one(port, {"a": b"\xff\xfe"}, version=version)


# In a container that has the output directory elsewhere

INSIDE = """
requirements:
  DockerRequirement: {dockerPull: a, dockerOutputDirectory: /work/out}
  InlineJavascriptRequirement: {}
"""


def inside(port: str, files: Mapping[str, str]) -> Any:
    disk = Memory({**DATA, **{f"/out/{name}": data for name, data in files.items()}}, ["/out"])
    tool = runnable(f"{INSIDE}outputs: {{x: {port}}}")
    prepared = prepare(tool, {}, FOLDERS, disk, {}, containers=True)
    return collect(prepared, 0, disk)["x"]


@pytest.mark.parametrize("glob", ["a.txt", "/work/out/a.txt", "$(runtime.outdir)/a.txt"])
def test_a_glob_is_of_the_directory_inside(glob: str) -> None:
    found = inside(f"{{type: File, outputBinding: {{glob: {glob}}}}}", {"a.txt": "text"})
    assert found == made("a.txt", "text")


def test_a_glob_of_another_directory_inside_is_refused() -> None:
    with pytest.raises(StepError, match="outside the output directory"):
        inside("{type: File, outputBinding: {glob: /work/a.txt}}", {"a.txt": "text"})


def test_expressions_see_paths_inside() -> None:
    found = inside(
        '{type: string, outputBinding: {glob: a.txt, outputEval: "$(self[0].path)"}}', {"a.txt": ""}
    )
    assert found == "/work/out/a.txt"


def test_secondary_files_are_found_from_inside() -> None:
    port = "{type: File, secondaryFiles: [.idx], outputBinding: {glob: a.txt}}"
    found = inside(port, {"a.txt": "text", "a.txt.idx": "index"})
    assert found == made("a.txt", "text", secondaryFiles=[made("a.txt.idx", "index")])


@pytest.mark.parametrize(
    "said",
    [{"path": "/work/out/a.txt"}, {"location": "file:///work/out/a.txt"}, {"path": "a.txt"}],
    ids=repr,
)
def test_what_a_tool_declares_is_inside(said: dict[str, str]) -> None:
    declared = json.dumps({"x": {"class": "File", **said}})
    found = inside("File", {"a.txt": "text", "cwl.output.json": declared})
    assert found == made("a.txt", "text")


def test_a_file_whose_contents_are_loaded_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Memory.read
    done: list[str] = []

    def noted(disk: Memory, path: str, most: int = -1) -> bytes:
        done.append(path)
        return read(disk, path, most)

    monkeypatch.setattr(Memory, "read", noted)
    port = "{type: File, outputBinding: {glob: a, loadContents: true, outputEval: '$(self[0])'}}"
    assert one(port, {"a": "tëxt"}) == made("a", "tëxt") | {"size": 5}
    assert [path for path in done if path.startswith("/out/")] == ["/out/a"]


def test_outputs_come_with_their_length() -> None:
    found = outputs("outputs: {x: {type: File, outputBinding: {glob: a}}}", {"a": "text"})
    assert isinstance(found, WithLength)
    assert found.length == length(found) == length(dict(found))
