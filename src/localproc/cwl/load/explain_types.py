"""What is wrong inside of the types that a document writes out.

Owns telling by the type that a record, an enum or an array says it is, where the parser tries all
three in turn. Must not know what types mean.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from localproc.cwl.base.positions import Position, find
from localproc.cwl.load.raw import entries
from localproc.errors import Problem
from localproc.near import closest, near

#: A line and a column.
LineColumn: TypeAlias = tuple[int | None, int | None]
UNKNOWN: Final = "unknown field"
_KINDS: Final = {"record": "Record", "enum": "Enum", "array": "Array"}
#: What fields hold, and how that is called.
_SHAPES: Final[Mapping[str, Mapping[str, tuple[Any, str]]]] = {
    "record": {"fields": ((list, Mapping), "list or mapping of fields")},
    "enum": {"symbols": (list, "list of symbols")},
    "array": {"items": ((str, list, Mapping), "type")},
}
_NEEDED: Final = {"record": (), "enum": ("symbols",), "array": ("items",)}


def unknown_field(field: str, known: list[str], place: Position) -> Problem:
    """Say that a field is not known here, and which one may be meant."""
    hint = near(field, known, "known are " + ", ".join(sorted(known)), 0.6)
    return place.problem(f"{UNKNOWN} {field!r}", hint)


def missing_field(field: str, place: Position) -> Problem:
    """Say that a field is missing."""
    return place.problem(f"the field {field!r} is missing", f"add {field}: here")


class TypeProblems:
    """The problems of a process's types, and the positions that they account for."""

    def __init__(self, module: Any, raw: Mapping[str, Any], name: str) -> None:
        self._module = module
        self._name = name
        self.problems: list[Problem] = []
        self.positions: set[LineColumn] = set()
        start = "Command" if raw.get("class") == "CommandLineTool" else ""
        for part, prefix in (("inputs", f"{start}Input"), ("outputs", f"{start}Output")):
            for port in entries(raw.get(part)):
                self._try(port, "type", prefix)
        for requirement in _schema_definitions(raw):
            self._try(requirement, "types", "CommandInput")

    def _try(self, holder: Any, field: str, prefix: str) -> None:
        """Look at the types in a field; what lies there is accounted for if anything is wrong."""
        written = holder.get(field)
        found = list(self._types(entries(written) if field == "types" else written, prefix))
        if found:
            self.problems += found
            at = find(self._name, holder, [field])
            self.positions |= {(at.line, at.column), *_positions(written)}

    def _types(self, written: Any, prefix: str) -> Iterator[Problem]:
        if isinstance(written, list):
            for member in written:
                yield from self._types(member, prefix)
        elif isinstance(written, Mapping) and isinstance(written.get("type"), str):
            yield from self._schema(written, written["type"], prefix)
        elif isinstance(written, Mapping):
            yield from self._fields(written, None, ("type",))

    def _schema(self, schema: Mapping[str, Any], kind: str, prefix: str) -> Iterator[Problem]:
        if kind not in _KINDS:
            close = closest(kind, _KINDS)
            hint = f"did you mean {close}?" if close else "known are " + ", ".join(_KINDS)
            said = f"{kind!r} is no kind of type that is written out"
            yield find(self._name, schema, ["type"]).problem(said, hint)
            return
        loader = getattr(self._module, f"{prefix}{_KINDS[kind]}Schema", None)
        yield from self._fields(schema, loader, _NEEDED[kind])
        for field, (shape, said) in _SHAPES[kind].items():
            if schema.get(field) is not None and not isinstance(schema[field], shape):
                place = find(self._name, schema, [field])
                yield place.problem(f"{schema[field]!r} is no {said}")
        yield from self._types(schema.get("items"), prefix)
        field_loader = getattr(self._module, f"{prefix}RecordField", None)
        for field in entries(schema.get("fields")) if kind == "record" else ():
            needed = ("name", "type") if isinstance(schema["fields"], list) else ("type",)
            yield from self._fields(field, field_loader, needed)
            yield from self._types(field.get("type"), prefix)

    def _fields(self, part: Any, loader: Any, needed: tuple[str, ...]) -> Iterator[Problem]:
        known = sorted(getattr(loader, "attrs", ()))
        for field in part:
            if known and field not in known and ":" not in str(field) and str(field)[:1] != "$":
                yield unknown_field(str(field), known, find(self._name, part, [field]))
        for field in needed:
            if field not in part and "$import" not in part:
                yield missing_field(field, find(self._name, part, []))
        binding = part.get("inputBinding")
        if isinstance(binding, Mapping):
            yield from self._fields(binding, getattr(self._module, "CommandLineBinding", None), ())


def _schema_definitions(raw: Mapping[str, Any]) -> Iterator[Any]:
    for field in ("requirements", "hints"):
        listed = raw.get(field)
        if isinstance(listed, Mapping):
            listed = [listed.get("SchemaDefRequirement")]
        else:
            listed = [one for one in entries(listed) if one.get("class") == "SchemaDefRequirement"]
        yield from entries(listed)


def _positions(value: Any) -> Iterator[LineColumn]:
    """Yield where the parts of a value stand."""
    if isinstance(value, (Mapping, list)):
        start = find("", value, [])
        yield start.line, start.column
        for key in value if isinstance(value, Mapping) else range(len(value)):
            at = find("", value, [str(key)])
            yield at.line, at.column
            yield from _positions(value[key])
