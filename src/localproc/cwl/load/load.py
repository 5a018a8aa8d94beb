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

from localproc.cwl.base.positions import Place, find
from localproc.cwl.load.documents import Documents
from localproc.cwl.load.raw import plain
from localproc.cwl.load.sources import Sources
from localproc.errors import InvalidPackage


@dataclass(frozen=True)
class Package:
    """A loaded package.

    ``resolved`` is JSON: ``main`` names one of ``processes``, which maps a name
    (``water-bodies.cwl#node_crop``) to a process whose identifiers are short, whose types are
    whole and whose steps name the process they run; ``metadata`` holds the document's own
    annotations by URI; ``namespaces`` its prefixes; ``ontology`` the subclass pairs of its
    ``$schemas``. ``beside`` are the processes of the same document that are not run, by name; what
    their steps run is left out.
    """

    resolved: Mapping[str, Any]
    sources: Sources
    raws: Mapping[str, Any]
    beside: Mapping[str, Any]

    @cached_property
    def main(self) -> Mapping[str, Any]:
        """The process to run."""
        process: Mapping[str, Any] = self.resolved["processes"][self.resolved["main"]]
        return process

    def place(self, process: str, *path: str) -> Place:
        """Find where a part of a process stands: ``place(name, "steps", "crop", "in", "x")``."""
        found = self.resolved["processes"].get(process) or self.beside[process]
        uri = found["source"]
        document, fragment = urldefrag(uri)
        name = self.sources.name(document)
        return find(name, self.raws[document], [*filter(None, fragment.split("/")), *path])


def load(sources: Sources, fragment: str = "") -> Package:
    """Load the package behind the sources.

    ``fragment`` picks a process of a ``$graph``; without it that is ``main``, or the first
    workflow, or the first process. Raises ``InvalidPackage`` with every problem found, each with
    its line and column, ``UnsupportedPackage``, or ``WorkflowNotFound``.
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
    package = Package(plain(resolved), sources, documents.raws, plain(resolver.beside))
    if documents.problems or resolver.problems:
        from localproc.cwl.check.check import examine

        # What did load is checked all the same: its author wants to hear everything at once.
        problems = [*documents.problems, *resolver.problems, *examine(package).errors]
        message = f"{sources.name(sources.entry)} cannot be run"
        raise InvalidPackage(message, list(dict.fromkeys(problems)))
    return package
