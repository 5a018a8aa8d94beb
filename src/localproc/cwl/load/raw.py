"""A document's text as YAML that knows its lines.

Owns what any CWL document has to look like before cwl-utils may see it: a mapping of a known
version, whose ``$graph``, namespaces, schemas and directives have the right shape. cwl-utils takes
these for granted. Must not know what the parts of a process mean.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.positions import Position, find
from localproc.cwl.base.reading import read_yaml
from localproc.cwl.base.trees import UnreadableText
from localproc.errors import InvalidPackage, Problem

VERSIONS: Final = ("v1.0", "v1.1", "v1.2")
_WRITTEN_OUT: Final = ("array", "enum", "record")
_CWL: Final = "https://w3id.org/cwl/cwl#"
_DIRECTIVES: Final = ("$import", "$include", "$mixin")


class KeptDefault(str):
    """Stands for a default while cwl-utils reads a document: it would flatten nested arrays."""

    value: Any


def parse_document(text: str, name: str, version: str | None = None) -> Any:
    """Read a document; ``version`` is that of the document which imports it.

    Raises ``InvalidPackage`` with every problem.
    """
    raw = read_document(text, name)
    if not isinstance(raw, dict):
        raise InvalidPackage(
            f"{name} is not a CWL document",
            [Problem("expected a mapping with a class or a $graph", name, 1, 1)],
        )
    if version is not None:
        raw.setdefault("cwlVersion", version)
    _check_version(raw, name)
    if problems := [*_misshapen(raw, name), *_misdirected(raw, name)]:
        raise InvalidPackage(f"{name} is not a CWL document", problems)
    for process in raw.get("$graph", [raw]):
        _ignore_versions(process)
    return raw


def _check_version(raw: Any, name: str) -> None:
    """See that a document is of a known version, by its short name or its full one."""
    found = raw.get("cwlVersion")
    if isinstance(found, str):
        raw["cwlVersion"] = found = found.removeprefix(_CWL).removeprefix("cwl:")
    if found not in VERSIONS:
        said = "cwlVersion is missing" if found is None else f"cwlVersion {found!r} is not known"
        hint = "localproc runs CWL " + ", ".join(VERSIONS)
        problem = find(name, raw, ["cwlVersion"]).problem(said, hint)
        raise InvalidPackage(f"{name} is not a CWL document of a known version", [problem])


def _ignore_versions(process: Any) -> None:
    """Take out the versions of processes within steps, which say nothing (CWL v1.2, cwlVersion)."""
    for step in entries(process.get("steps")):
        if isinstance(step.get("run"), dict):
            step["run"].pop("cwlVersion", None)
            _ignore_versions(step["run"])


def plain_json(value: Any) -> Any:
    """Return YAML's decorated values as plain JSON data."""
    if isinstance(value, KeptDefault):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None


def read_document(text: str, name: str) -> Any:
    """Read a document as YAML with line numbers; raises ``InvalidPackage``, with the place."""
    try:
        raw = read_yaml(text, marked=True)
    except UnreadableText as error:
        problem = Problem(error.message, name, error.line, error.column)
        raise InvalidPackage(f"{name} is not valid YAML", [problem]) from None
    _prepare(raw, name)
    return raw


def _prepare(value: Any, name: str) -> None:
    """Tell the parts of a document what it is called, for cwl-utils' messages.

    Types of old packed documents have an id beside their name, and so have their fields.
    """
    if isinstance(value, (dict, list)):
        value.lc.filename = name  # type: ignore[union-attr]
        for item in value.values() if isinstance(value, dict) else value:
            _prepare(item, name)
    if isinstance(value, dict) and value.get("type") in _WRITTEN_OUT and "name" in value:
        for part in (value, *entries(value.get("fields"))):
            if "name" in part:
                part.pop("id", None)


def _misshapen(raw: Any, name: str) -> Iterator[Problem]:
    """Yield what is wrong with the fields that belong to no process."""
    graph = raw.get("$graph", [{}])
    if not isinstance(graph, list) or not graph:
        yield find(name, raw, ["$graph"]).problem("$graph is no list of processes")
    else:
        for index, process in enumerate(graph):
            if not isinstance(process, dict):
                place = find(name, raw, ["$graph", str(index)])
                yield place.problem(f"{process!r} is no process", "a process has a class and an id")
    spaces = raw.get("$namespaces", {})
    if not isinstance(spaces, dict):
        place = find(name, raw, ["$namespaces"])
        yield place.problem("$namespaces is no mapping of prefixes", "fill it in, or take it out")
    else:
        for prefix, uri in spaces.items():
            if not isinstance(uri, str):
                place = find(name, raw, ["$namespaces", prefix])
                yield place.problem(f"the prefix {prefix} stands for {uri!r}, which is no URI")
    schemas = raw.get("$schemas") or []
    if not isinstance(schemas, list) or not all(isinstance(one, str) for one in schemas):
        yield find(name, raw, ["$schemas"]).problem("$schemas is no list of URIs")


def directives(value: Any, name: str) -> Iterator[tuple[str, Any, Position]]:
    """Yield every ``$import`` and ``$include``: what it names, and where it stands."""
    if isinstance(value, list):
        for item in value:
            yield from directives(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _DIRECTIVES:
                yield key, item, find(name, value, [key])
            else:
                yield from directives(item, name)


def _misdirected(raw: Any, name: str) -> Iterator[Problem]:
    for key, named, place in directives(raw, name):
        if not isinstance(named, str):
            yield place.problem(f"{key} of {named!r}, which is no document", "give its path")


def entries(listed: Any) -> list[Any]:
    """Return the mappings among the entries of a field that is a list or a mapping."""
    found = list(listed.values()) if isinstance(listed, dict) else listed
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
