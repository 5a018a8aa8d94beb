"""Putting a job's results where they are to stay.

Owns the layout of results (``<root>/<job>/catalog.json``, ``<job>/<job>/collection.json``,
``<job>/<job>/<item>/<item>.json`` and assets) and the order that makes the catalog the commit
point. Must not know which storage is written to.
"""

import json
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from localproc.cwl.base.files import is_local, local_path, map_files
from localproc.plugins.storage import Storage
from localproc.storage import stac
from localproc.storage.meter import Meter
from localproc.storage.placement import OutputPlaces
from localproc.storage.remnants import Undoing
from localproc.storage.upload_plan import Outbound

if TYPE_CHECKING:  # what it needs is large, and few results are STAC
    from localproc.storage.catalog_plan import CatalogPlan, Document

_Log = Callable[[str], None]


class Publisher:
    """Publishes the outputs of one job.

    ``root`` is the URI of the folder that will hold the files; ``own`` the folders whose files are
    the job's and may be shared with the storage instead of being copied; ``inputs`` paths that
    outputs may be, or link to, as well. ``catalogs``: STAC catalogs get the layout of results, and
    the root is the job's own; otherwise every output is a file or a folder below ``root`` under
    its own name, beside what else may lie there. ``check`` is shown every STAC document, by the
    place that it will have, and may raise ``StagingError``. ``meter`` counts the bytes that go,
    ``undoing`` begins when what was written is removed.
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
        check: Callable[[str, Mapping[str, Any]], None] = lambda *_: None,
        stopped: Callable[[], bool] = lambda: False,
        meter: Meter | None = None,
        undoing: Undoing | None = None,
    ) -> None:
        self._root = root.rstrip("/")
        self._job_id = job_id
        self._log = log
        self._catalogs = catalogs
        self._check = check
        self._out = Outbound(
            storage,
            self._root,
            own,
            inputs,
            log,
            stopped,
            alone=catalogs,
            meter=meter,
            undoing=undoing,
        )
        self._placement = OutputPlaces(self._out, self._root)
        self._storage = storage

    @cached_property
    def _plan_of_catalogs(self) -> "CatalogPlan":
        from localproc.storage.catalog_plan import CatalogPlan

        return CatalogPlan(self._out, self._placement, self._storage, self._root, self._log)

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
            told = [_count(self._out.count, "file")]
            if features:
                told.insert(0, _count(len(self._plan_of_catalogs.items), "item"))
                self._add_documents()
            self._out.send()
            features = {name: stac.finite(one) for name, one in features.items()}
        except BaseException:
            self._out.undo()
            raise
        self._log(f"published {' with '.join(told)}")
        return published, features

    def _plan(self, outputs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        found = [name for name, value in outputs.items() if self._catalogs and _is_catalogs(value)]
        features = {}
        for number, name in enumerate(found):
            base = f"{self._job_id}-{name}" if number else self._job_id
            folders = [local_path(one) for one in _flat(outputs[name])]
            items = self._plan_of_catalogs.add(name, base, folders)
            features[name] = {"type": "FeatureCollection", "features": items, "id": self._job_id}
        for name in self._plan_of_catalogs.names if found else ():
            self._placement.reserve(name)
        published = {
            name: map_files(value, self._catalog_place)
            if name in found
            else self._placement.place(value)
            for name, value in outputs.items()
        }
        return published, features

    def _catalog_place(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {"class": "Directory", "location": self._root, "basename": self._job_id}

    def _add_documents(self) -> None:
        """Items, then collections, then the catalog: whoever finds it finds all the rest."""
        for documents in self._plan_of_catalogs.documents():
            self._out.barrier()
            for uri, document in documents:
                self._check(uri.removeprefix(self._root).lstrip("/"), document())
                self._out.add_text(partial(_text, document), uri, stac.GEOJSON)


def _text(document: "Document") -> str:
    return json.dumps(document(), indent=2, allow_nan=False)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


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
