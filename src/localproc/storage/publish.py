"""Putting a job's results where they are to stay.

Owns the layout of results (``<root>/<job>/catalog.json``, ``<job>/<job>/collection.json``,
``<job>/<job>/<item>/<item>.json`` and assets) and the order that makes the catalog the commit
point. Must not know which storage is written to.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from localproc.cwl.base.files import is_local, local_path, map_files
from localproc.errors import StagingError
from localproc.plugins.storage import Storage
from localproc.storage import catalog_layout, stac
from localproc.storage.access import free_name
from localproc.storage.placement import Placement
from localproc.storage.upload_plan import Outbound
from localproc.uris import quoted

_Log = Callable[[str], None]


class Publisher:
    """Publishes the outputs of one job.

    ``root`` is the URI of the folder that will hold the files; ``own`` the folders whose files are
    the job's and may be shared with the storage instead of being copied; ``inputs`` paths that
    outputs may be, or link to, as well. ``catalogs``: STAC catalogs get the layout of results, and
    the root is the job's own; otherwise every output is a file or a folder below ``root`` under
    its own name, beside what else may lie there.
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
        self._placement = Placement(self._out, self._root)
        self._collection_ids: dict[str, str] = {}
        self._collections: dict[str, list[dict[str, Any]]] = {}

    def publish(
        self, outputs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Publish everything.

        Give the outputs with their new locations, and for each output that is a STAC catalog, or
        a list of them, its FeatureCollection. Doing it again writes the same objects again. What
        was written is removed if it cannot be completed. Raises ``StagingError`` or ``NoSpace``.
        """
        try:
            published, features = self._plan(outputs)
            told = [f"{self._out.count} files"]
            if self._collections:
                told.insert(0, f"{sum(map(len, self._collections.values()))} items")
                self._add_documents()
            self._out.send()
        except BaseException:
            self._out.undo(f"{self._root}/{stac.CATALOG}" if self._catalogs else "")
            raise
        self._log(f"published {' with '.join(told)}")
        return published, features

    def _plan(self, outputs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        published: dict[str, Any] = {}
        features: dict[str, dict[str, Any]] = {}
        found = [name for name, value in outputs.items() if self._catalogs and _is_catalogs(value)]
        self._name_collections(found)
        for name, value in outputs.items():
            if name in found:
                features[name] = {
                    "type": "FeatureCollection",
                    "features": self._gather(name, value, self._collection_ids[name]),
                    "id": self._job_id,
                }
                published[name] = map_files(value, self._catalog_place)
            else:
                published[name] = self._placement.place(value)
        return published, features

    def _name_collections(self, outputs: list[str]) -> None:
        """Give the first catalog's collection the job's id, the others one of their own."""
        self._collection_ids = {
            name: f"{self._job_id}-{name}" if number else self._job_id
            for number, name in enumerate(outputs)
        }
        for name in (stac.CATALOG, *self._collection_ids.values()) if outputs else ():
            self._placement.reserve(name)

    def _catalog_place(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {"class": "Directory", "location": self._root, "basename": self._job_id}

    def _gather(self, output: str, value: Any, collection: str) -> list[dict[str, Any]]:
        """Take the items of an output's catalogs on; give them as they will be published."""
        taken: dict[str, str] = {}
        items = self._collections[collection] = []
        for folder in _flat(value):
            top = local_path(folder)
            self._out.guard(top)
            for path, item in stac.items_below(top):
                first = taken.setdefault(item["id"], path)
                if first != path:
                    raise StagingError(
                        f"two items of the output {output} have the id {item['id']!r}",
                        hint="the id of an item names its folder in the results",
                    )
                items.append(self._item(path, item, collection))
        if not items:
            self._log(f"{output}: the catalog has no items")
        return items

    def _item(self, path: str, item: Mapping[str, Any], collection: str) -> dict[str, Any]:
        folder = f"{self._root}/{quoted(collection)}/{quoted(item['id'])}"
        hrefs: dict[str, str] = {}
        extra: dict[str, Mapping[str, Any]] = {}
        taken: set[str] = {f"{item['id']}.json"}
        for key, asset in item["assets"].items():
            if urlsplit(asset["href"]).scheme not in ("", "file"):
                continue  # an asset that lies elsewhere stays there
            source = stac.resolve(asset["href"], path)
            name = free_name(os.path.basename(source), key, taken)
            taken.add(name)
            hrefs[key] = f"{folder}/{quoted(name)}"
            extra[key] = self._storage.describe(hrefs[key])
            if os.path.isfile(source):
                self._out.add(source, hrefs[key], asset.get("type"))
            elif os.path.isdir(source):  # a Zarr store, say
                self._placement.tree(source, hrefs[key])
            else:
                raise StagingError(
                    f"the asset {key!r} of the item {item['id']} does not exist: {source}",
                    hint="the tool that writes the catalog has to write its assets too",
                )
        return catalog_layout.published_item(item, collection, hrefs, extra, self._root)

    def _add_documents(self) -> None:
        """Items, then collections, then the catalog: whoever finds it finds all the rest."""
        everything = [item for items in self._collections.values() for item in items]
        is_local = urlsplit(self._root).scheme == "file"
        self._out.barrier()
        for item in everything:
            uri = next(link["href"] for link in item["links"] if link["rel"] == "self")
            written = catalog_layout.relative(item, self._root) if is_local else item
            self._add(written, uri)
        self._out.barrier()
        for name, items in self._collections.items():
            uri = f"{self._root}/{quoted(name)}/{stac.COLLECTION}"
            self._add(catalog_layout.collection_of(items, name), uri)
        self._out.barrier()
        catalog = catalog_layout.catalog_of(everything, list(self._collections))
        self._add(catalog, f"{self._root}/{stac.CATALOG}")

    def _add(self, document: Mapping[str, Any], uri: str) -> None:
        self._out.add_text(json.dumps(document, indent=2), uri, stac.GEOJSON)


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
