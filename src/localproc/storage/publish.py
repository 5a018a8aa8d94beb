"""Putting a job's results where they are to stay.

Owns the layout of results (``<root>/<job>/catalog.json``, ``<job>/<job>/collection.json``,
``<job>/<job>/<item>/<item>.json`` and assets), the order that makes the catalog the commit point,
and which output files may be published at all. Must not know which storage is written to.
"""

import json
import mimetypes
import os
import posixpath
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from localproc.cwl.files import is_local, local_path, map_files, path_uri
from localproc.errors import StagingError
from localproc.plugins.storage import Storage
from localproc.storage import stac

_Log = Callable[[str], None]
_PARALLEL: Final = 8


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
        self._own = tuple(os.path.realpath(one) for one in own)
        self._inputs = tuple(os.path.realpath(one) for one in inputs)
        self._log = log
        self._catalogs = catalogs
        self._stopped = stopped
        self._names: dict[str, int] = {}
        self._placed: dict[str, str] = {}
        self._items: list[dict[str, Any]] = []
        self._collections: dict[str, list[dict[str, Any]]] = {}
        self._assets: list[tuple[str, str, bool]] = []
        self._written: list[str] = []

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
            self._storage.delete(reversed(self._written))
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
        self._put_assets()
        self._put_documents()
        return published, features

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
            self._add(path, uri)
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
            self._write(str(one.get("contents", "")), uri)
            placed["size"] = len(str(one.get("contents", "")).encode())
        return placed

    def _tree(self, path: str, uri: str, listing: Any) -> list[dict[str, Any]]:
        """Publish a folder; give its listing, with what was known of its files."""
        known = {inner.get("basename"): inner for inner in listing or ()}
        found = []
        self._guard(path)
        for name in sorted(os.listdir(path)):
            inner = os.path.join(path, name)
            place = f"{uri}/{quote(name)}"
            base: dict[str, Any] = {"location": place, "basename": name}
            if os.path.isdir(inner):
                below = self._tree(inner, place, known.get(name, {}).get("listing"))
                found.append({**base, "class": "Directory", "listing": below})
            elif os.path.isfile(inner):
                self._add(inner, place)
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
                self._guard(top)
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
            self._add(source, hrefs[key], asset.get("type"))
        return stac.published_item(item, collection, hrefs, extra, self._root)

    def _put_documents(self) -> None:
        """Items, then collections, then the catalog: whoever finds it finds all the rest."""
        if not self._collections:
            return
        everything = [item for items in self._collections.values() for item in items]
        local = urlsplit(self._root).scheme == "file"
        for item in everything:
            uri = next(link["href"] for link in item["links"] if link["rel"] == "self")
            self._write_json(stac.relative(item, self._root) if local else item, uri)
        for name, items in self._collections.items():
            document = stac.collection_of(items, name)
            self._write_json(document, f"{self._root}/{name}/{stac.COLLECTION}")
        catalog = stac.catalog_of(everything, list(self._collections))
        self._write_json(catalog, f"{self._root}/{stac.CATALOG}")
        self._log(f"catalog: {self._root}/{stac.CATALOG}")

    # Writing

    def _add(self, path: str, uri: str, media_type: str | None = None) -> None:
        real = self._guard(path)
        own = any(_is_below(real, one) for one in self._own)
        self._assets.append((real, uri, own))
        self._log(f"{path} → {uri}")

    def _guard(self, path: str) -> str:
        """See that a file is the job's own, or an input passed through, links followed."""
        real = os.path.realpath(path)
        if not any(_is_below(real, one) for one in (*self._own, *self._inputs)):
            raise StagingError(
                f"the output {path} leads out of the job's folder, to {real}",
                hint="copy the file into the output directory instead of linking to it",
            )
        return real

    def _put_assets(self) -> None:
        def put(asset: tuple[str, str, bool]) -> None:
            path, uri, own = asset
            if self._stopped():
                raise StagingError("stopped: the job was dismissed")
            kind = mimetypes.guess_type(uri)[0] or "application/octet-stream"
            self._storage.put(path, uri, media_type=kind, disposable=own)
            self._written.append(uri)

        if urlsplit(self._root).scheme == "file" or len(self._assets) < 2:
            for asset in self._assets:
                put(asset)
            return
        with ThreadPoolExecutor(_PARALLEL, "localproc-publish") as pool:
            for _ in pool.map(put, self._assets):
                pass

    def _write_json(self, document: Mapping[str, Any], uri: str) -> None:
        self._write(json.dumps(document, indent=2), uri, stac.GEOJSON)

    def _write(self, text: str, uri: str, media_type: str = "text/plain") -> None:
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            path = os.path.join(folder, "object")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self._storage.put(path, uri, media_type=media_type)
        self._written.append(uri)


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


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
