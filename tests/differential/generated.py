"""Small workflows, made up: steps of a few kinds, linked at random wherever types fit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hypothesis import strategies as st

Json: TypeAlias = dict[str, Any]
_JAVASCRIPT: Json = {"InlineJavascriptRequirement": {}}
_FEATURES = (
    "InlineJavascriptRequirement",
    "MultipleInputFeatureRequirement",
    "ScatterFeatureRequirement",
    "StepInputExpressionRequirement",
    "SubworkflowFeatureRequirement",
)


def _expression(inputs: Json, output: str, code: str) -> Json:
    return {
        "class": "ExpressionTool",
        "requirements": _JAVASCRIPT,
        "inputs": inputs,
        "outputs": {"o": output},
        "expression": f"$({{o: {code}}})",
    }


def _writer(inputs: Json) -> Json:
    return {
        "class": "CommandLineTool",
        "baseCommand": ["printf", "<%s>"],
        "inputs": {"n": {"type": "int", "inputBinding": {"prefix": "-n"}}, **inputs},
        "outputs": {"o": "stdout"},
        "stdout": "written.txt",
    }


ADD = _expression({"a": "int", "b": "int?"}, "int", "inputs.a + (inputs.b || 0)")
TOTAL = _expression({"l": "int[]"}, "int", "inputs.l.reduce(function (a, b) { return a + b; }, 0)")
NEST = {
    "class": "Workflow",
    "inputs": {"a": "int"},
    "outputs": {"o": {"type": "int", "outputSource": "twice/o"}},
    "steps": {"twice": {"run": ADD, "in": {"a": "a", "b": "a"}, "out": ["o"]}},
}
WRITE = _writer({"s": {"type": "string", "inputBinding": {"position": 1}}})
WRITE_ALL = _writer(
    {"t": {"type": "string[]", "inputBinding": {"itemSeparator": ",", "prefix": "--t="}}}
)
CAT = {
    "class": "CommandLineTool",
    "baseCommand": ["cat", "/dev/null"],
    "inputs": {"f": {"type": "File[]", "inputBinding": {}}},
    "outputs": {"o": "stdout"},
    "stdout": "together.txt",
}


@dataclass
class _Pool:
    """The workflow so far: its steps, and what a step may be linked to, by type."""

    draw: st.DrawFn
    steps: Json = field(default_factory=dict)
    sources: dict[str, list[str]] = field(
        default_factory=lambda: {"int": ["i"], "int[]": ["l"], "string": ["s"], "string[]": ["t"]}
    )

    def any(self, *types: str) -> str:
        return self.draw(st.sampled_from([one for kind in types for one in self.sources[kind]]))

    def some(self, *types: str) -> list[str]:
        known = [one for kind in types for one in self.sources.get(kind, [])]
        return self.draw(st.lists(st.sampled_from(known), min_size=2, max_size=3))

    def step(self, run: Json, inputs: Json, gives: str, **more: Any) -> None:
        name = f"step{len(self.steps) + 1}"
        self.steps[name] = {"run": run, "in": inputs, "out": ["o"], **more}
        self.sources.setdefault(gives, []).append(f"{name}/o")


def _add(pool: _Pool) -> None:
    other = pool.draw(
        st.sampled_from(
            [
                {"source": pool.any("int")},
                {"default": 7},
                {"source": pool.any("int"), "valueFrom": "$(self * 2)"},
                {"valueFrom": "$(inputs.a - 1)"},
            ]
        )
    )
    pool.step(ADD, {"a": pool.any("int"), "b": other}, "int")


def _scatter(pool: _Pool) -> None:
    run = pool.draw(st.sampled_from([ADD, NEST]))
    pool.step(run, {"a": pool.any("int[]")}, "int[]", scatter="a")


def _cross(pool: _Pool) -> None:
    method = pool.draw(st.sampled_from(["dotproduct", "flat_crossproduct", "nested_crossproduct"]))
    gives = "int[][]" if method == "nested_crossproduct" else "int[]"
    inputs = {"a": pool.any("int[]"), "b": pool.any("int[]")}
    pool.step(ADD, inputs, gives, scatter=["a", "b"], scatterMethod=method)


def _when(pool: _Pool) -> None:
    limit = pool.draw(st.integers(-2, 2))
    pool.step(ADD, {"a": pool.any("int")}, "int?", when=f"$(inputs.a > {limit})")


def _scattered_when(pool: _Pool) -> None:
    inputs = {"a": pool.any("int[]")}
    pool.step(ADD, inputs, "int?[]", scatter="a", when="$(inputs.a % 2 == 0)")


def _pick(pool: _Pool) -> None:
    method = pool.draw(st.sampled_from(["first_non_null", "the_only_non_null"]))
    sources = [*pool.some("int?", "int"), pool.any("int")]
    pool.step(ADD, {"a": {"source": sources, "pickValue": method}}, "int")


def _merge(pool: _Pool) -> None:
    inputs = pool.draw(
        st.sampled_from(
            [
                {"source": pool.some("int")},
                {"source": [pool.any("int")], "linkMerge": "merge_nested"},
                {"source": pool.some("int", "int[]"), "linkMerge": "merge_flattened"},
                {"source": pool.some("int", "int?"), "pickValue": "all_non_null"},
            ]
        )
    )
    pool.step(TOTAL, {"l": inputs}, "int")


def _write(pool: _Pool) -> None:
    pool.step(WRITE, {"n": pool.any("int"), "s": pool.any("string")}, "File")


def _write_each(pool: _Pool) -> None:
    inputs = {"n": pool.any("int"), "s": pool.any("string[]")}
    pool.step(WRITE, inputs, "File[]", scatter="s")


def _write_all(pool: _Pool) -> None:
    pool.step(WRITE_ALL, {"n": pool.any("int"), "t": pool.any("string[]")}, "File")


def _cat(pool: _Pool) -> None:
    if "File" in pool.sources:
        sources = pool.some("File", "File[]")
        pool.step(CAT, {"f": {"source": sources, "linkMerge": "merge_flattened"}}, "File")


_KINDS: list[Callable[[_Pool], None]] = [
    *(_add, _scatter, _cross, _when, _scattered_when, _pick, _merge),
    *(_write, _write_each, _write_all, _cat),
]
_TEXTS = st.text("ab $\\'\"{}()é", max_size=4)


@st.composite
def workflows(draw: st.DrawFn) -> tuple[Json, Json]:
    """Give a workflow and its inputs. Every step's output is one of the workflow's."""
    pool = _Pool(draw)
    for kind in draw(st.lists(st.sampled_from(_KINDS), min_size=1, max_size=5)):
        kind(pool)
    inputs = {
        "i": draw(st.integers(-3, 3)),
        "l": draw(st.lists(st.integers(-3, 3), max_size=3)),
        "s": draw(_TEXTS),
        "t": draw(st.lists(_TEXTS, max_size=2)),
    }
    made = {
        one: kind for kind, sources in pool.sources.items() for one in sources if one[-2:] == "/o"
    }
    document = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "requirements": {name: {} for name in _FEATURES},
        "inputs": {"i": "int", "l": "int[]", "s": "string", "t": "string[]"},
        "outputs": {
            f"from_{source[:-2]}": {"type": _written(kind), "outputSource": source}
            for source, kind in made.items()
        },
        "steps": pool.steps,
    }
    return document, inputs


def _written(kind: str) -> Any:
    """Write a type; only the outermost part may be in CWL's short form."""
    if kind.endswith("][]"):
        return {"type": "array", "items": {"type": "array", "items": "int"}}
    return {"type": "array", "items": ["null", "int"]} if kind == "int?[]" else kind
