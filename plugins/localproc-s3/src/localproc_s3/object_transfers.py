"""How objects come and go: by the parts that s3fs' connection carries.

Owns joining uploads and downloads. Must not know the protocol of storages.
"""

from typing import Final, Protocol

from localproc.plugins.storage import Info, Put, Watch
from localproc_s3.connection import Connection
from localproc_s3.downloads import Downloads
from localproc_s3.object_body import Contents
from localproc_s3.object_names import Place
from localproc_s3.options import S3Options
from localproc_s3.uploads import Uploads
from localproc_s3.window import Window

_GOING: Final = 3  #: requests at a time
_COMING: Final = 4


class Transfers(Protocol):
    """Puts and fetches objects, as the verbs of the same names do."""

    def put(self, contents: Contents, place: Place, what: Put, watch: Watch) -> Info:
        """Put the contents of what is to be put."""

    def fetch(self, place: Place, path: str, most: int | None, watch: Watch, resume: str) -> Info:
        """Write an object to a file."""


class S3fsTransfers:
    """Transfers with few dependencies."""

    def __init__(self, options: S3Options, connection: Connection) -> None:
        self.put = Uploads(connection, Window(connection, _GOING, settled=True), options.upload).put
        self.fetch = Downloads(connection, Window(connection, _COMING, settled=False)).fetch
