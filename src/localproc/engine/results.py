"""A job's results as Python values.

Owns the types that outputs become. Must not know how they were made or published.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from localproc.cwl.base.files import is_local, local_path
from localproc.cwl.base.types import is_filelike
from localproc.views.execution_log import UPDATED

if TYPE_CHECKING:
    import pystac

_MOST_UPDATED: Final = 1 << 20  #: characters


@dataclass(frozen=True)
class StacResults:
    """A published STAC catalog. ``location`` is the URI of the folder that holds it."""

    location: str
    document: Mapping[str, Any]

    @cached_property
    def items(self) -> "list[pystac.Item]":
        """Its items, in pystac's newest STAC version; ``document`` has them as they were made."""
        import pystac

        # The catalog they lie in is known, so pystac need not read it, from S3 say, by itself.
        kind = pystac.CatalogType.ABSOLUTE_PUBLISHED
        root = pystac.Catalog("catalog", "Root catalog", href=self.catalog, catalog_type=kind)
        return [pystac.Item.from_dict(dict(one), root=root) for one in self.document["features"]]

    @property
    def catalog(self) -> str:
        """The URI of its ``catalog.json``."""
        return f"{self.location}/catalog.json"


def typed_results(outputs: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, Any]:
    """Return every output as a Python value."""
    return {
        name: StacResults(_location(value), features[name]) if name in features else _typed(value)
        for name, value in outputs.items()
    }


def _location(value: Any) -> str:
    first = value
    while isinstance(first, list):
        first = first[0]
    return str(first["location"])


def _typed(value: Any) -> Any:
    if is_filelike(value):
        return Path(local_path(value)) if is_local(value) else value.get("location")
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    return value


def read_updated(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a process says it has updated: its output ``updated``, an object or a JSON file.

    Nothing if it says nothing, or nothing that can be read here.
    """
    found = outputs.get(UPDATED)
    if isinstance(found, Mapping) and is_filelike(found):
        if found.get("class") != "File" or not is_local(found):
            return {}
        try:
            with open(local_path(found), encoding="utf-8") as file:
                found = json.loads(file.read(_MOST_UPDATED))
        except (OSError, ValueError):
            return {}
    return found if isinstance(found, Mapping) else {}
