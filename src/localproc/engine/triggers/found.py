"""What came of looking for files and items: each with a key that is its own for ever.

Owns listing folders, prefixes of storages, STAC catalogs and API searches. Must not know what was
found before.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.cwl.base.reading import read_written_json
from localproc.errors import StagingError
from localproc.plugins.storage import Storage
from localproc.uris import joined_uri, path_uri, uri_path

#: An event: its key, and the facts that inputs may name.
Occurrence = tuple[str, dict[str, Any]]

#: Names of files that somebody is still writing, or that are nobody's business.
_PASSING: Final = (".*", "*.part", "*.partial", "*.tmp", "*.crdownload", "*~")
_MOST_PAGES: Final = 10_000
_MOST_BYTES: Final = 64 << 20


def files(folder: str, pattern: str, settled: float, now: datetime) -> Iterator[Occurrence]:
    """Yield the files below a folder, each version by a key of its own.

    A file that was written less than ``settled`` seconds ago is passed over until it rests; pipes,
    sockets and devices are no files.
    """
    root = uri_path(folder) if folder.startswith("file:") else folder
    for place, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            if not fnmatchcase(name, pattern) or any(fnmatchcase(name, one) for one in _PASSING):
                continue
            path = os.path.join(place, name)
            try:
                found = os.stat(path)
            except OSError:
                continue
            if not stat.S_ISREG(found.st_mode) or now.timestamp() - found.st_mtime < settled:
                continue
            modified = datetime.fromtimestamp(found.st_mtime, UTC)
            yield (
                f"{path}#{found.st_mtime_ns}-{found.st_size}-{found.st_ino}",
                {
                    "event": "file",
                    "path": path,
                    "uri": path_uri(path),
                    "name": name,
                    "size": found.st_size,
                    "modified": modified.isoformat(),
                },
            )


def objects(storage: Storage, prefix: str, pattern: str) -> Iterator[Occurrence]:
    """Yield the objects below a prefix, each version by a key of its own."""
    for one in storage.list(prefix):
        name = urlsplit(one.uri).path.rpartition("/")[2]
        if fnmatchcase(name, pattern) and not any(fnmatchcase(name, two) for two in _PASSING):
            version = one.etag or str(one.size)
            facts = {"event": "file", "uri": one.uri, "path": one.uri, "name": name}
            yield f"{one.uri}#{version}", {**facts, "size": one.size}


def item_pages(
    url: str, collections: Iterable[str], read: Callable[[str], Any], *, changes: bool = False
) -> Iterator[list[Occurrence]]:
    """Yield the items of a STAC catalog, or of an API's search or collection, page by page.

    ``read`` gives the JSON at an address. An item has one key, with ``changes`` one for each time
    at which it was updated. Raises ``StagingError``.
    """
    wanted = set(collections)
    waiting, seen = [url], set[str]()
    while waiting and len(seen) < _MOST_PAGES:
        place = waiting.pop(0)
        if place in seen:
            continue
        seen.add(place)
        document = read(place)
        if not isinstance(document, Mapping):
            raise StagingError(f"{place} is no STAC document", uri=place)
        links = _links(document)
        if document.get("type") == "FeatureCollection":
            found = document.get("features", ())
            rels: tuple[str, ...] = ("next",)
        elif document.get("type") == "Feature":
            found, rels = [document], ()
        else:
            found, rels = (), ("child", "item", "items")
        waiting += [_address(place, one) for one in links if one.get("rel") in rels]
        yield [
            _item(item, place, changes=changes)
            for item in found
            if isinstance(item, Mapping) and (not wanted or item.get("collection") in wanted)
        ]


def _links(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in document.get("links") or () if isinstance(one, Mapping)]


def _address(place: str, link: Mapping[str, Any]) -> str:
    """Return where a link leads to, the place itself for none; raises ``StagingError``."""
    try:
        return joined_uri(place, str(link.get("href") or place))
    except ValueError as error:
        raise StagingError(f"{place} has a link that is no address: {error}", uri=place) from None


def json_of_answer(answer: Any, place: str) -> Any:
    """Return the JSON of an answer; raises ``StagingError``."""
    if not answer.is_success:
        raise StagingError(f"{place}: {answer.status_code} {answer.reason_phrase}", uri=place)
    data = answer.read()
    if len(data) > _MOST_BYTES:
        raise StagingError(f"{place} is too large", uri=place)
    try:
        return read_written_json(data)
    except ValueError:
        raise StagingError(f"{place} is no JSON", uri=place) from None


def _item(item: Mapping[str, Any], place: str, *, changes: bool) -> Occurrence:
    properties = item.get("properties") or {}
    own = next((one for one in _links(item) if one.get("rel") == "self"), {})
    collection = str(item.get("collection") or "")
    facts = {
        "event": "stac",
        "id": item.get("id"),
        "collection": collection,
        "datetime": properties.get("datetime") or properties.get("start_datetime"),
        "href": _address(place, own),
        "properties": properties,
        "assets": item.get("assets") or {},
        "bbox": item.get("bbox"),
    }
    key = f"{collection}/{item.get('id')}"
    updated = properties.get("updated") if changes else None
    return f"{key}#{updated}" if updated else key, facts
