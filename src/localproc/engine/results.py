"""A job's results as Python values.

Owns the types that outputs become. Must not know how they were made or published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localproc.cwl.base.files import is_local, local_path
from localproc.cwl.base.types import is_filelike

if TYPE_CHECKING:
    import pystac


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
