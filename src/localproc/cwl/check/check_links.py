"""Whether what links carry is of the type of where they lead.

Owns the type of what arrives by linkMerge and pickValue, and what can never fit. Must not know
steps, nor where anything stands in a document.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localproc.cwl.base.types import (
    CwlType,
    Fit,
    fit,
    is_optional,
    item_type,
    kind,
    members,
    mismatches,
    without_null,
)


def arriving_type(sink: Mapping[str, Any], types: Sequence[CwlType]) -> Any:
    """Return the type of what arrives at a sink from sources of these types."""
    if not _is_merged(sink, types):
        arriving: Any = types[0]
    else:
        arriving = {
            "type": "array",
            "items": [one for given in _items(sink, types) for one in given],
        }
    if sink.get("listed") and arriving != "Any":
        arriving = {"type": "array", "items": list(_flat(arriving))}
    if "pickValue" in sink and kind(without_null(arriving)) == "array":
        rest = without_null(item_type(arriving))
        return {"type": "array", "items": rest} if sink["pickValue"] == "all_non_null" else rest
    return arriving


def never_fitting(
    sink: Mapping[str, Any], types: Sequence[CwlType], expected: CwlType
) -> Iterator[tuple[int, CwlType]]:
    """Yield which of several merged sources have no value that fits, each with its type.

    What may be null, or may not be picked, can be without harm.
    """
    if not _is_merged(sink, types) or sink.get("pickValue") not in (None, "all_non_null"):
        return
    wanted = [item_type(one) for one in members(expected) if kind(one) == "array"]
    for index, given in enumerate(_items(sink, types)):
        one = given[0] if len(given) == 1 else given
        if wanted and not is_optional(one) and not any(fit(one, other) for other in wanted):
            yield index, one


def is_never_array(cwl_type: CwlType) -> bool:
    """Whether no value of a type is an array."""
    return fit(cwl_type, {"type": "array", "items": ["null", "Any"]}) is Fit.NEVER


def misfit(default: Any, cwl_type: CwlType) -> str:
    """Say why a default is not of a type; nothing if it is."""
    found = next(mismatches(default, cwl_type), None)
    return "" if found is None else f"{found[0].lstrip('.')}: {found[1]}".removeprefix(": ")


def _is_merged(sink: Mapping[str, Any], types: Sequence[CwlType]) -> bool:
    return len(types) > 1 or sink.get("linkMerge") is not None


def _flat(cwl_type: CwlType) -> Iterator[CwlType]:
    """Yield what an array is of, or else the type itself, branch by branch."""
    for one in members(cwl_type):
        yield from members(item_type(one)) if kind(one) == "array" else [one]


def _items(sink: Mapping[str, Any], types: Sequence[CwlType]) -> Iterator[list[Any]]:
    """Yield the types of the items that each source brings to a merged array."""
    for one in types:
        flat = sink.get("linkMerge") == "merge_flattened" and kind(without_null(one)) == "array"
        yield members(item_type(one) if flat else one)
