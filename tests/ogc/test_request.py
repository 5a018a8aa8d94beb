"""What users give as inputs, made into a CWL job object."""

import base64
import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.base.files import is_reference
from localproc.cwl.base.types import CwlType, matches
from localproc.errors import InvalidInputs
from localproc.ogc.describe import schema
from localproc.ogc.request import ExecuteRequest
from localproc.ogc.request_forms import Forms
from localproc.uris import data_of
from tests.cwl.memory import Memory, directory, file
from tests.cwl.strategies import PRIMITIVES, cwl_types, values_of

BASE = "file:///base"
DISK = Memory(
    {
        "/base/a.txt": "a",
        "/base/a b.txt": "",
        "/base/a%20b.txt": "",
        "/base/sub/item.json": "",
        "/base/sub/shape.geojson": "",
        "/base/item.json": "",
        "/elsewhere/b.txt": "b",
    },
    ["/base/folder", *(f"/data/{name}" for name in "abc")],
)
BANDS = {"type": "enum", "symbols": ["red", "green"]}
POINT = {
    "type": "record",
    "fields": [{"name": "x", "type": "double"}, {"name": "scene", "type": ["null", "File"]}],
}
A = file("/base/a.txt")
IANA = "https://www.iana.org/assignments/media-types/"
NO_BAND = "expected one of red, green, got %s"
NO_FOLDER = (
    "/base/a.txt is a file, not a directory "
    "(a Directory may also be given as a STAC item (a .json file), "
    "or as an archive: {href: PATH, type: application/zip})"
)


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def taken(cwl_type: CwlType, value: Any, *, references: bool = True, **port: Any) -> Any:
    """Give what becomes of the value of an input."""
    request = ExecuteRequest([{"id": "x", "type": cwl_type, **port}])
    return request.job_object({"x": value}, BASE, DISK, references=references).get("x")


def sent(cwl_type: CwlType, value: Any, **port: Any) -> Any:
    """Give what becomes of the value of an input that came over HTTP."""
    request = ExecuteRequest([{"id": "x", "type": cwl_type, **port}])
    return request.job_object({"x": value}, "", DISK, references=False).get("x")


def refused(cwl_type: CwlType, value: Any, **port: Any) -> list[str]:
    """Give why the value of an input is refused."""
    with pytest.raises(InvalidInputs) as error:
        taken(cwl_type, value, **port)
    return [str(problem) for problem in error.value.problems]


def test_what_cannot_be_a_file_is_told() -> None:
    assert refused("File", {"href": 5}) == ["inputs.x: expected File, got object {'href': 5}"]
    assert refused("File", "\ud800") == ["inputs.x: its location has a lone surrogate in it"]
    assert refused("Any", [10**5000]) == ["inputs: it has a number that is too large"]


# Plain values


@pytest.mark.parametrize(
    ("cwl_type", "value"),
    [
        ("int", 5),
        ("long", 2**40),
        ("double", 0.5),
        ("double", 5),
        ("boolean", False),
        ("string", ""),
        ("string", "text"),
        (BANDS, "red"),
        (["null", "int"], 5),
        (["null", "int"], None),
        (["int", "string"], "5"),
        (array("int"), []),
        (array("int"), [1, 2]),
        (array(array("int")), [[1], []]),
        (array(["null", "int"]), [1, None]),
        (POINT, {"x": 1, "scene": None}),
        ("Any", {"a": [1, None]}),
        ("Any", [1, "a"]),
    ],
)
def test_values_are_taken_as_they_are(cwl_type: CwlType, value: Any) -> None:
    assert taken(cwl_type, value) == value


def test_one_item_stands_for_an_array_of_one() -> None:
    assert taken(array("int"), 5) == [5]
    assert taken(["null", array("string")], "a") == ["a"]
    assert taken(array("File"), "a.txt") == [A]
    assert taken(array(array("int")), [1, 2]) == [[1, 2]]


def test_null_is_as_good_as_nothing_where_nothing_will_do() -> None:
    assert taken("int", None, default=5) is None
    assert taken(["null", "int"], None) is None


def test_a_field_that_is_left_out_is_null() -> None:
    assert taken(POINT, {"x": 1}) == {"x": 1, "scene": None}


@pytest.mark.parametrize(
    ("cwl_type", "value"),
    [
        ("int", 5),
        ("boolean", False),
        ("string", "text"),
        (BANDS, "red"),
        (["null", "double"], 0.5),
        (array("int"), [1, 2]),
        (POINT, {"x": 1, "scene": None}),
    ],
)
def test_a_value_may_be_qualified(cwl_type: CwlType, value: Any) -> None:
    assert sent(cwl_type, {"value": value, "mediaType": "application/json"}) == value
    assert sent(array(cwl_type), [{"value": value}]) == [value]


VALUED = {"type": "record", "fields": [{"name": "value", "type": "int"}]}


@pytest.mark.parametrize(
    ("cwl_type", "value"),
    [
        ("Any", {"value": 4, "format": "f"}),
        ("Any", {"value": {"x": 1}}),
        (POINT, {"x": 1, "scene": None, "value": {"x": 2}}),
        (VALUED, {"value": 4}),
    ],
)
def test_an_object_in_a_job_file_is_itself_the_value(cwl_type: CwlType, value: Any) -> None:
    assert taken(cwl_type, value) == value
    assert taken(array(cwl_type), [value]) == [value]


@pytest.mark.parametrize("cwl_type", ["int", "string", BANDS, ["null", "int"]])
def test_a_job_file_has_no_qualified_values(cwl_type: CwlType) -> None:
    (found,) = refused(cwl_type, {"value": 4})
    assert "got object {'value': 4}" in found


def test_a_record_that_has_a_value_among_its_members_is_no_wrapper() -> None:
    whole = {"x": 1, "scene": None, "value": {"x": 2}}
    assert sent(POINT, whole) == whole
    assert sent(POINT, {"value": {"x": 2}}) == {"x": 2, "scene": None}
    assert sent(VALUED, {"value": 4}) == {"value": 4}
    assert sent(VALUED, {"value": {"value": 4}}) == {"value": 4}


@pytest.mark.parametrize("cwl_type", ["int", "string", ["null", "double"], array("int"), POINT])
def test_a_value_may_lie_behind_a_link(cwl_type: CwlType) -> None:
    found = taken(cwl_type, {"href": "https://example.org/value.json", "type": "application/json"})
    assert is_reference(found)
    assert found["location"] == "https://example.org/value.json"


def test_what_belongs_to_cwl_itself_is_passed_on() -> None:
    request = ExecuteRequest([{"id": "x", "type": "int"}])
    requirements = [{"class": "ResourceRequirement", "coresMin": 2}]
    assert request.job_object({"x": 1, "cwl:requirements": requirements}, BASE, DISK) == {
        "x": 1,
        "cwl:requirements": requirements,
    }


@pytest.mark.parametrize(
    ("given", "entry"),
    [
        (
            {"EnvVarRequirement": {"envDef": {"A": "b"}}},
            {"class": "EnvVarRequirement", "envDef": [{"envName": "A", "envValue": "b"}]},
        ),
        (
            [
                {
                    "class": "InitialWorkDirRequirement",
                    "listing": [{"class": "File", "path": "a.txt"}],
                }
            ],
            {
                "class": "InitialWorkDirRequirement",
                "listing": [{"class": "File", "location": f"{BASE}/a.txt"}],
            },
        ),
    ],
)
def test_requirements_are_read_as_those_of_a_package(given: Any, entry: Any) -> None:
    found = ExecuteRequest([]).job_object({"cwl:requirements": given}, BASE, DISK)
    assert found == {"cwl:requirements": [entry]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ResourceRequirement": {"coreMin": 2}}, "unknown field 'coreMin'"),
        ([{"coresMin": 2}], "a requirement without a class"),
        ([{"class": "Foo"}], "unknown requirement 'Foo'"),
        ([{"$import": "a.yml"}], "cannot read a.yml"),
        (["WorkReuse"], "'WorkReuse' is no requirement"),
        (5, "what stands here is not of the form that the field takes"),
    ],
)
def test_requirements_that_are_none_are_refused(given: Any, said: str) -> None:
    with pytest.raises(InvalidInputs) as error:
        ExecuteRequest([]).job_object({"cwl:requirements": given}, BASE, DISK)
    (problem,) = error.value.problems
    assert (problem.where, problem.message[: len(said)]) == ("inputs.cwl:requirements", said)


def test_requirements_are_those_of_the_version_of_the_process() -> None:
    inputs = {"cwl:requirements": {"ToolTimeLimit": {"timelimit": 5}}}
    with pytest.raises(InvalidInputs, match="ToolTimeLimit is for CWL"):
        ExecuteRequest([], version="v1.0").job_object(inputs, BASE, DISK)
    assert ExecuteRequest([], version="v1.1").job_object(inputs, BASE, DISK)


def test_the_name_of_an_input_is_a_text() -> None:
    with pytest.raises(InvalidInputs) as error:
        ExecuteRequest([{"id": "x", "type": "int"}]).job_object({"x": 5, 1: 5}, BASE, DISK)  # type: ignore[dict-item]
    assert [str(one) for one in error.value.problems] == [
        "inputs: 1 is no name (the names of inputs are texts: quote it)"
    ]


# Files


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.txt", A),
        ("./a.txt", A),
        ("../elsewhere/b.txt", file("/elsewhere/b.txt")),
        ("/elsewhere/b.txt", file("/elsewhere/b.txt")),
        ("file:///base/a.txt", A),
        ({"href": "a.txt"}, A),
        (
            {"href": "file:///base/a.txt", "type": "text/plain"},
            {**A, "format": IANA + "text/plain"},
        ),
        ({"class": "File", "path": "a.txt"}, A),
        ({"class": "File", "path": "/base/a.txt"}, A),
        ({"class": "File", "location": "a.txt"}, A),
        ({"class": "File", "path": "a.txt", "size": 1}, {**A, "size": 1}),
        ({"class": "File", "path": "a.txt", "basename": "b"}, {**A, "basename": "b"}),
        ({"class": "File", "contents": "text"}, {"class": "File", "contents": "text"}),
        (
            {"class": "File", "contents": "text", "location": "_:name"},
            {"class": "File", "contents": "text"},
        ),
    ],
)
def test_a_file_may_be_given_in_many_ways(given: Any, expected: dict[str, Any]) -> None:
    assert taken("File", given) == expected


def test_paths_are_taken_as_they_are_and_uris_unquoted() -> None:
    quoted, plain = "file:///base/a%2520b.txt", "file:///base/a%20b.txt"
    assert taken("File", "a b.txt")["location"] == plain
    assert taken("File", "a%20b.txt")["location"] == quoted
    assert taken("File", {"class": "File", "path": "a%20b.txt"})["location"] == quoted
    assert taken("File", {"class": "File", "location": "a%20b.txt"})["location"] == plain
    assert taken("File", plain)["location"] == plain


@pytest.mark.parametrize(
    "uri",
    ["https://example.org/a/scene.tif", "s3://bucket/a/scene.tif", "ftp://example.org/scene.tif"],
)
def test_a_file_may_be_elsewhere(uri: str) -> None:
    expected = {"class": "File", "location": uri, "basename": "scene.tif"}
    assert taken("File", uri) == expected
    assert taken("File", {"href": uri}) == expected
    assert taken("File", {"class": "File", "location": uri}) == expected


def test_a_file_may_be_given_with_those_beside_it() -> None:
    given = {
        "class": "File",
        "path": "a.txt",
        "secondaryFiles": [{"class": "File", "path": "a b.txt"}],
    }
    assert taken("File", given)["secondaryFiles"] == [file("/base/a%20b.txt", basename="a b.txt")]


@pytest.mark.parametrize(
    ("value", "contents"),
    [
        ({"value": "some text", "mediaType": "text/plain"}, "some text"),
        ({"value": ""}, ""),
        ({"value": {"type": "Point", "of": [1, None]}}, '{"type": "Point", "of": [1, null]}'),
        ({"value": [1, 2]}, "[1, 2]"),
        ({"value": True}, "true"),
    ],
)
def test_a_file_may_be_given_by_its_contents(value: dict[str, Any], contents: str) -> None:
    found = taken("File", value)
    assert (found["class"], found["contents"]) == ("File", contents)


@pytest.mark.parametrize("data", [b"some text", b"\xff\xfe\x00"])
def test_contents_may_be_anything_in_base64(data: bytes) -> None:
    value = {"value": base64.b64encode(data).decode(), "encoding": "base64"}
    found = taken("File", value)
    assert base64.b64decode(found["contents"]) == data
    assert found["encoding"] == "base64"


@pytest.mark.parametrize("name", ["a/b", "..", ".", "x" * 256])
@pytest.mark.parametrize("encoding", [{}, {"encoding": "base64"}])
def test_a_name_that_no_file_can_have_is_refused(name: str, encoding: dict[str, str]) -> None:
    (said,) = refused("File", {"value": "aa==", "basename": name, **encoding})
    assert "cannot be the name of a file" in said or "is too long" in said


@pytest.mark.parametrize("value", ["no base64!", 5, "a"])
def test_contents_that_are_no_base64_are_refused(value: Any) -> None:
    (found,) = refused("File", {"value": value, "encoding": "base64"})
    assert found == "inputs.x.value: is not base64"


def test_an_encoding_is_known_or_refused() -> None:
    assert taken("File", {"value": "aGk=", "encoding": "BASE64"})["encoding"] == "base64"
    assert taken("File", {"value": "hi", "encoding": "UTF-8"})["contents"] == "hi"
    for media_type in ("text/plain", "image/tiff"):
        found = refused("File", {"value": "6869", "mediaType": media_type, "encoding": "hex"})
        assert "inputs.x.encoding: 'hex' is not known: base64, or none for a text" in found


@pytest.mark.parametrize(
    ("uri", "data"),
    [
        ("data:,some%20text%23", b"some text#"),
        ("data:text/plain;charset=utf-8,%C3%A4", "ä".encode()),
        ("DATA:image/png;base64,iVBO Rw%3D%3D", b"\x89PNG"),
        ("data:;base64,", b""),
    ],
)
@pytest.mark.parametrize("form", ["{}", "href", "location"])
def test_a_file_may_be_in_a_uri(uri: str, data: bytes, form: str) -> None:
    forms = {"href": {"href": uri}, "location": {"class": "File", "location": uri}}
    found = taken("File", forms.get(form, uri))
    assert "location" not in found
    assert (base64.b64decode(found["contents"]), found["encoding"]) == (data, "base64")


def test_a_file_in_a_uri_has_its_media_type_for_a_format_and_a_name() -> None:
    found = taken("File", "data:image/png;base64,iVBORw==")
    assert (found["format"], found["basename"]) == (IANA + "image/png", "input.png")
    (said,) = refused("File", {"href": "data:image/png;base64,iVBORw==", "type": "image/tiff"})
    assert said == "inputs.x: is said to be image/tiff, and in its data: URI image/png"
    (said,) = refused("File", "data:image/png;base64,iVBORw==", format=IANA + "image/tiff")
    assert said.startswith(f"inputs.x: is {IANA}image/png, expected {IANA}image/tiff")


def test_files_beside_and_in_others_may_be_in_uris() -> None:
    one = {"class": "File", "location": "data:,1", "basename": "1"}
    inner = {"class": "Directory", "basename": "d", "listing": [one]}
    found = taken("File", {**one, "secondaryFiles": [inner]})
    assert found["secondaryFiles"][0]["listing"][0]["contents"] == "MQ=="
    assert taken("Any", {"a": [one]})["a"][0]["contents"] == "MQ=="


@pytest.mark.parametrize(
    ("cwl_type", "uri", "value"),
    [("string", "data:,a%20b", "a b"), (array("int"), "data:application/json,[1,2]", [1, 2])],
)
def test_a_value_may_be_in_a_uri(cwl_type: Any, uri: str, value: Any) -> None:
    assert taken(cwl_type, {"href": uri}) == value


@pytest.mark.parametrize(
    ("cwl_type", "uri", "why"),
    [
        ("File", "data:", "it has no comma before its data"),
        ("File", "data:;base64,a", "its data is not base64"),
        ("Directory", "data:application/zip;base64,UEs=", "holds no STAC document in JSON"),
        ("Directory", "data:application/json,{}", "holds no STAC document in JSON"),
        ("Directory", "data:application/json,{}#", "a # in it has to be written as %23"),
        ("File", "data:text,", "'text' is not a media type (write it as image/tiff)"),
        ("int", "data:,many", "got string 'many'"),
        ("string", "data:,%FF", "its href cannot be used: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_uri_that_holds_nothing_of_use_is_refused(cwl_type: Any, uri: str, why: str) -> None:
    (said,) = refused(cwl_type, {"href": uri})
    assert why in said


TIFF = IANA + "image/tiff"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"value": "aa==", "mediaType": "image/tiff; application=geotiff"}, TIFF),
        ({"value": "aa==", "encoding": "base64", "mediaType": "IMAGE/tiff"}, TIFF),
        ({"value": "aa==", "encoding": "base64", "mediaType": "application/octet-stream"}, None),
        ({"value": "aa==", "encoding": "base64"}, None),
        ({"href": "https://example.org/a.tif", "type": "image/tiff"}, TIFF),
        ({"href": "https://example.org/a.tif"}, None),
        ("https://example.org/a.tif", None),
    ],
)
@pytest.mark.parametrize("wanted", ["iana:image/tiff", "http" + TIFF[5:], TIFF])
def test_the_media_type_of_a_file_is_its_format(given: Any, said: str | None, wanted: str) -> None:
    assert sent("File", given).get("format") == said
    assert sent("File", given, format=wanted)["format"] == (said or wanted)
    (found,) = sent(array("File"), [given], format=["iana:text/plain", TIFF] if said else wanted)
    assert found["format"] == (said or wanted)


@pytest.mark.parametrize(
    ("cwl_type", "given", "where"),
    [
        ("File", {"value": "{}", "mediaType": "application/json"}, "inputs.x"),
        ("File", {"href": "https://example.org/a", "type": "text/csv"}, "inputs.x"),
        ("File", {"class": "File", "contents": "a", "format": "edam:format_3752"}, "inputs.x"),
        ("File", {"class": "File", "contents": "a"}, "inputs.x"),
        (array("File"), [{"value": "{}", "mediaType": "application/json"}], "inputs.x[0]"),
        (["null", "File"], {"value": "{}", "mediaType": "application/json"}, "inputs.x"),
        (POINT, {"x": 1, "scene": {"value": "", "mediaType": "text/csv"}}, "inputs.x.scene"),
    ],
)
def test_a_file_of_another_format_is_refused_at_once(
    cwl_type: CwlType, given: Any, where: str
) -> None:
    with pytest.raises(InvalidInputs) as error:
        sent(cwl_type, given, format=TIFF)
    (found,) = error.value.problems
    assert (found.where, found.message.rpartition(", ")[2]) == (where, f"expected {TIFF}")


def test_a_format_may_be_below_the_one_that_is_wanted() -> None:
    port = {"id": "x", "type": "File", "format": "e:wide"}
    request = ExecuteRequest([port], ontology={"e:narrow": ["e:wide"]})
    given = {"class": "File", "path": "a.txt", "format": "e:narrow"}
    assert request.job_object({"x": given}, BASE, DISK)["x"]["format"] == "e:narrow"


def test_a_format_that_is_an_expression_is_checked_by_the_job() -> None:
    given = {"class": "File", "path": "a.txt"}
    assert taken("File", given, format="$(inputs.y.format)") == A


# Formats that a type promises

STRING_FORMAT = "https://raw.githubusercontent.com/eoap/schemas/main/string_format.yaml#"
OGC = "https://raw.githubusercontent.com/eoap/schemas/main/ogc.yaml#BBox"


def promising(name: str) -> dict[str, Any]:
    fields = [{"name": "value", "type": "string"}]
    return {"type": "record", "name": STRING_FORMAT + name, "fields": fields}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Date", "2024-02-29", "2023-02-29"),
        ("DateTime", "2024-02-29T12:00:00Z", "2024-02-29"),
        ("Time", "12:00:00Z", "noon"),
        ("Duration", "P1DT2H", "1 day"),
        ("Email", "a@example.org", "a"),
        ("UUID", "2f1b7d7a-8a5c-4c39-9c1e-0a3b5e1d9f00", "2f1b"),
        ("IPv4", "127.0.0.1", "127.0.0.256"),
        ("URI", "https://example.org/a", "a b"),
        ("Password", "anything", None),
    ],
)
def test_a_text_is_of_the_format_that_its_type_promises(
    name: str, good: str, bad: str | None
) -> None:
    assert sent(promising(name), good) == {"value": good}
    assert sent(array(promising(name)), [{"value": good}]) == [{"value": good}]
    for wrong in [] if bad is None else [bad, {"value": bad}]:
        with pytest.raises(InvalidInputs) as error:
            sent(promising(name), wrong)
        assert repr(bad) in str(error.value.problems[0])


def test_a_reference_in_a_job_file_may_be_relative() -> None:
    assert taken(promising("URI"), "sub/item.json") == {"value": "/base/sub/item.json"}


BOX = {
    "type": "record",
    "name": OGC,
    "fields": [{"name": "bbox", "type": array("double")}, {"name": "crs", "type": "string"}],
}


@pytest.mark.parametrize("numbers", [[170.0, -10, -170, 10], [1.0, 2, 3, 1, 2, 3]])
def test_a_box_may_cross_180_degrees(numbers: list[float]) -> None:
    assert sent(BOX, {"bbox": numbers})["bbox"] == numbers


@pytest.mark.parametrize(
    "numbers", [[0.0, 10, 1, -10], [0.0, 10, 0, 1, -10, 1], [0.0, 0, 9, 1, 1, 8]]
)
def test_south_of_a_box_is_not_north_of_north(numbers: list[float]) -> None:
    with pytest.raises(InvalidInputs, match="its lower corner is above its upper one"):
        sent(BOX, {"bbox": numbers})


@pytest.mark.parametrize("count", [0, 1, 3, 5, 7])
def test_a_box_has_4_or_6_numbers(count: int) -> None:
    for good in (4, 6):
        assert sent(BOX, {"bbox": [1.0] * good})["bbox"] == [1.0] * good
    with pytest.raises(InvalidInputs) as error:
        sent(BOX, {"bbox": [1.0] * count})
    said = f"inputs.x.bbox: a bounding box has 4 or 6 numbers, this one has {count}"
    assert [str(one) for one in error.value.problems] == [said]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("folder", directory("/base/folder")),
        ("folder/", directory("/base/folder")),
        ({"class": "Directory", "path": "folder"}, directory("/base/folder")),
        ({"href": "folder"}, directory("/base/folder")),
        ("item.json", directory("/base/item.json")),
        ("https://example.org/item.json", None),
        ({"class": "Directory", "listing": []}, {"class": "Directory", "listing": []}),
    ],
)
def test_a_directory_may_be_given_in_many_ways(given: Any, expected: Any) -> None:
    found = taken("Directory", given)
    assert found["class"] == "Directory"
    assert expected is None or found == expected


def test_a_directory_may_list_what_is_in_it() -> None:
    given = {"class": "Directory", "basename": "d", "listing": [{"class": "File", "path": "a.txt"}]}
    assert taken("Directory", given)["listing"] == [A]


def test_prefixes_of_formats_are_written_out() -> None:
    request = ExecuteRequest([{"id": "x", "type": "File"}], {"edam": "http://edamontology.org/"})
    given = {"class": "File", "path": "a.txt", "format": "edam:format_2330"}
    found = request.job_object({"x": given}, BASE, DISK)
    assert found["x"]["format"] == "http://edamontology.org/format_2330"


@pytest.mark.parametrize(
    ("cwl_type", "value", "expected"),
    [
        (POINT, {"x": 1, "scene": "a.txt"}, {"x": 1, "scene": A}),
        (array("File"), ["a.txt", {"href": "a.txt"}], [A, A]),
        (array(["null", "File"]), [None, "a.txt"], [None, A]),
        (
            array(POINT),
            [{"x": 1, "scene": {"class": "File", "path": "a.txt"}}],
            [{"x": 1, "scene": A}],
        ),
        (["File", array("File")], ["a.txt"], [A]),
        (["File", "int"], 5, 5),
        ("Any", {"class": "File", "path": "a.txt"}, A),
        ("Any", [{"deep": {"class": "File", "path": "a.txt"}}], [{"deep": A}]),
    ],
)
def test_files_are_found_within_values(cwl_type: CwlType, value: Any, expected: Any) -> None:
    assert taken(cwl_type, value) == expected


@pytest.mark.parametrize(
    "cwl_type", [["File", "string"], ["string", "File"], ["null", "File", "string"]]
)
def test_where_a_text_will_do_a_text_is_a_text(cwl_type: CwlType) -> None:
    assert taken(cwl_type, "just words") == "just words"
    assert taken(cwl_type, {"class": "File", "path": "a.txt"}) == A


# Relative references


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sub/item.json", "/base/sub/item.json"),
        ("item.json", "/base/item.json"),
        ("sub/shape.geojson", "/base/sub/shape.geojson"),
        ("./a.txt", "/base/a.txt"),
        ("a.txt", "a.txt"),
        ("missing/item.json", "missing/item.json"),
        ("missing.json", "missing.json"),
        ("sub/../sub", "sub/../sub"),
        ("/base/item.json", "/base/item.json"),
        ("https://example.org/item.json", "https://example.org/item.json"),
        ("urn:ogc:def:crs", "urn:ogc:def:crs"),
        ("just words", "just words"),
        ("", ""),
    ],
)
def test_a_text_that_names_an_existing_file_by_a_path_is_made_absolute(
    text: str, expected: str
) -> None:
    assert taken("string", text) == expected
    assert taken(array("string"), [text]) == [expected]
    assert taken("string", text, references=False) == text


# What is refused


@pytest.mark.parametrize(
    ("cwl_type", "value", "said"),
    [
        ("int", "5", "expected int, got string '5'"),
        ("int", 1.5, "expected int, got float 1.5"),
        ("int", True, "expected int, got boolean True"),
        ("boolean", "yes", "expected boolean, got string 'yes'"),
        ("string", 5, "expected string, got int 5"),
        ("int", None, "expected int, got nothing"),
        (BANDS, "blue", NO_BAND % "string 'blue'"),
        (["null", "int"], "5", "expected int?, got string '5'"),
        (["int", "boolean"], "5", "expected int or boolean, got string '5'"),
        ("File", 5, "expected File, got int 5"),
        ("File", ["a.txt"], "expected File, got array ['a.txt']"),
        ("File", {"class": "Directory", "path": "folder"}, "expected File, got a Directory"),
        ("Directory", {"class": "File", "path": "a.txt"}, "expected Directory, got a File"),
        ("File", {"class": "File"}, "File without location, path, contents or listing"),
    ],
)
def test_a_value_of_another_type_is_refused(cwl_type: CwlType, value: Any, said: str) -> None:
    assert refused(cwl_type, value) == [f"inputs.x: {said}"]


@pytest.mark.parametrize(
    ("cwl_type", "value"),
    [("int", 2**31), ("int", -(2**31) - 1), ("long", 2**63), ("int", 1.0), ("Any", None)],
)
def test_a_value_that_its_process_would_refuse_is_refused_at_once(
    cwl_type: CwlType, value: Any
) -> None:
    (found,) = refused(cwl_type, value)
    assert found.startswith("inputs.x: ")


@pytest.mark.parametrize(
    ("cwl_type", "value", "said"),
    [
        (array("int"), [1, "2"], ["[1]: expected int, got string '2'"]),
        (
            array(BANDS),
            [1, "red", None],
            ["[0]: " + NO_BAND % "int 1", "[2]: " + NO_BAND % "nothing"],
        ),
        (POINT, {"x": "1"}, [".x: expected double, got string '1'"]),
        (POINT, {}, [".x: expected double, got nothing"]),
        (array(POINT), [{"x": 1}, {"x": "1"}], ["[1].x: expected double, got string '1'"]),
        (array("File"), ["a.txt", 5], ["[1]: expected File, got int 5"]),
    ],
)
def test_what_is_wrong_inside_of_a_value_is_told_with_its_path(
    cwl_type: CwlType, value: Any, said: list[str]
) -> None:
    assert refused(cwl_type, value) == [f"inputs.x{one}" for one in said]


@pytest.mark.parametrize(
    ("cwl_type", "value", "said"),
    [
        ("File", "missing.txt", "/base/missing.txt does not exist (check the path)"),
        ("File", "folder", "/base/folder is a directory, not a file"),
        ("Directory", "missing", "/base/missing does not exist (check the path)"),
        ("Directory", "a.txt", NO_FOLDER),
        (
            "File",
            {"class": "File", "path": "a.txt", "secondaryFiles": [{"class": "File", "path": "no"}]},
            "/base/no does not exist (check the path)",
        ),
        (
            "Directory",
            {"class": "Directory", "listing": [{"class": "File", "path": "no"}]},
            "/base/no does not exist (check the path)",
        ),
    ],
)
def test_files_have_to_be_there(cwl_type: CwlType, value: Any, said: str) -> None:
    assert refused(cwl_type, value) == [f"inputs.x: {said}"]


PORTS: list[dict[str, Any]] = [
    {"id": "scene", "type": "File"},
    {"id": "threshold", "type": "double"},
    {"id": "bands", "type": ["null", array("string")]},
]


def problems(**inputs: Any) -> list[str]:
    with pytest.raises(InvalidInputs) as error:
        ExecuteRequest(PORTS).job_object(inputs, BASE, DISK)
    return [str(problem) for problem in error.value.problems]


def test_an_input_that_is_missing_is_told() -> None:
    assert problems(scene="a.txt") == ["inputs.threshold: is missing (expected double)"]


def test_an_input_that_there_is_not_is_told_with_a_guess() -> None:
    assert problems(scene="a.txt", threshold=1, band="red") == [
        "inputs.band: there is no input 'band' (did you mean 'bands'?)"
    ]
    assert problems(scene="a.txt", threshold=1, zoom=3) == [
        "inputs.zoom: there is no input 'zoom' (the inputs are: scene, threshold, bands)"
    ]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert sorted(problems(tresholds=1, scene=5, bands=["red", 1])) == [
        "inputs.bands[1]: expected string, got int 1",
        "inputs.scene: expected File, got int 5",
        "inputs.threshold: is missing (expected double)",
        "inputs.tresholds: there is no input 'tresholds' (did you mean 'threshold'?)",
    ]


def test_every_file_that_is_not_there_is_told_at_once() -> None:
    ports: list[dict[str, Any]] = [{"id": "a", "type": "File"}, {"id": "b", "type": array("File")}]
    with pytest.raises(InvalidInputs) as error:
        ExecuteRequest(ports).job_object({"a": "no", "b": ["a.txt", "nor this"]}, BASE, DISK)
    assert [problem.where for problem in error.value.problems] == ["inputs.a", "inputs.b[1]"]


def test_a_process_may_take_no_inputs() -> None:
    assert ExecuteRequest([]).job_object({}, BASE, DISK) == {}
    with pytest.raises(InvalidInputs, match="the inputs are: none"):
        ExecuteRequest([]).job_object({"x": 1}, BASE, DISK)


def test_inputs_that_contain_themselves_are_refused() -> None:
    loop: list[Any] = []
    loop += [loop, loop, {"a": loop}]
    with pytest.raises(InvalidInputs, match="levels"):
        taken("Any", loop)


def test_however_many_inputs_are_unknown_all_are_told() -> None:
    known: list[dict[str, Any]] = [{"id": f"known{n}", "type": "int?"} for n in range(2000)]
    with pytest.raises(InvalidInputs) as error:
        ExecuteRequest(known).job_object({f"unknown{n}": 1 for n in range(5000)}, BASE, DISK)
    assert len(error.value.problems) == 5000 + len(known)


# Whatever is given

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "a.txt", "folder", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "class", "value", "path"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.slow
@given(cwl_types(), ANYTHING)
@settings(deadline=None)
def test_what_is_taken_is_of_its_type(cwl_type: CwlType, value: Any) -> None:
    try:
        found = taken(cwl_type, value)
    except InvalidInputs:
        return
    assert matches(found, cwl_type)


@pytest.mark.slow
@given(cwl_types(), st.lists(ANYTHING, max_size=3))
@settings(deadline=None)
def test_a_list_is_one_item_only_where_its_schema_says_so(items: CwlType, value: list[Any]) -> None:
    def reads(cwl_type: CwlType) -> bool:
        return jsonschema_rs.is_valid(schema(cwl_type, strict=True), value)

    is_whole = reads(array(items)) or not reads(items)
    assert Forms(qualified=False).in_array(value, array(items)) == (value if is_whole else [value])


@pytest.mark.slow
@given(st.data())
@settings(deadline=None)
def test_a_value_of_a_type_is_taken_as_it_is(data: st.DataObject) -> None:
    cwl_type = data.draw(cwl_types(PRIMITIVES.filter(lambda one: one not in ("File", "Directory"))))
    value = data.draw(values_of(cwl_type))
    assert taken(cwl_type, value, references=False) == value


def test_files_in_members_that_a_record_does_not_declare_are_files() -> None:
    record = {"type": "record", "fields": [{"name": "a", "type": "int"}]}
    found = taken(record, {"a": 1, "more": {"b": [{"class": "File", "path": "x/a.tif"}]}})
    (file,) = found["more"]["b"]
    assert (file["basename"], file["location"][:8]) == ("a.tif", "file:///")


@pytest.mark.parametrize("kind", ["Feature", "FeatureCollection", "Catalog", "Collection"])
@pytest.mark.parametrize("qualified", [True, False])
def test_a_stac_document_may_stand_for_a_directory(kind: str, *, qualified: bool) -> None:
    document = {"type": kind, "id": "a", "assets": {}}
    given = {"value": document, "mediaType": "application/geo+json"} if qualified else document
    found = sent("Directory", given)
    assert json.loads(data_of(found["location"])[0]) == document
    assert sent(array("Directory"), [given])[0]["location"] == found["location"]


def test_what_is_no_stac_document_is_no_directory() -> None:
    with pytest.raises(InvalidInputs):
        sent("Directory", {"type": "Point", "coordinates": [1, 2]})
