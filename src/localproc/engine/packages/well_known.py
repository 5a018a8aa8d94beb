"""Documents that everybody knows, which come with this package.

Owns reading them. Must not know what is in them.
"""

from functools import cache
from importlib import resources

from localproc.cwl.load.sources import eo_document


@cache
def well_known(uri: str) -> bytes | None:
    """Return the bytes of a document of EO types; nothing for any other URI."""
    names = eo_document(uri).split("/")
    if {"", ".."} & set(names):
        return None
    file = resources.files("localproc.engine.packages").joinpath("eo_types", *names)
    return file.read_bytes() if file.is_file() else None
