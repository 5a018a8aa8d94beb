"""Files that a package brings along when it is sent.

Owns putting them into its resolved form: a default ``tools/crop.py`` of a package that came over
the network is no file of this machine, but one of the parts that came with it. Must not know how
they came.
"""

import posixpath
from collections.abc import Mapping
from typing import Any

from localproc.errors import InvalidPackage, Problem
from localproc.uris import unquoted


def carried(resolved: Mapping[str, Any], base: str, parts: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a resolved package whose File objects below the URI ``base`` hold their contents.

    Raises ``InvalidPackage`` with every file that was not sent, or that is no text.
    """
    problems: list[Problem] = []
    found: dict[str, Any] = _carried(resolved, base, parts, problems)
    if problems:
        raise InvalidPackage(
            "the package needs files that are not in it",
            problems,
            hint="send them as further parts of multipart/related, each with its relative path as "
            "Content-ID, or write them into the package as literals (contents)",
        )
    return found


def _carried(value: Any, base: str, parts: Mapping[str, bytes], problems: list[Problem]) -> Any:
    if isinstance(value, list):
        return [_carried(item, base, parts, problems) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _carried(item, base, parts, problems) for key, item in value.items()}
    if found.get("class") in ("File", "Directory") and str(found.get("location")).startswith(base):
        return _literal(found, base, parts, problems)
    return found


def _literal(
    value: dict[str, Any], base: str, parts: Mapping[str, bytes], problems: list[Problem]
) -> dict[str, Any]:
    location = value["location"]
    name = unquoted(location.removeprefix(base))
    rest = {key: item for key, item in value.items() if key != "location"}
    try:
        contents = parts[location].decode()
    except KeyError:
        problems.append(Problem("was not sent", name))
    except UnicodeDecodeError:
        problems.append(Problem("is not text in UTF-8", name))
    else:
        rest |= {"basename": value.get("basename") or posixpath.basename(name)}
        rest |= {"contents": contents}
    return rest
