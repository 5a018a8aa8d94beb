"""Inputs and results in S3, whoever serves it.

Owns what localproc is told of: the storage of ``s3:`` URIs, and a command. Must not do anything
until one of them is used.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from localproc.plugins import hookimpl
from localproc.plugins.storage import Storage, StoragePlugin
from localproc_s3.options import OPTIONS

if TYPE_CHECKING:
    import click


@hookimpl
def localproc_storages() -> Iterable[StoragePlugin]:
    """Offer ``s3://bucket/key``."""
    return [StoragePlugin("s3", open_s3, "buckets of S3, whoever serves it", OPTIONS)]


@hookimpl
def localproc_commands(group: "click.Group") -> None:
    """Offer ``localproc s3-credentials``."""
    from localproc_s3.credentials import s3_credentials

    group.add_command(s3_credentials)


def open_s3(options: Mapping[str, Any]) -> Storage:
    """Return the storage for some options; raises ``EnvironmentProblem``."""
    from localproc_s3.opening import opened  # s3fs costs 0.5 s

    return opened(options)
