"""The STAC catalogs among a job's outputs, on their way to becoming the catalog of its results.

Owns which collections there will be, where items go, which document has the links of what nothing
names, and telling of what does not keep its name. Must not know which storage is written to, nor
other outputs.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

from localproc.errors import StagingError
from localproc.plugins.storage import Storage
from localproc.storage import catalog_layout, extents, stac
from localproc.storage.catalog_files import CatalogFiles, Folder, Log
from localproc.storage.catalog_layout import CollectionPlace
from localproc.storage.integrity import SHA256
from localproc.storage.names import numbered, url_name
from localproc.storage.placement import OutputPlaces
from localproc.storage.stac_tree import StacDocument, StacTree, read_tree
from localproc.storage.upload_plan import Outbound

#: Makes a document, as it is to be written now.
Document: TypeAlias = Callable[[], Mapping[str, Any]]


@dataclass(slots=True)
class _Collection:
    """A collection of the results; ``own`` are those of the package that became it."""

    place: CollectionPlace
    own: list[StacDocument] = field(default_factory=list)
    items: list[Folder] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)  #: of the package's collections
    links: list[Mapping[str, Any]] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: {stac.COLLECTION})


class CatalogPlan:
    """Takes catalogs in, output by output, and then gives the documents that are to be written."""

    def __init__(
        self, out: Outbound, placement: OutputPlaces, storage: Storage, root: str, log: Log
    ) -> None:
        self._out = out
        self._files = CatalogFiles(out, placement, storage, log)
        self._root = root
        self._log = log
        self._names = {stac.CATALOG}
        self._collections: list[_Collection] = []

    @property
    def names(self) -> Sequence[str]:
        """The names that it needs at the top of the results."""
        return sorted(self._names)

    @property
    def items(self) -> list[dict[str, Any]]:
        """All items, as they stand in the results document."""
        return [item.document for one in self._collections for item in one.items]

    def add(self, output: str, base: str, folders: Sequence[str]) -> list[dict[str, Any]]:
        """Take the catalogs of an output in; return their items as they will be published.

        The first collection has the id ``base``. Raises ``StagingError``.
        """
        trees = []
        for folder in folders:
            self._out.guard(folder)
            trees.append(read_tree(folder))
        found: dict[str, _Collection] = {}
        for tree in trees:
            for source in tree.collections:
                one = self._collection(_id(source), base, found)
                one.own.append(source)
            for source in tree.items:
                self._collection(_id(source.collection), base, found)
        if not found:
            self._log(f"{output}: the catalog has no items")
            self._collection("", base, found)
        for tree in trees:
            self._take(tree, found)
        for tree in trees:
            self._rest(tree, found)
        return [item.document for one in found.values() for item in one.items]

    def documents(self) -> Iterator[list[tuple[str, Document]]]:
        """Yield what is to be written one after the other: items, collections, the catalog.

        Items say the size and the checksum of each of their files that has been written by then.
        """
        yield [
            (f"{item.uri}/{item.uri.rpartition('/')[2]}.json", partial(self._item_document, item))
            for one in self._collections
            for item in one.items
        ]
        yield [
            (f"{one.place.folder}/{stac.COLLECTION}", partial(self._collection_document, one))
            for one in self._collections
        ]
        yield [(f"{self._root}/{stac.CATALOG}", self._catalog_document)]

    def _item_document(self, item: Folder) -> Mapping[str, Any]:
        files = [
            (asset, measured)
            for asset in item.document["assets"].values()
            if (measured := self._out.measured(asset["href"])) is not None
        ]
        for asset, (size, digest) in files:
            asset |= {"file:size": size, "file:checksum": f"{SHA256}{digest}"}
        if files:
            catalog_layout.declare(item.document, stac.FILE)
        return self._written(item.document, item.uri)

    def _catalog_document(self) -> Mapping[str, Any]:
        places = [one.place for one in self._collections]
        catalog: dict[str, Any] = stac.finite(catalog_layout.catalog_of(self.items, places))
        return catalog

    # Collections

    def _collection(self, own: str, base: str, found: dict[str, _Collection]) -> _Collection:
        """Return the collection of the results for one of the package, by its id there."""
        if own not in found:
            wanted = f"{base}-{own or 'items'}" if found else base
            name = numbered(url_name(wanted), self._names)
            self._names.add(name)
            place = CollectionPlace(
                self._root, wanted, "Processing results", f"{self._root}/{name}"
            )
            found[own] = _Collection(place)
            self._collections.append(found[own])
        return found[own]

    def _take(self, tree: StacTree, found: Mapping[str, _Collection]) -> None:
        """Take in collections and items with their assets."""
        for source in tree.catalogs:
            self._files.lies_at(source.path, f"{self._root}/{stac.CATALOG}")
            said = source.document.get("title") or source.document.get("id")
            self._log(f"{self._out.shown(source.path)} ({said}) becomes a part of {stac.CATALOG}")
        for source in tree.collections:
            one = found[_id(source)]
            self._take_collection(one, source)
        for source in tree.items:
            one = found[_id(source.collection)]
            self._take_item(one, source)
        for source, link in tree.elsewhere:
            owner = source if source in tree.collections else source.collection
            one = found.get(_id(owner)) or next(iter(found.values()))
            one.links.append(link)
            self._log(f"{self._out.shown(source.path)}: {link['href']} stays where it is")

    def _take_collection(self, one: _Collection, source: StacDocument) -> None:
        shown = self._out.shown(source.path)
        self._log(f"{shown} ({_id(source)}) becomes the collection {one.place.id}")
        self._tell_unreadable(source)
        if source is not one.own[0]:
            if _plain(source) != _plain(one.own[0]):
                self._log(f"{shown} is joined with another of this id, whose fields are kept")
        else:
            title = str(source.document.get("title") or _id(source))
            one.place = CollectionPlace(self._root, one.place.id, title, one.place.folder)
        self._files.lies_at(source.path, f"{one.place.folder}/{stac.COLLECTION}")
        folder = Folder(one.place.folder, source, {"links": []}, one.taken)
        hrefs, said = self._files.assets(folder, source.document.get("assets") or {}, shown)
        assets = source.document.get("assets") or {}
        folder.document["assets"] = catalog_layout.published_assets(assets, hrefs, said)
        one.folders.append(folder)

    def _tell_unreadable(self, source: StacDocument) -> None:
        for wrong in extents.unreadable(source.document, self._out.shown(source.path)):
            self._log(f"{wrong}: it is left out of the extent")

    def _take_item(self, one: _Collection, source: StacDocument) -> None:
        item = source.document
        self._tell_unreadable(source)
        name = numbered(url_name(item["id"]), one.taken)
        one.taken.add(name)
        if name != item["id"]:
            self._log(f"the item {item['id']!r} of {self._out.shown(source.path)} lies in {name}")
        folder = Folder(f"{one.place.folder}/{name}", source, {}, {f"{name}.json"})
        hrefs, said = self._files.assets(folder, item["assets"], f"the item {item['id']}")
        folder.document = catalog_layout.published_item(item, one.place, name, hrefs, said)
        if self._files.place_of(source.path) is None:
            self._files.lies_at(source.path, f"{folder.uri}/{name}.json")
        one.items.append(folder)

    def _collection_document(self, one: _Collection) -> Mapping[str, Any]:
        own = dict(one.own[0].document) if one.own else {}
        assets: dict[str, Any] = {}
        for folder in one.folders:
            assets |= {
                numbered(key, assets): asset for key, asset in folder.document["assets"].items()
            }
        if own and (assets or "assets" in own):
            own["assets"] = assets
        items = [item.document for item in one.items]
        links = [*one.links, *chain.from_iterable(of.document["links"] for of in one.folders)]
        document = catalog_layout.collection_of(one.place, own, items, _extent(one), links)
        return self._written(document, one.place.folder)

    def _written(self, document: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
        plain: dict[str, Any] = stac.finite(document)
        if self._root.startswith("file:"):
            return catalog_layout.relative(plain, folder, self._root)
        return plain

    def _rest(self, tree: StacTree, found: Mapping[str, _Collection]) -> None:
        """Take in what links name, and then what nothing names."""
        here = [
            folder
            for one in found.values()
            for folder in (*one.folders, *one.items)
            if os.path.realpath(folder.source.path) in tree.files
        ]
        for folder in here:
            folder.document["links"] += self._files.links(folder)
        collection = next(iter(found.values()))
        for source in tree.catalogs:  # they are merged: the nearest collection keeps their links
            one = found[_id(source.collection)] if source.collection else collection
            one.links += self._files.links(Folder(one.place.folder, source, {}, one.taken))
        for path in self._files.unnamed(tree):
            beside = [one for one in here if _is_beside(path, one, tree.folder)]
            owner = beside[0] if len(beside) == 1 else None
            links = collection.links if owner is None else owner.document["links"]
            uri = (
                self._put_rest(path, tree, collection)
                if owner is None
                else self._files.put(owner, path)
            )
            links.append({"rel": "related", "href": uri, "title": os.path.basename(path)})

    def _put_rest(self, path: str, tree: StacTree, one: _Collection) -> str:
        """Publish a file at the place below the collection that it has below its catalog."""
        *above, _ = os.path.relpath(path, tree.folder).split("/")
        uri = "/".join([one.place.folder, *map(url_name, above)])
        taken = self._files.names_below(uri) if above else one.taken
        source = one.own[0] if one.own else StacDocument(path, {})
        return self._files.put(Folder(uri, source, {}, taken), path)


def _id(source: StacDocument | None) -> str:
    """Return the id of a collection of the package, nothing for none."""
    if source is None:
        return ""
    found = source.document.get("id")
    if not isinstance(found, str) or not found:
        raise StagingError(f"the collection {source.path} has no id", uri=source.path)
    return found


def _plain(source: StacDocument) -> dict[str, Any]:
    """Return what a collection says, but for what is written anew."""
    left_out = ("links", "extent", "assets", "stac_version")
    return {name: one for name, one in source.document.items() if name not in left_out}


def _is_beside(path: str, folder: Folder, top: str) -> bool:
    """Whether a file lies in the folder of an item, or below it, which is not the catalog's."""
    inside = os.path.dirname(folder.source.path)
    is_item = folder.source.document.get("type") == "Feature"
    return is_item and inside != os.path.normpath(top) and path.startswith(inside + "/")


def _extent(one: _Collection) -> dict[str, Any]:
    """Return the extent of a collection: its own, or what its items cover."""
    told = [extents.readable(extents.extent_of, source.document) for source in one.own]
    known = [extent for extent in told if extent is not None]
    if len(one.own) == 1 and known:
        return dict(one.own[0].document["extent"])
    sources = [item.source for item in one.items]
    boxes = [extents.readable(extents.box_of, item.document) for item in sources]
    times = [extents.readable(extents.interval_of, item.document) for item in sources]
    box = extents.covering([*filter(None, boxes), *(box for box, _ in known)])
    interval = extents.spanning([*filter(None, times), *(when for _, when in known)])
    return {
        "spatial": {"bbox": [list(box)]},
        "temporal": {"interval": [list(interval)]},
    }
