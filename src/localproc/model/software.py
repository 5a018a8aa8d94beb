"""A package of software that a tool needs (CWL SoftwareRequirement).

Owns its words. Must not know where software is found.
"""

from localproc.frozen import frozen


@frozen
class SoftwarePackage:
    """Its name, the versions that will do (any if there are none), and URIs that identify it."""

    name: str
    versions: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {' or '.join(self.versions)}".rstrip()
