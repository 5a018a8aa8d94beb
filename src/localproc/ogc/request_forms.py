"""The forms that a value may have in a request, and which branch of a type one is meant for.

Owns qualified values (OGC API - Processes Part 1, 7.11.2.3): ``{"value": ..., "mediaType": ...}``.
Only requests over HTTP have them: in a job file of CWL such an object is itself the value. Must not
know files.
"""

from collections.abc import Mapping
from typing import Any, Final

from localproc.cwl.base.types import CwlType, item_type, kind, matches, members, without_null
from localproc.ogc.describe import schema

_QUALIFIED: Final = frozenset({"value", "mediaType", "encoding", "schema", "format"})


class Forms:
    """How values are read. ``qualified``: they may be wrapped as OGC API - Processes has it."""

    def __init__(self, *, qualified: bool) -> None:
        self._qualified = qualified

    def plain(self, value: Any, cwl_type: CwlType) -> Any:
        """Take a value out of a qualified one; that of a file says how to read it, so it stays."""
        if not (self._qualified and isinstance(value, Mapping) and "value" in value):
            return value
        what, inner = kind(cwl_type), value["value"]
        if what in ("File", "Directory", "stdin"):
            return value
        if what == "Any":  # it may have a "value" of its own, among others
            return inner if set(value) <= _QUALIFIED else value
        if what == "array" and isinstance(cwl_type, Mapping):
            items = cwl_type["items"]
            return [self.plain(item, items) for item in inner] if isinstance(inner, list) else value
        if what == "record":
            is_wrapper = set(value) <= _QUALIFIED and isinstance(inner, Mapping)
            return inner if is_wrapper and not matches(value, cwl_type) else value
        return inner

    def in_array(self, value: Any, cwl_type: CwlType) -> Any:
        """Put one item that stands for an array of one into an array."""
        array = without_null(cwl_type)
        if kind(array) != "array" or value is None:
            return value
        plain, items = self.plain(value, array), item_type(array)
        is_whole = isinstance(plain, list) and (
            not _may_be_list(items) or self._reads(plain, array) or not self._reads(plain, items)
        )
        return plain if is_whole else [plain]

    def branch(self, value: Any, cwl_type: CwlType) -> CwlType:
        """Choose the branch of a union that a value is meant for.

        One that takes the value as it is comes before one that has to read it: where a text will
        do, a text is a text and not the path of a file.
        """
        rest = cwl_type if value is None else without_null(cwl_type)
        branches: list[CwlType] = members(rest)
        if len(branches) == 1:
            return branches[0]
        for fits in (matches, self._reads):
            for branch in branches:
                if fits(value, branch):
                    return branch
        return rest

    def _reads(self, value: Any, cwl_type: CwlType) -> bool:
        """Whether a value has one of the forms that a type's values have in a request."""
        import jsonschema_rs  # it is large, and few jobs need it

        found = schema(cwl_type, strict=True)
        return jsonschema_rs.is_valid(found, self.plain(value, cwl_type))


def _may_be_list(cwl_type: CwlType) -> bool:
    """Whether a list may be a value of a type."""
    return any(kind(one) in ("array", "Any", "union") for one in members(cwl_type))
