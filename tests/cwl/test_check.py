"""What is wrong with a package, said before anything of it runs: every error, and where it is.

The sign » in a document stands where the error is reported.
"""

import json
from collections.abc import Mapping
from textwrap import dedent

import pytest

from localproc.cwl.check.check import Findings, check
from localproc.cwl.run.process import compile_package, own_files, tools
from localproc.errors import InvalidPackage
from tests.cwl.memory import errors, findings, package

SIGN = "\u00bb"

TOOL = """
cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs:
  message: {type: string, inputBinding: {}}
  times: {type: int?, inputBinding: {}}
outputs:
  said: stdout
  length: {type: int, outputBinding: {outputEval: $(3)}}
requirements: {InlineJavascriptRequirement: {}}
"""
MISSING_MESSAGE = (
    "the step say does not give say its input 'message' "
    "(add message to the step's in; it takes string)"
)
NO_JAVASCRIPT = (
    "is not a parameter reference "
    "(add InlineJavascriptRequirement to the requirements to use JavaScript)"
)
NO_METHOD = (
    "scatter over several inputs needs a scatterMethod "
    "(one of nested_crossproduct, flat_crossproduct, dotproduct)"
)
OUTPUT_HINT = "(add an outputSource, or make its type optional)"
TWICE_HINT = "(scatterMethod has to be nested_crossproduct or flat_crossproduct)"
#: What is advised for every link of a wrong type.
LINK_HINT = " (link something of that type, or make it so with valueFrom)"
ALL = """
requirements:
  InlineJavascriptRequirement: {}
  MultipleInputFeatureRequirement: {}
  ScatterFeatureRequirement: {}
  StepInputExpressionRequirement: {}
  SubworkflowFeatureRequirement: {}
"""


def workflow(text: str, requirements: str = ALL, version: str = "v1.2") -> str:
    """Make a workflow of its inputs, outputs and steps; SAY runs the tool that is beside it."""
    text = dedent(text).replace("SAY", "run: say.cwl")
    fields = {line.partition(":")[0] for line in text.splitlines()}
    missing = [f"{one}: {{}}" for one in ("inputs", "outputs") if one not in fields]
    return "\n".join([f"cwlVersion: {version}", "class: Workflow", requirements, *missing, text])


def wrong(text: str, others: Mapping[str, str] | None = None) -> list[str]:
    """Give the errors of a document, those at a sign without their place."""
    lines = text.split("\n")
    places = [
        f"main.cwl:{number}:{line.index(SIGN) + 1}: "
        for number, line in enumerate(lines, 1)
        if SIGN in line
    ]
    found = errors(text.replace(SIGN, ""), {"say.cwl": TOOL, **(others or {})})
    for place in places:
        assert any(one.startswith(place) for one in found), f"nothing at {place}, but {found}"
        found = [one.removeprefix(place) for one in found]
    return [one.removesuffix(LINK_HINT) for one in found]


def warned(text: str) -> list[str]:
    """Give the warnings of a document, but for inputs that these tests have no use for."""
    found = findings(text, {"say.cwl": TOOL})
    assert found.errors == []
    said = [str(problem) for problem in found.warnings]
    return [one for one in said if "takes the input" not in one]


def test_nothing_is_wrong_with_a_good_workflow() -> None:
    text = workflow("""
        inputs: {words: "string[]", n: int?}
        outputs: {said: {type: "File[]", outputSource: say/said}}
        steps:
          say: {in: {message: words, times: n}, scatter: message, SAY, out: [said]}
    """)
    assert (wrong(text), warned(text)) == ([], [])


def test_every_error_is_told() -> None:
    text = workflow("""
        inputs: {text: string, number: int}
        outputs:
          »a: {type: string, outputSource: say/length}
          »b: {type: string, outputSource: tetx}
        steps:
          »say:
            in: {»times: text}
            SAY
            out: [length, »siad]
    """)
    assert sorted(wrong(text)) == [
        "nothing in the workflow is called 'tetx' (did you mean 'text'?)",
        "say has no output 'siad' (did you mean 'said'?)",
        "say/length goes to the output a, but int is not string",
        "text goes to say/times, but string is not int?",
        MISSING_MESSAGE,
    ]


# Links


def test_an_unknown_link() -> None:
    text = workflow("""
        inputs: {text: string}
        steps:
          say:
            in:
              »message: txet
            SAY
            out: []
    """)
    assert wrong(text) == ["nothing in the workflow is called 'txet' (did you mean 'text'?)"]


def test_an_unknown_output_of_a_step_as_a_link() -> None:
    text = workflow("""
        outputs:
          »a: {type: File, outputSource: say/siad}
        steps:
          say: {in: {message: {default: hello}}, SAY, out: [said]}
    """)
    assert wrong(text) == ["nothing in the workflow is called 'siad' (did you mean 'say/said'?)"]


def test_what_is_called_alike_elsewhere_is_no_guess() -> None:
    text = workflow("""
        inputs: {siad: string}
        outputs:
          »a: {type: string, outputSource: say/siad}
        steps: {}
    """)
    assert wrong(text) == ["nothing in the workflow is called 'siad'"]


def test_an_output_that_the_step_does_not_hand_out_is_unknown() -> None:
    text = workflow("""
        outputs:
          »a: {type: int, outputSource: say/length}
        steps:
          say: {in: {message: {default: hello}}, SAY, out: [said]}
    """)
    (found,) = wrong(text)
    assert found.startswith("nothing in the workflow is called 'length'")


def test_an_unknown_output_of_a_tool() -> None:
    text = workflow("""
        steps:
          say:
            in: {message: {default: hello}}
            SAY
            out: [length, »siad]
    """)
    assert wrong(text) == ["say has no output 'siad' (did you mean 'said'?)"]


def test_an_input_that_is_missing() -> None:
    text = workflow("""
        steps:
          »say: {in: {}, SAY, out: []}
    """)
    assert wrong(text) == [MISSING_MESSAGE]


@pytest.mark.parametrize("kind", ["string?", "{type: string, default: hello}", "['null', string]"])
def test_an_input_that_need_not_be_given(kind: str) -> None:
    text = workflow("""
        steps:
          say: {in: {}, run: other.cwl, out: []}
    """)
    other = TOOL.replace("{type: string, inputBinding: {}}", kind)
    assert wrong(text, {"other.cwl": other}) == []


def test_an_input_of_type_any_has_to_be_given() -> None:
    text = workflow("""
        steps:
          »say: {in: {}, run: other.cwl, out: []}
    """)
    other = {"other.cwl": TOOL.replace("type: string", "type: Any")}
    assert wrong(text, other) == [
        MISSING_MESSAGE.replace("give say", "give other").replace("string", "Any")
    ]


def test_a_step_may_have_inputs_that_its_tool_does_not_take() -> None:
    text = workflow("""
        inputs: {text: string, go: boolean}
        steps:
          say: {in: {message: text, go: go}, when: $(inputs.go), SAY, out: []}
    """)
    assert wrong(text) == []


# Types


def test_a_link_of_another_type() -> None:
    text = workflow("""
        inputs: {number: int}
        steps:
          say:
            in:
              »message: number
            SAY
            out: []
    """)
    assert wrong(text) == ["number goes to say/message, but int is not string"]


def test_an_output_of_another_type() -> None:
    text = workflow("""
        outputs:
          fine: {type: int, outputSource: say/length}
          »a: {type: string, outputSource: say/length}
        steps:
          say: {in: {message: {default: hello}}, SAY, out: [length]}
    """)
    assert wrong(text) == ["say/length goes to the output a, but int is not string"]


STEPS = """
    inputs: {s: string, ss: "string[]", maybe: string?, file: File}
    outputs:
      »o: %s
    steps:
      say: {in: {message: %s, SAY, out: [length, said]}
"""
FINE = "s}"
PICKED = "outputSource: [say/length], linkMerge: merge_flattened, pickValue: first_non_null"


@pytest.mark.parametrize(
    ("output", "inputs"),
    [
        ("{type: 'int[]', outputSource: say/length}", "ss}, scatter: message"),
        ("{type: int, outputSource: say/length}", "{source: maybe, default: a}}"),
        ("{type: int, outputSource: say/length}", "{source: ss, valueFrom: a}}"),
        ("{type: int?, outputSource: say/length}", "s}, when: $(true)"),
        (f"{{type: int, {PICKED}}}", "s}, when: $(true)"),
        ("{type: File, outputSource: say/said}", FINE),
        ("{type: 'File[]', outputSource: [say/said, file]}", FINE),
        ("{type: 'string[]', outputSource: [s, s]}", FINE),
        ("{type: 'string[]', outputSource: [s, ss], linkMerge: merge_flattened}", FINE),
        ("{type: 'string[]', outputSource: s, linkMerge: merge_nested}", FINE),
        ("{type: string, outputSource: [maybe, s], pickValue: first_non_null}", FINE),
        ("{type: string, outputSource: [maybe, s], pickValue: the_only_non_null}", FINE),
        ("{type: 'string[]', outputSource: [maybe, s], pickValue: all_non_null}", FINE),
        ("{type: 'string[]', outputSource: [maybe], pickValue: all_non_null}", FINE),
        ("{type: 'string[]', outputSource: [ss], pickValue: all_non_null}", FINE),
        ("{type: string, outputSource: s, pickValue: all_non_null}", FINE),
        ("{type: [int, string], outputSource: s}", FINE),
        ("{type: Any, outputSource: ss}", FINE),
        ("{type: double, outputSource: say/length}", FINE),
    ],
)
def test_links_that_fit(output: str, inputs: str) -> None:
    text = workflow(STEPS % (output, inputs)).replace(SIGN, "")
    assert (wrong(text), warned(text)) == ([], [])


@pytest.mark.parametrize(
    ("output", "inputs", "said"),
    [
        ("{type: int, outputSource: say/length}", "ss}, scatter: message", "int[] is not int"),
        ("{type: 'string[]', outputSource: s}", FINE, "string is not string[]"),
        ("{type: string, outputSource: ss}", FINE, "string[] is not string"),
        ("{type: string, outputSource: [s, s]}", FINE, "(string or string)[] is not string"),
        (
            "{type: string, outputSource: s, linkMerge: merge_nested}",
            FINE,
            "string[] is not string",
        ),
        (
            "{type: string, outputSource: [s], pickValue: all_non_null}",
            FINE,
            "string[] is not string",
        ),
        ("{type: Directory, outputSource: file}", FINE, "File is not Directory"),
        ("{type: Directory, outputSource: say/said}", FINE, "stdout is not Directory"),
    ],
)
def test_links_that_never_fit(output: str, inputs: str, said: str) -> None:
    (found,) = wrong(workflow(STEPS % (output, inputs)))
    assert found.endswith(f" goes to the output o, but {said}")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("{type: string, outputSource: maybe}", "string? is not string"),
        ("{type: int, outputSource: say/length}", "int? is not int"),
        (
            "{type: 'string[]', outputSource: [s, maybe]}",
            "(string or null or string)[] is not string[]",
        ),
    ],
)
def test_a_link_that_may_not_fit_is_a_warning(output: str, said: str) -> None:
    text = workflow(STEPS % (output, "s}, when: $(true)")).replace(SIGN, "")
    (found,) = warned(text)
    assert found.startswith("main.cwl:14:3: ")
    assert found.endswith(f" goes to the output o, but {said} in every case")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("{type: 'string[]', outputSource: [s, ss]}", "ss goes to the output o, but string[]"),
        ("{type: 'string[]?', outputSource: [file, s]}", "file goes to the output o, but File"),
        (
            "{type: 'int[]', outputSource: [say/length, ss], linkMerge: merge_flattened}",
            "ss goes to the output o, but string",
        ),
        (
            "{type: 'string[]', outputSource: [maybe, file], pickValue: all_non_null}",
            "file goes to the output o, but File",
        ),
    ],
)
def test_one_of_several_links_that_never_fits(output: str, said: str) -> None:
    (found,) = wrong(workflow(STEPS % (output, FINE)))
    assert found.startswith(f"{said} is no item of ")


def test_one_of_several_links_that_need_not_carry_anything() -> None:
    text = workflow("""
        inputs: {maybe: File?, s: string, f: File}
        outputs:
          a: {type: {type: array, items: ["null", string]}, outputSource: [maybe, s]}
          b: {type: string, outputSource: [f, s], pickValue: first_non_null}
        steps: []
    """)
    assert wrong(text) == []


def test_an_output_that_nothing_goes_to() -> None:
    text = workflow("""
        outputs:
          »a: string
          b: string?
          c: {type: Any}
        steps: []
    """)
    assert wrong(text) == [f"nothing goes to the output a, which is string {OUTPUT_HINT}"]


def test_an_input_that_is_there_but_gets_nothing() -> None:
    text = workflow("""
        steps:
          say: {in: {»message: {}, times: {}}, SAY, out: []}
    """)
    assert wrong(text) == [MISSING_MESSAGE]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{default: 5}", "the default of message does not fit: expected string, got int 5"),
        ("{default: [a]}", "the default of message does not fit: expected string, got array ['a']"),
    ],
)
def test_a_default_of_another_type_that_is_the_only_value(entry: str, said: str) -> None:
    text = f"steps:\n  say:\n    in:\n      »message: {entry}\n    SAY\n    out: []\n"
    assert wrong(workflow(text)) == [said]


def test_a_default_of_another_type_that_may_be_used_is_a_warning() -> None:
    text = workflow("""
        inputs: {text: string?, n: {type: int, default: a}, fine: {type: "int[]", default: [1]}}
        outputs: {n: {type: int, outputSource: n}, fine: {type: "int[]", outputSource: fine}}
        steps:
          say:
            in: {message: {source: text, default: 5}, times: {default: 5, valueFrom: $(self)}}
            SAY
            out: []
    """)
    assert sorted(warned(text)) == [
        "main.cwl:12:40: the default of n does not fit: expected int, got string 'a'",
        "main.cwl:16:10: the default of message does not fit: expected string, got int 5",
    ]


def test_a_link_of_any_type_is_no_warning() -> None:
    text = workflow("""
        inputs: {a: Any, b: "Any[]", c: {type: {type: array, items: ["null", Any]}}}
        outputs:
          a: {type: Any, outputSource: a}
          b: {type: "Any[]", outputSource: b}
          c: {type: {type: array, items: ["null", Any]}, outputSource: c}
          d: {type: string, outputSource: a}
        steps: []
    """)
    assert (wrong(text), warned(text)) == ([], [])


def test_a_file_may_go_to_stdin() -> None:
    text = workflow("""
        inputs: {f: File}
        steps:
          cat: {in: {i: f}, run: cat.cwl, out: []}
    """)
    cat = ["cwlVersion: v1.2", "class: CommandLineTool", "inputs: {i: stdin}", "outputs: {}"]
    assert wrong(text, {"cat.cwl": "\n".join(cat)}) == []


@pytest.mark.parametrize(
    "rest", ["inputs: {a: stdin, »b: stdin}", "stdin: in.txt\ninputs: {»a: stdin}"]
)
def test_a_tool_reads_one_standard_input(rest: str) -> None:
    """CWL v1.2 CommandLineTool, ``stdin``: not both as a type and at the level of the tool."""
    text = f"cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\noutputs: []\n{rest}\n"
    (found,) = wrong(text)
    assert "is of type stdin, but the tool reads something else there" in found


# Scatters


def test_a_scatter_over_an_unknown_input() -> None:
    text = workflow("""
        inputs: {words: string}
        steps:
          say:
            in: {message: words}
            »scatter: mesage
            SAY
            out: []
    """)
    assert wrong(text) == [
        "scatter over 'mesage', which is no input of the step (did you mean 'message'?)"
    ]


def test_a_scatter_over_what_is_no_array() -> None:
    text = workflow("""
        inputs: {word: string}
        steps:
          say:
            in: {»message: word}
            scatter: message
            SAY
            out: []
    """)
    assert wrong(text) == ["word goes to say/message, but string is not string[]"]


def test_a_scatter_over_what_is_no_array_whatever_is_made_of_it() -> None:
    text = workflow("""
        inputs: {word: string, words: "string[]?"}
        steps:
          say:
            in:
              »message: {source: word, valueFrom: $(self)}
              »times: {}
            scatter: [message, times]
            scatterMethod: dotproduct
            SAY
            out: []
          fine:
            in: {message: {source: words, valueFrom: $(self)}}
            scatter: message
            SAY
            out: []
    """)
    assert wrong(text) == [
        "word goes to say/message, which is scattered, but string is no array",
        "times is scattered, but nothing is given for it",
    ]


@pytest.mark.parametrize(
    ("method", "kind", "problems"),
    [
        ("nested_crossproduct", "{type: array, items: {type: array, items: int}}", []),
        ("flat_crossproduct", "'int[]'", []),
        (
            "dotproduct",
            "'int[]'",
            [f"scatter over the same input twice is for arrays in arrays {TWICE_HINT}"],
        ),
    ],
)
def test_a_scatter_over_the_same_input_twice(method: str, kind: str, problems: list[str]) -> None:
    text = workflow(f"""
        inputs: {{words: {{type: {{type: array, items: {{type: array, items: string}}}}}}}}
        outputs: {{o: {{type: {kind}, outputSource: say/length}}}}
        steps:
          say:
            in: {{message: words}}
            »scatter: [message, message]
            scatterMethod: {method}
            SAY
            out: [length]
    """)
    found = wrong(text if problems else text.replace(SIGN, ""))
    assert found == problems


def test_a_scatter_over_several_inputs_without_a_method() -> None:
    text = workflow("""
        inputs: {words: "string[]", numbers: "int[]"}
        steps:
          say:
            in: {message: words, times: numbers}
            »scatter: [message, times]
            SAY
            out: []
    """)
    assert wrong(text) == [NO_METHOD]


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("dotproduct", "'int[]'"),
        ("flat_crossproduct", "'int[]'"),
        ("nested_crossproduct", "{type: array, items: {type: array, items: int}}"),
    ],
)
def test_every_method_gives_arrays_of_its_depth(method: str, kind: str) -> None:
    text = workflow(f"""
        inputs: {{words: "string[]", numbers: "int[]"}}
        outputs: {{o: {{type: {kind}, outputSource: say/length}}}}
        steps:
          say:
            in: {{message: words, times: numbers}}
            scatter: [message, times]
            scatterMethod: {method}
            SAY
            out: [length]
    """)
    assert (wrong(text), warned(text)) == ([], [])


# Requirements


@pytest.mark.parametrize(
    ("step", "requirement"),
    [
        ("in: {message: words}\n    »scatter: message", "ScatterFeatureRequirement"),
        ("in: {»message: [word, other]}", "MultipleInputFeatureRequirement"),
        ("in: {»message: {valueFrom: a}}", "StepInputExpressionRequirement"),
    ],
)
def test_a_requirement_that_is_missing(step: str, requirement: str) -> None:
    head = 'inputs: {words: "string[]", word: string?, other: string?}'
    text = workflow(f"{head}\nsteps:\n  say:\n    {step}\n    run: any.cwl\n    out: []", "")
    other = TOOL.replace("message: {type: string,", "message: {type: [string, 'string[]'],")
    assert wrong(text, {"any.cwl": other}) == [
        f"this needs {requirement} (add {requirement}: {{}} to the requirements)"
    ]
    for where in ("requirements", "hints"):
        given = text.replace(SIGN, "") + f"\n{where}: {{{requirement}: {{}}}}\n"
        assert wrong(given, {"any.cwl": other}) == []


def test_a_step_may_say_itself_what_it_requires() -> None:
    text = workflow(
        """
        inputs: {a: string, b: string}
        steps:
          say:
            requirements: {MultipleInputFeatureRequirement: {}}
            in: {message: {source: [a, b], pickValue: first_non_null}}
            SAY
            out: []
    """,
        "",
    )
    assert wrong(text) == []


def test_a_workflow_in_a_workflow_needs_its_requirement() -> None:
    inner = workflow("steps: []")
    text = workflow(
        """
        steps:
          »inner: {in: {}, run: inner.cwl, out: []}
    """,
        "",
    )
    needs = "this needs SubworkflowFeatureRequirement"
    assert wrong(text, {"inner.cwl": inner}) == [
        f"{needs} (add SubworkflowFeatureRequirement: {{}} to the requirements)"
    ]


def test_requirements_hold_for_what_is_further_in() -> None:
    inner = workflow(
        """
        inputs: {words: "string[]"}
        steps:
          say:
            in: {message: {source: words, valueFrom: $(self + 1)}}
            scatter: message
            SAY
            out: []
    """,
        "",
    )
    text = workflow("""
        inputs: {words: "string[]"}
        steps:
          inner: {in: {words: words}, run: inner.cwl, out: []}
    """)
    assert wrong(text, {"inner.cwl": inner}) == []


def test_errors_of_an_inner_document_are_in_that_document() -> None:
    inner = workflow("steps:\n  say: {in: {message: nothing}, SAY, out: []}")
    text = workflow("steps:\n  inner: {in: {}, run: inner.cwl, out: []}")
    assert wrong(text, {"inner.cwl": inner}) == [
        "inner.cwl:14:14: nothing in the workflow is called 'nothing'"
    ]


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_conditions_are_for_v1_2(version: str) -> None:
    text = workflow(
        """
        steps:
          say:
            in: {message: {default: a}}
            »when: $(true)
            SAY
            out: []
    """,
        version=version,
    )
    (found,) = wrong(text)
    assert found.startswith(("unknown field 'when'", "when is for CWL v1.2"))


# Cycles and duplicates


def test_steps_that_wait_for_each_other() -> None:
    text = workflow("""
        steps:
          »a: {in: {message: {default: a}, times: c/length}, SAY, out: [length]}
          »b: {in: {message: {default: a}, times: a/length}, SAY, out: [length]}
          »c: {in: {message: {default: a}, times: b/length}, SAY, out: [length]}
          d: {in: {message: {default: a}, times: c/length}, SAY, out: [length]}
    """)
    assert wrong(text) == [
        "a cycle: a waits for itself (a \u2192 b \u2192 c) (one of its links has to go)",
        "a cycle: b waits for itself (a \u2192 b \u2192 c) (one of its links has to go)",
        "a cycle: c waits for itself (a \u2192 b \u2192 c) (one of its links has to go)",
    ]


def test_a_workflow_that_runs_itself() -> None:
    text = workflow("steps:\n  me:\n    in: {}\n    »run: main.cwl\n    out: []")
    assert wrong(text) == ["a cycle: main.cwl \u2192 main.cwl"]


def test_workflows_that_run_each_other() -> None:
    text = workflow("steps:\n  it: {in: {}, run: other.cwl, out: []}")
    other = workflow("steps:\n  me: {in: {}, run: main.cwl, out: []}")
    (found,) = wrong(text, {"other.cwl": other})
    assert found == "other.cwl:14:16: a cycle: main.cwl \u2192 other.cwl \u2192 main.cwl"


def test_two_of_one_name() -> None:
    text = workflow("""
        inputs:
          - {id: a, type: int}
          - {»id: a, type: int}
        outputs:
          - {id: o, type: int, outputSource: a}
          - {»id: o, type: int, outputSource: a}
        steps:
          - {id: s, in: {message: {default: a}}, SAY, out: []}
          - {»id: s, in: {message: {default: a}}, SAY, out: []}
    """)
    found = wrong(text)
    assert len(found) == 3
    assert all("uplicate" in one or "twice" in one for one in found)


def test_two_of_one_name_in_a_mapping() -> None:
    (found,) = wrong(workflow("inputs: {a: int, »a: int}\nsteps: []"))
    assert 'found duplicate key "a"' in found


def test_workflows_that_run_each_other_twice_are_looked_at_once() -> None:
    levels = 40
    graph = ["{class: ExpressionTool, id: l0, inputs: [], outputs: [], expression: $(null)}"]
    for level in range(levels):
        steps = ", ".join(f"{one}: {{run: '#l{level}', in: [], out: []}}" for one in "ab")
        end = f"id: l{level + 1}, inputs: [], outputs: [], steps: {{{steps}}}"
        needs = "requirements: {SubworkflowFeatureRequirement: {}}"
        graph.append(f"{{class: Workflow, {needs}, {end}}}")
    text = "cwlVersion: v1.2\n$graph:\n" + "".join(f"- {one}\n" for one in graph)
    found = package(text, fragment=f"l{levels}")
    assert check(found) == Findings()
    process = compile_package(found.resolved)
    assert [tool.id for tool in tools(process)] == ["l0"]
    assert own_files(process) == ()


# Expressions


def test_javascript_where_it_is_not_asked_for() -> None:
    text = workflow(
        """
        inputs: {go: int}
        steps:
          say:
            in: {message: {default: a}, go: go}
            »when: $(inputs.go > 1)
            SAY
            out: []
    """,
        "",
    )
    assert wrong(text) == [f"$(inputs.go > 1) {NO_JAVASCRIPT}"]


def test_a_step_may_ask_for_javascript_itself() -> None:
    text = workflow(
        """
        inputs: {go: int}
        steps:
          say:
            requirements: {InlineJavascriptRequirement: {}}
            in: {message: {default: a}, go: go}
            when: $(inputs.go > 1)
            SAY
            out: []
    """,
        "",
    )
    assert wrong(text) == []


@pytest.mark.parametrize(
    "field",
    [
        "»stdout: $(inputs.a",
        "»stderr: $(inputs.a",
        "»stdin: $(inputs.a",
        "arguments: [a, »$(inputs.a]",
        "arguments: [»{valueFrom: $(inputs.a}]",
        "arguments: [»{valueFrom: a, position: $(inputs.a}]",
        "inputs: {»i: {type: int, inputBinding: {valueFrom: $(inputs.a}}}",
        "inputs: {»i: {type: File, secondaryFiles: $(inputs.a}}",
        "outputs: {»o: {type: File, outputBinding: {glob: $(inputs.a}}}",
        "outputs: {»o: {type: File, outputBinding: {glob: [a, $(inputs.a]}}}",
        "outputs: {»o: {type: int, outputBinding: {outputEval: $(inputs.a}}}",
        "requirements: {»ResourceRequirement: {ramMin: $(inputs.a}}",
        "requirements: {»EnvVarRequirement: {envDef: {A: $(inputs.a}}}",
        "requirements: {»WORKDIR: {listing: [{entryname: a, entry: $(inputs.a}]}}",
        "requirements: {»WORKDIR: {listing: [{entryname: $(inputs.a, entry: a}]}}",
        "requirements: {»WORKDIR: {listing: [$(inputs.a]}}",
        "requirements: {»WORKDIR: {listing: $(inputs.a}}",
    ],
)
def test_an_expression_that_does_not_end(field: str) -> None:
    named = field.partition(":")[0].replace(SIGN, "")
    rest = [f"{one}: []" for one in ("inputs", "outputs") if one != named]
    text = "\n".join(["cwlVersion: v1.2", "class: CommandLineTool", "baseCommand: a", *rest, field])
    quoted = text.replace("$(inputs.a", "'$(inputs.a'")
    quoted = quoted.replace("WORKDIR", "InitialWorkDirRequirement")
    assert wrong(quoted) == [
        "the expression '$(inputs.a' does not end (write \\$( for a literal $()"
    ]


def test_the_expression_of_an_expression_tool() -> None:
    text = "cwlVersion: v1.2\nclass: ExpressionTool\ninputs: []\noutputs: []\n»expression: $({})"
    assert wrong(text) == [f"$({{}}) {NO_JAVASCRIPT}"]


# All together


def test_an_input_that_nothing_takes_is_a_warning() -> None:
    text = workflow("""
        inputs: {text: string, unused: int}
        steps:
          say: {in: {message: text}, SAY, out: []}
    """)
    assert [str(one) for one in findings(text, {"say.cwl": TOOL}).warnings] == [
        "main.cwl:13:24: nothing in the workflow takes the input 'unused'"
    ]


def test_checking_raises_with_every_error() -> None:
    text = workflow("""
        steps:
          say: {in: {message: nothing}, SAY, out: [no]}
    """)
    with pytest.raises(InvalidPackage) as error:
        check(package(text, {"say.cwl": TOOL}))
    assert error.value.message == "main.cwl cannot be run"
    assert [problem.where for problem in error.value.problems] == ["main.cwl", "main.cwl"]
    assert [problem.line for problem in error.value.problems] == [15, 15]


def test_the_same_error_is_told_once_however_often_a_tool_is_run() -> None:
    text = workflow("""
        steps:
          a: {in: {message: {default: a}}, run: broken.cwl, out: []}
          b: {in: {message: {default: a}}, run: broken.cwl, out: []}
    """)
    assert len(wrong(text, {"broken.cwl": f"{TOOL}\nstdin: $(inputs.message"})) == 1


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_picking_values_is_for_v1_2(version: str) -> None:
    text = workflow(
        """
        inputs: {a: string?, b: string}
        outputs:
          o: {type: string, outputSource: [a, b], »pickValue: first_non_null}
        steps: []
    """,
        "",
        version=version,
    )
    assert wrong(text)[0].startswith("unknown field 'pickValue'")


def test_an_input_of_type_stdin_is_not_for_v1_0() -> None:
    text = "class: CommandLineTool\nbaseCommand: cat\ninputs: {»i: stdin}\noutputs: []\n"
    (found,) = wrong(f"cwlVersion: v1.0\n{text}")
    assert found.startswith("unknown type 'stdin'")
    for version in ("v1.1", "v1.2"):
        assert wrong(f"cwlVersion: {version}\n{text}".replace(SIGN, "")) == []


# References to what is not there


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("$(inputs.nam)", "there is no 'nam' in inputs (did you mean 'name'?)"),
        ("$(inputs['x'].y)", "there is no 'x' in inputs (there is: name)"),
        ("a-$(inputs.name)-$(inputs.b)", "there is no 'b' in inputs (there is: name)"),
        ("$(runtime.core)", "there is no 'core' in runtime (did you mean 'cores'?)"),
    ],
)
@pytest.mark.parametrize("field", ["stdout: %s", "arguments: [{valueFrom: %s}]"])
def test_a_reference_to_what_is_not_there(field: str, reference: str, said: str) -> None:
    line = field % json.dumps(reference)
    (found,) = errors(
        "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: a\n"
        f"inputs: {{name: string}}\noutputs: []\n{line}\n"
    )
    assert found.startswith("main.cwl:6:")
    assert found.endswith(said)


def test_references_of_a_step_are_to_what_the_step_is_given() -> None:
    text = (
        "cwlVersion: v1.2\nclass: Workflow\ninputs: {a: string}\noutputs: []\n"
        "requirements: {StepInputExpressionRequirement: {}}\nsteps:\n"
        "  s:\n    run: {class: Operation, inputs: {x: Any}, outputs: []}\n    out: []\n"
        "    in: {x: {source: a, valueFrom: $(inputs.%s)}, y: a}\n"
    )
    assert errors(text % "y") == []
    (found,) = errors(text % "a")
    assert "there is no 'a' in inputs" in found


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ("inputs: []\noutputs: {o: {type: stdout, outputBinding: {glob: a}}}", "outputBinding"),
        ("inputs: []\noutputs: {o: {type: stderr, outputBinding: {glob: a}}}", "outputBinding"),
    ],
)
@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_a_stream_has_no_binding(version: str, ports: str, said: str) -> None:
    tool = f"cwlVersion: {version}\nclass: CommandLineTool\nbaseCommand: a\n{ports}\n"
    (found,) = errors(tool)
    assert found.startswith("main.cwl:5:")
    assert f"has no {said}" in found


@pytest.mark.parametrize(
    "requirement",
    [
        "NetworkAccess: {networkAccess: true}",
        "WorkReuse: {enableReuse: false}",
        "LoadListingRequirement: {loadListing: no_listing}",
        "InplaceUpdateRequirement: {inplaceUpdate: true}",
        "ToolTimeLimit: {timelimit: 5}",
    ],
)
def test_a_requirement_that_v1_0_has_not(requirement: str) -> None:
    text = (
        "cwlVersion: %s\nclass: CommandLineTool\nbaseCommand: a\ninputs: []\noutputs: []\n"
        f"%s: {{{requirement}}}\n"
    )
    (found,) = errors(text % ("v1.0", "requirements"))
    assert f"{requirement.partition(':')[0]} is for CWL v1.1" in found
    assert errors(text % ("v1.0", "hints")) == []
    assert errors(text % ("v1.1", "requirements")) == []


def test_an_empty_field_of_namespaces() -> None:
    text = "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: a\ninputs: []\noutputs: []\n"
    (found,) = errors(f"{text}$namespaces:\n")
    assert (
        found == "main.cwl:6:1: $namespaces is no mapping of prefixes (fill it in, or take it out)"
    )


LINKED = """
cwlVersion: v1.2
class: Workflow
inputs: {go: boolean}
requirements: {InlineJavascriptRequirement: {}}
outputs: {end: {type: '%s', outputSource: s/o}}
steps:
  s:
    run: {class: CommandLineTool, baseCommand: a, inputs: {go: boolean}, outputs: {o: %s}}
    in: {go: go}
    out: [o]
"""


@pytest.mark.parametrize(
    ("kind", "output", "when", "said"),
    [
        (
            "Directory",
            "{type: Any, outputBinding: {glob: .}}",
            "",
            "its glob gives a list of files",
        ),
        ("File[]", "{type: Any, outputBinding: {glob: .}}", "", None),
        ("Any", "{type: Any, outputBinding: {glob: .}}", "", None),
        ("Directory", "{type: Directory, outputBinding: {glob: .}}", "", None),
        ("File", "stdout", "    when: $(inputs.go)\n", "is not File in every case"),
        ("File?", "stdout", "    when: $(inputs.go)\n", None),
    ],
)
def test_a_link_that_may_fail_in_the_end(
    kind: str, output: str, when: str, said: str | None
) -> None:
    found = findings(LINKED % (kind, output) + when)
    assert found.errors == []
    assert [said in str(one) for one in found.warnings if said] == ([True] if said else [])
    assert len(found.warnings) == (said is not None)
