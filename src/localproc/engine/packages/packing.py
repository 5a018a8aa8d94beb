"""A package of several files as one document that can be sent.

Owns reading the files of this machine for it, and seeing that what was made can be run. Must not
know how documents are put together.
"""

import os
from collections.abc import Sequence

from localproc.engine.packages.package_source import find_source, package_reader
from localproc.errors import InvalidPackage
from localproc.plugins.manager import PluginManager
from localproc.storage.open_storages import StorageOptions


def pack(
    package: object,
    *,
    allow_remote: bool = False,
    plugins: PluginManager | None = None,
    storage_options: StorageOptions | None = None,
) -> str:
    """Return a package as one YAML document: what ``Engine.deploy`` and any CWL runner take.

    What its documents run, import and include is put in, and so are the files that they name, as
    literals. ``package`` is what ``Engine.deploy`` takes. Raises ``InvalidPackage`` or
    ``UnsupportedPackage``.
    """
    from localproc.cwl.check.check import examine
    from localproc.cwl.load.pack import pack as packed

    with package_reader(
        allow_remote=allow_remote, plugins=plugins, storage_options=storage_options
    ) as reader:
        reader.read(find_source(package))  # what cannot be read is told with its place
        _, sources = reader.found(find_source(package))
        text = packed(sources, _names)
        found = examine(reader.read(find_source(text))[0])
    if found.errors:
        said = f"{sources.name(sources.entry)} cannot be one document"
        raise InvalidPackage(said, found.errors)
    return text


def _names(path: str) -> Sequence[str] | None:
    return sorted(os.listdir(path)) if os.path.isdir(path) else None
