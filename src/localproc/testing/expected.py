"""Outputs of a job, compared as cwltest does.

Owns what counts as the same: of a File its name, contents, size and checksum, of a Directory the
files that are expected in it, ``Any`` for whatever it is. Must not know jobs.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.files import is_local, local_path

_ANY: Final = "Any"
#: Members of files that are compared by what lies on the disk.
_OF_FILES: Final = frozenset(
    {"location", "path", "listing", "contents", "checksum", "size", "class"}
)


def output_differences(expected: Any, actual: Any, where: str = "output") -> Iterator[str]:
    """Yield what differs between outputs as they were expected and as they are, a line for each."""
    if expected == _ANY:
        return
    if isinstance(expected, Mapping):
        yield from _mapping(expected, actual, where)
    elif isinstance(expected, Sequence) and not isinstance(expected, str):
        yield from _list(expected, actual, where)
    elif expected != actual:
        yield f"{where} is {_short(actual)}, not {_short(expected)}"


def _list(expected: Sequence[Any], actual: Any, where: str) -> Iterator[str]:
    if not isinstance(actual, list):
        yield f"{where} is {_short(actual)}, not a list"
    elif len(actual) != len(expected):
        yield f"{where} has {len(actual)} values, not {len(expected)}"
    else:
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from output_differences(one, other, f"{where}[{number}]")


def _mapping(expected: Mapping[str, Any], actual: Any, where: str) -> Iterator[str]:
    kind = expected.get("class")
    if not isinstance(actual, Mapping) or (
        kind in ("File", "Directory") and actual.get("class") != kind
    ):
        yield f"{where} is {_short(actual)}, not {kind or 'a record'}"
    elif kind == "File":
        yield from _file(expected, actual, where)
    elif kind == "Directory":
        yield from _directory(expected, actual, where)
    else:
        for name, value in expected.items():
            yield from output_differences(value, actual.get(name), f"{where}.{name}")
        for name in actual.keys() - expected.keys():
            if actual[name] is not None:
                yield f"{where}.{name} is {_short(actual[name])}, and was not expected"


def _file(expected: Mapping[str, Any], actual: Mapping[str, Any], where: str) -> Iterator[str]:
    path = _path(actual)
    yield from _place(expected, path, where)
    if not os.path.isfile(path):
        yield f"{where}: there is no file {path}"
        return
    size = os.path.getsize(path)
    if expected.get("size", size) not in (size, _ANY):
        yield f"{where} has {size} bytes, not {expected['size']}"
    if "contents" in expected:
        with open(path, encoding="utf-8", errors="replace", newline="") as text:
            yield from output_differences(expected["contents"], text.read(), f"{where}.contents")
    if "checksum" in expected:
        with open(path, "rb") as file:
            digest = f"sha1${hashlib.file_digest(file, 'sha1').hexdigest()}"
        yield from output_differences(expected["checksum"], digest, f"{where}.checksum")
    yield from _others(expected, actual, where)


def _directory(expected: Mapping[str, Any], actual: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _place(expected, _path(actual), where)
    there = actual.get("listing") or []
    for one in expected.get("listing", ()):
        if all(any(output_differences(one, other)) for other in there):
            names = ", ".join(os.path.basename(_path(other)) for other in there) or "nothing"
            yield f"{where} has no {_short(one)} in it; there is: {names}"
    yield from _others(expected, actual, where)


def _place(expected: Mapping[str, Any], path: str, where: str) -> Iterator[str]:
    wanted = expected.get("path", expected.get("location", _ANY))
    if wanted != _ANY and not f"/{path}".endswith(f"/{str(wanted).rstrip('/')}"):
        yield f"{where} is called {os.path.basename(path)}, not {wanted}"


def _others(expected: Mapping[str, Any], actual: Mapping[str, Any], where: str) -> Iterator[str]:
    for name in expected.keys() - _OF_FILES:
        yield from output_differences(expected[name], actual.get(name), f"{where}.{name}")


def _path(value: Mapping[str, Any]) -> str:
    found = local_path(value) if is_local(value) else str(value.get("location", ""))
    return found.rstrip("/")


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and "class" in value:
        name = value.get("basename") or value.get("location") or ""
        return f"{value['class']} {name}".rstrip()
    return f"{value!r:.200}"
