"""From the texts of a package to its resolved form, by way of cwl-utils' typed objects.

Owns what a loaded package is. Must not know what the parts of a process mean. Importing cwl-utils
costs 0.2 s, so that is done only when a package is new: what is made of it is plain JSON that is
kept with the process and needs cwl-utils no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urldefrag

from localproc.cwl.base.positions import Position, find
from localproc.cwl.load.documents import Documents
from localproc.cwl.load.raw import plain_json
from localproc.cwl.load.sources import Sources
from localproc.errors import InvalidPackage, Problem


@dataclass(frozen=True)
class Package:
    """A loaded package.

    ``resolved`` is JSON: ``main`` names one of ``processes``, which maps a name
    (``water-bodies.cwl#node_crop``) to a process whose identifiers are short, whose types are
    whole and whose steps name the process they run; ``metadata`` holds the document's own
    annotations by URI; ``namespaces`` its prefixes; ``ontology`` the subclass pairs of its
    ``$schemas``. ``beside`` are the processes of the same document that are not run, by name; what
    their steps run is left out. ``problems`` is what kept parts of it from being resolved.
    """

    resolved: Mapping[str, Any]
    sources: Sources
    raws: Mapping[str, Any]
    beside: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The entry document's name, for people."""
        return self.sources.name(self.sources.entry)

    @cached_property
    def main(self) -> Mapping[str, Any]:
        """The process to run."""
        process: Mapping[str, Any] = self.resolved["processes"][self.resolved["main"]]
        return process

    def place(self, process: str, *path: str) -> Position:
        """Find where a part of a process stands: ``place(name, "steps", "crop", "in", "x")``."""
        found = self.resolved["processes"].get(process) or self.beside[process]
        uri = found["source"]
        document, fragment = urldefrag(uri)
        name = self.sources.name(document)
        return find(name, self.raws[document], [*filter(None, fragment.split("/")), *path])


def load(sources: Sources, fragment: str = "") -> Package:
    """Load the package behind the sources, all of it.

    Raises what ``read`` raises, and ``InvalidPackage`` with every problem found.
    """
    package = read(sources, fragment)
    if package.problems:
        raise InvalidPackage(f"{package.name} cannot be run", list(package.problems))
    return package


def read(sources: Sources, fragment: str = "") -> Package:
    """Load what can be loaded of the package behind the sources.

    ``fragment`` picks a process of a ``$graph``; without it that is ``main``, or the first
    workflow, or the first process. Problems are kept, each with its line and column, so that what
    did load can be checked: its author wants to hear everything at once. Raises ``InvalidPackage``
    where nothing could be, ``UnsupportedPackage``, or ``WorkflowNotFound``.
    """
    from localproc.cwl.load.resolve import Resolver

    documents = Documents(sources)
    resolver = Resolver(documents)
    chosen = documents.pick(sources.entry, fragment)
    main = resolver.main(chosen)
    resolver.look_beside(chosen)
    resolved = {
        "main": main,
        "processes": resolver.processes,
        "metadata": documents.metadata(sources.entry),
        "namespaces": documents.raw(sources.entry).get("$namespaces") or {},
        "ontology": documents.ontology(),
    }
    problems = tuple(dict.fromkeys([*documents.problems, *resolver.problems]))
    beside = plain_json(resolver.beside)
    return Package(plain_json(resolved), sources, documents.raws, beside, problems)
