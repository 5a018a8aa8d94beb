"""Where what was published can be had.

Owns replacing the URIs of a job's own folder in a document by addresses that a client can use. Must
not know who serves them.
"""

import posixpath
from collections.abc import Mapping
from typing import Any, Final

from localproc.uris import unquoted

_PLACES: Final = frozenset({"href", "location", "prov:location"})


def with_addresses(document: Any, root: str, address: str) -> Any:
    """Return a document whose hrefs and locations below ``root`` begin with ``address`` instead.

    What else lies on this machine loses its place and keeps its name: nobody else can read it.
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


def _address(href: str, root: str, address: str) -> str:
    if href.startswith(f"{root}/") and root.startswith("file:"):
        return address + href[len(root) :]
    return posixpath.basename(unquoted(href)) if href.startswith("file:") else href
