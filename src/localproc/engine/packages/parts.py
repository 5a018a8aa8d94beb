"""Documents and files that came together as one package.

Owns finding one by the ways in which another names it, and which of them is the package. Must not
know how they came.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from localproc.uris import quoted, unquoted

#: Where documents that are handed over are thought to lie, if they come from elsewhere.
NOWHERE: Final = "file:///package/"
_CID: Final = "cid:"
_DOCUMENT: Final = re.compile(rb"cwlVersion|executionUnit")
_WORKFLOW: Final = re.compile(rb"""class["']?\s*:\s*["']?Workflow""")
#: How a document names others: in the steps of a workflow, in directives, in an execution unit.
_NAMED: Final = re.compile(
    rb"""["']?(?:run|\$import|\$include|\$mixin|href)["']?\s*:\s*["']?([^\s"',}\]]+)"""
)


def part_uri(name: str) -> str:
    """Return the URI of a part: its name is a path within the package, or a URI itself."""
    try:
        return name if urlsplit(name).scheme else urljoin(NOWHERE, name.lstrip("/"))
    except ValueError:  # what looks like a URI, and is none
        return NOWHERE + quoted(name)


class Parts(Mapping[str, bytes]):
    """Parts by their URIs. ``aliases`` are further names of some, by URI.

    A part is also found by ``cid:`` and its name or alias (RFC 2392), however its name is quoted,
    and by its base name if no other part has the same: forms send files without their folders.
    """

    def __init__(
        self, named: Mapping[str, bytes], aliases: Mapping[str, str] | None = None
    ) -> None:
        self._data = {part_uri(name): data for name, data in named.items()}
        self._aliases = {_plain(name): part_uri(to) for name, to in (aliases or {}).items()}
        self._aliases |= {_plain(uri): uri for uri in self._data}
        bases: dict[str, list[str]] = {}
        for uri in self._data:
            bases.setdefault(posixpath.basename(_plain(uri)), []).append(uri)
        self._bases = {base: uris[0] for base, uris in bases.items() if len(uris) == 1}

    def __getitem__(self, uri: str) -> bytes:
        return self._data[self.found(uri)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def found(self, uri: str) -> str:
        """Return the URI of the part that a URI names; raises ``KeyError``."""
        if uri in self._data:
            return uri
        name = _plain(uri)
        if name in self._aliases:
            return self._aliases[name]
        if not uri.startswith((_CID, "file:")):
            raise KeyError(uri)
        return self._bases[posixpath.basename(name)]


def _plain(uri: str) -> str:
    """Return a URI as a name: without quotes, nor what only says that it is a part."""
    return unquoted(uri).removeprefix(NOWHERE).removeprefix(_CID)


def main_of(parts: Mapping[str, bytes]) -> str:
    """Return the name of the document that is the package, among parts by their names.

    It is one that no other names; the one nearest to the top, a workflow before a tool.
    """
    documents = [name for name, data in parts.items() if _DOCUMENT.search(data)]
    named = {
        posixpath.basename(unquoted(one.partition(b"#")[0].decode("utf-8", "replace")))
        for name in documents
        for one in _NAMED.findall(parts[name])
    }
    free = [name for name in documents if posixpath.basename(name) not in named]
    candidates: Sequence[str] = free or documents or list(parts)
    return min(candidates, key=lambda name: (name.count("/"), not _WORKFLOW.search(parts[name])))
