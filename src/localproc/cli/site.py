"""Where a command works.

Owns the home and the namespace that were named before the command, and opening engines there. Must
not import the engine before one is opened, so that ``--help`` is instant.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localproc.api import Engine


@dataclass(frozen=True, slots=True)
class Site:
    """A home and a namespace of it."""

    home: str
    namespace: str

    def open(self, **settings: Any) -> "Engine":
        """Give an engine that runs jobs, with these settings."""
        from localproc.api import Engine

        return Engine(self.home, namespace=self.namespace, **settings)

    def look(self, **settings: Any) -> "Engine":
        """Give an engine to look at the home with; it runs nothing."""
        return self.open(run_jobs=False, **settings)
