"""Files that steps update in place, and who may use them then.

Owns the rules of InplaceUpdateRequirement within one run of a process: a file that a step may
write to is nobody else's while it runs, and who updates it next takes it from that step's output,
not from where both had it. Must not know how files are staged.

Source: CWL v1.2 CommandLineTool, "InplaceUpdateRequirement".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.files import Files, is_local, local_path, local_paths, map_files, walk
from localproc.cwl.base.types import is_filelike
from localproc.cwl.expr.expressions import Context
from localproc.cwl.run.prepare import begin
from localproc.cwl.run.process import Tool, Workflow, tools
from localproc.cwl.run.task_layout import Folders, Layout
from localproc.cwl.run.workdir import is_in_place, workdir_entries
from localproc.errors import StepError
from localproc.frozen import frozen

_NOWHERE: Final = Folders("/outdir", "/scratch", "/stage")
_REQUIREMENT: Final = "InplaceUpdateRequirement"


@frozen
class _Use:
    """What an instance has: the locations it knows files by, where they are, what it updates."""

    real: Mapping[str, str]
    updated: frozenset[str]


class InPlace:
    """The files of one run. It looks at nothing unless a tool may update in place."""

    def __init__(self, process: Tool | Workflow, files: Files) -> None:
        self._files = files
        self._is_asked = isinstance(process, Workflow) and any(
            tool.requirements.has(_REQUIREMENT) for tool in tools(process)
        )
        self._using: dict[str, _Use] = {}
        self._updated: dict[str, tuple[str, frozenset[str]]] = {}

    def begin(self, key: str, tool: Tool, inputs: Mapping[str, Any]) -> None:
        """Take note of an instance that is to start; raises ``StepError`` if it must not."""
        if not self._is_asked:
            return
        given = [one for one in walk(dict(inputs)) if is_local(one)]
        real = {one["location"]: self._files.realpath(local_path(one)) for one in given}
        updated = frozenset(map(self._files.realpath, self._written(tool, inputs)))
        for location, path in real.items():
            if any(_shared([path], updated)):
                self._check_last(key, location, path)
        for other, use in self._using.items():
            for path in _shared(updated, use.real.values()):
                raise _clash(key, f"updates {path} in place while {other} uses it")
            for path in _shared(use.updated, real.values()):
                raise _clash(key, f"uses {path} while {other} updates it in place")
        self._using[key] = _Use(real, updated)

    def end(self, key: str, outputs: Mapping[str, Any]) -> None:
        """Take note that an instance has ended: what it gives out is what may be used."""
        use = self._using.pop(key, None)
        for path in use.updated if use is not None else ():
            known = frozenset(one["location"] for one in walk(dict(outputs)) if is_local(one))
            self._updated[path] = (key, known)

    def told(self, value: Any) -> Any:
        """Return an output without what is no longer true of files that were updated later."""
        if not self._updated:
            return value

        def one(file: Mapping[str, Any]) -> dict[str, Any]:
            known = dict(file)
            for part in ("secondaryFiles", "listing"):
                if part in known:
                    known[part] = [one(inner) for inner in known[part]]
            if file["class"] == "File" and is_local(file):
                path = local_path(file)
                if any(_shared([self._files.realpath(path)], self._updated)):
                    known.pop("checksum", None)
                    stat = self._files.stat(path)
                    known |= {} if stat is None else {"size": stat.size}
            return known

        return map_files(value, one)

    def _check_last(self, key: str, location: str, path: str) -> None:
        for updated, (last, known) in self._updated.items():
            if not any(_shared([updated], [path])):
                continue
            if not any(location == one or location.startswith(f"{one}/") for one in known):
                done = f"updates {path} in place, and so does {last}, whose output it does not use"
                raise _clash(key, done)

    def _written(self, tool: Tool, inputs: Mapping[str, Any]) -> Iterator[str]:
        """Yield the paths that a tool may write to."""
        if tool.expression is not None or not tool.requirements.has(_REQUIREMENT):
            return
        values, _, runtime = begin(tool, inputs, _NOWHERE, self._files)
        context = Context(Layout(_NOWHERE, self._files).localize(values), runtime)
        if not is_in_place(tool, context):
            return
        for entry, _, writable in workdir_entries(tool, context):
            if writable and is_filelike(entry):
                yield from local_paths(entry)


def _shared(paths: Iterable[str], others: Iterable[str]) -> Iterator[str]:
    """Return the paths that are one of the others, or above or below one."""
    rest = list(others)
    return (
        path
        for path in paths
        if any(f"{path}/".startswith(f"{it}/") or f"{it}/".startswith(f"{path}/") for it in rest)
    )


def _clash(key: str, what: str) -> StepError:
    return StepError(
        f"{key} {what}",
        hint="take the file from the output of the step that updates it, so that one comes after "
        "the other (CWL v1.2, InplaceUpdateRequirement)",
    )
