"""Types and values of these types, for property tests."""

from typing import Any

from hypothesis import strategies as st

from localproc.cwl.base.types import CwlType, kind, members

NAMES = st.text("abcdef", min_size=1, max_size=3)
PRIMITIVES = st.sampled_from(
    ["boolean", "int", "long", "float", "double", "string", "File", "Directory"]
)
LEAVES = PRIMITIVES | st.just("Any")


def enums() -> st.SearchStrategy[CwlType]:
    symbols = st.lists(NAMES, min_size=1, max_size=4, unique=True)
    return symbols.map(lambda some: {"type": "enum", "symbols": some})


def arrays(items: st.SearchStrategy[CwlType]) -> st.SearchStrategy[CwlType]:
    return items.map(lambda one: {"type": "array", "items": one})


def records(inner: st.SearchStrategy[CwlType]) -> st.SearchStrategy[CwlType]:
    fields = st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    return fields.map(
        lambda some: {
            "type": "record",
            "fields": [{"name": name, "type": one} for name, one in some.items()],
        }
    )


def unions(inner: st.SearchStrategy[CwlType]) -> st.SearchStrategy[CwlType]:
    branches = st.lists(inner.filter(lambda one: not isinstance(one, list)), min_size=2, max_size=3)
    return branches | branches.map(lambda some: ["null", *some[1:]])


def cwl_types(
    leaves: st.SearchStrategy[CwlType] = LEAVES,
) -> st.SearchStrategy[CwlType]:
    """Give types of all kinds, nested."""
    return st.recursive(
        leaves | enums(),
        lambda inner: arrays(inner) | records(inner) | unions(inner),
        max_leaves=6,
    )


def values_of(cwl_type: CwlType) -> st.SearchStrategy[Any]:
    """Give values of a type."""
    if isinstance(cwl_type, list):
        return st.one_of([values_of(one) for one in members(cwl_type)])
    match kind(cwl_type):
        case "array":
            assert not isinstance(cwl_type, str)
            return st.lists(values_of(cwl_type["items"]), min_size=1, max_size=3)
        case "record":
            assert not isinstance(cwl_type, str)
            return st.fixed_dictionaries(
                {field["name"]: values_of(field["type"]) for field in cwl_type["fields"]}
            )
        case "enum":
            assert not isinstance(cwl_type, str)
            return st.sampled_from(cwl_type["symbols"])
        case name:
            return _PRIMITIVE_VALUES[name]


_PATHS = NAMES.map(lambda name: f"file:///data/{name}")
_PRIMITIVE_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    "double": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    "string": st.text(max_size=5),
    "File": st.builds(lambda path: {"class": "File", "location": path}, _PATHS),
    "Directory": st.builds(lambda path: {"class": "Directory", "location": path}, _PATHS),
    "Any": st.booleans() | st.integers() | st.text() | st.lists(st.none() | st.integers()),
}
