"""Inputs from whatever fsspec reaches, and results where a file is there whole or not at all.

Owns which schemes there are, and where results can go. Must not import fsspec until one is opened.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from localproc.errors import EnvironmentProblem
from localproc.plugins import hookimpl
from localproc.plugins.storage import Storage, StoragePlugin
from localproc.storage.pace import MEANING

#: Stores of objects, each of which is there whole or not at all.
OBJECTS: Final = ("abfs", "az", "gcs", "gs", "memory", "oss")
#: Hosts that rename a file at once, so that it is there whole or not at all, too.
RENAMING: Final = ("ftp", "sftp", "ssh")
#: Those of which that is not known: they are read only here.
READ_ONLY: Final = ("github", "hdfs", "smb", "webhdfs", "zip")
_OPTIONS: Final = {
    "enabled": "true: the scheme is used",
    "slowest": MEANING,
    "...": "what fsspec is told",
}


@hookimpl
def localproc_storages() -> Iterable[StoragePlugin]:
    """Offer all schemes; none can be used before it is switched on."""
    for scheme in (*OBJECTS, *RENAMING, *READ_ONLY):
        yield StoragePlugin(
            scheme,
            partial(open_scheme, scheme),
            "by fsspec, once it is enabled" + ("; read only" if scheme in READ_ONLY else ""),
            _OPTIONS,
            writable=scheme not in READ_ONLY,
        )


def open_scheme(scheme: str, options: Mapping[str, Any]) -> Storage:
    """Return the storage of a scheme; raises ``EnvironmentProblem`` unless it is enabled."""
    if options.get("enabled") is not True:
        raise EnvironmentProblem(
            f"the storage {scheme} is not switched on",
            hint=f"say so in settings.yml: storage_options: {{{scheme}: {{enabled: true}}}}",
        )
    try:
        from localproc_fsspec.storage import FsspecStorage

        return FsspecStorage.open(scheme, options, by_host=scheme not in OBJECTS)
    except ImportError as error:
        raise EnvironmentProblem(
            f"the storage {scheme} cannot be opened: {error}", hint="install what it needs"
        ) from None
