"""Opening the storage.

Owns the choice of who transfers. Must not know how.
"""

from collections.abc import Mapping
from typing import Any

from localproc.errors import EnvironmentProblem
from localproc_s3 import options
from localproc_s3.connection import Connection
from localproc_s3.object_transfers import S3fsTransfers
from localproc_s3.storage import S3Storage


def opened(given: Mapping[str, Any]) -> S3Storage:
    """Return the storage for some options; raises ``EnvironmentProblem``."""
    chosen = options.read(given)
    connection = Connection(chosen)
    transfers = S3fsTransfers(chosen, connection)
    if chosen.client == "s3fs":
        return S3Storage(chosen, connection, transfers)
    try:
        from localproc_s3.obstore_transfers import ObstoreTransfers
    except ImportError:
        raise EnvironmentProblem(
            "the storage s3 is to use obstore, which is not installed",
            hint="pip install obstore, or leave the option client out",
        ) from None
    return S3Storage(chosen, connection, ObstoreTransfers(chosen, connection, transfers))
