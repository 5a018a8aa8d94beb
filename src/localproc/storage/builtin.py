"""Registers the built-in storages the way any plugin does.

Owns their schemes and options, and when each is imported. Must not know how they work.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from localproc.plugins import hookimpl
from localproc.plugins.storage import Storage, StoragePlugin
from localproc.storage.filesystem import FilesystemStorage
from localproc.storage.pace import MEANING


@hookimpl
def localproc_storages() -> Iterable[StoragePlugin]:
    """Return the storages for folders of this machine and for the web, which is read only."""
    options = {
        "guarded": "true: refuse addresses that are not public",
        "slowest": MEANING,
    }
    return [
        StoragePlugin("file", FilesystemStorage.open, "folders of this machine"),
        StoragePlugin("https", _open_web, "files on the web, read only", options, writable=False),
        StoragePlugin(
            "http", _open_web, "files on the web, read only, unencrypted", options, writable=False
        ),
    ]


def _open_web(options: Mapping[str, Any]) -> Storage:
    from localproc.storage.web import WebStorage  # httpx costs 0.15 s

    return WebStorage.open(options)
