"""Inputs and outputs as JSON Schema, and a package as a process description."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.base.types import CwlType
from localproc.ogc.describe import (
    LINK,
    describe_process,
    input_description,
    output_description,
    output_schema,
    schema,
    text,
)
from tests.cwl.memory import package
from tests.cwl.strategies import cwl_types, values_of

BANDS = {"type": "enum", "symbols": ["red", "green"]}
POINT = {
    "type": "record",
    "fields": [{"name": "x", "type": "double"}, {"name": "note", "type": ["null", "string"]}],
}
EO = "https://raw.githubusercontent.com/eoap/schemas/main/"
URI = {"type": "string", "format": "uri"}
SCHEMES = ("http", "https")


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


@pytest.mark.parametrize(
    ("cwl_type", "expected"),
    [
        ("string", {"type": "string"}),
        ("boolean", {"type": "boolean"}),
        ("int", {"type": "integer", "format": "int32"}),
        ("long", {"type": "integer", "format": "int64"}),
        ("float", {"type": "number", "format": "float"}),
        ("double", {"type": "number", "format": "double"}),
        ("File", URI),
        ("Directory", URI),
        ("stdin", URI),
        ("Any", {}),
        (BANDS, {"type": "string", "enum": ["red", "green"]}),
        (array("int"), {"type": "array", "items": {"type": "integer", "format": "int32"}}),
        (array(array("string")), array(array({"type": "string"}))),
        (
            POINT,
            {
                "type": "object",
                "properties": {
                    "x": {"type": "number", "format": "double"},
                    "note": {"type": "string", "nullable": True},
                },
                "required": ["x"],
            },
        ),
        (["null", "string"], {"type": "string", "nullable": True}),
        (["null", array("File")], {"type": "array", "items": URI, "nullable": True}),
        (["null", BANDS], {"type": "string", "enum": ["red", "green"], "nullable": True}),
        (["string", "boolean"], {"anyOf": [{"type": "string"}, {"type": "boolean"}]}),
        (
            ["null", "string", "boolean"],
            {"anyOf": [{"type": "string"}, {"type": "boolean"}], "nullable": True},
        ),
    ],
)
def test_every_type_has_a_schema(cwl_type: CwlType, expected: dict[str, Any]) -> None:
    assert schema(cwl_type) == expected


def test_a_record_of_optional_fields_requires_nothing() -> None:
    record = {"type": "record", "fields": [{"name": "a", "type": ["null", "int"]}]}
    assert "required" not in schema(record)


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("Date", "date"),
        ("DateTime", "date-time"),
        ("URI", "uri"),
        ("UUID", "uuid"),
        ("Email", "email"),
        ("Duration", "duration"),
    ],
)
def test_string_formats_are_strings(name: str, format_: str) -> None:
    record = {
        "type": "record",
        "name": f"{EO}string_format.yaml#{name}",
        "fields": [{"name": "value", "type": "string"}],
    }
    assert schema(record) == {"type": "string", "format": format_}
    assert schema(array(record))["items"] == {"type": "string", "format": format_}
    validator = jsonschema_rs.validator_for(schema(record, strict=True))
    assert validator.is_valid("2026-01-01")
    assert validator.is_valid({"value": "2026-01-01"})
    assert not validator.is_valid({"text": "2026-01-01"})


def test_a_bounding_box_is_told_by_its_format() -> None:
    record = {
        "type": "record",
        "name": f"{EO}ogc.yaml#BBox",
        "fields": [{"name": "bbox", "type": array("double")}, {"name": "crs", "type": "string"}],
    }
    assert schema(record)["allOf"][0] == {"format": "ogc-bbox"}


@pytest.mark.parametrize(
    ("cwl_type", "expected"),
    [
        ("File", LINK),
        ("stdout", LINK),
        ("stderr", LINK),
        ("Directory", {"type": "object", "contentMediaType": "application/geo+json"}),
        (array("File"), {"type": "array", "items": LINK}),
        (["null", "File"], {**LINK, "nullable": True}),
        (["File", "string"], {"anyOf": [LINK, {"type": "string"}]}),
        ("int", {"type": "integer", "format": "int32"}),
    ],
)
def test_outputs_are_described_by_what_is_returned(
    cwl_type: CwlType, expected: dict[str, Any]
) -> None:
    assert output_schema(cwl_type) == expected


# Inputs


def described(cwl_type: Any, **fields: Any) -> dict[str, Any]:
    return input_description({"id": "x", "type": cwl_type, **fields})


@pytest.mark.parametrize(
    ("cwl_type", "fields", "occurs"),
    [
        ("int", {}, (1, 1)),
        (["null", "int"], {}, (0, 1)),
        ("int", {"default": 5}, (0, 1)),
        ("int", {"default": 0}, (0, 1)),
        ("boolean", {"default": False}, (0, 1)),
        ("Any", {}, (1, 1)),
        (array("int"), {}, (1, "unbounded")),
        (["null", array("int")], {}, (0, "unbounded")),
        (array("int"), {"default": []}, (0, "unbounded")),
        (["File", array("File")], {}, (1, "unbounded")),
        (["null", "File", array("File")], {}, (0, "unbounded")),
    ],
)
def test_how_often_an_input_may_be_given(
    cwl_type: Any, fields: dict[str, Any], occurs: tuple[int, Any]
) -> None:
    found = described(cwl_type, **fields)
    assert (found["minOccurs"], found["maxOccurs"]) == occurs


@pytest.mark.parametrize("default", [5, 0, -1])
def test_a_default_is_shown(default: int) -> None:
    assert described("int", default=default)["schema"] == {
        "type": "integer",
        "format": "int32",
        "default": default,
    }


@pytest.mark.parametrize("default", [False, "", [], {}, [[1], [2]]])
def test_a_default_that_is_false_is_shown_too(default: Any) -> None:
    assert described("Any", default=default)["schema"] == {"default": default}


def test_a_default_file_is_shown_by_where_it_is() -> None:
    default = {"class": "File", "location": "file:///package/a.txt"}
    assert described("File", default=default)["schema"]["default"] == "file:///package/a.txt"
    assert described(array("File"), default=[default])["schema"]["default"] == [
        "file:///package/a.txt"
    ]


@pytest.mark.parametrize(
    "literal",
    [{"class": "Directory", "listing": []}, {"class": "File", "basename": "a", "contents": ""}],
)
def test_a_default_that_lies_nowhere_is_not_shown(literal: Any) -> None:
    assert "default" not in described(literal["class"], default=literal)["schema"]
    shown = described(array(literal["class"]), default=[literal])
    assert "default" not in shown["schema"]
    assert shown["minOccurs"] == 0


@pytest.mark.parametrize(
    "prefix", ["iana:", *(f"{one}://www.iana.org/assignments/media-types/" for one in SCHEMES)]
)
def test_a_file_of_a_media_type_is_described_by_it(prefix: str) -> None:
    said = {"format": f"{prefix}application/geo+json"}
    typed = {"contentMediaType": "application/geo+json"}
    assert described("File", **said)["schema"] == {**URI, **typed}
    assert described(["null", array("File")], **said)["schema"]["items"] == {**URI, **typed}
    output = output_description({"id": "x", "type": "File", **said})
    assert output["schema"] == {**LINK, **typed}


@pytest.mark.parametrize("format_", ["http://edamontology.org/format_3464", ["iana:a/b"], "$(x)"])
def test_a_file_of_another_format_is_described_as_a_file(format_: Any) -> None:
    assert described("File", format=format_)["schema"] == URI


def test_records_and_their_fields_have_titles_and_descriptions() -> None:
    field = {"name": "x", "type": "string", "label": "An x", "doc": "Where it is."}
    record = {"type": "record", "label": "A point", "doc": ["One", "of many"], "fields": [field]}
    found = schema(record)
    assert (found["title"], found["description"]) == ("A point", "One\nof many")
    assert found["properties"]["x"] == {
        "type": "string",
        "title": "An x",
        "description": "Where it is.",
    }


def test_an_input_has_a_title_and_a_description() -> None:
    found = described("int", label="How many", doc=["One line.", "Another."])
    assert (found["title"], found["description"]) == ("How many", "One line.\nAnother.")
    assert described("int")["title"] == "x"
    assert "description" not in described("int")


def test_an_output_has_a_title_and_a_description() -> None:
    found = output_description({"id": "x", "type": "File", "label": "The map", "doc": "A map.\n"})
    assert found == {"title": "The map", "description": "A map.", "schema": LINK}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), ("", ""), (" a\n", "a"), (["a", "b"], "a\nb"), ([], "")],
)
def test_labels_and_docs_may_be_lists_of_lines(value: Any, expected: str) -> None:
    assert text(value) == expected


# Schemas that are used to validate


@pytest.mark.slow
@given(st.data())
@settings(deadline=None)
def test_a_value_of_a_type_is_valid_by_its_schema(data: st.DataObject) -> None:
    cwl_type = data.draw(cwl_types())
    value = data.draw(values_of(cwl_type))
    assert jsonschema_rs.is_valid(schema(cwl_type, strict=True), value)


@given(cwl_types())
def test_descriptions_are_readable_for_simple_clients(cwl_type: CwlType) -> None:
    for one in _schemas([schema(cwl_type), output_schema(cwl_type)]):
        assert isinstance(one.get("type", ""), str)
        assert "$ref" not in one
        assert one.get("type") != "null"


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Give every schema within a schema; names of properties do not count."""
    if isinstance(value, list):
        for item in value:
            yield from _schemas(item)
    elif isinstance(value, dict):
        yield value
        for key, item in value.items():
            if key == "properties":
                yield from _schemas(list(item.values()))
            elif key not in ("enum", "required"):
                yield from _schemas(item)


# Processes


PACKAGE = """
cwlVersion: v1.2
class: CommandLineTool
id: crop
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.4.2
s:keywords: "EO, raster , crop"
label: Crop
doc: |
  Cuts a scene.
baseCommand: crop
inputs: {scene: File, size: {type: int, default: 0}}
outputs: {cropped: stdout}
"""
DIGEST = "0123456789abcdef" * 4


def described_package(text: str) -> dict[str, Any]:
    return describe_process(package(text).resolved, DIGEST)


def test_a_package_describes_its_process() -> None:
    found = described_package(PACKAGE)
    assert {name: found[name] for name in found if name not in ("inputs", "outputs")} == {
        "id": "crop",
        "title": "Crop",
        "description": "Cuts a scene.",
        "version": "1.4.2",
        "keywords": ["EO", "raster", "crop"],
    }
    assert list(found["inputs"]) == ["scene", "size"]
    assert found["inputs"]["size"]["schema"]["default"] == 0
    assert found["outputs"] == {"cropped": {"title": "cropped", "schema": LINK}}


def test_a_package_that_says_little_is_described_by_what_there_is() -> None:
    lines = ["cwlVersion: v1.2", "class: CommandLineTool", "inputs: []", "outputs: []"]
    found = described_package("\n".join(lines))
    assert found["id"] == found["title"] == "main"
    assert found["version"] == "0.0.0+01234567"
    assert "description" not in found
    assert "keywords" not in found


@pytest.mark.parametrize("prefix", ["https://schema.org/", "http://schema.org/"])
@pytest.mark.parametrize("keywords", ['"EO, raster , crop"', "[EO, raster, crop]"])
def test_annotations_may_be_written_in_several_ways(prefix: str, keywords: str) -> None:
    written = PACKAGE.replace("https://schema.org/", prefix)
    found = described_package(written.replace('"EO, raster , crop"', keywords))
    assert (found["version"], found["keywords"]) == ("1.4.2", ["EO", "raster", "crop"])


def test_annotations_may_stand_at_the_process_or_at_the_top() -> None:
    graph = """
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
- id: main
  class: CommandLineTool
  %s
  inputs: []
  outputs: []
"""
    assert described_package(graph % "baseCommand: a")["version"] == "1.0.0"
    assert described_package(graph % "s:softwareVersion: 2.0.0")["version"] == "2.0.0"
