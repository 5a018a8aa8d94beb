"""Inputs from whatever fsspec reaches, and results in object stores.

Owns which schemes there are, and where results can go. Must not import fsspec until one is opened.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from localproc.errors import EnvironmentProblem
from localproc.plugins import hookimpl
from localproc.plugins.storage import Storage, StoragePlugin

#: Stores of objects, each of which is there whole or not at all.
OBJECTS: Final = ("abfs", "az", "gcs", "gs", "memory", "oss")
#: File systems of a host, which are read only here.
HOSTS: Final = ("ftp", "hdfs", "sftp", "smb", "ssh", "webhdfs")
_OPTIONS: Final = {"enabled": "true: the scheme is used", "...": "what fsspec is told"}


@hookimpl
def localproc_storages() -> Iterable[StoragePlugin]:
    """Offer all schemes; none can be used before it is switched on."""
    for scheme in (*OBJECTS, *HOSTS):
        yield StoragePlugin(
            scheme,
            partial(open_scheme, scheme),
            "by fsspec, once it is enabled" + ("" if scheme in OBJECTS else "; read only"),
            _OPTIONS,
            writable=scheme in OBJECTS,
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

        return FsspecStorage.open(scheme, options, by_host=scheme in HOSTS)
    except ImportError as error:
        raise EnvironmentProblem(
            f"the storage {scheme} cannot be opened: {error}", hint="install what it needs"
        ) from None
