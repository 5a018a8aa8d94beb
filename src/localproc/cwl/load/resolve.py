"""cwl-utils' typed objects made plain: short names, whole types, processes in one table.

Owns the resolved form (see ``load.Package``). Must not know how it is interpreted, nor read any
text but through the documents it is given. It goes on after a problem, to find them all.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urldefrag

from localproc.cwl.base.positions import Position
from localproc.cwl.base.requirements import SUPPORTED, TOO_EARLY, TOO_EARLY_HINT, is_of
from localproc.cwl.load.defaults import located
from localproc.cwl.load.documents import Documents, stem
from localproc.cwl.load.extensions import extensions, without
from localproc.cwl.load.named_types import Scope, Types, named_types, port_fields
from localproc.cwl.load.typed import as_list, get, identifier, plain_typed, short, typed_from
from localproc.cwl.load.typed_parsers import parser
from localproc.errors import InvalidPackage, Problem, UnsupportedPackage
from localproc.frozen import frozen

_PROCESS_FIELDS: Final = (
    "label",
    "doc",
    "baseCommand",
    "arguments",
    "stdin",
    "stdout",
    "stderr",
    "successCodes",
    "temporaryFailCodes",
    "permanentFailCodes",
    "expression",
)
_STEP_INPUT_FIELDS: Final = (
    "linkMerge",
    "pickValue",
    "valueFrom",
    "loadContents",
    "loadListing",
    "label",
)


@frozen
class _Site:
    """Where a process stands (``uri``), what types it may name, and the processes that run it.

    ``runs``: what it runs itself is resolved as well.
    """

    uri: str
    version: str
    runs: bool = True
    scopes: tuple[Scope, ...] = ()
    above: tuple[str, ...] = ()


class Resolver:
    """Fills ``processes`` as it follows the steps of workflows, and notes ``problems``.

    ``beside`` are the others of their document: looked at, but what they run is not.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.processes: dict[str, Any] = {}
        self.beside: dict[str, Any] = {}
        self.problems: list[Problem] = []

    def main(self, uri: str) -> str:
        """Resolve the process to run; give its name in the table.

        Raises ``InvalidPackage`` if it cannot be read at all, with what is wrong beside it.
        """
        try:
            return self._process(uri)
        except InvalidPackage as error:
            self.look_beside(uri)
            problems = [*self._documents.problems, *self.problems, *error.problems]
            error.problems = tuple(dict.fromkeys(problems))
            raise

    def look_beside(self, uri: str) -> None:
        """Read what else is in the document of a process, run or not: all of it has to be valid.

        No other document is read for that.
        """
        for other in self._documents.processes(urldefrag(uri)[0]):
            try:
                self._process(other, runs=False)
            except UnsupportedPackage:
                pass  # nobody asks for it
            except InvalidPackage as error:
                self.problems += error.problems

    def _process(
        self,
        uri: str,
        scopes: tuple[Scope, ...] = (),
        above: tuple[str, ...] = (),
        asked_at: Position | None = None,
        *,
        runs: bool = True,
    ) -> str:
        """Resolve the process behind a URI and what it runs; give its name in the table."""
        uri = self._documents.home(uri, asked_at)
        typed = self._documents.object(uri)
        document, fragment = urldefrag(uri)
        fragment = fragment or urldefrag(identifier(typed))[1]
        name = self._documents.name(f"{document}#{fragment}")
        if name in above:
            place = asked_at or self._documents.place(uri, "steps")
            around = " → ".join([*above[above.index(name) :], name])
            raise InvalidPackage(
                f"the workflow {name} runs itself", [place.problem(f"a cycle: {around}")]
            )
        if name not in self.processes:
            version = self._documents.raw(document)["cwlVersion"]
            where = f"{document}#{fragment}" if fragment else document
            self._resolve(name, typed, _Site(where, version, runs, scopes, above))
        return name

    def _resolve(self, name: str, typed: Any, site: _Site) -> None:
        site = replace(site, scopes=(named_types(typed), *site.scopes), above=(*site.above, name))
        document, fragment = urldefrag(site.uri)
        resolved: dict[str, Any] = {
            "class": type(typed).__name__,
            "id": short(fragment) or stem(document),
            "source": site.uri,
            "cwlVersion": site.version,
            "inputs": self._ports(typed, "inputs", site),
            "outputs": self._ports(typed, "outputs", site),
            "requirements": self._requirements(typed, "requirements", site.uri),
            "hints": self._requirements(typed, "hints", site.uri),
            "metadata": plain_typed(without(typed.extension_fields)),
        }
        for field in _PROCESS_FIELDS:
            if (value := plain_typed(get(typed, field))) is not None:
                resolved[field] = value
        if resolved["class"] == "Workflow":
            self._workflow(resolved, typed, site)
        (self.processes if site.runs else self.beside)[name] = resolved

    def _ports(self, typed: Any, part: str, site: _Site) -> list[dict[str, Any]]:
        types = Types(site.scopes, self._documents.sources)
        return [self._port(port, part, types, site) for port in get(typed, part)]

    def _port(self, port: Any, part: str, types: Types, site: _Site) -> dict[str, Any]:
        name = short(port.id)
        try:
            cwl_type = types.resolve(port.type_)
        except InvalidPackage as error:
            place = self._documents.place(site.uri, part, name)
            self.problems.append(place.problem(error.message, error.hint))
            cwl_type = "Any"
        default = self._default(port, site.uri, part, name)
        return {"id": name, "type": cwl_type, **port_fields(port), **default}

    def _default(self, port: Any, uri: str, *path: str) -> dict[str, Any]:
        """Return the default of an input, which is at ``path`` in the process, if there is one."""
        default = plain_typed(get(port, "default"))
        if default is None:
            return {}
        try:
            return {"default": located(default, port.loadingOptions.fileuri or "")}
        except InvalidPackage as error:
            place = self._documents.place(uri, *path, "default")
            self.problems.append(place.problem(error.message, error.hint))
            return {}

    def _requirements(self, typed: Any, field: str, where: str) -> list[Any]:
        found = []
        for one in get(typed, field) or []:
            entry = plain_typed(one)
            if not isinstance(entry, dict):
                continue  # a hint that is none: requirements have been seen to
            class_name = str(entry.get("class") or type(one).__name__)
            if class_name == "SchemaDefRequirement":
                continue
            if field == "hints" and class_name not in SUPPORTED:
                continue
            if isinstance(one, Mapping):  # a hint that cwl-utils could not read, and took as it is
                try:
                    one = self._hint(class_name, one, typed, where)
                except ValueError:
                    place = self._documents.place(where, field, class_name)
                    said = f"the hint {class_name} has members that are not as they should be"
                    self.problems.append(place.problem(said, "mend it, or leave it out"))
                    continue
                entry = plain_typed(one)
            if field == "requirements" and not is_of(class_name, self._version(where)):
                place = self._documents.place(where, field, class_name)
                self.problems.append(place.problem(TOO_EARLY % class_name, TOO_EARLY_HINT))
            if class_name not in SUPPORTED:
                place = self._documents.place(where, field, class_name)
                raise UnsupportedPackage(
                    f"{class_name} is not supported",
                    [place.problem(f"requirement {class_name}")],
                    hint="move it to hints to go without it",
                )
            if class_name == "InitialWorkDirRequirement":
                base = one.loadingOptions.fileuri or ""
                entry["listing"] = located(entry["listing"], base, joined=True)
            found.append({**entry, "class": class_name})
        return found + extensions(typed, field)

    def _hint(self, class_name: str, one: Mapping[str, Any], typed: Any, where: str) -> Any:
        """Return a hint as an object of its class, without members that this has not.

        Raises ``ValueError`` for one that cannot be. One of a class that the version of CWL has not
        comes back as it is.
        """
        kind = getattr(parser(self._version(where)), class_name, None)
        return one if kind is None else typed_from(one, kind, typed.loadingOptions, where)

    def _version(self, uri: str) -> str:
        return str(self._documents.raw(uri)["cwlVersion"])

    def _workflow(self, resolved: dict[str, Any], typed: Any, site: _Site) -> None:
        names = _names(typed)
        for port, output in zip(typed.outputs, resolved["outputs"], strict=True):
            output |= _links(port, "outputSource", names)
        resolved["steps"] = [self._step(step, names, site) for step in typed.steps]

    def _step(self, step: Any, names: Mapping[str, str], site: _Site) -> dict[str, Any]:
        name = short(step.id)
        where = "/".join(filter(None, (urldefrag(site.uri)[1], "steps", name)))
        where = f"{urldefrag(site.uri)[0]}#{where}"
        resolved: dict[str, Any] = {
            "id": name,
            "in": [self._step_input(one, names, where) for one in step.in_],
            "out": [short(identifier(out)) for out in step.out],
            "scatter": [short(one) for one in as_list(get(step, "scatter"))],
            "requirements": self._requirements(step, "requirements", where),
            "hints": self._requirements(step, "hints", where),
        }
        for field in ("label", "doc", "scatterMethod", "when"):
            if (value := plain_typed(get(step, field))) is not None:
                resolved[field] = value
        try:
            resolved["run"] = self._run(step, where, site) if site.runs else None
        except InvalidPackage as error:
            at = self._documents.place(where, "run")
            self.problems += error.problems or [at.problem(error.message, error.hint)]
            resolved["run"] = None
        return resolved

    def _step_input(self, one: Any, names: Mapping[str, str], where: str) -> dict[str, Any]:
        name = short(one.id)
        fields = {field: plain_typed(get(one, field)) for field in _STEP_INPUT_FIELDS}
        return {
            "id": name,
            **_links(one, "source", names),
            **{field: value for field, value in fields.items() if value is not None},
            **self._default(one, where, "in", name),
        }

    def _run(self, step: Any, where: str, site: _Site) -> str:
        """Resolve what a step runs: a process elsewhere, or one that is written into it."""
        if isinstance(step.run, str):
            at = self._documents.place(where, "run")
            return self._process(step.run, site.scopes, site.above, at)
        name = self._documents.name(f"{where}/run")
        self._resolve(name, step.run, replace(site, uri=f"{where}/run"))
        own = identifier(step.run)
        self.processes[name]["id"] = short(step.id if own.startswith("_:") else own)
        return name


def _names(typed: Any) -> dict[str, str]:
    """Return the short names of what links lead to, by URI.

    What is imported has the URI of its own document, and so have the links in it.
    """
    names = {port.id: short(port.id) for port in typed.inputs}
    for step in typed.steps:
        for out in step.out:
            names[identifier(out)] = f"{short(step.id)}/{short(identifier(out))}"
    ids = [*names, *(port.id for port in typed.outputs), *(step.id for step in typed.steps)]
    documents = {urldefrag(uri)[0] for uri in ids}
    if len(documents) > 1:
        own = f"{identifier(typed)}/"
        within = {urldefrag(uri.replace(own, "#", 1))[1]: name for uri, name in names.items()}
        for base in (own, *(f"{document}#" for document in documents)):
            names |= {f"{base}{uri}": name for uri, name in within.items()}
    return names


def _links(sink: Any, field: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the links by short name; one that leads nowhere keeps its own, for the check to find.

    ``listed``: there is one, in a list, of which all values are picked.
    """
    source = get(sink, field)
    links = [names.get(one, "?" + _tail(one)) for one in as_list(source)]
    all_picked = get(sink, "pickValue") == "all_non_null"
    listed = {"listed": True} if all_picked and isinstance(source, list) and len(links) == 1 else {}
    return {"source": links, **listed}


def _tail(uri: str) -> str:
    return "/".join(urldefrag(uri)[1].split("/")[-2:])
