"""From documents to the resolved form: references, versions, names, types."""

import copy
import json
import random
import socket
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from localproc.cwl.base import trees
from localproc.cwl.load.documents import WorkflowNotFound
from localproc.cwl.load.load import load
from localproc.cwl.load.sources import Sources, digest
from localproc.cwl.run.process import compile_package
from localproc.errors import InvalidPackage, LocalprocError, PackageError, UnsupportedPackage
from tests.cwl.memory import errors, file, package


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise AssertionError(f"the network was asked for {args}")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


ECHO = """
class: CommandLineTool
baseCommand: echo
inputs: {message: string}
outputs: {said: stdout}
"""
TOOL = f"cwlVersion: v1.2\n{ECHO}"


def resolved(text: str, others: Mapping[str, str] | None = None, fragment: str = "") -> Any:
    return package(text, others, fragment).resolved


def main(text: str, others: Mapping[str, str] | None = None) -> Any:
    return package(text, others).main


# Names and types


def test_identifiers_are_short() -> None:
    found = main(TOOL)
    assert (found["id"], found["class"], found["cwlVersion"]) == ("main", "CommandLineTool", "v1.2")
    assert found["inputs"] == [{"id": "message", "type": "string"}]
    assert found["outputs"] == [{"id": "said", "type": "stdout"}]


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("int", "int"),
        ("int?", ["null", "int"]),
        ("'File[]'", {"type": "array", "items": "File"}),
        ("'File[]?'", ["null", {"type": "array", "items": "File"}]),
        ("[int, string]", ["int", "string"]),
        ("{type: array, items: [int, string]}", {"type": "array", "items": ["int", "string"]}),
        ("{type: enum, symbols: [a, b]}", {"type": "enum", "symbols": ["a", "b"]}),
        (
            "{type: record, fields: {a: int, b: {type: File?}}}",
            {
                "type": "record",
                "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": ["null", "File"]}],
            },
        ),
        (
            "{type: array, items: {type: array, items: int}}",
            {"type": "array", "items": {"type": "array", "items": "int"}},
        ),
    ],
)
@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_types_are_written_out(written: str, whole: Any, version: str) -> None:
    text = ECHO.replace("message: string", f"x: {{type: {written}}}")
    assert main(f"cwlVersion: {version}\n{text}")["inputs"] == [{"id": "x", "type": whole}]


HEAD = "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []"
SYMBOLS = [
    "a",
    "EPSG:4326",
    "text/plain",
    "b#c",
    "http://example.org/d",
    "http://example.org/e#f",
    "g/",
    "#h",
    "#i/j",
    "k%3Al",
    "%",
    "",
    "ü",
    "null",
    "File",
    "_:m",
]


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize("name", ["", "name: N, "])
def test_symbols_stay_as_they_are(version: str, name: str) -> None:
    enum = f"{{type: enum, {name}symbols: {json.dumps(SYMBOLS)}}}"
    record = f"{{type: record, fields: {{r: {{type: ['null', {enum}]}}}}}}"
    ports = (
        f"x: {{type: {enum}}}, y: {{type: {{type: array, items: {enum}}}}}, z: {{type: {record}}}"
    )
    text = f"cwlVersion: {version}\n{ECHO.replace('message: string', ports)}"
    x, y, z = (port["type"] for port in main(text)["inputs"])
    found = [x, y["items"], z["fields"][0]["type"][1]]
    assert [one["symbols"] for one in found] == [SYMBOLS] * 3


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_symbols_in_an_array_that_has_a_name_stay_as_they_are(version: str) -> None:
    named = f"{{type: array, name: N, items: {{type: enum, symbols: {json.dumps(SYMBOLS)}}}}}"
    ports = ECHO.replace("message: string", f"x: {{type: {named}}}")
    defined = f"requirements: {{SchemaDefRequirement: {{types: [{named}]}}}}\n"
    for text in (ports, defined + ECHO.replace("string", '"#N"')):
        (port,) = main(f"cwlVersion: {version}\n{text}")["inputs"]
        assert port["type"]["items"]["symbols"] == SYMBOLS


ENUM = f"{{type: enum, symbols: {json.dumps(SYMBOLS)}}}"
ENUM_N = f"{{type: enum, name: N, symbols: {json.dumps(SYMBOLS)}}}"
DEFINED = "requirements: {SchemaDefRequirement: {types: %s}}\n"


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize(
    ("head", "inputs", "imported"),
    [
        ("", "{x: {type: {$import: sub/e.yml}}}", ENUM),
        ("", "{x: {type: {$import: sub/e.yml}}}", ENUM_N),
        ("", "{x: {type: [{$import: sub/e.yml}]}}", ENUM),
        ("", "{x: {type: {$import: 'sub/e.yml#N'}}}", f"[{ENUM_N}]"),
        ("", "{x: {$import: sub/e.yml}}", f"{{type: {ENUM}}}"),
        ("", "{$import: sub/e.yml}", f"{{x: {{type: {ENUM}}}}}"),
        ("", "{$import: sub/e.yml}", f"[{{id: x, type: {ENUM}}}]"),
        (DEFINED % "[{$import: sub/e.yml}]", "{x: 'sub/e.yml#N'}", ENUM_N),
        (DEFINED % "[{$import: sub/e.yml}]", "{x: 'sub/e.yml#N'}", f"[{ENUM_N}]"),
        (DEFINED % "{$import: sub/e.yml}", "{x: 'sub/e.yml#N'}", f"[{ENUM_N}]"),
        (DEFINED % "[{$import: 'sub/e.yml#N'}]", "{x: 'sub/e.yml#N'}", f"[{ENUM_N}]"),
        (DEFINED % f"[{ENUM_N}]", "{x: '#N'}", ""),
    ],
)
def test_symbols_stay_as_they_are_by_whatever_way_they_come(
    version: str, head: str, inputs: str, imported: str
) -> None:
    text = f"{head}{ECHO.replace('{message: string}', inputs)}"
    (port,) = main(f"cwlVersion: {version}\n{text}", {"sub/e.yml": imported})["inputs"]
    cwl_type = port["type"][0] if isinstance(port["type"], list) else port["type"]
    assert cwl_type["symbols"] == SYMBOLS


def test_symbols_of_a_process_that_a_step_imports_stay_as_they_are() -> None:
    steps = "steps: {s: {run: {$import: tool.cwl}, in: {x: {default: a}}, out: []}}"
    tool = f"cwlVersion: v1.2\n{ECHO.replace('string', f'{{type: {ENUM}}}')}"
    found = resolved(f"{HEAD}\n{steps}", {"tool.cwl": tool.replace("message", "x")})
    (step,) = found["processes"][found["main"]]["steps"]
    (port,) = found["processes"][step["run"]]["inputs"]
    assert port["type"]["symbols"] == SYMBOLS


@pytest.mark.parametrize("name", ["", "id: main\n"])
@pytest.mark.parametrize("imported", ["inputs", "steps", "outputs", "inputs steps outputs"])
def test_links_lead_to_and_from_what_is_imported(imported: str, name: str) -> None:
    parts = {
        "inputs": "{message: string}",
        "steps": "{s: {run: tool.cwl, in: {message: message}, out: [said]},"
        " t: {run: tool.cwl, in: {message: {source: [s/said]}}, out: [said]}}",
        "outputs": "{x: {type: File, outputSource: t/said}}",
    }
    files = {"tool.cwl": TOOL}
    for part in imported.split():
        files[f"sub/{part}.yml"] = parts[part].replace("tool", "../tool")
        parts[part] = f"{{$import: sub/{part}.yml}}"
    text = "".join(f"{part}: {value}\n" for part, value in parts.items())
    found = main(f"cwlVersion: v1.2\nclass: Workflow\n{name}{text}", files)
    sources = [one["source"] for step in found["steps"] for one in step["in"]]
    assert sources == [["message"], ["s/said"]]
    assert found["outputs"][0]["source"] == ["t/said"]


@pytest.mark.parametrize("name", ["", '"name": "#main/kind/k", '])
def test_symbols_of_a_packed_document_are_named_within_it(name: str) -> None:
    enum = f'{{"type": "enum", {name}"symbols": ["#main/kind/a", "#main/kind/EPSG:1"]}}'
    text = ECHO.replace("message", '"#main/kind"').replace("string", f"{{type: {enum}}}")
    (port,) = main(f'cwlVersion: v1.0\nid: "#main"\n{text}')["inputs"]
    assert port["type"]["symbols"] == ["a", "EPSG:1"]


@pytest.mark.parametrize("where", ["[%s]", "[{$import: t.yml}]"])
def test_a_type_of_an_old_packed_document_may_have_an_id_beside_its_name(where: str) -> None:
    field = '{"id": "#t.yml/R/f", "name": "#t.yml/R/f", "type": "int"}'
    record = f'{{"id": "#t.yml/R", "name": "#t.yml/R", "type": "record", "fields": [{field}]}}'
    defined = DEFINED % (where % record if "%" in where else where)
    text = (
        f"cwlVersion: v1.0\n{defined}{ECHO.replace('string', '{type: {type: array, items: %s}}')}"
    )
    (port,) = main(text % '"#t.yml/R"', {"t.yml": record})["inputs"]
    assert port["type"]["items"]["fields"] == [{"name": "f", "type": "int"}]


@given(st.lists(st.text(), min_size=1, unique=True))
def test_any_text_is_a_symbol(symbols: list[str]) -> None:
    ports = json.dumps({"x": {"type": {"type": "enum", "symbols": symbols}}})
    document = f"cwlVersion: v1.2\n{ECHO.replace('{message: string}', ports)}"
    assert main(document)["inputs"][0]["type"]["symbols"] == symbols


NAMED = """
cwlVersion: v1.2
class: CommandLineTool
requirements:
  SchemaDefRequirement:
    types: %s
inputs:
  p: %s
  band: {type: "%s[]?"}
outputs: []
"""
TYPES = """
- name: Point
  type: record
  fields: {x: double, y: double?}
- {name: Band, type: enum, symbols: [red, green]}
"""
BASE = "file:///package"
POINT = {
    "type": "record",
    "name": "Point",
    "fields": [{"name": "x", "type": "double"}, {"name": "y", "type": ["null", "double"]}],
}
BAND = {"type": "enum", "name": "Band", "symbols": ["red", "green"]}


def test_named_types_are_written_out() -> None:
    here = "[{name: Band, type: enum, symbols: [red, green]}, {name: Point, type: record, "
    text = NAMED % (here + "fields: {x: double, y: double?}}]", '"#Point"', "#Band")
    assert [port["type"] for port in main(text)["inputs"]] == [
        POINT,
        ["null", {"type": "array", "items": BAND}],
    ]


def test_named_types_are_imported() -> None:
    text = NAMED % ("[$import: types.yml]", "types.yml#Point", "types.yml#Band")
    assert [port["type"] for port in main(text, {"types.yml": TYPES})["inputs"]] == [
        POINT,
        ["null", {"type": "array", "items": BAND}],
    ]


ARRAY = {"type": "array", "name": "Names", "items": "string"}


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize("kind", ["CommandLineTool", "Workflow"])
def test_arrays_and_records_may_have_names(version: str, kind: str) -> None:
    record = {"type": "record", "name": "Pair", "fields": [{"name": "a", "type": ARRAY}]}
    rest = "steps: []" if kind == "Workflow" else "baseCommand: a"
    types = json.dumps({"x": {"type": ARRAY}, "y": {"type": record}})
    text = f"cwlVersion: {version}\nclass: {kind}\ninputs: {types}\noutputs: {types}\n{rest}\n"
    found = main(text)
    for part in ("inputs", "outputs"):
        assert [port["type"] for port in found[part]] == [ARRAY, record]


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_arrays_may_be_named_types(version: str) -> None:
    text = (NAMED % (json.dumps([ARRAY]), "'#Names'", "#Names")).replace("v1.2", version)
    assert main(text)["inputs"][0]["type"] == ARRAY
    imported = NAMED % ("[$import: types.yml]", "types.yml#Names", "types.yml#Names")
    others = {"types.yml": json.dumps([ARRAY])}
    assert main(imported.replace("v1.2", version), others)["inputs"][0]["type"] == ARRAY


def test_an_array_without_a_name_is_no_named_type_but_does_no_harm() -> None:
    text = NAMED % ("[{type: array, items: int}]", "string", "string")
    assert main(text.replace("v1.2", "v1.0"))["inputs"][0]["type"] == "string"


def test_an_unknown_type_is_told_with_its_place() -> None:
    text = TOOL.replace("string", "sting")
    (found,) = errors(text)
    assert found.startswith("main.cwl:5:10: unknown type 'sting' (did you mean 'string'?)")
    (found,) = errors(TOOL.replace("string", "text"))
    assert found.startswith("main.cwl:5:10: unknown type 'text' (known here are Any, Directory,")


@pytest.mark.parametrize("name", ["nowhere.yml#Point", "https://example.org/types.yml#Point"])
def test_a_type_of_a_document_that_nothing_imports_is_unknown(name: str) -> None:
    text = NAMED % ("[$import: sub/types.yml]", name, "#Band")
    (found,) = errors(text, {"sub/types.yml": TYPES})
    assert "unknown type 'Point'" in found
    for known in ("sub/types.yml#Point", "Point", '"#Point"', "main.cwl#Point"):
        assert main(text.replace(name, known), {"sub/types.yml": TYPES})["inputs"][0]["type"]


def test_a_type_that_contains_itself_is_refused() -> None:
    here = "[{name: Node, type: record, fields: {next: Node?}}]"
    found = errors(NAMED % (here, "'#Node'", "#Node"))
    assert len(found) == 2, "the input and the output have it"
    assert all("the type Node contains itself" in one for one in found)


@pytest.mark.parametrize(
    "default",
    [
        *(0, False, "", [], {}, 5, "text", [1, None], {"a": None}),
        [[1, 2], [3]],
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6], [1, 2]]]},
        [{"id": "a"}, {"id": "a"}],
    ],
)
def test_defaults_stay_as_they_are(default: Any) -> None:
    tool = TOOL.replace("string", f"{{type: Any, default: {json.dumps(default)}}}")
    assert main(tool)["inputs"][0]["default"] == default
    workflow = (WORKFLOW % "tool.cwl").replace(
        "text}, out", f"{{default: {json.dumps(default)}}}}}, out"
    )
    assert main(workflow, {"tool.cwl": TOOL})["steps"][0]["in"][0]["default"] == default


def test_numbers_stay_as_they_are_written_but_for_exponents() -> None:
    text = TOOL.replace("string", "{type: Any, default: [1, 1.0, 1.5, 1e3, 1.5e-3, 0x10]}")
    found = main(text)["inputs"][0]["default"]
    assert [(type(one), one) for one in found] == [
        (int, 1),
        (float, 1.0),
        (float, 1.5),
        (int, 1000),
        (float, 0.0015),
        (int, 16),
    ]


def test_metadata_has_full_names() -> None:
    text = TOOL.replace(
        "class:", "$namespaces: {s: 'https://schema.org/'}\ns:version: 1.2.3\nclass:"
    )
    found = resolved(text)
    assert found["metadata"] == {"https://schema.org/version": "1.2.3"}
    assert found["namespaces"] == {"s": "https://schema.org/"}


def test_the_resolved_form_is_plain_json() -> None:
    found = resolved(GRAPH, fragment="second")
    assert json.loads(json.dumps(found)) == found
    assert type(found["processes"]["main.cwl#tool"]["inputs"]) is list


# Several processes in one document


GRAPH = f"""
cwlVersion: v1.2
$graph:
- id: tool
{ECHO.replace(chr(10), chr(10) + "  ")}
- id: first
  class: Workflow
  inputs: {{text: string}}
  outputs: {{said: {{type: File, outputSource: say/said}}}}
  steps:
    say: {{run: "#tool", in: {{message: text}}, out: [said]}}
- id: second
  class: Workflow
  inputs: {{text: string}}
  outputs: []
  steps:
    again: {{run: "#first", in: {{text: text}}, out: []}}
"""


def test_the_first_workflow_is_run() -> None:
    assert resolved(GRAPH)["main"] == "main.cwl#first"


def test_the_process_called_main_is_run() -> None:
    assert resolved(GRAPH.replace("id: tool", "id: main").replace("#tool", "#main"))["main"] == (
        "main.cwl#main"
    )


def test_the_process_that_is_asked_for_is_run() -> None:
    assert resolved(GRAPH, fragment="second")["main"] == "main.cwl#second"
    assert resolved(GRAPH, fragment="tool")["main"] == "main.cwl#tool"


def test_of_tools_alone_the_first_is_run() -> None:
    tools = "".join(f"\n- id: {name}{ECHO.replace(chr(10), chr(10) + '  ')}" for name in "ab")
    assert resolved(f"cwlVersion: v1.2\n$graph:{tools}")["main"] == "main.cwl#a"


def test_a_process_that_is_not_there() -> None:
    with pytest.raises(WorkflowNotFound, match=r"main\.cwl has no process 'third'") as error:
        package(GRAPH, fragment="third")
    assert error.value.hint == "it has: tool, first, second"


@pytest.mark.parametrize(("line", "name"), [("id: say", "say"), ("", "main")])
def test_the_process_of_a_document_has_one_name(line: str, name: str) -> None:
    text = f"{TOOL}{line}\n"
    assert package(text, fragment=name).main == package(text).main
    with pytest.raises(WorkflowNotFound, match=r"main\.cwl has no process 'other'") as error:
        package(text, fragment="other")
    assert error.value.hint == f"it has: {name}"


def test_only_what_is_run_is_resolved() -> None:
    assert list(resolved(GRAPH, fragment="tool")["processes"]) == ["main.cwl#tool"]
    assert sorted(resolved(GRAPH, fragment="second")["processes"]) == [
        "main.cwl#first",
        "main.cwl#second",
        "main.cwl#tool",
    ]


def test_links_are_named_by_input_or_by_step_and_output() -> None:
    found = resolved(GRAPH)["processes"]["main.cwl#first"]
    assert found["steps"][0]["in"] == [{"id": "message", "source": ["text"]}]
    assert found["steps"][0]["run"] == "main.cwl#tool"
    assert found["outputs"][0]["source"] == ["say/said"]


# Other documents


WORKFLOW = """
cwlVersion: v1.2
class: Workflow
inputs: {text: string}
outputs: []
steps:
  say: {run: %s, in: {message: text}, out: []}
"""


@pytest.mark.parametrize(
    ("run", "others", "name"),
    [
        ("tool.cwl", {"tool.cwl": TOOL}, "tool.cwl"),
        ("./tool.cwl", {"tool.cwl": TOOL}, "tool.cwl"),
        ("sub/tool.cwl", {"sub/tool.cwl": TOOL}, "sub/tool.cwl"),
        ("../tool.cwl", {"../tool.cwl": TOOL}, "../tool.cwl"),
        ("tool.cwl#tool", {"tool.cwl": f"{TOOL}id: tool\n"}, "tool.cwl#tool"),
        ("graph.cwl#tool", {"graph.cwl": GRAPH}, "graph.cwl#tool"),
        ("graph.cwl", {"graph.cwl": GRAPH.replace("id: tool", "id: main")}, "graph.cwl#main"),
        ("{$import: tool.cwl}", {"tool.cwl": TOOL}, "main.cwl#steps/say/run"),
        (
            "{class: ExpressionTool, inputs: {message: string}, outputs: [], expression: $(null)}",
            {},
            "main.cwl#steps/say/run",
        ),
    ],
)
def test_a_step_runs_a_process_from_anywhere_in_the_package(
    run: str, others: dict[str, str], name: str
) -> None:
    text = WORKFLOW % run
    others = {one: body.replace('"#tool"', '"#main"') for one, body in others.items()}
    found = resolved(text, others)
    assert found["processes"]["main.cwl"]["steps"][0]["run"] == name
    assert found["processes"][name]["inputs"] == [{"id": "message", "type": "string"}]


def test_documents_may_be_of_different_versions() -> None:
    for version in ("v1.0", "v1.1"):
        found = resolved(WORKFLOW % "tool.cwl", {"tool.cwl": f"cwlVersion: {version}\n{ECHO}"})
        assert found["processes"]["tool.cwl"]["cwlVersion"] == version
        assert found["processes"]["main.cwl"]["cwlVersion"] == "v1.2"


def test_the_version_of_a_process_within_a_step_says_nothing() -> None:
    inner = "{cwlVersion: v1.0, class: ExpressionTool, inputs: [], outputs: [], expression: $(1)}"
    steps = f"steps: {{a: {{in: [], out: [], run: {inner}}}}}"
    outer = f"{{cwlVersion: v1.1, class: Workflow, inputs: [], outputs: [], {steps}}}"
    found = resolved(WORKFLOW % outer)["processes"]
    assert [one["cwlVersion"] for one in found.values()] == ["v1.2", "v1.2", "v1.2"]


def test_a_document_may_be_json() -> None:
    text = json.dumps(
        {
            "cwlVersion": "v1.2",
            "class": "CommandLineTool",
            "inputs": [{"id": "x", "type": "int"}],
            "outputs": {},
        },
        indent=1,
    )
    assert main(text)["inputs"] == [{"id": "x", "type": "int"}]
    assert errors(text.replace('"int"', '"itn"'))[0].startswith("main.cwl:5:3: unknown type 'itn'")


def test_a_tool_that_is_run_twice_is_there_once() -> None:
    text = WORKFLOW % "tool.cwl" + "  again: {run: tool.cwl, in: {message: text}, out: []}\n"
    assert sorted(resolved(text, {"tool.cwl": TOOL})["processes"]) == ["main.cwl", "tool.cwl"]


def test_the_first_tool_of_a_graph_may_be_imported() -> None:
    text = """
cwlVersion: v1.2
$graph:
- $import: tool.cwl
- class: Workflow
  id: first
  inputs: {text: string}
  outputs: []
  steps:
    say: {run: "#tool", in: {message: text}, out: []}
"""
    found = resolved(text, {"tool.cwl": f"id: tool\n{ECHO}"})
    assert found["main"] == "main.cwl#first"
    assert len(found["processes"]) == 2


def test_parts_of_a_document_are_imported_and_included() -> None:
    text = """
cwlVersion: v1.2
class: CommandLineTool
doc: {$include: about.txt}
requirements:
  InlineJavascriptRequirement:
    expressionLib: ["var a = 1;", {$include: lib.js}]
inputs: {$import: inputs.yml}
outputs: []
"""
    others = {
        "about.txt": "What it does.\n",
        "lib.js": "var b = 2;",
        "inputs.yml": "a: int\nb: {type: File, default: {class: File, location: b.txt}}",
    }
    found = main(text, others)
    assert found["doc"] == "What it does.\n"
    assert found["requirements"][0]["expressionLib"] == ["var a = 1;", "var b = 2;"]
    assert [port["id"] for port in found["inputs"]] == ["a", "b"]


def test_a_default_file_lies_beside_its_document() -> None:
    tool = TOOL.replace("string", "{type: File, default: {class: File, location: data/a%20b.txt}}")
    found = resolved(WORKFLOW % "sub/tool.cwl", {"sub/tool.cwl": tool})
    (port,) = found["processes"]["sub/tool.cwl"]["inputs"]
    assert port["default"] == {"class": "File", "location": "file:///package/sub/data/a%20b.txt"}


def test_a_default_file_of_a_step_lies_beside_the_workflow() -> None:
    text = (WORKFLOW % "tool.cwl").replace(
        "text}, out", "{default: {class: File, path: a.txt}}}, out"
    )
    found = main(text, {"tool.cwl": TOOL.replace("string", "File")})
    location = file("/package/a.txt")["location"]
    assert found["steps"][0]["in"][0]["default"] == {"class": "File", "location": location}


def test_every_text_is_part_of_the_package() -> None:
    others = {"tool.cwl": f"{TOOL}doc: {{$include: sub/about.txt}}\n", "sub/about.txt": "About."}
    found = package(WORKFLOW % "tool.cwl", others)
    assert list(found.sources.named()) == ["main.cwl", "sub/about.txt", "tool.cwl"]


class Counted(Sources):
    """Counts how often each text is asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asked: Counter[str] = Counter()

    def text(self, uri: str) -> str:
        self.asked[uri] += 1
        return super().text(uri)


def test_what_many_documents_import_is_read_no_more_often_than_for_one() -> None:
    def asked(steps: int) -> int:
        named = NAMED % ("[$import: types.yml]", "types.yml#Point", "types.yml#Band")
        names = [f"t{index}.cwl" for index in range(steps)]
        lines = [f"  s{name}: {{run: {name}, in: [], out: []}}" for name in names]
        texts = {"main.cwl": "\n".join([HEAD, "steps:", *lines]), "types.yml": TYPES}
        texts |= dict.fromkeys(names, named)
        found = Counted(f"{BASE}/main.cwl", lambda uri: texts[uri.rpartition("/")[2]].encode())
        load(found)
        return found.asked[f"{BASE}/types.yml"] - steps  # each document sees that it is there

    assert asked(5) == asked(1)


def test_prefixes_of_what_is_imported_are_those_of_who_imports_it() -> None:
    spaces = "$namespaces: {e: 'http://example.org/%s#'}\n"
    named = NAMED % ("[$import: types.yml]", "types.yml#F", "string")
    types = "{name: F, type: record, fields: {f: {type: File, format: 'e:x'}}}"
    steps = [f"  {name}: {{run: {name}.cwl, in: [], out: []}}" for name in "ab"]
    text = "\n".join([HEAD, "steps:", *steps])
    others = {f"{name}.cwl": named + spaces % name for name in "ab"} | {"types.yml": types}
    found = resolved(text, others)["processes"]
    for name in "ab":
        (field,) = found[f"{name}.cwl"]["inputs"][0]["type"]["fields"]
        assert field["format"] == f"http://example.org/{name}#x"


def test_the_digest_is_that_of_the_texts_wherever_they_lie() -> None:
    def digest_of(folder: str, text: str) -> str:
        sources = Sources(f"file://{folder}/main.cwl", lambda _: text.encode())
        load(sources)
        return digest(sources.named(), "main.cwl")

    assert digest_of("/a", TOOL) == digest_of("/b", TOOL) != digest_of("/a", f"{TOOL}# changed")


# References that lead nowhere

NO_FILE = "No such file or directory"


@pytest.mark.parametrize("run", ["missing.cwl", "missing.cwl#tool", "sub/missing.cwl"])
def test_a_document_that_is_missing_is_told_where_it_is_run(run: str) -> None:
    name = run.partition("#")[0]
    assert errors(WORKFLOW % run) == [
        f"main.cwl:7:9: cannot read {name}: No such file or directory (check the path)"
    ]


@pytest.mark.parametrize(
    "part",
    [
        "inputs: {$import: 'http://[::1'}",
        "requirements: {InlineJavascriptRequirement: {expressionLib: [{$include: 'http://[::1'}]}}",
        "inputs: {a: {type: File, default: {class: File, location: 'http://[::1'}}}",
        "inputs: {a: {type: Any, default: {$include: 'http://[::1'}}}",
        "inputs: {a: {type: Any, default: {$import: 'http://[::1'}}}",
    ],
)
def test_what_is_no_address_is_told(part: str) -> None:
    fields = "" if part.startswith("inputs") else "inputs: {}\n"
    text = f"cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: a\noutputs: {{}}\n{fields}"
    (said,) = errors(text + part)
    assert "'http://[::1' is no address" in said


@pytest.mark.parametrize(
    ("run", "others", "said"),
    [
        ("'#missing'", {}, "main.cwl has no process 'missing'"),
        ("tool.cwl#missing", {"tool.cwl": TOOL}, "tool.cwl has no process 'missing'"),
        ("graph.cwl#missing", {"graph.cwl": GRAPH}, "graph.cwl has no process 'missing'"),
    ],
)
def test_a_process_that_is_missing_is_told_where_it_is_run(
    run: str, others: dict[str, str], said: str
) -> None:
    assert errors(WORKFLOW % run, others) == [f"main.cwl:7:9: {said} (check the run: field)"]


def test_a_reference_to_the_network_is_not_followed() -> None:
    (found,) = errors(WORKFLOW % "https://example.org/tool.cwl")
    assert found.startswith("main.cwl:7:9: cannot read https://example.org/tool.cwl")


def test_a_document_of_the_network_is_read_by_whoever_may() -> None:
    texts = {
        "file:///package/main.cwl": WORKFLOW % "https://example.org/tool.cwl",
        "https://example.org/tool.cwl": TOOL,
    }
    found = load(Sources("file:///package/main.cwl", lambda uri: texts[uri].encode()))
    assert found.resolved["processes"]["https://example.org/tool.cwl"]["id"] == "tool"


@pytest.mark.parametrize("part", ["inputs: {$import: missing.yml}", "doc: {$include: missing.txt}"])
def test_a_part_that_is_missing_is_told(part: str) -> None:
    text = f"cwlVersion: v1.2\nclass: CommandLineTool\noutputs: []\n{part}\n"
    text += "" if "inputs" in part else "inputs: []\n"
    (found,) = errors(text)
    column = part.index("{") + 2
    name = "missing.yml" if "inputs" in part else "missing.txt"
    assert found == f"main.cwl:4:{column}: cannot read {name}: {NO_FILE} (check the path)"


# Documents that are none


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cwlVersion: v1.2\n  class: x\n", "main.cwl:2:8: mapping values are not allowed here"),
        ("- a\n- b\n", "main.cwl:1:1: expected a mapping with a class or a $graph"),
        ("", "main.cwl:1:1: expected a mapping with a class or a $graph"),
        ("class: CommandLineTool\n", "main.cwl:1:1: cwlVersion is missing"),
        ("class: Workflow\ncwlVersion: v1.3\n", "main.cwl:2:1: cwlVersion 'v1.3' is not known"),
        ("class: Workflow\ncwlVersion: 1.2\n", "main.cwl:2:1: cwlVersion 1.2"),
        ("a: 1\na: 2\n", 'main.cwl:2:1: found duplicate key "a"'),
        ("a: *nothing\n", "main.cwl:1:4: found undefined alias 'nothing'"),
        ("a: &a [x]\nb: [*a, *c]\n", "main.cwl:2:9: found undefined alias 'c'"),
    ],
)
def test_a_text_that_is_no_document(text: str, said: str) -> None:
    (found,) = errors(text)
    assert found.startswith(said)


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize("prefix", ["cwl:", "https://w3id.org/cwl/cwl#"])
def test_a_version_may_have_its_prefix(version: str, prefix: str) -> None:
    found = main(f"cwlVersion: {prefix}{version}\n{ECHO}")
    assert found["cwlVersion"] == version


def test_an_unknown_version_is_told_with_those_that_are_known() -> None:
    (found,) = errors(f"cwlVersion: v1.3\n{ECHO}")
    said = "main.cwl:1:1: cwlVersion 'v1.3' is not known (localproc runs CWL v1.0, v1.1, v1.2)"
    assert found == said


def test_aliases_of_aliases_are_refused_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trees, "_MOST_REPEATED", 1_000)  # how many there may be: test_reading
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    bomb = "\n".join(lines)
    imported = ECHO.replace("string", "{type: {$import: t.yml}}")
    default = ECHO.replace("string", "{type: Any, default: {$import: t.yml}}")
    run = f"{HEAD}\nsteps: {{s: {{run: t.yml, in: [], out: []}}}}"
    for text in (bomb, *(f"cwlVersion: v1.2\n{one}" for one in (imported, default)), run):
        (found,) = errors(text, {"t.yml": bomb})
        assert "the aliases of this document repeat too much of it" in found


def test_a_document_that_is_no_text() -> None:
    with pytest.raises(InvalidPackage, match=r"main\.cwl is not text in UTF-8"):
        load(Sources("file:///package/main.cwl", lambda _: b"class: \xff"))


def test_a_byte_order_mark_does_no_harm() -> None:
    found = load(Sources("file:///package/main.cwl", lambda _: b"\xef\xbb\xbf" + TOOL.encode()))
    assert found.main["id"] == "main"


@pytest.mark.parametrize("run", ["", "{class: Operation, inputs: [], outputs: []}"])
def test_an_operation_is_loaded_and_cannot_be_run(run: str) -> None:
    text = "cwlVersion: v1.2\nclass: Operation\ninputs: []\noutputs: []\n"
    found = resolved(WORKFLOW % run if run else text)
    assert "Operation" in [one["class"] for one in found["processes"].values()]
    with pytest.raises(UnsupportedPackage, match="is an Operation"):
        compile_package(found)


EXTENSION = """
cwlVersion: v1.2
class: CommandLineTool
$namespaces: {cwltool: "http://commonwl.org/cwltool#"}
%s:
  NetworkAccess: {networkAccess: true}
  cwltool:Telepathy: {range: 1}
inputs: []
outputs: []
"""


def test_what_is_only_hinted_at_need_not_be_known() -> None:
    found = main(EXTENSION % "hints")
    assert [one["class"] for one in found["hints"]] == ["NetworkAccess"]


def test_what_is_required_has_to_be_known() -> None:
    with pytest.raises(PackageError) as error:
        package(EXTENSION % "requirements")
    assert any("Telepathy" in str(one) for one in error.value.problems)
    assert any(one.line == 7 for one in error.value.problems)


@pytest.mark.parametrize(
    "asked",
    [
        "  cwltool:MPIRequirement: {processes: 2}",
        "  - {class: cwltool:MPIRequirement, processes: 2}",
        "  - {class: 'http://commonwl.org/cwltool#MPIRequirement', processes: 2}",
    ],
)
@pytest.mark.parametrize("field", ["requirements", "hints"])
def test_extensions_that_are_understood_are_taken_as_requirements_and_hints(
    field: str, asked: str
) -> None:
    found = main(
        "cwlVersion: v1.0\nclass: CommandLineTool\ninputs: []\noutputs: []\n"
        f"$namespaces: {{cwltool: 'http://commonwl.org/cwltool#'}}\n{field}:\n{asked}\n"
    )
    assert found[field] == [{"class": "MPIRequirement", "processes": 2}]
    assert found["metadata"] == {}


# Everything that is wrong is told at once


def test_a_problem_in_one_document_hides_none_in_another() -> None:
    text = """
cwlVersion: v1.2
class: Workflow
inputs: {text: string}
outputs: []
steps:
  a: {run: a.cwl, in: {message: text}, out: []}
  b: {run: b.cwl, in: {message: txet}, out: []}
  c: {run: c.cwl, in: {message: text}, out: []}
"""
    others = {"a.cwl": TOOL.replace("inputs", "inptus"), "b.cwl": TOOL.replace("string", "sting")}
    found = errors(text, others)
    assert {one.rpartition(" (")[0] for one in found} >= {
        "a.cwl:5:1: unknown field 'inptus'",
        "main.cwl:8:24: nothing in the workflow is called 'txet'",
        "main.cwl:9:7: cannot read c.cwl: No such file or directory",
    }
    assert any(one.startswith("b.cwl:5:10: unknown type 'sting'") for one in found)


def test_an_unknown_field_does_not_hide_the_rest() -> None:
    found = errors(f"{TOOL.replace('string', 'sting')}lable: a\n")
    assert [one.partition(" (")[0] for one in found] == [
        "main.cwl:7:1: unknown field 'lable'",
        "main.cwl:5:10: unknown type 'sting'",
    ]


def test_all_processes_of_a_graph_are_looked_at() -> None:
    text = """
cwlVersion: v1.2
$graph:
- {class: Workflow, id: main, inputs: [], outputs: [], steps: {a: {in: [], out: []}}}
- {class: CommandLineTool, id: tool, inputs: []}
"""
    assert [one.partition(" (")[0] for one in errors(text)] == [
        "main.cwl:4:64: the field 'run' is missing",
        "main.cwl:5:4: the field 'outputs' is missing",
    ]


TOOLS = """
cwlVersion: v1.2
$graph:
- {class: CommandLineTool, id: main, inputs: [], outputs: []}
- {class: CommandLineTool, %s, inputs: [], outputs: []}
"""


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("label: a", "5:3: a process of a $graph has to have an id (add id: here)"),
        ("id: main", "5:28: 'main' is there twice in the $graph"),
        ("id: '#main'", "5:28: 'main' is there twice in the $graph"),
        ("id: b, arguments: ['$(a']", "5:47: the expression '$(a' does not end "),
        ("id: b, stdin: $(1 + 1)", ""),
        ("id: b, hints: {WorkReuse: {enableReuse: true}}", ""),
        ("id: b, stdut: a", "5:35: unknown field 'stdut' (did you mean 'stdout'?)"),
    ],
)
def test_what_is_not_run_of_a_graph_has_to_be_valid(part: str, said: str) -> None:
    assert [one[: len(f"main.cwl:{said}")] for one in errors(TOOLS % part)] == (
        [f"main.cwl:{said}"] if said else []
    )


def test_what_a_workflow_that_is_not_run_would_run_is_not_read() -> None:
    steps = "steps: {s: {run: missing.cwl, in: {x: nothing}, out: []}}"
    text = (TOOLS % f"id: b, {steps}").replace("CommandLineTool, id: b", "Workflow, id: b")
    (found,) = errors(text)
    assert found.startswith("main.cwl:5:63: nothing in the workflow is called 'nothing'")
    text = text.replace("{x: nothing}", "[]")
    assert errors(text) == []
    assert list(package(text).sources.texts) == ["file:///package/main.cwl"]


def test_what_is_not_run_of_a_graph_need_not_be_supported() -> None:
    text = (TOOLS % "id: b").replace("CommandLineTool, id: b", "Operation, id: b")
    assert list(resolved(text)["processes"]) == ["main.cwl#main"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("class: ComandLineTool", "2:1: unknown class 'ComandLineTool' (did you mean Command"),
        ("label: a tool", "1:1: the class is missing (known are CommandLineTool, Expression"),
    ],
)
def test_a_process_without_a_class(line: str, said: str) -> None:
    (found,) = errors(f"cwlVersion: v1.2\n{line}\ninputs: []\noutputs: []\n")
    assert found.startswith(f"main.cwl:{said}")


# Documents that are broken


@pytest.mark.parametrize(
    "part",
    [
        "$graph: []",
        "$graph: {}",
        "$graph: 5",
        "$graph: [5]",
        "$graph: [null]",
        "$graph: [a]",
        "$namespaces: [a]\n" + ECHO,
        "$namespaces: 5\n" + ECHO,
        "$namespaces: {a: [b]}\n" + ECHO,
        "$schemas: 5\n" + ECHO,
        "$schemas: {a: b}\n" + ECHO,
        "$schemas: [[a]]\n" + ECHO,
        "doc: {$include: 5}\n" + ECHO,
        "doc: {$include: [a]}\n" + ECHO,
        ECHO.replace("{message: string}", "{$import: 5}"),
        ECHO.replace("{message: string}", "[[a]]"),
        ECHO + "hints: [a]\n",
        ECHO + "hints: {a: 5}\n",
    ],
)
def test_a_broken_document_is_refused(part: str) -> None:
    try:
        package(f"cwlVersion: v1.2\n{part}")
    except PackageError as error:
        assert error.message  # noqa: PT017
    else:
        assert part.startswith((ECHO, "$schemas"))


BREAKABLE: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "$namespaces": {"f": "http://example.org/"},
    "$graph": [
        {
            "class": "Workflow",
            "id": "main",
            "requirements": {
                "ScatterFeatureRequirement": {},
                "InlineJavascriptRequirement": {"expressionLib": ["var a = 1;"]},
                "SchemaDefRequirement": {
                    "types": [{"name": "T", "type": "enum", "symbols": ["a"]}]
                },
            },
            "inputs": {"a": {"type": "int", "default": 0}, "b": "string[]", "t": {"type": "#T"}},
            "outputs": {
                "o": {"type": "File[]", "outputSource": ["s/o"], "pickValue": "all_non_null"}
            },
            "steps": {
                "s": {
                    "run": "#tool",
                    "scatter": ["w"],
                    "when": "$(inputs.w)",
                    "in": {"w": "b", "n": {"source": "a", "default": 5, "valueFrom": "$(self)"}},
                    "out": ["o"],
                }
            },
        },
        {
            "class": "CommandLineTool",
            "id": "tool",
            "baseCommand": ["a", "b"],
            "arguments": ["a", {"valueFrom": "b", "prefix": "-p"}],
            "requirements": [{"class": "EnvVarRequirement", "envDef": {"A": "b"}}],
            "hints": [{"class": "InitialWorkDirRequirement", "listing": ["$(inputs.w)"]}],
            "inputs": [
                {"id": "w", "type": "string", "inputBinding": {}},
                {"id": "n", "type": "int?"},
            ],
            "outputs": {
                "o": {"type": "File", "outputBinding": {"glob": "*"}, "secondaryFiles": ".a"}
            },
        },
    ],
}
JUNK: list[Any] = [
    *(None, True, 5, 1.5, "", "a", "#", "a/b", "$(", "File[]", "#main", "\ud800"),
    *(
        [],
        [None],
        [[]],
        [5],
        ["a", "a"],
        {},
        {"a": 5},
        {"a": None},
        {"id": "a"},
        {"class": "Workflow"},
    ),
    *({"$import": "a"}, {"$include": "a"}, {"$import": 5}, {"type": "array"}, {"source": ["a"]}),
]


def broken(document: Any, chance: random.Random) -> Any:
    """Take something out of a document, or put something else in its place."""
    document = copy.deepcopy(document)
    current, key = document, None
    while True:
        keys = list(current) if isinstance(current, dict) else list(range(len(current)))
        key = chance.choice(keys)
        if not isinstance(current[key], (dict, list)) or not current[key] or chance.random() < 0.2:
            break
        current = current[key]
    if chance.random() < 0.3:
        del current[key]
    else:
        current[key] = chance.choice(JUNK)
    return document


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(1, 2))
@settings(
    deadline=None,
    max_examples=300,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)
def test_however_a_document_is_broken_it_is_loaded_or_refused(
    chance: random.Random, times: int
) -> None:
    document = BREAKABLE
    for _ in range(times):
        document = broken(document, chance)
    try:
        errors(json.dumps(document))
    except LocalprocError as error:
        assert error.message  # noqa: PT017


@pytest.mark.parametrize(
    "hint",
    [
        {"class": "InitialWorkDirRequirement", "listing": 5},
        {"class": "EnvVarRequirement", "envDef": [5]},
        {"class": "InlineJavascriptRequirement", "expressionLib": 5},
        {"class": "SoftwareRequirement", "packages": 5},
        {"class": "ResourceRequirement", "coresMin": []},
    ],
)
def test_a_hint_that_is_not_as_it_should_be_is_told(hint: dict[str, Any]) -> None:
    (found,) = errors(json.dumps({**EMPTY_TOOL, "hints": [hint]}))
    assert f"the hint {hint['class']} has members that are not as they should be" in found
    assert found.startswith("main.cwl:1:")


def test_what_the_class_of_a_hint_has_not_is_passed_over() -> None:
    hint = {"class": "ResourceRequirement", "coresMin": 2, "vendor": "x"}
    found = main(json.dumps({**EMPTY_TOOL, "hints": [hint]}))
    assert found["hints"] == [{"class": "ResourceRequirement", "coresMin": 2}]


EMPTY_TOOL: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "baseCommand": "true",
    "inputs": {},
    "outputs": {},
}
