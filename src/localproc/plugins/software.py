"""The protocol of a software resolver: who has a package, and how it is made available.

Owns the words that the engine speaks with a resolver. Must not know how any finds anything.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from localproc.frozen import frozen
from localproc.model import SoftwarePackage
from localproc.spelling import public


@frozen
class Found:
    """A package that a resolver has, in the version that it will give; ``place`` is its own."""

    name: str
    version: str
    place: str


class SoftwareResolver(Protocol):
    """Finds packages and makes them available. Any thread may use it; both verbs may block."""

    def find(self, package: SoftwarePackage) -> Found | None:
        """Return the package in one of its versions, ``None`` if it is not there.

        Raises ``EnvironmentProblem`` if it is there and cannot be made available: others are asked
        then, and what was said is told if they have not got it either.
        """

    def load(self, found: Sequence[Found], env: Mapping[str, str]) -> Mapping[str, str]:
        """Return an environment, values by the names of variables, in which packages are available.

        It is made from another one.

        Raises ``EnvironmentProblem`` if that cannot be.
        """


@public
@frozen
class SoftwarePlugin:
    """A kind of resolver, by the ``type`` that configurations name; ``open`` gets its options.

    ``open`` raises ``InvalidInputs`` for options that make no sense.
    """

    name: str
    open: Callable[[Mapping[str, Any]], SoftwareResolver]
    summary: str = ""
