"""cwl-utils' parsers, in copies of our own: others may use cwl-utils as well.

Owns what is wrong with them. Each reads YAML by itself, without limits: here the fetcher does. The
schema of CWL v1.0 forgot that every type that is written out may have a name: those of arrays, and
of records among outputs. A list of n parts with identifiers took n times n comparisons. Must not
know what types mean.
"""

import importlib.util
from functools import cache
from typing import Any, Final
from urllib.parse import urldefrag

#: What cwl-utils raises for documents that it did not expect to be broken in such a way.
CRASHES: Final = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
_ARRAY, _UNION, _FIELD = "_ArrayLoader", "_UnionLoader", "_load_field"
_BY_URL, _DOCUMENT = "_document_load_by_url", "_document_load"
_NAMELESS: Final = (
    "CommandInputArraySchema",
    "CommandOutputArraySchema",
    "InputArraySchema",
    "OutputArraySchema",
    "OutputRecordSchema",
)


@cache
def parser(version: str) -> Any:
    """Return the parser for a CWL version."""
    package = importlib.util.find_spec("cwl_utils")
    assert package is not None
    assert package.submodule_search_locations
    # By its file: the package around it would import the parsers of all versions.
    name = f"cwl_{version.replace('.', '_')}"
    path = f"{package.submodule_search_locations[0]}/parser/{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    getattr(module, _ARRAY).load = _array_load(module)
    setattr(module, _BY_URL, _load_by_url(module))
    for name in _NAMELESS if version == "v1.0" else ():
        named = _named(module, getattr(module, name))
        setattr(module, name, named)
        getattr(module, f"{name}Loader").classtype = named
    return module


def _load_by_url(module: Any) -> Any:
    """Return the function that loads what a document imports."""
    load_document = getattr(module, _DOCUMENT)

    def load(loader: Any, url: str, options: Any, **rest: Any) -> Any:
        if url not in options.idx:
            document = urldefrag(url)[0]
            inner = module.LoadingOptions(copyfrom=options, fileuri=document)
            found = options.fetcher.document(document)
            load_document(loader, found, document, inner, **rest)
        return options.idx[url]

    return load


def _array_load(module: Any) -> Any:
    """Return the method that loads a list, in time that grows with the list alone."""
    error, line = module.ValidationException, module.SourceLine
    union, load_field = getattr(module, _UNION), getattr(module, _FIELD)

    def load(
        self: Any,
        doc: Any,
        baseuri: str,
        loadingOptions: Any,  # noqa: N803
        docRoot: str | None = None,  # noqa: ARG001, N803
        lc: Any = None,
    ) -> list[Any]:
        if not isinstance(doc, list):
            raise error(f"{doc!r:.60} is here, but valid type for this field is an array")
        either = union([self, self.items])
        # The places of a list's parts are not looked up by name, and "in" searches all of it.
        lc = None if isinstance(lc, list) else lc
        loaded: list[Any] = []
        errors = []
        seen = set()
        for index, item in enumerate(doc):
            try:
                one = load_field(item, either, baseuri, loadingOptions, lc=lc)
            except error as inner:
                place = line(doc, index, str)
                errors.append(error("array item is invalid because", place, [inner]))
                continue
            flatten = loadingOptions.container != "@list" and isinstance(one, list)
            loaded += one if flatten else [one]
            name = item.get("id") if isinstance(item, dict) else None
            if isinstance(name, str) and name in seen:
                errors.append(error(f"Duplicate field {name!r}", line(item, "id", str), []))
            seen.add(name if isinstance(name, str) else None)
        if errors:
            raise error("", None, errors)
        return loaded

    return load


def _named(module: Any, schema: Any) -> Any:
    """Return the class of a type, which may have a name."""

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
