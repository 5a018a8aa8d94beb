"""The same job here and at a server, and whether the same came out.

Owns running it there and putting the results of both side by side. Must not know what counts as
the same (``localproc.differences``).
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from localproc.cwl.base.reading import read_written_json
from localproc.differences import item_differences, raster_differences, value_differences
from localproc.engine.handles import Job
from localproc.engine.results import StacResults
from localproc.errors import NoSuchProcess, PluginMissing
from localproc.media_types import media_type
from localproc.remote.download import contents
from localproc.remote.server import Server
from localproc.remote.shapes import object_of, objects_of

#: What of an asset follows from its bytes, which are compared by themselves.
_OF_BYTES: Final = ("file:checksum", "file:size")
_RASTERS: Final = ("image/tiff", "image/jp2", "image/png", "image/jpeg", "application/netcdf")


def run_there(job: Job, server: Server) -> dict[str, Any]:
    """Run the inputs of a job at a server, and return the statusInfo of its end there.

    A process that the server does not have is deployed there.
    """
    try:
        server.describe(job.process_id)
    except NoSuchProcess:
        server.deploy(job.process)
    started = server.execute(job.process_id, job.inputs)
    return started if "results" in started else server.wait(started["jobID"])


def differences(job: Job, server: Server, there: Mapping[str, Any], tolerance: float) -> list[str]:
    """Return how the results of a job at a server differ from those of the same job here.

    ``there`` is what ``run_there`` gave. Rasters and numbers may differ by ``tolerance``. Raises
    the errors of ``Server.results``, and ``ResultsNotReady`` for a job here that has none.
    """
    ours = job.results()
    theirs = there["results"] if "results" in there else server.results(there["jobID"])
    found: list[str] = []
    for name, value in ours.items():
        if value is not None and name not in theirs:
            found.append(f"{name} is missing")
        elif value is not None:
            found += _Comparison(server, tolerance).value(theirs[name], value, name)
    return found + [f"{name} is too many" for name in theirs if name not in ours]


class _Comparison:
    """Compares results of a server with those of a job here."""

    def __init__(self, server: Server, tolerance: float) -> None:
        self._server = server
        self._tolerance = tolerance

    def value(self, there: Any, here: Any, name: str) -> Iterator[str]:
        """Yield what differs in a result."""
        if isinstance(here, StacResults):
            yield from self._items(there, here, name)
        elif isinstance(here, Path) and here.is_dir():
            yield f"{name} is a folder, which is not compared"
        elif isinstance(here, Path):
            data = contents(self._server, there)
            if data is None:
                yield f"{name} is no file"
            else:
                yield from self._files(data, here.read_bytes(), here.name, name)
        elif isinstance(here, list) and isinstance(there, list):
            if len(here) != len(there):
                yield f"{name} has {len(there)} values, not {len(here)}"
                return
            for number, (one, other) in enumerate(zip(there, here, strict=True)):
                yield from self.value(one, other, f"{name}[{number}]")
        elif isinstance(here, Mapping) and isinstance(_plain(there), Mapping):
            yield from self._members(_plain(there), here, name)
        else:
            yield from value_differences(_plain(there), here, name, self._tolerance)

    def _members(
        self, there: Mapping[str, Any], here: Mapping[str, Any], name: str
    ) -> Iterator[str]:
        """Yield what differs in an object, which may have files in it."""
        for key in dict.fromkeys([*here, *there]):
            if key not in there or key not in here:
                yield f"{name}.{key} is {'missing' if key in here else 'too many'}"
            else:
                yield from self.value(there[key], here[key], f"{name}.{key}")

    def _items(self, there: Any, here: StacResults, name: str) -> Iterator[str]:
        """Yield what differs in items, field by field, and in their assets."""
        document = _plain(there)
        if isinstance(document, Mapping) and isinstance(document.get("href"), str):
            document = _read(self._server.fetch(document["href"]))
        if not isinstance(document, Mapping) or document.get("type") != "FeatureCollection":
            yield f"{name} is no feature collection"
            return
        document = {**document, "features": objects_of(document.get("features"))}
        tolerance = max(self._tolerance, 1e-9)
        found = item_differences(document, here, tolerance=tolerance, ignore=_OF_BYTES)
        yield from (f"{name}: {one}" for one in found)
        items = {str(one.get("id")): one for one in document["features"]}
        for item in here.document["features"]:
            others = object_of(object_of(items.get(item["id"])).get("assets"))
            for key in item["assets"].keys() & others.keys():
                ours, theirs = item["assets"][key]["href"], str(object_of(others[key]).get("href"))
                file, path = os.path.basename(ours), f"{name}: {item['id']}.assets.{key}"
                yield from self._files(self._server.fetch(theirs), here.read(ours), file, path)

    def _files(self, there: bytes, here: bytes, file: str, name: str) -> Iterator[str]:
        """Yield what differs between two files that are called the same."""
        if there == here:
            return
        if media_type(file) in _RASTERS:
            yield from (f"{name}: {one}" for one in self._rasters(there, here, file))
            return
        pair = _read(there), _read(here)
        if None in pair:
            yield f"{name}: {file} has other bytes ({len(there)}, not {len(here)})"
            return
        yield from value_differences(*pair, name, self._tolerance)

    def _rasters(self, there: bytes, here: bytes, file: str) -> list[str]:
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            theirs, ours = Path(folder, f"there-{file}"), Path(folder, f"here-{file}")
            theirs.write_bytes(there)
            ours.write_bytes(here)
            try:
                return list(raster_differences(str(theirs), str(ours), self._tolerance))
            except ImportError:
                said = "comparing rasters needs rasterio"
                raise PluginMissing.for_extra("example", said) from None


def _read(data: bytes) -> Any:
    """Return what JSON says, ``None`` for what is none."""
    try:
        return read_written_json(data)
    except ValueError:
        return None


def _plain(result: Any) -> Any:
    """Return the value of a qualified one."""
    return result["value"] if isinstance(result, Mapping) and "value" in result else result
