"""Packages drawn: every step, every link, as Mermaid, DOT, words and SVG."""

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest

from localproc.cwl.load.load import load
from localproc.cwl.load.sources import Sources
from localproc.views.graph import Graph, Node, dot, graph_of, in_words, mermaid
from localproc.views.graph_svg import Box, Level, layout, svg

TIMES = "\N{MULTIPLICATION SIGN}"
SVG = "{http://www.w3.org/2000/svg}"

TOOL = """
cwlVersion: v1.2
class: CommandLineTool
id: crop
baseCommand: crop
inputs: {scene: File, aoi: string}
outputs: {cropped: {type: File, outputBinding: {glob: out.tif}}}
"""

#: Two links run between crop and index: they are one arrow.
CHAIN = """
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: chain
    inputs: {scene: string, aoi: string}
    outputs: {mask: {type: string, outputSource: otsu/o}}
    steps:
      crop: {run: "#tool", in: {x: scene, y: aoi}, out: [o, p]}
      index: {run: "#tool", in: {x: crop/o, y: crop/p}, out: [o]}
      otsu: {run: "#tool", in: {x: index/o, y: aoi}, out: [o]}
  - class: CommandLineTool
    id: tool
    baseCommand: echo
    inputs: {x: string, y: string?}
    outputs:
      o: {type: string, outputBinding: {outputEval: one}}
      p: {type: string, outputBinding: {outputEval: two}}
"""

NESTED = """
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: main
    requirements: {SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {}}
    inputs: {items: "string[]", bands: "string[]", wanted: boolean}
    outputs: {catalog: {type: string, outputSource: stac/o}}
    steps:
      water:
        run: "#detect"
        when: $(inputs.wanted)
        scatter: item
        in: {item: items, bands: bands, wanted: wanted}
        out: [mask]
      stac: {run: "#tool", in: {x: water/mask, y: items}, out: [o]}
  - class: Workflow
    id: detect
    requirements: {ScatterFeatureRequirement: {}}
    inputs: {item: string, bands: "string[]"}
    outputs: {mask: {type: string, outputSource: otsu/o}}
    steps:
      crop: {run: "#tool", scatter: x, in: {x: bands, y: item}, out: [o]}
      otsu: {run: "#tool", in: {x: crop/o}, out: [o]}
  - class: CommandLineTool
    id: tool
    baseCommand: echo
    inputs: {x: Any, y: Any?}
    outputs: {o: {type: string, outputBinding: {outputEval: one}}}
"""

ODD = """
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: a < b
    inputs: {'say "hi"': string, same: string}
    outputs: {same: {type: string, outputSource: end/o}}
    steps:
      graph: {run: "#tool", in: {x: 'say "hi"', y: same}, out: ['50%']}
      end: {run: "#tool", when: $(inputs.x < "c" && true), in: {x: graph/50%}, out: [o]}
      'back\\slash': {run: "#tool", in: {x: end/o}, out: []}
  - class: CommandLineTool
    id: tool
    baseCommand: echo
    inputs: {x: string, y: string?}
    outputs:
      o: {type: string, outputBinding: {outputEval: one}}
      '50%': {type: string, outputBinding: {outputEval: two}}
"""


def wide(count: int) -> str:
    """Give a workflow with many links that pass several rows."""
    tool = {
        "class": "CommandLineTool",
        "baseCommand": "echo",
        "inputs": {"x": "string", "y": "string?"},
        "outputs": {"o": {"type": "string", "outputBinding": {"outputEval": "one"}}},
    }
    steps = {
        f"s{number}": {
            "run": tool,
            "in": {"x": f"in{number % 7}", "y": f"s{number // 3}/o"} if number else {"x": "in0"},
            "out": ["o"],
        }
        for number in range(count)
    }
    workflow = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "inputs": {f"in{number}": "string" for number in range(7)},
        "outputs": {"last": {"type": "string", "outputSource": f"s{count - 1}/o"}},
        "steps": steps,
    }
    return json.dumps(workflow)


PACKAGES = {
    "tool": TOOL,
    "chain": CHAIN,
    "nested": NESTED,
    "odd": ODD,
    "wide": wide(24),
    "empty": "{cwlVersion: v1.2, class: Workflow, inputs: [], outputs: [], steps: []}",
}
every_package = pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)


def resolved(package: str) -> Mapping[str, Any]:
    text = package.encode()
    return load(Sources("file:///package/package.cwl", lambda _: text)).resolved


# What is drawn


def test_a_tool_is_one_step_between_its_inputs_and_outputs() -> None:
    graph = graph_of(resolved(TOOL))

    assert [(node.role, node.title) for node in graph.nodes] == [
        ("input", "scene"),
        ("input", "aoi"),
        ("step", "crop"),
        ("output", "cropped"),
    ]
    assert [(edge.source, edge.target) for edge in graph.edges] == [
        ("inputs/scene", "steps/crop"),
        ("inputs/aoi", "steps/crop"),
        ("steps/crop", "outputs/cropped"),
    ]


@pytest.mark.parametrize(
    ("scatter", "title"),
    [
        ("scatter: x", f"crop {TIMES} x"),
        ("scatter: [x, y], scatterMethod: dotproduct", f"crop {TIMES} (x, y)"),
        ("scatter: [x, y], scatterMethod: flat_crossproduct", f"crop {TIMES} x {TIMES} y"),
        ("scatter: [x, y], scatterMethod: nested_crossproduct", f"crop {TIMES} x {TIMES} y"),
    ],
)
def test_a_step_is_shown_with_what_it_is_scattered_over(scatter: str, title: str) -> None:
    package = CHAIN.replace('crop: {run: "#tool",', f'crop: {{run: "#tool", {scatter},')

    assert step(package, "steps/crop").title == title


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("$(inputs.x.length > 1)", "inputs.x.length > 1"),
        ("$(inputs.x)$(inputs.y)", "$(inputs.x)$(inputs.y)"),
        ("${ return\n  true; }", "${ return true; }"),
        ('$(inputs.x === "' + "x" * 60 + '")', 'inputs.x === "' + "x" * 33 + "…"),
    ],
)
def test_a_step_that_may_be_skipped_is_shown_with_its_condition(when: str, shown: str) -> None:
    package = CHAIN.replace("crop: {", f"crop: {{when: {json.dumps(when)}, ")

    assert step(package, "steps/crop").lines == ("crop", f"when {shown}")


def test_links_lead_to_the_inputs_of_a_nested_workflow_and_from_its_outputs() -> None:
    edges = [(edge.source, edge.target) for edge in graph_of(resolved(NESTED)).edges]

    assert ("inputs/items", "steps/water/inputs/item") in edges
    assert ("steps/water/outputs/mask", "steps/stac") in edges


def test_an_input_that_only_the_condition_reads_is_there() -> None:
    water = step(NESTED, "steps/water")

    assert water.inner is not None
    assert "steps/water/inputs/wanted" in [node.key for node in water.inner.nodes]


def doubled(levels: int) -> dict[str, Any]:
    """Return a package of workflows, each of which runs the next one twice."""
    tool = {"class": "CommandLineTool", "id": "tool", "inputs": [], "outputs": []}
    flows = {
        str(level): {
            "class": "Workflow",
            "id": str(level),
            "inputs": [],
            "outputs": [],
            "steps": [
                {"id": name, "run": str(level + 1), "in": [], "out": [], "scatter": []}
                for name in ("a", "b")
            ],
        }
        for level in range(levels)
    }
    return {"main": "0", "processes": {**flows, str(levels): tool}}


def test_what_steps_hold_is_left_out_where_it_is_too_much() -> None:
    def count(graph: Graph) -> int:
        return sum(1 + (count(node.inner) if node.inner else 0) for node in graph.nodes)

    assert count(graph_of(doubled(9))) == 2**10 - 2
    many = graph_of(doubled(60))
    assert [(node.title, node.inner) for node in many.nodes] == [("a …", None), ("b …", None)]


def test_in_words() -> None:
    assert in_words(graph_of(resolved(NESTED))) == (
        f"inputs: items, bands, wanted; steps: water {TIMES} item when inputs.wanted "
        f"(inputs: item, bands, wanted; steps: crop {TIMES} x, otsu; outputs: mask), stac; "
        "outputs: catalog"
    )


# Mermaid


def test_mermaid() -> None:
    assert mermaid(resolved(CHAIN)) == (
        "flowchart TB\n"
        '  n1(["scene"])\n'
        '  n2(["aoi"])\n'
        '  n3["crop"]\n'
        '  n4["index"]\n'
        '  n5["otsu"]\n'
        '  n6(["mask"])\n'
        "  n1 --> n3\n"
        "  n2 --> n3\n"
        '  n3 -->|"o, p"| n4\n'
        '  n4 -->|"o"| n5\n'
        "  n2 --> n5\n"
        '  n5 -->|"o"| n6\n'
    )


def test_mermaid_of_a_nested_workflow() -> None:
    assert mermaid(resolved(NESTED)) == (
        "flowchart TB\n"
        '  n1(["items"])\n'
        '  n2(["bands"])\n'
        '  n3(["wanted"])\n'
        f'  subgraph n4["water {TIMES} item<br>when inputs.wanted"]\n'
        '    n5(["item"])\n'
        '    n6(["bands"])\n'
        '    n7(["wanted"])\n'
        f'    n8["crop {TIMES} x"]\n'
        '    n9["otsu"]\n'
        '    n10(["mask"])\n'
        "    n6 --> n8\n"
        "    n5 --> n8\n"
        '    n8 -->|"o"| n9\n'
        '    n9 -->|"o"| n10\n'
        "  end\n"
        '  n11["stac"]\n'
        '  n12(["catalog"])\n'
        "  n1 --> n5\n"
        "  n2 --> n6\n"
        "  n3 --> n7\n"
        "  n10 --> n11\n"
        "  n1 --> n11\n"
        '  n11 -->|"o"| n12\n'
        "  classDef conditional stroke-dasharray: 5 4\n"
        "  class n4 conditional\n"
    )


def test_mermaid_has_odd_names_as_entities() -> None:
    lines = [line.strip() for line in mermaid(resolved(ODD)).splitlines()]

    assert 'n1(["say #34;hi#34;"])' in lines
    assert 'n3["graph"]' in lines
    assert 'n4["end<br>when inputs.x #60; #34;c#34; #38;#38; true"]' in lines
    assert 'n5["back#92;slash"]' in lines
    assert 'n3 -->|"50#37;"| n4' in lines


# DOT


def test_dot() -> None:
    assert dot(resolved(TOOL)) == (
        'digraph "crop" {\n'
        '  graph [fontname="sans-serif", style=rounded]\n'
        '  node [fontname="sans-serif", shape=box]\n'
        '  edge [fontname="sans-serif", fontsize=10]\n'
        '  "inputs/scene" [label="scene", shape=ellipse]\n'
        '  "inputs/aoi" [label="aoi", shape=ellipse]\n'
        '  "steps/crop" [label="crop", style="rounded"]\n'
        '  "outputs/cropped" [label="cropped", shape=ellipse]\n'
        '  "inputs/scene" -> "steps/crop"\n'
        '  "inputs/aoi" -> "steps/crop"\n'
        '  "steps/crop" -> "outputs/cropped"\n'
        "}\n"
    )


def test_dot_of_a_nested_workflow_has_a_cluster() -> None:
    lines = [line.strip() for line in dot(resolved(NESTED)).splitlines()]

    assert 'subgraph "cluster_steps/water" {' in lines
    assert f'label="water {TIMES} item\\nwhen inputs.wanted"; style="rounded,dashed"' in lines
    assert '"steps/water/steps/crop" -> "steps/water/steps/otsu" [label="o"]' in lines
    assert '"inputs/items" -> "steps/water/inputs/item"' in lines
    assert '"steps/water/outputs/mask" -> "steps/stac"' in lines


def test_dot_quotes_odd_names() -> None:
    lines = [line.strip() for line in dot(resolved(ODD)).splitlines()]

    assert lines[0] == 'digraph "a < b" {'
    assert '"inputs/say \\"hi\\"" [label="say \\"hi\\"", shape=ellipse]' in lines
    assert '"inputs/same" -> "steps/graph"' in lines
    assert '"steps/end" -> "outputs/same" [label="o"]' in lines
    assert '"steps/back\\\\slash" [label="back\\\\slash", style="rounded"]' in lines


# SVG


@every_package
def test_svg_shows_every_box_by_name(package: str) -> None:
    image = ElementTree.fromstring(svg(resolved(package)))

    shown = [element.text for element in image.iter(f"{SVG}text")]

    expected = [line for node in nodes(package) for line in node.lines]
    assert sorted(filter(None, shown)) == sorted(expected)


def test_svg_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    image = ElementTree.fromstring(svg(resolved(ODD)))

    assert image.get("role") == "img"
    assert image.get("aria-label") == "a < b"
    assert image.findtext(f"{SVG}title") == "a < b"
    assert image.findtext(f"{SVG}desc") == in_words(graph_of(resolved(ODD)))


def test_svg_needs_nothing_from_elsewhere() -> None:
    text = svg(resolved(NESTED)).replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert "http" not in text
    assert "href" not in text
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text


@every_package
def test_drawing_again_gives_the_same_text(package: str) -> None:
    for draw in (mermaid, dot, svg):
        assert draw(resolved(package)) == draw(resolved(package))


@every_package
def test_boxes_lie_within_their_level_and_do_not_overlap(package: str) -> None:
    for level in levels(package):
        for box in level.boxes:
            assert 0 <= box.x <= box.x + box.width <= level.width
            assert 0 <= box.y <= box.y + box.height <= level.height
        for one, other in combinations(level.boxes, 2):
            assert not overlap(one, other), (one.node.key, other.node.key)


@every_package
def test_a_level_fits_into_the_box_that_holds_it(package: str) -> None:
    for level in levels(package):
        for box in level.boxes:
            if box.inside is not None:
                assert box.inside.width < box.width
                assert box.inside.height < box.height


@every_package
def test_lines_go_down_and_pass_between_the_boxes(package: str) -> None:
    for level in levels(package):
        for line in level.lines:
            tops = [place.top for place, _ in line]
            assert tops == sorted(set(tops))
            for place, from_left in line[1:-1]:
                x = place.x + from_left
                row = [box for box in level.boxes if box.top == place.top]
                assert not any(box.x <= x <= box.x + box.width for box in row)


def test_inputs_are_at_the_top_and_outputs_at_the_bottom() -> None:
    level = layout(graph_of(resolved(NESTED)))

    rows = sorted({box.top for box in level.boxes})

    assert {box.node.title for box in level.boxes if box.top == rows[0]} == {
        "items",
        "bands",
        "wanted",
    }
    assert [box.node.title for box in level.boxes if box.top == rows[-1]] == ["catalog"]


def step(package: str, key: str) -> Node:
    return next(node for node in nodes(package) if node.key == key)


def nodes(package: str) -> Iterator[Node]:
    """Give all nodes, those of nested workflows too."""
    waiting = [graph_of(resolved(package))]
    while waiting:
        graph = waiting.pop()
        yield from graph.nodes
        waiting += [node.inner for node in graph.nodes if node.inner is not None]


def levels(package: str) -> Iterator[Level]:
    waiting = [layout(graph_of(resolved(package)))]
    while waiting:
        level = waiting.pop()
        yield level
        waiting += [box.inside for box in level.boxes if box.inside is not None]


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    above = one.y + one.height <= other.y or other.y + other.height <= one.y
    return not (beside or above)
