"""CWL types: what a value must look like, and which link may carry it.

Owns types in their resolved form: a name (``"File"``), a union (a list), or a mapping with
``type`` array (``items``), record (``fields``) or enum (``symbols``). Must not know documents,
files on disk or workflows.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from types import NoneType
from typing import Any, Final, TypeAlias

CwlType: TypeAlias = str | list[Any] | Mapping[str, Any]

#: Mappings for ``isinstance``: that a dict is one is told at once, of others it takes a while.
MAPPINGS: Final = (dict, Mapping)
#: What has nothing inside, told by ``type``: a subclass takes the longer way.
PLAIN: Final = frozenset({str, int, float, bool, NoneType})
_SIMPLE: Final = frozenset({"boolean", "int", "long", "float", "double", "string"})
#: The classes of objects that are files.
FILELIKE: Final = ("File", "Directory")
_NUMBERS: Final = ("int", "long", "float", "double")
PRIMITIVES: Final = frozenset(
    {"null", "boolean", "string", "File", "Directory", "Any", "stdin", "stdout", "stderr"}
    | set(_NUMBERS)
)
_RANGES: Final = {"int": 2**31, "long": 2**63}


def is_file(value: Any) -> bool:
    """Whether the value is a File object."""
    return isinstance(value, MAPPINGS) and value.get("class") == "File"


def is_directory(value: Any) -> bool:
    """Whether the value is a Directory object."""
    return isinstance(value, MAPPINGS) and value.get("class") == "Directory"


def is_filelike(value: Any) -> bool:
    """Whether the value is a File or a Directory object."""
    return isinstance(value, MAPPINGS) and value.get("class") in FILELIKE


def kind(cwl_type: CwlType) -> str:
    """Return ``union``, ``array``, ``record``, ``enum`` or the primitive's name."""
    if isinstance(cwl_type, str):
        return cwl_type
    if isinstance(cwl_type, list):
        return "union"
    inner = cwl_type["type"]
    return inner if isinstance(inner, str) else kind(inner)


def members(cwl_type: CwlType) -> list[Any]:
    """Return the branches of a union; a type that is none is its only branch."""
    return cwl_type if isinstance(cwl_type, list) else [cwl_type]


def is_optional(cwl_type: CwlType) -> bool:
    """Whether null fits. It is no value of Any (CWL v1.2 Schema Salad, "Any")."""
    return "null" in members(cwl_type)


def without_null(cwl_type: CwlType) -> CwlType:
    """Return the type less its null branch."""
    if not isinstance(cwl_type, list):
        return cwl_type
    rest = [member for member in cwl_type if member != "null"]
    return rest[0] if len(rest) == 1 else rest


def item_type(cwl_type: CwlType) -> Any:
    """Return the type of an array's items; optional or not."""
    array = without_null(cwl_type)
    assert isinstance(array, Mapping)
    return array["items"]


def matches(value: Any, cwl_type: CwlType) -> bool:
    """Whether the value is of the type. Records may have members that the type does not name."""
    return next(mismatches(value, cwl_type), None) is None


def is_simple(value: Any, cwl_type: CwlType) -> bool:
    """Whether the value is of a type that has no parts: a truth value, a number or a text."""
    return isinstance(cwl_type, str) and cwl_type in _SIMPLE and _is_primitive(value, cwl_type)


def mismatches(value: Any, cwl_type: CwlType, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every reason why the value is not of the type, each with its JSON path."""
    if isinstance(cwl_type, str):
        if not _is_primitive(value, cwl_type):
            yield path, f"expected {describe(cwl_type)}, got {describe_value(value)}"
        return
    what = kind(cwl_type)
    if what == "union":
        if value is not None or not is_optional(cwl_type):  # most inputs are left out
            yield from _union_mismatches(value, members(cwl_type), path)
    elif what == "array":
        assert isinstance(cwl_type, MAPPINGS)
        if not isinstance(value, list):
            yield path, f"expected {describe(cwl_type)}, got {describe_value(value)}"
            return
        if _all_fit(value, cwl_type["items"]):
            return
        for index, item in enumerate(value):
            yield from mismatches(item, cwl_type["items"], f"{path}[{index}]")
    elif what == "record":
        assert isinstance(cwl_type, Mapping)
        if not isinstance(value, Mapping):
            yield path, f"expected {describe(cwl_type)}, got {describe_value(value)}"
            return
        for field in cwl_type["fields"]:
            name = field["name"]
            yield from mismatches(value.get(name), field["type"], f"{path}.{name}")
    elif what == "enum":
        assert isinstance(cwl_type, Mapping)
        if value not in cwl_type["symbols"] or not isinstance(value, str):
            yield path, f"expected {describe(cwl_type)}, got {describe_value(value)}"
    elif not _is_primitive(value, what):
        yield path, f"expected {describe(cwl_type)}, got {describe_value(value)}"


def _all_fit(values: list[Any], cwl_type: CwlType) -> bool:
    """Whether all are of a simple type, seen without a look at each: a scatter has thousands."""
    found = set(map(type, values))
    match cwl_type:
        case "int" | "long":
            fits = found == {int}
            return fits and min(values) >= -_RANGES[cwl_type] and max(values) < _RANGES[cwl_type]
        case "float" | "double":
            return found <= {int, float}
        case "string":
            return found <= {str}
        case "boolean":
            return found <= {bool}
    return False


def _union_mismatches(value: Any, branches: list[Any], path: str) -> Iterator[tuple[str, str]]:
    """Explain by the only branch of the value's shape, where there is one."""
    if any(matches(value, branch) for branch in branches):
        return
    shape = "array" if isinstance(value, list) else "record" if isinstance(value, Mapping) else ""
    alike = [branch for branch in branches if kind(branch) == shape]
    if len(alike) == 1 and not is_filelike(value):
        yield from mismatches(value, alike[0], path)
    else:
        yield path, f"expected {describe(branches)}, got {describe_value(value)}"


def _is_primitive(value: Any, name: str) -> bool:
    is_one = _PRIMITIVE.get(name)
    return is_one is not None and is_one(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any, below: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -below <= value < below


_PRIMITIVE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "Any": lambda value: value is not None,
    "boolean": bool.__instancecheck__,
    "int": lambda value: _is_whole(value, _RANGES["int"]),
    "long": lambda value: _is_whole(value, _RANGES["long"]),
    "float": _is_number,
    "double": _is_number,
    "string": str.__instancecheck__,
    **dict.fromkeys(("File", "stdin", "stdout", "stderr"), is_file),
    "Directory": is_directory,
}


def describe(cwl_type: CwlType) -> str:
    """Write a type as its author might: ``File[]?``, ``int or string``, ``record {a, b}``."""
    match kind(cwl_type):
        case "union":
            rest = without_null(cwl_type)
            if is_optional(cwl_type) and not isinstance(rest, list):
                return describe(rest) + "?"
            return " or ".join(describe(member) for member in members(cwl_type))
        case "array":
            assert isinstance(cwl_type, Mapping)
            items = describe(cwl_type["items"])
            return f"({items})[]" if " " in items and "{" not in items else f"{items}[]"
        case "record":
            assert isinstance(cwl_type, Mapping)
            return "record {" + ", ".join(field["name"] for field in cwl_type["fields"]) + "}"
        case "enum":
            assert isinstance(cwl_type, Mapping)
            return "one of " + ", ".join(cwl_type["symbols"])
        case name:
            return name


def describe_value(value: Any) -> str:
    """Name a value's type, and show the value where it is short."""
    if value is None:
        return "nothing"
    if is_filelike(value):
        return f"a {value['class']}"
    name = {bool: "boolean", int: "int", float: "float", str: "string", list: "array"}.get(
        type(value), "object"
    )
    text = repr(value)
    return f"{name} {text}" if len(text) <= 60 else name


class Fit(IntEnum):
    """How a link's source fits its sink."""

    NEVER = 0  #: no value of the source is one of the sink
    MAYBE = 1  #: some are: it can go wrong at run time
    ALWAYS = 2


def fit(source: CwlType, sink: CwlType) -> Fit:
    """Say how well values of one type go where another is expected."""
    if source == sink:
        return Fit.ALWAYS
    if "Any" in (source, sink):
        return Fit.ALWAYS if sink == "Any" and not is_optional(source) else Fit.MAYBE
    if isinstance(source, list):
        fits = [fit(member, sink) for member in source]
        if all(one is Fit.ALWAYS for one in fits):
            return Fit.ALWAYS
        carried = [one for member, one in zip(source, fits, strict=True) if member != "null"]
        return Fit.MAYBE if any(carried) else Fit.NEVER
    if isinstance(sink, list):
        return max((fit(source, member) for member in sink), default=Fit.NEVER)
    return _fit_plain(source, sink)


def _fit_plain(source: CwlType, sink: CwlType) -> Fit:
    ours, theirs = _flowing(source), _flowing(sink)
    if isinstance(source, Mapping) and isinstance(sink, Mapping) and ours == theirs:
        if ours == "array":
            return fit(source["items"], sink["items"])
        if ours == "enum":
            common = set(source["symbols"]) & set(sink["symbols"])
            whole = len(common) == len(source["symbols"])
            return Fit.ALWAYS if whole else Fit.MAYBE if common else Fit.NEVER
        have = {field["name"]: field["type"] for field in source["fields"]}
        return min(
            (fit(have.get(field["name"], "null"), field["type"]) for field in sink["fields"]),
            default=Fit.ALWAYS,
        )
    if ours == "enum" and theirs == "string":
        return Fit.ALWAYS
    if ours in _NUMBERS and theirs in _NUMBERS:
        return Fit.ALWAYS if _NUMBERS.index(ours) <= _NUMBERS.index(theirs) else Fit.MAYBE
    return Fit.ALWAYS if ours == theirs else Fit.NEVER


def _flowing(cwl_type: CwlType) -> str:
    """Return the kind of what a link carries: a stream's is a file."""
    what = kind(cwl_type)
    return "File" if what in ("stdin", "stdout", "stderr") else what
