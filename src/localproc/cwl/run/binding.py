"""The command line of a tool.

Owns the order of its parts and how values become arguments (CWL v1.2 CommandLineTool, section 4.1
"Input binding"). Must not know files on disk, environment or streams.
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from localproc.cwl.base.numbers import json_text, number_text
from localproc.cwl.base.types import MAPPINGS, CwlType, is_filelike, kind, matches, members
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.process import Tool
from localproc.errors import StepError

#: Numbers sort before names, each among their own.
_Key: TypeAlias = tuple[tuple[int, int, str], ...]
_Bound: TypeAlias = tuple[_Key, Mapping[str, Any], Any]


def command_line(tool: Tool, context: Context) -> list[str]:
    """Return the arguments that start the tool, ``baseCommand`` first.

    With ShellCommandRequirement they are those of a shell. Raises ``StepError`` and
    ``ExpressionError``.
    """
    return _CommandLine(tool, context).build()


class _CommandLine:
    def __init__(self, tool: Tool, context: Context) -> None:
        self._tool = tool
        self._context = context

    def build(self) -> list[str]:
        tool = self._tool
        base = _as_list(tool.spec.get("baseCommand"))
        bound = sorted(self._bound(), key=lambda one: one[0])
        parts = [(spec, self._arguments(spec, value)) for _, spec, value in bound]
        if not tool.requirements.has("ShellCommandRequirement"):
            return [*base, *(argument for _, arguments in parts for argument in arguments)]
        words = [shlex.quote(word) for word in base]
        for spec, arguments in parts:
            quoted = spec.get("shellQuote", True)
            words += [shlex.quote(word) for word in arguments] if quoted else arguments
        return ["/bin/sh", "-c", " ".join(words)]

    def _bound(self) -> Iterator[_Bound]:
        for index, argument in enumerate(self._tool.spec.get("arguments") or ()):
            spec = {"valueFrom": argument} if isinstance(argument, str) else argument
            yield (self._position(spec, None), _number(index)), spec, None
        for port in self._tool.inputs:
            value = self._context.inputs.get(port.id)
            if value is not None:
                yield from self._bind(port.type, value, port.spec.get("inputBinding"), port.id)

    def _bind(
        self, cwl_type: CwlType, value: Any, spec: Mapping[str, Any] | None, name: str
    ) -> Iterator[_Bound]:
        """Bind a value, and what is inside it, under the binding that stands on it."""
        here: _Key = ()
        if spec is not None:
            here = (self._position(spec, value), _name(name))
            yield here, spec, value
            if "valueFrom" in spec:
                return
        if isinstance(cwl_type, str) and cwl_type != "Any":
            return
        branch = _branch(cwl_type, value)
        own = branch.get("inputBinding") if isinstance(branch, MAPPINGS) else None
        inside = self._items if kind(branch) == "array" else self._fields
        if own is not None and kind(branch) != "array":
            plain = {key: item for key, item in dict(branch).items() if key != "inputBinding"}
            bound = self._bind(plain, value, own, name)
        else:
            bound = inside(branch, value, spec, name)
        for key, inner, item in bound:
            yield here + key, inner, item

    def _items(
        self, cwl_type: Any, value: Any, spec: Mapping[str, Any] | None, name: str
    ) -> Iterator[_Bound]:
        own = cwl_type.get("inputBinding")
        if own is None and spec is not None and "itemSeparator" not in spec:
            own = {}
        for index, item in enumerate(value):
            for key, inner, bound in self._bind(cwl_type["items"], item, own, name):
                yield (_number(index), *key), inner, bound

    def _fields(
        self, cwl_type: Any, value: Any, spec: Mapping[str, Any] | None, name: str
    ) -> Iterator[_Bound]:
        if kind(cwl_type) != "record":
            return
        for field in cwl_type["fields"]:
            item = value.get(field["name"])
            if item is not None:
                yield from self._bind(field["type"], item, field.get("inputBinding"), field["name"])

    def _position(self, spec: Mapping[str, Any], value: Any) -> tuple[int, int, str]:
        position = spec.get("position", 0)
        if isinstance(position, str):
            position = self._evaluate(position, value)
        if position is None:
            position = 0
        if not isinstance(position, int):
            raise StepError(f"{self._tool.id}: a position must be an int, not {position!r}")
        return _number(position)

    def _evaluate(self, field: Any, value: Any) -> Any:
        return evaluate_field(field, self._tool.dialect, self._context, value)

    def _arguments(self, spec: Mapping[str, Any], value: Any) -> list[str]:
        """Return the words of one binding."""
        from_expression = "valueFrom" in spec
        if from_expression:
            value = self._evaluate(spec["valueFrom"], value)
        prefix = spec.get("prefix")
        if isinstance(value, str):
            return _prefixed(prefix, value, spec)
        if isinstance(value, list):
            return _list_words(value, spec, prefix, from_expression=from_expression)
        if value is None or value is False:
            return []
        if value is True:
            return [prefix] if prefix else []
        if isinstance(value, Mapping) and not is_filelike(value):
            return [prefix] if prefix else []
        return _prefixed(prefix, word(value), spec)


def _list_words(
    value: list[Any], spec: Mapping[str, Any], prefix: str | None, *, from_expression: bool
) -> list[str]:
    if not value:
        return []
    if (separator := spec.get("itemSeparator")) is not None:
        words = [word(item) for item in value if item is not None]
        return _prefixed(prefix, separator.join(words), spec) if words else []
    if from_expression:
        return [*([prefix] if prefix else []), *_flat(value)]
    return [prefix] if prefix else []


def _flat(value: Any) -> Iterator[str]:
    """Yield the words of what an expression gave; null and booleans have none without a prefix."""
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif is_filelike(value) or not (isinstance(value, bool | Mapping) or value is None):
        yield word(value)


def _prefixed(prefix: str | None, text: str, spec: Mapping[str, Any]) -> list[str]:
    if prefix is None:
        return [text]
    return [prefix, text] if spec.get("separate", True) else [prefix + text]


def word(value: Any) -> str:
    """Write one value as an argument: files by their path, numbers in decimals."""
    if isinstance(value, str):
        return value
    if is_filelike(value):
        path = value.get("path")
        if path is None:
            raise StepError(f"a {value['class']} without a path cannot be an argument")
        return str(path)
    return number_text(value) if isinstance(value, float) else json_text(value)


def _branch(cwl_type: CwlType, value: Any) -> Any:
    """Choose the branch of a union that the value is of; what Any is by the value's shape."""
    for member in members(cwl_type):
        if matches(value, member):
            if member != "Any":
                return member
            break
    if isinstance(value, list):
        return {"type": "array", "items": "Any"}
    if isinstance(value, Mapping) and not is_filelike(value):
        fields = [{"name": name, "type": "Any"} for name in value]
        return {"type": "record", "fields": fields}
    return "Any"


def _number(value: int) -> tuple[int, int, str]:
    return (0, value, "")


def _name(value: str) -> tuple[int, int, str]:
    return (1, 0, value)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
