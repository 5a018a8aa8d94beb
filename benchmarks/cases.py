"""The workflows that are measured: their packages, their inputs and their bare commands.

Owns what is run. Must not know who runs it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

Command = Sequence[str]

ECHO: Mapping[str, Any] = {
    "class": "CommandLineTool",
    "id": "echo",
    "baseCommand": "echo",
    "inputs": {"message": {"type": "string", "inputBinding": {}}},
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}
_COPY = {
    "class": "CommandLineTool",
    "id": "copy",
    "baseCommand": "cat",
    "inputs": {"file": {"type": "File", "inputBinding": {}}},
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}
_LOUD = {
    "class": "CommandLineTool",
    "id": "loud",
    "requirements": {"InlineJavascriptRequirement": {}},
    "baseCommand": "echo",
    "arguments": ["${ return inputs.words.map(w => w.toUpperCase()).sort().join(' ') + '!'; }"],
    "inputs": {"words": "string[]"},
    "stdout": "said.txt",
    "outputs": {
        "said": {
            "type": "string",
            "outputBinding": {
                "glob": "said.txt",
                "loadContents": True,
                "outputEval": "$(self[0].contents.trim())",
            },
        }
    },
}


@dataclass(frozen=True, slots=True)
class Case:
    """A package with inputs, and the same without CWL.

    ``stages`` are the commands; those of one stage do not need each other. ``warm_up`` are inputs
    for a small run before.
    """

    name: str
    package: Mapping[str, Any]
    inputs: Mapping[str, Any]
    warm_up: Mapping[str, Any]
    stages: Sequence[Sequence[Command]]
    javascript: bool = False

    @property
    def tasks(self) -> int:
        """How many processes it takes."""
        return sum(map(len, self.stages))

    @property
    def repeats(self) -> int:
        """How often it is run at a time, so that a short one is not measured by its noise."""
        return max(1, 100 // self.tasks)

    def write(self, folder: str) -> tuple[str, str]:
        """Write the package and its inputs; give their paths."""
        package, inputs = Path(folder, "package.cwl"), Path(folder, "inputs.json")
        package.write_text(json.dumps(self.package))
        inputs.write_text(json.dumps(self.inputs))
        return str(package), str(inputs)


def echo() -> Case:
    """Give a single tool."""
    inputs = {"message": "hello"}
    return Case("echo", {"cwlVersion": "v1.2", **ECHO}, inputs, inputs, [[["echo", "hello"]]])


def scatter(width: int) -> Case:
    """Give ``echo`` over as many messages."""
    messages = [f"hello {number}" for number in range(width)]
    workflow = {
        "requirements": {"ScatterFeatureRequirement": {}},
        "inputs": {"messages": "string[]"},
        "outputs": {"all": {"type": "File[]", "outputSource": "say/said"}},
        "steps": {
            "say": {
                "run": "#echo",
                "scatter": "message",
                "in": {"message": "messages"},
                "out": ["said"],
            }
        },
    }
    return Case(
        f"scatter {width:,}",
        _graph(workflow, ECHO),
        {"messages": messages},
        {"messages": messages[:4]},
        [[["echo", message] for message in messages]],
    )


def chain() -> Case:
    """Give five steps, each of which waits for the one before."""
    steps: dict[str, Any] = {"one": {"run": "#echo", "in": {"message": "message"}, "out": ["said"]}}
    names = ["one", "two", "three", "four", "five"]
    for before, name in pairwise(names):
        steps[name] = {"run": "#copy", "in": {"file": f"{before}/said"}, "out": ["said"]}
    workflow = {
        "inputs": {"message": "string"},
        "outputs": {"last": {"type": "File", "outputSource": "five/said"}},
        "steps": steps,
    }
    stages = [[["echo", "hello"]], *([["cat", f"../{number}/said.txt"]] for number in range(4))]
    inputs = {"message": "hello"}
    return Case("chain of 5", _graph(workflow, ECHO, _COPY), inputs, inputs, stages)


def diamond() -> Case:
    """Give twenty steps with JavaScript in each: one, then eighteen, then one."""
    middle = [f"side{number}" for number in range(18)]
    steps: dict[str, Any] = {"top": {"run": "#loud", "in": {"words": "words"}, "out": ["said"]}}
    one = {"source": ["top/said"], "linkMerge": "merge_nested"}
    for name in middle:
        steps[name] = {"run": "#loud", "in": {"words": one}, "out": ["said"]}
    gathered = {"source": [f"{name}/said" for name in middle]}
    steps["bottom"] = {"run": "#loud", "in": {"words": gathered}, "out": ["said"]}
    workflow = {
        "requirements": {"MultipleInputFeatureRequirement": {}},
        "inputs": {"words": "string[]"},
        "outputs": {"last": {"type": "string", "outputSource": "bottom/said"}},
        "steps": steps,
    }
    said = "A B!"
    stages = [[["echo", said]], [["echo", f"{said}!"]] * 18, [["echo", *[f"{said}!!"] * 18]]]
    inputs = {"words": ["b", "a"]}
    package = _graph(workflow, _LOUD)
    return Case("diamond of 20 with JavaScript", package, inputs, inputs, stages, javascript=True)


def _graph(workflow: Mapping[str, Any], *tools: Mapping[str, Any]) -> dict[str, Any]:
    main = {"class": "Workflow", "id": "main", **workflow}
    return {"cwlVersion": "v1.2", "$graph": [main, *tools]}
