"""A package's steps as a graph, and that graph as text: Mermaid, DOT, plain words.

Owns which boxes and arrows stand for a package: its inputs, steps and outputs, the links between
them, and what a step that runs a workflow holds in turn. Must not know documents or jobs, nor sizes
and positions: those are ``graph_svg``'s.

Packages come in their resolved form and have passed the check: every link leads somewhere, and no
step waits for itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from localproc.frozen import frozen

_TIMES: Final = "\N{MULTIPLICATION SIGN}"
_WHEN_WIDTH: Final = 48
_MOST_BOXES: Final = 2000  #: within the steps of a drawing


@frozen
class Node:
    """A box.

    ``key`` is the path of what it stands for, from the outermost process:
    ``steps/detect/inputs/bands``. ``title`` is its name with what it is scattered over. ``when`` is
    the condition of a step that may be skipped. ``inner`` is there for a step that runs a workflow;
    links lead to the inputs and from the outputs in it, not to the step itself.
    """

    key: str
    role: Literal["input", "step", "output"]
    title: str
    when: str = ""
    inner: "Graph | None" = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The box's text."""
        return (self.title, f"when {self.when}") if self.when else (self.title,)


@frozen
class Edge:
    """An arrow for all links between two boxes; ``label`` names the step's outputs they carry."""

    source: str
    target: str
    label: str = ""


@frozen
class Graph:
    """A process: its boxes, in the order of the document, and its arrows."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(resolved: Mapping[str, Any]) -> Graph:
    """Return the graph of a package; a tool is a single step between its inputs and outputs.

    Of a workflow with very many boxes in all, what some steps hold is left out.
    """
    return _Drawing(resolved["processes"]).graph(resolved["main"])


def mermaid(resolved: Mapping[str, Any]) -> str:
    """Draw a package as a Mermaid flowchart."""
    graph = graph_of(resolved)
    ids = {node.key: f"n{number}" for number, node in enumerate(_all_nodes(graph), 1)}
    lines = ["flowchart TB", *_indented(_mermaid(graph, ids))]
    conditional = [ids[node.key] for node in _all_nodes(graph) if node.when]
    if conditional:
        lines.append("  classDef conditional stroke-dasharray: 5 4")
        lines.append(f"  class {','.join(conditional)} conditional")
    return "\n".join(lines) + "\n"


def dot(resolved: Mapping[str, Any]) -> str:
    """Draw a package in Graphviz' DOT language."""
    graph = graph_of(resolved)
    lines = [
        f"digraph {_dot_text(graph.title)} {{",
        '  graph [fontname="sans-serif", style=rounded]',
        '  node [fontname="sans-serif", shape=box]',
        '  edge [fontname="sans-serif", fontsize=10]',
        *_indented(_dot(graph)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def in_words(graph: Graph) -> str:
    """Say what a graph shows: ``inputs: a, b; steps: c (inputs: ...), d; outputs: e``."""
    said = []
    for role in ("input", "step", "output"):
        names = [
            " ".join(node.lines) + (f" ({in_words(node.inner)})" if node.inner else "")
            for node in graph.nodes
            if node.role == role
        ]
        if names:
            said.append(f"{role}s: {', '.join(names)}")
    return "; ".join(said)


# From the resolved form


class _Drawing:
    """Makes the graph of a package.

    A workflow is drawn wherever it is run, and twenty that each run the next one twice would be a
    million of boxes: what a step holds is drawn while there is room for all of it.
    """

    def __init__(self, processes: Mapping[str, Any]) -> None:
        self._processes = processes
        self._room = _MOST_BOXES
        self._sizes: dict[str, int] = {}

    def graph(self, name: str, path: str = "", extra: Sequence[str] = ()) -> Graph:
        """Return the graph of a process; ``extra`` are those of its step's inputs that it lacks.

        Such an input is there for the step's own expressions, its ``when`` for one.
        """
        process = self._processes[name]
        inputs = [*(port["id"] for port in process["inputs"]), *extra]
        outputs = [port["id"] for port in process["outputs"]]
        if process["class"] == "Workflow":
            steps = [self._step(step, path) for step in process["steps"]]
            edges = _workflow_edges(process, steps, path)
        else:
            steps = [Node(f"{path}steps/{process['id']}", "step", _line(process["id"]))]
            edges = _tool_edges(inputs, steps[0], outputs, path)
        nodes = (
            *(Node(f"{path}inputs/{one}", "input", _line(one)) for one in inputs),
            *steps,
            *(Node(f"{path}outputs/{one}", "output", _line(one)) for one in outputs),
        )
        return Graph(_line(process["id"]), nodes, tuple(edges))

    def _step(self, step: Mapping[str, Any], path: str) -> Node:
        key = f"{path}steps/{step['id']}"
        run = self._processes[step["run"]]
        inner, title = None, f"{step['id']} {_scatter(step)}"
        if run["class"] == "Workflow" and self._size(step["run"]) > self._room:
            title += " …"
        elif run["class"] == "Workflow":
            self._room -= self._own_size(step["run"])
            known = {port["id"] for port in run["inputs"]}
            extra = [one["id"] for one in step["in"] if one["id"] not in known]
            inner = self.graph(step["run"], f"{key}/", extra)
        return Node(key, "step", _line(title), _when(step.get("when", "")), inner)

    def _size(self, name: str) -> int:
        """Return how many boxes there are in a workflow, and in all that it runs."""
        if name not in self._sizes:
            steps = self._processes[name].get("steps", ())
            inner = sum(self._size(step["run"]) for step in steps)
            self._sizes[name] = self._own_size(name) + inner
        return self._sizes[name]

    def _own_size(self, name: str) -> int:
        process = self._processes[name]
        if process["class"] != "Workflow":
            return 0
        return sum(len(process[part]) for part in ("inputs", "steps", "outputs"))


def _scatter(step: Mapping[str, Any]) -> str:
    """Write what multiplies a step: each input of a crossproduct, or those that go in pairs."""
    names = step["scatter"]
    if len(names) > 1 and step.get("scatterMethod", "dotproduct") == "dotproduct":
        names = [f"({', '.join(names)})"]
    return " ".join(f"{_TIMES} {name}" for name in names)


def _when(expression: str) -> str:
    text = _line(expression)
    if text.startswith("$(") and text.endswith(")") and text.count("$(") == 1:
        text = text[2:-1]
    return text if len(text) <= _WHEN_WIDTH else text[: _WHEN_WIDTH - 1] + "…"


def _line(text: str) -> str:
    """Return a text as one line of characters that can be seen."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _tool_edges(
    inputs: Sequence[str], tool: Node, outputs: Sequence[str], path: str
) -> Iterator[Edge]:
    for one in inputs:
        yield Edge(f"{path}inputs/{one}", tool.key)
    for one in outputs:
        yield Edge(tool.key, f"{path}outputs/{one}")


def _workflow_edges(
    workflow: Mapping[str, Any], steps: Sequence[Node], path: str
) -> Iterator[Edge]:
    """Yield an edge for each pair of boxes with links between them."""
    sources = {port["id"]: (f"{path}inputs/{port['id']}", "") for port in workflow["inputs"]}
    sinks = []
    for step, node in zip(workflow["steps"], steps, strict=True):
        for out in step["out"]:
            inner_output = (f"{node.key}/outputs/{out}", "")
            sources[f"{step['id']}/{out}"] = inner_output if node.inner else (node.key, _line(out))
        for one in step["in"]:
            target = f"{node.key}/inputs/{one['id']}" if node.inner else node.key
            sinks.append((one["source"], target))
    sinks += [(port["source"], f"{path}outputs/{port['id']}") for port in workflow["outputs"]]
    carried: dict[tuple[str, str], dict[str, None]] = {}
    for names, target in sinks:
        for source, output in (sources[name] for name in names):
            carried.setdefault((source, target), {})[output] = None
    for (source, target), labels in carried.items():
        yield Edge(source, target, ", ".join(labels))


def _all_nodes(graph: Graph) -> Iterator[Node]:
    for node in graph.nodes:
        yield node
        if node.inner is not None:
            yield from _all_nodes(node.inner)


# Mermaid


def _mermaid(graph: Graph, ids: Mapping[str, str]) -> Iterator[str]:
    for node in graph.nodes:
        text = _mermaid_text("\n".join(node.lines))
        if node.inner is not None:
            yield f"subgraph {ids[node.key]}[{text}]"
            yield from _indented(_mermaid(node.inner, ids))
            yield "end"
        elif node.role == "step":
            yield f"{ids[node.key]}[{text}]"
        else:
            yield f"{ids[node.key]}([{text}])"
    for edge in graph.edges:
        label = f"|{_mermaid_text(edge.label)}|" if edge.label else ""
        yield f"{ids[edge.source]} -->{label} {ids[edge.target]}"


def _mermaid_text(text: str) -> str:
    """Quote a text; characters that mean something to Mermaid or HTML become its entities."""
    safe = "".join(f"#{ord(one)};" if one in '"#%&<>\\`' else one for one in text)
    return '"' + safe.replace("\n", "<br>") + '"'


# DOT


def _dot(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        text = _dot_text("\n".join(node.lines))
        border = "rounded,dashed" if node.when else "rounded"
        if node.inner is not None:
            yield f"subgraph {_dot_text('cluster_' + node.key)} {{"
            yield f'  label={text}; style="{border}"'
            yield from _indented(_dot(node.inner))
            yield "}"
        elif node.role == "step":
            yield f'{_dot_text(node.key)} [label={text}, style="{border}"]'
        else:
            yield f"{_dot_text(node.key)} [label={text}, shape=ellipse]"
    for edge in graph.edges:
        label = f" [label={_dot_text(edge.label)}]" if edge.label else ""
        yield f"{_dot_text(edge.source)} -> {_dot_text(edge.target)}{label}"


def _dot_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return ("  " + line for line in lines)
