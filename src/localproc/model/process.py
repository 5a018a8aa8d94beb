"""A deployed package.

Owns what is kept of it. Must not know how it is read or run.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localproc.frozen import frozen


@frozen
class ProcessRecord:
    """One revision of one process in one namespace.

    ``revision`` is the digest of the package's texts and of which process of it this is, also of
    where the files lie that it names if they lay elsewhere when it was deployed first;
    ``resolved`` is the package as the interpreter reads it (see ``localproc.cwl.load.load``);
    ``texts`` maps the names of the package's files to their bytes, the entry first, just as its
    author wrote them; ``media_type`` is that of the entry, and ``entry`` the URI it was deployed
    from, if it came from one.
    """

    id: str
    namespace: str
    version: str
    revision: str
    title: str
    mutable: bool
    deployed: datetime
    description: Mapping[str, Any]
    resolved: Mapping[str, Any]
    texts: Mapping[str, bytes]
    media_type: str = "application/cwl+yaml"
    entry: str = ""
