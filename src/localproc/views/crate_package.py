"""The package of a job in an RO-Crate: workflows, their steps, the tools that these run.

Owns the keys of these entities. Must not know what was run when.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from localproc.cwl.run.reads import place
from localproc.frozen import frozen
from localproc.media_types import media_type
from localproc.uris import quoted
from localproc.views.crate_values import Entities, Reference, parameter, values
from localproc.views.measured import tool_of

CWL: Final = "https://w3id.org/workflowhub/workflow-ro-crate#cwl"
_KINDS: Final = ("File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo")


@frozen
class CratePackage:
    """A package: ``document`` is its place in the crate, ``version`` that of all its parts.

    ``ran`` are the keys of its processes that were run: a part that never was is a step's, but no
    part of the workflow (the profile has an action for every part).
    """

    entities: Entities
    resolved: Mapping[str, Any]
    document: str
    title: str
    version: str
    ran: Collection[str]

    @property
    def main(self) -> str:
        """The key of the process that the package is."""
        return str(self.resolved["main"])

    def is_workflow(self, process: str) -> bool:
        """Return whether a process has steps."""
        return bool(self._process(process).get("steps"))

    def process_key(self, process: str) -> str:
        """Return the key of a process in the graph."""
        if process == self.main:
            return quoted(self.document)
        name = quoted(self._process(process)["id"])
        return f"{quoted(self.document)}#{self._number(process)}/{name}"

    def step_of(self, key: str) -> str:
        """Return the key of the step of a workflow that an instance is of, nothing if of none."""
        outer, _, last = place(key).rpartition("/")
        holder = tool_of(self.resolved, outer) if outer else self.main
        found = self._step_key(holder, last)
        return found if found in self.entities else ""

    def add(self) -> Reference:
        """Add the package with all that it runs."""
        about = self._process(self.main)
        self.entities.add(
            CWL,
            "ComputerLanguage",
            name="Common Workflow Language",
            alternateName="CWL",
            identifier="https://w3id.org/cwl/",
            url="https://www.commonwl.org/",
            version=str(about.get("cwlVersion", "")),
        )
        return self._add(self.main)

    def values(
        self, process: str, part: str, key: str, given: Mapping[str, Any]
    ) -> list[Reference]:
        """Add values of the ``inputs`` or ``outputs`` of a process; ``key`` begins their keys."""
        known = {port["id"] for port in self._process(process)[part]}
        return [
            one
            for name, value in given.items()
            for one in values(
                self.entities,
                f"{key}/{part}/{quoted(name)}",
                name,
                value,
                {"@id": self._port_key(process, part, name)} if name in known else None,
            )
        ]

    def _add(self, process: str) -> Reference:
        about, key = self._process(process), self.process_key(process)
        if key in self.entities:
            return {"@id": key}
        is_main, steps = process == self.main, about.get("steps") or ()
        kinds = _KINDS if is_main else self._kinds(process)
        parts = dict.fromkeys(one["run"] for one in steps)
        found = self.entities.add(
            key,
            kinds,
            name=(self.title if is_main else "") or about["id"],
            description=_text(about.get("doc")) or _text(about.get("label")),
            version=self.version,
            encodingFormat=media_type(key) if is_main else None,
            programmingLanguage={"@id": CWL} if is_main or steps else None,
            input=self._parameters(process, "inputs"),
            output=self._parameters(process, "outputs"),
            hasPart=[{"@id": self.process_key(one)} for one in parts if one in self.ran],
            step=[{"@id": self._step_key(process, one["id"])} for one in steps],
        )
        for part in parts:
            self._add(part)
        for position, one in enumerate(steps):
            self.entities.add(
                self._step_key(process, one["id"]),
                "HowToStep",
                name=one["id"],
                position=str(position),
                workExample={"@id": self.process_key(one["run"])},
            )
        return found

    def _kinds(self, process: str) -> tuple[str, ...]:
        if not self.is_workflow(process):
            return ("SoftwareApplication",)
        return _KINDS[1:] if process in self.ran else ("SoftwareSourceCode", "HowTo")

    def _parameters(self, process: str, part: str) -> list[Reference]:
        given = part == "inputs"
        return [
            parameter(self.entities, self._port_key(process, part, port["id"]), port, given=given)
            for port in self._process(process)[part]
        ]

    def _process(self, key: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.resolved["processes"][key]
        return found

    def _number(self, process: str) -> int:
        return list(self.resolved["processes"]).index(process)

    def _step_key(self, process: str, step: str) -> str:
        return f"#step/{self._number(process)}/{quoted(step)}"

    def _port_key(self, process: str, part: str, port: str) -> str:
        return f"#parameter/{self._number(process)}/{part}/{quoted(port)}"


def _text(said: Any) -> str:
    return "\n".join(map(str, said)) if isinstance(said, list) else str(said or "")
