"""OGC application packages: a process description with an execution unit.

Owns reading ``application/ogcapppkg+json`` (OGC API - Processes Part 2, classes "ogcapppkg" and
"docker"), in the forms that clients send: with and without the ``process`` wrapper, units by value,
by ``href`` and as ``unit``, alone or in an array. Must not fetch anything.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from localproc.cwl.base.reading import read_data
from localproc.errors import InvalidPackage, Problem, UnsupportedPackage
from localproc.frozen import frozen
from localproc.ogc.image_tool import image_tool

MEDIA_TYPE: Final = "application/ogcapppkg+json"
YAML_MEDIA_TYPE: Final = "application/ogcapppkg+yaml"
JOB_CONTROL: Final = ("sync-execute", "async-execute", "dismiss")
#: What an author may say of a process, and of each of its inputs and outputs.
_OF_PROCESS: Final = {
    "id": str,
    "title": str,
    "description": str,
    "version": str,
    "keywords": list,
    "metadata": list,
    "jobControlOptions": list,
}
_OF_PORT: Final = {
    "title": str,
    "description": str,
    "keywords": list,
    "metadata": list,
    "schema": dict,
    "minOccurs": int,
    "maxOccurs": (int, str),
}
_OCCURRENCES: Final = ("minOccurs", "maxOccurs")
_NUMBER: Final = re.compile("[0-9]{1,18}")


@frozen
class AppPackage:
    """What an application package holds: a CWL document, or where there is one.

    ``described`` is what its author says of the process, ``process_id`` the id in it.
    """

    document: Mapping[str, Any] | None
    href: str
    process_id: str
    described: Mapping[str, Any] = field(default_factory=dict)


def is_apppkg(data: bytes) -> bool:
    """Whether a text is an application package, whatever it was said to be."""
    if b"executionUnit" not in data:
        return False
    try:
        found = read_data(data.decode("utf-8-sig"))
    except ValueError:
        return False
    return isinstance(found, Mapping) and "executionUnit" in found and "cwlVersion" not in found


def read_apppkg(data: bytes, name: str) -> AppPackage:
    """Read an application package; raises ``InvalidPackage`` or ``UnsupportedPackage``."""
    try:
        package = read_data(data.decode("utf-8-sig"))
    except ValueError as error:
        raise _wrong(name, f"it is neither JSON nor YAML: {error}") from None
    if not isinstance(package, Mapping):
        raise _wrong(name, "expected an object with an executionUnit")
    unit = package.get("executionUnit")
    if isinstance(unit, list):
        if len(unit) > 1:
            raise UnsupportedPackage(
                f"{name} has {len(unit)} execution units",
                hint="deploy one at a time; a CWL $graph may hold several processes",
            )
        unit = unit[0] if unit else None
    if not isinstance(unit, Mapping):
        raise _wrong(name, "executionUnit is missing, or is not an object")
    described = package.get("processDescription") or {}
    if isinstance(described, Mapping) and isinstance(described.get("process"), Mapping):
        described = described["process"]
    if not isinstance(described, Mapping):
        raise _wrong(name, "processDescription is not an object")
    document, href = _unit(unit, described, name)
    process_id = described.get("id", "")
    if not isinstance(process_id, str):
        raise _wrong(name, "the id in processDescription is not a string")
    return AppPackage(document, href, process_id, _described(described, name))


def _unit(
    unit: Mapping[str, Any], described: Mapping[str, Any], name: str
) -> tuple[Mapping[str, Any] | None, str]:
    for member in ("value", "unit"):
        inner = unit.get(member)
        if isinstance(inner, Mapping):
            return inner, ""
        if isinstance(inner, str):
            return _parsed(inner, name), ""
    if "cwlVersion" in unit:
        return unit, ""
    if isinstance(unit.get("href"), str):
        return None, unit["href"]
    if isinstance(unit.get("image"), str):
        tool = image_tool(unit, ports(described, "inputs", name), ports(described, "outputs", name))
        return tool, ""
    raise _wrong(name, "executionUnit has neither value, unit, href nor image")


def _parsed(text: str, name: str) -> Mapping[str, Any]:
    try:
        document = read_data(text)
    except ValueError as error:
        raise _wrong(name, f"the value of executionUnit is not YAML: {error}") from None
    if not isinstance(document, Mapping):
        raise _wrong(name, "the value of executionUnit is not a CWL document")
    return document


def _described(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Take over what an author may say; it is shown instead of what the CWL says."""
    described = _members(said, _OF_PROCESS, name)
    additional = said.get("additionalParameters")
    if isinstance(additional, list):
        additional = {"parameters": additional}
    if isinstance(additional, Mapping):
        described["additionalParameters"] = additional
    for part in ("inputs", "outputs"):
        described[part] = {
            str(key): _members(port, _OF_PORT, f"{name}, {part}.{key}")
            for key, port in ports(said, part, name).items()
        }
    return described


def _members(said: Mapping[str, Any], known: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = {key: said[key] for key in known if said.get(key) not in (None, "")}
    if isinstance(found.get("version"), (int, float)):
        found["version"] = str(found["version"])
    for key, value in found.items():
        if not isinstance(value, known[key]):
            raise _wrong(name, f"{key} has the wrong type")
    if unknown := [one for one in found.get("jobControlOptions", ()) if one not in JOB_CONTROL]:
        raise _wrong(
            name, f"jobControlOptions has {unknown[0]!r}; there is {', '.join(JOB_CONTROL)}"
        )
    if isinstance(most := found.get("maxOccurs"), str) and most != "unbounded":
        raise _wrong(name, f"maxOccurs is {most!r}, neither a number nor 'unbounded'")
    return found


def ports(said: Mapping[str, Any], part: str, name: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the described inputs or outputs; raises ``InvalidPackage`` for what is none."""
    found = said.get(part) or {}
    if isinstance(found, list) and all(isinstance(one, Mapping) and "id" in one for one in found):
        ids = Counter(str(one["id"]) for one in found)  # as drafts of the standard had it
        if twice := next((one for one, count in ids.items() if count > 1), None):
            raise _wrong(name, f"{part} in processDescription has {twice!r} twice")
        found = dict(zip(ids, found, strict=True))
    if isinstance(found, Mapping) and all(isinstance(one, Mapping) for one in found.values()):
        return {key: _counted(one) for key, one in found.items()}
    raise _wrong(name, f"{part} in processDescription is not an object of objects")


def _counted(port: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a port whose occurrences are numbers, which some write as texts."""
    texts = {key: port[key] for key in _OCCURRENCES if isinstance(port.get(key), str)}
    numbers = {key: int(text) for key, text in texts.items() if _NUMBER.fullmatch(text)}
    return {**port, **numbers}


def described_process(
    derived: Mapping[str, Any], said: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Return a description: what was derived from the CWL, with what its author says of it.

    Raises ``InvalidPackage`` where the author describes inputs or outputs that are not there.
    """
    described = {**derived, **said}
    if "title" not in said and derived["title"] == derived["id"]:
        described["title"] = described["id"]
    problems = []
    for part in ("inputs", "outputs"):
        given = said.get(part, {})
        problems += [
            Problem(f"the CWL has no such {part[:-1]}", f"processDescription.{part}.{key}")
            for key in given
            if key not in derived[part]
        ]
        described[part] = {
            key: {**port, **given.get(key, {})} for key, port in derived[part].items()
        }
    if problems:
        raise InvalidPackage(f"{name} describes another process than its CWL", problems)
    return described


def _wrong(name: str, message: str) -> InvalidPackage:
    return InvalidPackage(
        f"{name} is not an OGC application package", [Problem(message, where=name)]
    )
