"""What a user gives as inputs, made into a CWL job object.

Owns validation against the process: every problem at once, each with its JSON path. Must not fetch
anything, nor look at a disk but through ``Files``.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from localproc.cwl.base.files import Files
from localproc.cwl.base.reading import check_depth
from localproc.cwl.base.trees import UnreadableText
from localproc.cwl.base.types import describe, is_optional
from localproc.errors import InvalidInputs, Problem
from localproc.near import near
from localproc.ogc.author_schemas import AuthorSchemas
from localproc.ogc.request_files import Formats
from localproc.ogc.request_values import RequestReader

_MOST_NAMED: Final = 50  #: inputs that are named in a hint, and hints with a guess


class ExecuteRequest:
    """The inputs that one process takes. Compiled once, used for every job."""

    def __init__(
        self,
        ports: Sequence[Mapping[str, Any]],
        namespaces: Mapping[str, str] | None = None,
        described: Mapping[str, Mapping[str, Any]] | None = None,
        version: str = "v1.2",
        ontology: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._version = version
        self._formats = Formats(ontology or {})
        self._namespaces = namespaces or {}
        self._authors = AuthorSchemas(ports, described or {})
        self._ports = {port["id"]: port for port in ports}
        self._names = {name for name in self._ports if not name.startswith("cwl:")}
        self._needed = [port for port in self._ports.values() if not _may_be_left_out(port)]

    def job_object(
        self,
        inputs: Mapping[str, Any],
        base: str,
        files: Files,
        *,
        references: bool = True,
        bases: Mapping[str, str] | None = None,
        named: list[str] | None = None,
    ) -> dict[str, Any]:
        """Return the CWL job object.

        ``base`` is the URI of the folder against which relative paths are resolved, ``bases`` those
        of inputs that have another one. Without one the request came over HTTP: there are no
        relative paths, a text for a file whose schema says base64 is its content, and values may be
        qualified (``{"value": ..., "mediaType": ...}``).
        ``references``: a string that names an existing file relative to ``base`` by a path
        (``scenes/a.json``) is made absolute, so that tools that take references as strings find
        it; ``named`` is told all files that strings name so. Raises ``InvalidInputs``.
        """
        _check_depth(inputs)
        only_ports = inputs.keys() <= self._names
        problems = [] if only_ports else [*_nameless(inputs), *self._unknown(inputs)]
        problems += self._missing(inputs)
        if bases:
            problems += self._unknown(bases.keys() - inputs.keys(), "bases")
        inputs, misfits = self._authors.fitted(inputs, inline=not base)
        values = {}
        for name, port in self._ports.items():
            if name in inputs and not (inputs[name] is None and _may_be_left_out(port)):
                folder = (bases or {}).get(name, base)
                reader = RequestReader(
                    folder, files, self._namespaces, self._formats, references=references
                )
                values[name] = reader.port(inputs[name], port, f"inputs.{name}")
                problems += reader.problems
                if named is not None:
                    named += reader.named
        problems = problems or misfits
        if problems:
            raise InvalidInputs("the inputs do not fit the process", problems)
        return values if only_ports else values | self._own(inputs, base)

    def _own(self, inputs: Mapping[str, Any], base: str) -> dict[str, Any]:
        """Return what belongs to CWL itself, its requirements as those of a package are."""
        own = {name: item for name, item in inputs.items() if name.startswith("cwl:")}
        if not own:
            return own
        from localproc.ogc.request_requirements import NAME, requirements

        if own.get(NAME):
            own[NAME] = requirements(own[NAME], self._version, base)
        return own

    def _unknown(self, inputs: Iterable[Any], where: str = "inputs") -> list[Problem]:
        problems: list[Problem] = []
        for name in filter(_is_text, inputs):
            if name not in self._ports and not name.startswith("cwl:"):
                known = ", ".join(islice(self._ports, _MOST_NAMED)) or "none"
                hint = f"the inputs are: {known}"
                if len(problems) < _MOST_NAMED:
                    hint = near(name, self._ports, hint)
                problems.append(
                    Problem(f"there is no input {name!r}", f"{where}.{name}", hint=hint)
                )
        return problems

    def _missing(self, inputs: Mapping[str, Any]) -> list[Problem]:
        return [
            Problem("is missing", f"inputs.{name}", hint=f"expected {describe(port['type'])}")
            for port in self._needed
            if (name := port["id"]) not in inputs
        ]


def _check_depth(inputs: Mapping[str, Any]) -> None:
    try:
        check_depth(dict(inputs))
    except UnreadableText as error:
        said = "the inputs do not fit any process"
        raise InvalidInputs(said, [Problem(error.message, "inputs")]) from None


def _nameless(inputs: Mapping[Any, Any]) -> list[Problem]:
    """Return the inputs whose names are no texts, as YAML may have them."""
    return [
        Problem(f"{name!r} is no name", "inputs", hint="the names of inputs are texts: quote it")
        for name in inputs
        if not _is_text(name)
    ]


def _is_text(name: Any) -> bool:
    return isinstance(name, str)


def _may_be_left_out(port: Mapping[str, Any]) -> bool:
    return is_optional(port["type"]) or "default" in port
