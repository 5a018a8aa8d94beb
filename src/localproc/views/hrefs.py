"""Where what was published can be had.

Owns replacing the URIs of a job's own folder in a document, or in outputs, by addresses that a
client can use. Must not know who serves them.
"""

import posixpath
from collections.abc import Callable, Mapping
from typing import Any, Final

from localproc.cwl.base.files import map_files
from localproc.uris import unquoted

_PLACES: Final = frozenset({"href", "location", "prov:location"})


def with_addresses(document: Any, root: str, address: str) -> Any:
    """Return a document whose hrefs and locations below ``root`` begin with ``address`` instead.

    What else lies on this machine loses its place and keeps its name: nobody else can read it. What
    lies in another storage keeps its URI there, by which others know it.
    """
    if isinstance(document, Mapping):
        return {
            key: _address(value, root, address)
            if key in _PLACES and isinstance(value, str)
            else with_addresses(value, root, address)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [with_addresses(item, root, address) for item in document]
    return document


def with_places(value: Any, place: Callable[[Mapping[str, Any]], str]) -> Any:
    """Return an output whose files and folders, and the files beside them, have other locations.

    ``place`` gives that of each.
    """

    def placed(one: Mapping[str, Any]) -> dict[str, Any]:
        moved = {**one, "location": place(one)}
        if one.get("secondaryFiles"):
            moved["secondaryFiles"] = [placed(beside) for beside in one["secondaryFiles"]]
        return moved

    return map_files(value, placed)


def place_of(one: Mapping[str, Any], root: str, address: str) -> str:
    """Return where a client can have a file of the outputs, whatever storage ``root`` is in."""
    location = str(one.get("location", ""))
    if location.startswith(f"{root}/"):
        return address + location[len(root) :]
    return _address(location, root, address)


def _address(href: str, root: str, address: str) -> str:
    if href.startswith(f"{root}/") and root.startswith("file:"):
        return address + href[len(root) :]
    return posixpath.basename(unquoted(href)) if href.startswith("file:") else href
