"""What a daemon says of itself.

Owns reading that (``GET /info``): which daemon it is, and whose users its containers have. Must not
ask any daemon: one answer tells all, as podman takes long for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Info:
    """A daemon as it is.

    ``is_podman``: it often stands in for Docker. ``is_rootless``: a user runs it, who is root in
    its containers. ``is_remapped``: users are others in its containers than on the machine, unless
    one asks for the machine's. ``processors``: 0 if it does not say.
    """

    is_podman: bool = False
    is_rootless: bool = False
    is_remapped: bool = False
    processors: int = 0

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Info":
        """Read the answer."""
        options = {
            word for one in told.get("SecurityOptions") or () for word in str(one).split(",")
        }
        return cls(
            is_podman="BuildahVersion" in told,
            is_rootless=bool(told.get("Rootless")) or "name=rootless" in options,
            is_remapped="name=userns" in options,
            processors=int(told.get("NCPU") or 0),
        )
