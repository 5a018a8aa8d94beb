"""A job's results as Python values.

Owns the types that outputs become. Must not know how they were made or published.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from localproc.cwl.base.files import is_local, local_path, walk
from localproc.cwl.base.reading import read_written_json
from localproc.cwl.base.types import is_filelike
from localproc.errors import ResultsNotReady, StagingError
from localproc.spelling import public
from localproc.storage.published import Published
from localproc.uris import is_absolute
from localproc.views.execution_log import UPDATED

if TYPE_CHECKING:
    import pystac

_MOST_UPDATED: Final = 1 << 20  #: characters


@public
@dataclass(frozen=True)
class StacResults:
    """A published STAC catalog. ``location`` is the URI of the folder that holds it."""

    location: str
    document: Mapping[str, Any]
    published: Published | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"location": self.location, "document": self.document, "published": None}

    def _repr_html_(self) -> str:
        from localproc.engine.reporting import pictures, shown_results
        from localproc.views import notebook
        from localproc.views.shown_results import shown_outputs

        document = {"items": {"value": self.document}}
        published = self.published
        if published is None:
            return notebook.stac_html(self.catalog, shown_outputs(document, lambda _: None)[0], {})
        outputs = shown_results(document, published, self.location)
        return notebook.stac_html(self.catalog, outputs[0], pictures(outputs, published))

    def read(self, href: str) -> bytes:
        """Return what an asset's href or a link leads to, with the keys of the job's engine."""
        if self.published is None:
            raise ResultsNotReady("these results have been copied, and have no engine any more")
        return self.published.read(href)

    @cached_property
    def items(self) -> "list[pystac.Item]":
        """Its items, in pystac's newest STAC version; ``document`` has them as they were made.

        Raises ``StagingError`` for one that pystac cannot read.
        """
        import pystac

        # The catalog they lie in is known, so pystac need not read it, from S3 say, by itself.
        kind = pystac.CatalogType.ABSOLUTE_PUBLISHED
        root = pystac.Catalog("catalog", "Root catalog", href=self.catalog, catalog_type=kind)
        if self.published is not None:
            root._stac_io = _reading(self.published.read)  # noqa: SLF001 - where pystac looks for it
        return [_item(one, root) for one in self.document["features"]]

    @property
    def catalog(self) -> str:
        """The URI of its ``catalog.json``."""
        return f"{self.location}/catalog.json"


def _item(feature: Mapping[str, Any], root: "pystac.Catalog") -> "pystac.Item":
    import pystac

    try:
        return pystac.Item.from_dict(dict(feature), root=root)
    except Exception as error:  # whatever it stumbles over in what is no valid item
        raise StagingError(
            f"pystac cannot read the item {feature.get('id')!r}: {error}",
            hint="it is no valid STAC, as the log of stage_out says; document has it as it is",
        ) from error


def _reading(reader: Callable[[str], bytes]) -> "pystac.StacIO":
    """Return what pystac follows links with: it knows but files and the web by itself."""
    from pystac.stac_io import DefaultStacIO

    class _EngineIO(DefaultStacIO):
        def read_text_from_href(self, href: str) -> str:
            return reader(href).decode() if is_absolute(href) else super().read_text_from_href(href)

    return _EngineIO()


def typed_results(
    outputs: Mapping[str, Any], features: Mapping[str, Any], published: Published
) -> dict[str, Any]:
    """Return every output as a Python value; ``published`` reads what lies at a URI."""
    return {
        name: StacResults(catalog_folder(value), features[name], published)
        if name in features
        else _typed(value)
        for name, value in outputs.items()
    }


def catalog_folder(value: Any) -> str:
    """Return the URI of the folder of an output that is a catalog, or a list of them."""
    first = value
    while isinstance(first, list):
        first = first[0]
    return str(first["location"])


def witness(value: Any, *, is_catalog: bool) -> str:
    """Return the URI of a file that is there as long as an output is, nothing if it has none."""
    if is_catalog:
        return f"{catalog_folder(value)}/catalog.json"
    files = (one for one in walk(value) if one["class"] == "File")
    return str(next(files, {}).get("location", ""))


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
                found = read_written_json(file.read(_MOST_UPDATED))
        except (OSError, ValueError):
            return {}
    return found if isinstance(found, Mapping) else {}
