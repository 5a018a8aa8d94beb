"""cwl-utils: how its parsers are called, and how its typed objects are read.

Owns every oddity of these objects: names that Python reserves, identifiers that are URIs. Must not
know what the parts of a process mean. Importing cwl-utils costs 0.2 s, so only modules that are
imported when a package is loaded may import this one.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from schema_salad.exceptions import SchemaSaladException
from schema_salad.fetcher import DefaultFetcher
from schema_salad.runtime import LoadingOptions, Saveable
from schema_salad.sourceline import cmap

from localproc.cwl.load import raw
from localproc.cwl.load.imports import imported_document
from localproc.cwl.load.sources import Sources
from localproc.cwl.load.symbols import unveiled
from localproc.cwl.load.typed_parsers import CRASHES
from localproc.uris import joined_uri


class _Fetcher(DefaultFetcher):
    """Gives schema-salad the texts of the package and nothing else: it opens no socket."""

    def __init__(self, sources: Sources) -> None:
        super().__init__({}, None)
        self.sources = sources
        self.schemes = [*self.schemes, urlsplit(sources.entry).scheme]

    def fetch_text(self, url: str, content_types: list[str] | None = None) -> str:
        """Return a text of the package."""
        return self.sources.text(url)

    def urljoin(self, base_url: str, url: str) -> str:
        """Return where a reference leads, whatever the scheme of the package."""
        found = super().urljoin(base_url, url)  # refuses files of this machine in others
        return found if url.startswith("_:") else joined_uri(base_url, url)

    def document(self, url: str) -> Any:
        """Return a document that another one imports."""
        return imported_document(url, self.sources)

    def check_exists(self, url: str) -> bool:
        """Whether a reference leads anywhere is found out when it is followed."""
        return True


def loading_options(
    sources: Sources,
    uri: str,
    namespaces: Any = None,
    schemas: Any = None,
    imported: dict[str, Any] | None = None,
) -> LoadingOptions:
    """Return what cwl-utils needs to know to load a part of a document by itself.

    ``imported`` holds what has been imported, by URI, and grows.
    """
    return LoadingOptions(
        fetcher=_Fetcher(sources),
        fileuri=uri,
        baseuri=uri.rpartition("/")[0],
        namespaces=dict(namespaces) if namespaces else None,
        schemas=list(schemas) if schemas else None,
        idx=imported,
    )


def subclasses(options: LoadingOptions) -> dict[str, list[str]]:
    """Read the document's ``$schemas``: each class with those that contain it or equal it."""
    local = [one for one in options.schemas or () if _is_local(one, options.fileuri or "")]
    if not local:
        return {}
    from rdflib.namespace import OWL, RDFS

    graph = LoadingOptions(copyfrom=options, schemas=local).graph
    found: dict[str, list[str]] = {}
    for child, parent in graph.subject_objects(RDFS.subClassOf):
        found.setdefault(str(child), []).append(str(parent))
    for one, other in graph.subject_objects(OWL.equivalentClass):
        found.setdefault(str(one), []).append(str(other))
        found.setdefault(str(other), []).append(str(one))
    return found


def _is_local(uri: str, base: str) -> bool:
    try:
        return urlsplit(joined_uri(base, uri)).scheme == "file"
    except ValueError:  # it is no address
        return False


def get(typed: Any, name: str) -> Any:
    """Read a field; cwl-utils adds an underscore to names that Python reserves."""
    value = getattr(typed, name, None)
    return getattr(typed, name + "_", None) if value is None else value


def plain_typed(value: Any) -> Any:
    """Return typed objects and YAML's values as plain JSON; fields without a value are left out."""
    if isinstance(value, Saveable):
        names: Iterable[str] = getattr(value, "attrs")  # noqa: B009 - made by a generator
        fields = {name: plain_typed(get(value, name)) for name in names}
        return {name: field for name, field in fields.items() if field is not None}
    if isinstance(value, Mapping):
        return {str(key): plain_typed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_typed(item) for item in value]
    return raw.plain_json(value)


def typed_from(value: Mapping[str, Any], kind: Any, options: Any, uri: str) -> Any:
    """Return an object of a class from its members, but for those that the class has not.

    Raises ``ValueError`` for members that are not as they should be.
    """
    known = {name: member for name, member in value.items() if name in kind.attrs}
    try:
        return kind.fromDoc(cmap(known), uri, options)
    except (SchemaSaladException, *CRASHES) as error:
        raise ValueError(str(error)) from error


def as_list(value: Any) -> list[Any]:
    """Return a field that may hold one or several as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def identifier(typed: Any) -> str:
    """Return an object's URI; some are nothing but that."""
    return typed if isinstance(typed, str) else str(typed.id)


def short(uri: str) -> str:
    """Return the last part of an identifier."""
    return uri.rpartition("#")[2].rpartition("/")[2]


def symbols(enum: Any) -> list[str]:
    """Return the symbols of an enum as they were written."""
    return [unveiled(one) for one in enum.symbols]
