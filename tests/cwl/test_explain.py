"""What is told of a document that the parser refuses: each mistake once, by its name."""

import pytest

from tests.cwl.memory import errors

TOOL = """
cwlVersion: v1.2
class: %s
inputs: {r: %s}
outputs: []
"""
WORKFLOW = """
cwlVersion: v1.2
class: Workflow
inputs: []
outputs: []
steps:
  s: {run: %s, in: [], out: [], requirements: %s}
"""
EMPTY = "cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\n"


def said(text: str) -> list[str]:
    return [one.partition(": ")[2] for one in errors(text, {"tool.cwl": EMPTY})]


@pytest.mark.parametrize(
    ("requirements", "problem"),
    [
        ("{ResourceRequirement: {coreMin: 2}}", "unknown field 'coreMin' (did you mean 'coresMin'"),
        (
            "{SubworkflowFeatureRequirment: {}}",
            "unknown requirement 'SubworkflowFeatureRequirment'",
        ),
        ("[WorkReuse]", "'WorkReuse' is no requirement (write - class: WorkReuse)"),
        ("[{enableReuse: true}]", "a requirement without a class"),
        ("{WorkReuse: }", "null is no requirement (write WorkReuse: {})"),
        ("5", "what stands here is not of the form that the field takes"),
    ],
)
def test_a_mistake_in_the_requirements_of_a_step(requirements: str, problem: str) -> None:
    (found,) = said(WORKFLOW % ("tool.cwl", requirements))
    assert found.startswith(problem)
    tool = f"{EMPTY}requirements: {requirements}\n"
    (found,) = said(tool)
    assert found.startswith(problem)


def test_a_mistake_in_the_requirements_of_a_step_hides_no_other() -> None:
    text = WORKFLOW % ("tool.cwl", "{ResourceRequirement: {coreMin: 2}}") + "lable: a\n"
    assert [one.partition(" (")[0] for one in errors(text, {"tool.cwl": EMPTY})] == [
        "main.cwl:7:76: unknown field 'coreMin'",
        "main.cwl:8:1: unknown field 'lable'",
    ]


TYPE = "the field 'type' is missing (add type: here)"
SYMBOL = [
    "the field 'symbols' is missing (add symbols: here)",
    "unknown field 'symbol' (did you mean 'symbols'?)",
]


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        (
            "{type: record, fields: {a: {typ: int}}}",
            [TYPE, "unknown field 'typ' (did you mean 'type'?)"],
        ),
        ("{type: enum, symbol: [a]}", SYMBOL),
        (
            "{type: array, itmes: int}",
            [
                "the field 'items' is missing (add items: here)",
                "unknown field 'itmes' (did you mean 'items'?)",
            ],
        ),
        ("['null', {type: array, items: {type: enum, symbol: [a]}}]", SYMBOL),
        (
            "{type: record, fields: [{name: a, type: {type: enum, symbol: [a]}}]}",
            SYMBOL,
        ),
        ("{type: record, fields: [{type: int}]}", ["the field 'name' is missing (add name: here)"]),
        ("{typ: int}", [TYPE]),
        ("{type: enum, symbols: 5}", ["5 is no list of symbols"]),
        ("{type: array, items: 5}", ["5 is no type"]),
        ("{type: record, fields: 5}", ["5 is no list or mapping of fields"]),
        (
            "{type: arary, items: int}",
            ["'arary' is no kind of type that is written out (did you mean array?)"],
        ),
    ],
)
@pytest.mark.parametrize("kind", ["CommandLineTool", "Workflow", "ExpressionTool"])
def test_a_mistake_inside_of_a_type(kind: str, written: str, problems: list[str]) -> None:
    rest = {"Workflow": "steps: []", "ExpressionTool": "expression: $(null)"}.get(kind, "")
    assert said(TOOL % (kind, f"{{type: {written}}}") + rest) == problems


def test_a_mistake_in_how_a_field_is_bound() -> None:
    field = "{type: int, inputBinding: {positon: 1}}"
    written = f"{{type: {{type: record, fields: {{a: {field}}}}}}}"
    assert said(TOOL % ("CommandLineTool", written)) == [
        "unknown field 'positon' (did you mean 'position'?)"
    ]


def test_a_mistake_inside_of_a_type_of_a_process_within_a_step() -> None:
    run = "{class: CommandLineTool, outputs: [], inputs: {r: {type: {type: enum, symbol: [a]}}}}"
    assert said(WORKFLOW % (run, "[]")) == SYMBOL


def test_a_mistake_inside_of_a_named_type() -> None:
    types = "[{name: a, type: enum, symbol: [x]}]"
    text = f"{EMPTY}requirements:\n- class: SchemaDefRequirement\n  types: {types}\n"
    assert said(text) == SYMBOL
    assert said(f"{EMPTY}requirements: {{SchemaDefRequirement: {{types: {types}}}}}") == SYMBOL


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        (
            '$(inputs.d == "p" ? "-d" : null)',
            "main.cwl:8:3: YAML takes this expression for a mapping (quote it)",
        ),
        ("{valueForm: b}", "main.cwl:8:4: unknown field 'valueForm' (did you mean 'valueFrom'?)"),
        ("5", "main.cwl:8:3: 5 is no argument (quote it)"),
        ("null", "main.cwl:8:3: null is no argument (quote it)"),
    ],
)
def test_a_mistake_in_an_argument(argument: str, problem: str) -> None:
    assert errors(f"{EMPTY}baseCommand: a\narguments:\n- -x\n- {argument}\n- y\n") == [problem]


def test_a_mistake_in_what_a_step_hands_out() -> None:
    text = (WORKFLOW % ("tool.cwl", "[]")).replace("out: []", "out: [{id: o, title: x}]")
    assert said(text) == ["unknown field 'title' (known are id)", "tool has no output 'o'"]


def test_a_requirement_of_a_later_version() -> None:
    text = f"{EMPTY}requirements: {{ToolTimeLimit: {{timelimit: 5}}}}\n".replace("v1.2", "v1.0")
    assert said(text) == [
        "ToolTimeLimit is for CWL v1.1 (raise the cwlVersion, or move it to hints to go without it)"
    ]


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        (
            "{class: NetworkAccess}",
            "the field 'networkAccess' is missing (add networkAccess: here)",
        ),
        (
            "{class: InitialWorkDirRequirement, listing: [{entryname: a}]}",
            "the field 'entry' is missing (add entry: here)",
        ),
    ],
)
def test_a_field_that_is_missing_is_told_where_it_is_missing(
    requirement: str, problem: str
) -> None:
    (found,) = errors(f"{EMPTY}requirements:\n- {requirement}\n")
    place, _, rest = found.partition(": ")
    assert rest == problem
    assert place.startswith("main.cwl:6:")
