"""Local files that inputs name by plain strings.

Owns what such a file leads to: the assets of a STAC item that lie on this machine. Must not know
which strings name files.
"""

import os
from typing import Final

from localproc.errors import LocalprocError
from localproc.storage import stac

_MOST: Final = 4 << 20  #: bytes of a document that is looked into
_SUFFIXES: Final = (".json", ".geojson")


def assets_beside(path: str) -> tuple[str, ...]:
    """Return the paths of the local assets of a STAC item, none for any other file."""
    if not path.endswith(_SUFFIXES):
        return ()
    try:
        if os.stat(path).st_size > _MOST:
            return ()
        with open(path, "rb") as file:
            document = stac.parse(file.read(), path)
        stac.check_assets(document.get("assets"), path)
    except (LocalprocError, OSError):  # it is no item: whoever reads it will say so
        return ()
    found = (stac.resolve(one["href"], path) for one in document["assets"].values())
    return tuple(dict.fromkeys(one for one in found if one is not None and os.path.isfile(one)))
