"""Media types by the names of files, and names by media types.

Owns one table, the same on every machine: results, and what is computed again, depend on it. Must
not know what is in a file.
"""

import posixpath
from typing import Final

UNKNOWN: Final = "application/octet-stream"

#: Media types, each with its extensions; the first of these names a file that has no name.
_EXTENSIONS: Final = {
    "application/cwl+json": ".cwl.json",
    "application/cwl+yaml": ".cwl",
    "application/geo+json": ".geojson",
    "application/geopackage+sqlite3": ".gpkg",
    "application/gml+xml": ".gml",
    "application/gzip": ".gz",
    "application/javascript": ".js .mjs",
    "application/json": ".json",
    "application/ld+json": ".jsonld",
    "application/netcdf": ".nc",
    "application/pdf": ".pdf",
    "application/rdf+xml": ".rdf",
    "application/vnd.apache.parquet": ".parquet .geoparquet",
    "application/vnd.flatgeobuf": ".fgb",
    "application/vnd.google-earth.kml+xml": ".kml",
    "application/vnd.google-earth.kmz": ".kmz",
    "application/vnd.las": ".las",
    "application/vnd.laszip": ".laz .copc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.pmtiles": ".pmtiles",
    "application/vnd.zarr": ".zarr",
    "application/x-hdf5": ".h5 .hdf5 .he5",
    "application/x-hdf": ".hdf",
    "application/x-ndjson": ".ndjson .jsonl",
    "application/x-netcdf": ".cdf",
    "application/x-tar": ".tar",
    "application/xml": ".xml .xsd",
    "application/yaml": ".yaml .yml",
    "application/zip": ".zip",
    "application/x-bzip2": ".bz2",
    "application/x-xz": ".xz",
    "application/zstd": ".zst",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/jp2": ".jp2",
    "image/jpeg": ".jpg .jpeg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tif .tiff",
    "image/webp": ".webp",
    "text/css": ".css",
    "text/csv": ".csv",
    "text/html": ".html .htm",
    "text/markdown": ".md",
    "text/plain": ".txt .log .text",
    "text/tab-separated-values": ".tsv",
    "text/turtle": ".ttl",
    "video/mp4": ".mp4",
    "video/mpeg": ".mpeg .mpg",
    "video/webm": ".webm",
}
_TYPES: Final = {
    extension: kind for kind, listed in _EXTENSIONS.items() for extension in listed.split()
}


def media_type(name: str) -> str:
    """Return what is in a file, by the extension of its name; ``UNKNOWN`` for one not known."""
    return _TYPES.get(posixpath.splitext(name)[1].lower(), UNKNOWN)


def extension(kind: str) -> str:
    """Return the extension of files of a media type, with its dot; nothing for one not known.

    What a type says beside its name (``; charset=utf-8``) does not count.
    """
    return _EXTENSIONS.get(kind.partition(";")[0].strip().lower(), "").partition(" ")[0]
