"""cwl-utils' parser for CWL v1.0, in which every type that is written out may have a name.

Owns the names that the schema of v1.0 forgot: those of arrays and of records among outputs. Must
not know what types mean. The parser is a copy of our own: others may use cwl-utils as well.
"""

import importlib.util
from functools import cache
from typing import Any, Final

_MODULE: Final = "cwl_utils.parser.cwl_v1_0"
_NAMELESS: Final = (
    "CommandInputArraySchema",
    "CommandOutputArraySchema",
    "InputArraySchema",
    "OutputArraySchema",
    "OutputRecordSchema",
)


@cache
def parser_v1_0() -> Any:
    """Give the parser."""
    spec = importlib.util.find_spec(_MODULE)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in _NAMELESS:
        named = _named(module, getattr(module, name))
        setattr(module, name, named)
        getattr(module, f"{name}Loader").classtype = named
    return module


def _named(module: Any, schema: Any) -> Any:
    """Give the class of a type, which may have a name."""

    class Named(schema):  # type: ignore[misc]
        attrs = schema.attrs | {"name"}
        name: str | None = None

        @classmethod
        def fromDoc(cls, _doc: Any, baseuri: str, options: Any, docRoot: Any = None) -> Any:  # noqa: N802, N803
            name = _doc.get("name")
            if not isinstance(name, str):
                return super().fromDoc(_doc, baseuri, options, docRoot)
            uri = module.uri_strtype_True_False_None_None.load(name, baseuri, options)
            typed = super().fromDoc(_doc, uri, options, docRoot)
            typed.name = uri
            return typed

    Named.__name__ = schema.__name__
    return Named
