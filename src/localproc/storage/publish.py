"""Putting a job's results where they are to stay.

Owns the layout of results (``<root>/<job>/catalog.json``, ``<job>/<job>/collection.json``,
``<job>/<job>/<item>/<item>.json`` and assets) and the order that makes the catalog the commit
point. Must not know which storage is written to.
"""

import os
import posixpath
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from localproc.cwl.files import is_local, local_path, map_files, path_uri
from localproc.errors import StagingError
from localproc.plugins.storage import Storage
from localproc.storage import stac
from localproc.storage.outbound import Outbound

_Log = Callable[[str], None]


class Publisher:
    """Publishes the outputs of one job.

    ``root`` is the URI of the folder that will hold the files; ``own`` the folders whose files are
    the job's and may be shared with the storage instead of being copied; ``inputs`` paths that
    outputs may be, or link to, as well. ``catalogs``: STAC catalogs get the layout of results;
    otherwise every output is a file or a folder below ``root`` under its own name.
    """

    def __init__(
        self,
        storage: Storage,
        root: str,
        job_id: str,
        own: tuple[str, ...],
        inputs: tuple[str, ...],
        log: _Log,
        *,
        catalogs: bool = True,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._storage = storage
        self._root = root.rstrip("/")
        self._job_id = job_id
        self._log = log
        self._catalogs = catalogs
        self._out = Outbound(storage, self._root, own, inputs, log, stopped)
        self._names: dict[str, int] = {}
        self._placed: dict[str, str] = {}
        self._items: list[dict[str, Any]] = []
        self._collections: dict[str, list[dict[str, Any]]] = {}

    def publish(
        self, outputs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Publish everything.

        Give the outputs with their new locations, and for each output that is a STAC catalog, or
        a list of them, its FeatureCollection. Doing it again writes the same objects again. What
        was written is removed if it cannot be completed.
        """
        try:
            return self._publish(outputs)
        except BaseException:
            self._out.undo()
            raise

    def _publish(
        self, outputs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        self._reserve()
        published: dict[str, Any] = {}
        features: dict[str, dict[str, Any]] = {}
        for name, value in outputs.items():
            if self._catalogs and _is_catalogs(value):
                items = self._gather(name, value)
                features[name] = {
                    "type": "FeatureCollection",
                    "features": items,
                    "id": self._job_id,
                }
                published[name] = map_files(value, self._catalog_place)
            else:
                published[name] = map_files(value, self._place)
        self._out.put()
        self._put_documents()
        self._log(self._summary())
        return published, features

    def _summary(self) -> str:
        items = sum(map(len, self._collections.values()))
        files = self._out.count
        told = [f"{items} items"] if self._collections else []
        return f"published {' with '.join([*told, f'{files} files'])}"

    def _reserve(self) -> None:
        if self._catalogs:
            self._names = {stac.CATALOG: 1, self._job_id: 1}

    def _catalog_place(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {"class": "Directory", "location": self._root, "basename": self._job_id}

    # Plain files and folders

    def _place(self, one: Mapping[str, Any], folder: str = "") -> dict[str, Any]:
        if not is_local(one):
            return self._made(one, folder)
        path = local_path(one)
        beside = one.get("secondaryFiles")
        key = f"{folder}\0{path}"
        if key in self._placed and not beside:
            return {**one, "location": self._placed[key]}
        name = str(one.get("basename") or os.path.basename(path))
        uri = self._free(folder, name)
        self._placed[key] = uri
        placed: dict[str, Any] = {
            **one,
            "location": uri,
            "basename": unquote(posixpath.basename(uri)),
        }
        if one["class"] == "File":
            self._out.add(path, uri)
        else:
            placed["listing"] = self._tree(path, uri, one.get("listing"))
        if beside:
            placed["secondaryFiles"] = [
                self._place(inner, posixpath.dirname(uri)) for inner in beside
            ]
        return placed

    def _made(self, one: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """An object without a place on this machine: a literal, or a reference to elsewhere."""
        if "location" in one:
            return dict(one)
        uri = self._free(folder, str(one.get("basename") or one["class"].lower()))
        placed: dict[str, Any] = {
            **one,
            "location": uri,
            "basename": unquote(posixpath.basename(uri)),
        }
        if one["class"] == "Directory":
            placed["listing"] = [self._place(inner, uri) for inner in one.get("listing") or ()]
        else:
            self._out.write(str(one.get("contents", "")), uri)
            placed["size"] = len(str(one.get("contents", "")).encode())
        return placed

    def _tree(self, path: str, uri: str, listing: Any) -> list[dict[str, Any]]:
        """Publish a folder; give its listing, with what was known of its files."""
        known = {inner.get("basename"): inner for inner in listing or ()}
        found = []
        self._out.guard(path)
        for name in sorted(os.listdir(path)):
            inner = os.path.join(path, name)
            place = f"{uri}/{quote(name)}"
            base: dict[str, Any] = {"location": place, "basename": name}
            if os.path.isdir(inner):
                below = self._tree(inner, place, known.get(name, {}).get("listing"))
                found.append({**base, "class": "Directory", "listing": below})
            elif os.path.isfile(inner):
                self._out.add(inner, place)
                size = os.stat(inner).st_size
                found.append({**known.get(name, {}), **base, "class": "File", "size": size})
        if not found and urlsplit(uri).scheme == "file":
            os.makedirs(unquote(urlsplit(uri).path), exist_ok=True)
        return found

    def _free(self, folder: str, name: str) -> str:
        """Give a URI that no other output has: ``name``, ``name_2``, ..."""
        key = f"{folder}/{name}" if folder else name
        count = self._names[key] = self._names.get(key, 0) + 1
        if count > 1:
            root, extension = posixpath.splitext(name)
            candidate = f"{root}_{count}{extension}"
            if (f"{folder}/{candidate}" if folder else candidate) in self._names:
                return self._free(folder, name)
            name = candidate
        return f"{folder or self._root}/{quote(name)}"

    # Catalogs

    def _gather(self, output: str, value: Any) -> list[dict[str, Any]]:
        """Take the items of an output's catalogs on; give them as they will be published."""
        collection = self._job_id if not self._collections else f"{self._job_id}-{output}"
        taken: dict[str, str] = {}
        items = self._collections[collection] = []
        for folder in value if isinstance(value, list) else [value]:
            for nested in _flat(folder):
                top = local_path(nested)
                self._out.guard(top)
                for path, item in stac.items_below(top):
                    first = taken.setdefault(item["id"], path)
                    if first != path:
                        raise StagingError(
                            f"two items of the output {output} have the id {item['id']!r}",
                            hint="the id of an item names its folder in the results",
                        )
                    items.append(self._item(path, item, collection, top))
        if not items:
            self._log(f"{output}: the catalog has no items")
        return items

    def _item(
        self, path: str, item: Mapping[str, Any], collection: str, top: str
    ) -> dict[str, Any]:
        hrefs: dict[str, str] = {}
        extra: dict[str, Mapping[str, Any]] = {}
        taken: set[str] = {f"{item['id']}.json"}
        for key, asset in item["assets"].items():
            href = str(asset.get("href", ""))
            if urlsplit(href).scheme not in ("", "file"):
                continue  # an asset that lies elsewhere stays there
            source = stac.resolve(href, path)
            if not os.path.isfile(source):
                raise StagingError(
                    f"the asset {key!r} of the item {item['id']} does not exist: {source}",
                    hint="the tool that writes the catalog has to write its assets too",
                )
            name = os.path.basename(source)
            name = f"{key}_{name}" if name in taken else name
            taken.add(name)
            hrefs[key] = f"{self._root}/{collection}/{quote(item['id'])}/{quote(name)}"
            extra[key] = self._storage.describe(hrefs[key])
            self._out.add(source, hrefs[key], asset.get("type"))
        return stac.published_item(item, collection, hrefs, extra, self._root)

    def _put_documents(self) -> None:
        """Items, then collections, then the catalog: whoever finds it finds all the rest."""
        if not self._collections:
            return
        everything = [item for items in self._collections.values() for item in items]
        local = urlsplit(self._root).scheme == "file"
        for item in everything:
            uri = next(link["href"] for link in item["links"] if link["rel"] == "self")
            self._out.write_json(stac.relative(item, self._root) if local else item, uri)
        for name, items in self._collections.items():
            document = stac.collection_of(items, name)
            self._out.write_json(document, f"{self._root}/{name}/{stac.COLLECTION}")
        catalog = stac.catalog_of(everything, list(self._collections))
        self._out.write_json(catalog, f"{self._root}/{stac.CATALOG}")


def results_uri(root: str, base: str = "") -> str:
    """Give the URI of a results folder that was given as a path or a URI."""
    if urlsplit(root).scheme:
        return root.rstrip("/")
    return path_uri(os.path.normpath(os.path.join(base or os.getcwd(), root)))


def _is_catalogs(value: Any) -> bool:
    """Whether a value is a STAC catalog in a Directory, or an array of nothing else."""
    found = list(_flat(value))
    return bool(found) and all(
        isinstance(one, Mapping)
        and one.get("class") == "Directory"
        and is_local(one)
        and stac.is_catalog(local_path(one))
        for one in found
    )


def _flat(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [leaf for item in value for leaf in _flat(item)]
    return [] if value is None else [value]
