"""The files of a catalog, on their way to where they are published.

Owns where assets, files that links name and files that nothing names go, and telling of what stays
where it is or is left out. Must not know collections, nor which storage is written to.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localproc.errors import StagingError
from localproc.plugins.storage import Description, Storage
from localproc.storage import stac
from localproc.storage.disk import telling
from localproc.storage.names import numbered, url_name
from localproc.storage.placement import OutputPlaces
from localproc.storage.stac_tree import StacDocument, StacTree
from localproc.storage.upload_plan import Outbound

#: Tells a person something.
Log = Callable[[str], None]


@dataclass(slots=True)
class Folder:
    """A folder of the results: a document's own, with all that it names."""

    uri: str
    source: StacDocument
    document: dict[str, Any]
    taken: set[str]


class CatalogFiles:
    """Gives every file of the catalogs of a job one place."""

    def __init__(self, out: Outbound, placement: OutputPlaces, storage: Storage, log: Log) -> None:
        self._out = out
        self._placement = placement
        self._storage = storage
        self._log = log
        self._places: dict[str, str] = {}  # of all that is published, by its real path

    def lies_at(self, path: str, uri: str) -> None:
        """Note where a document is published."""
        self._places[os.path.realpath(path)] = uri

    def place_of(self, path: str) -> str | None:
        """Return where a file is published, by whatever name; ``None`` if it has no place yet."""
        return self._places.get(os.path.realpath(path))

    def names_below(self, uri: str) -> set[str]:
        """Return what stands behind a folder's URI in those of all that lies below it."""
        below = f"{uri}/"
        return {
            placed.removeprefix(below)
            for placed in self._places.values()
            if placed.startswith(below)
        }

    def assets(
        self, folder: Folder, assets: Mapping[str, Any], whose: str
    ) -> tuple[dict[str, str], dict[str, Description]]:
        """Have assets published; return where to, and what their storage says of them."""
        hrefs: dict[str, str] = {}
        said: dict[str, Description] = {}
        for key, asset in assets.items():
            path = self._resolved(asset["href"], folder.source)
            if path is None:
                self._log(f"{whose}: the asset {key!r} stays where it is")
                continue
            if not os.path.exists(path):
                raise StagingError(
                    f"the asset {key!r} of {whose} does not exist: {path}",
                    hint="the tool that writes the catalog has to write its assets too",
                )
            hrefs[key] = self.put(folder, path, key, asset.get("type"))
            said[key] = self._storage.describe(hrefs[key])
        return hrefs, said

    def _resolved(self, href: str, source: StacDocument) -> str | None:
        """Return the path that an href leads to, if it is one of this machine."""
        path = stac.resolve(href, source.path)
        if path is not None and stac.is_ambiguous(href, source.path):
            meant = f"{href} means {os.path.basename(path)!r}, though there is {href!r} as well"
            self._log(f"{self._out.shown(source.path)}: {meant}")
        return path

    def put(self, folder: Folder, path: str, key: str = "", kind: str | None = None) -> str:
        """Have a file, or a folder such as a Zarr store, published in another one."""
        name = url_name(os.path.basename(path))
        if name in folder.taken and key:
            name = url_name(f"{key}_{name}")
        name = numbered(name, folder.taken)
        folder.taken.add(name)
        uri = f"{folder.uri}/{name}"
        if os.path.isdir(path):
            self._placement.tree(path, uri)
        else:
            self._out.add(path, uri, kind)
        self.lies_at(path, uri)
        return uri

    def links(self, folder: Folder) -> list[Mapping[str, Any]]:
        """Return the links of a document that hold where it is published, files with them."""
        source = folder.source
        found: list[Mapping[str, Any]] = []
        for link in source.document.get("links") or ():
            if not stac.is_link(link) or stac.is_structure(link) or _is_followed(link, source):
                continue
            path = self._resolved(link["href"], source)
            if path is None:
                found.append(link)
            elif (place := self.place_of(path)) is not None:
                found.append({**link, "href": place})
            elif os.path.exists(path):
                found.append({**link, "href": self.put(folder, path, str(link.get("rel")))})
            else:
                said = f"a link ({link.get('rel')}) to {link['href']}, which does not exist"
                self._log(f"{self._out.shown(source.path)}: {said}, is left out")
        return found

    def unnamed(self, tree: StacTree) -> Iterator[str]:
        """Yield the files in a catalog's folder that neither it nor its items name."""
        with telling(tree.folder):
            for folder, folders, names in os.walk(tree.folder, onerror=_raise):
                folders[:] = sorted(
                    one for one in folders if self._is_ours(os.path.join(folder, one))
                )
                for path in (os.path.join(folder, name) for name in sorted(names)):
                    real = os.path.realpath(path)
                    if real not in tree.files and self._is_ours(path):
                        if os.path.isfile(path):
                            yield path
                        else:
                            self._out.leave(path)

    def _is_ours(self, path: str) -> bool:
        """Whether a file or a folder has no place yet, and is no link to something else."""
        if self.place_of(path) is not None:
            return False
        if os.path.islink(path):
            self._out.leave(path, "it is a link that nothing in the catalog names")
            return False
        return True


def _raise(error: OSError) -> None:
    raise error


def _is_followed(link: Mapping[str, Any], source: StacDocument) -> bool:
    """Whether a link leads to items: they have links of their own, or stay where they are."""
    return link.get("rel") == "items" and source.document.get("type") != "Feature"
