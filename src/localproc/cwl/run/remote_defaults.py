"""Defaults of steps that name files of other machines.

Owns which they are, and a process that has the staged ones in their place. Must not know how files
are fetched. The defaults of a process's own inputs are not among them: these are inputs of the job.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from localproc.cwl.base.files import default_of, is_literal, is_local, map_files
from localproc.cwl.base.types import is_filelike
from localproc.cwl.run.process import Tool, Workflow, WorkflowStep, noted, reached

#: What they are called among the inputs of a job: no input can have the name.
DEFAULTS: Final = "/defaults"
_PARTS: Final = ("secondaryFiles", "listing")


@noted
def remote_defaults(process: Tool | Workflow) -> tuple[Mapping[str, Any], ...]:
    """Return the File and Directory objects that steps have as defaults and that lie elsewhere."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in reached(process):
        specs = [] if one is process else [port.spec for port in one.inputs]
        if isinstance(one, Workflow):
            specs += [entry.spec for step in one.steps for entry in step.inputs]
        for spec in specs:
            found |= {_key(each): each for each in _remote(_default(spec))}
    return tuple(found.values())


def with_defaults(process: Tool | Workflow, staged: Sequence[Mapping[str, Any]]) -> Tool | Workflow:
    """Return a process with its ``remote_defaults`` staged, which come in their order."""
    if not staged:
        return process
    keys = map(_key, remote_defaults(process))
    return _Localized(dict(zip(keys, staged, strict=True))).process(process)


class _Localized:
    """Makes processes with other defaults; one that several steps run stays one."""

    def __init__(self, staged: Mapping[str, Mapping[str, Any]]) -> None:
        self._staged = staged
        self._made: dict[Tool | Workflow, Tool | Workflow] = {}

    def process(self, one: Tool | Workflow) -> Tool | Workflow:
        if one not in self._made:
            inputs = tuple(replace(port, spec=self._spec(port.spec)) for port in one.inputs)
            self._made[one] = (
                replace(one, inputs=inputs)
                if isinstance(one, Tool)
                else replace(one, inputs=inputs, steps=tuple(map(self._step, one.steps)))
            )
        return self._made[one]

    def _step(self, step: WorkflowStep) -> WorkflowStep:
        inputs = tuple(replace(entry, spec=self._spec(entry.spec)) for entry in step.inputs)
        return replace(step, run=self.process(step.run), inputs=inputs)

    def _spec(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        if next(_remote(default := _default(spec)), None) is None:
            return spec
        return {**spec, "default": map_files(default, self._file)}

    def _file(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
        if _is_remote(one):
            return self._staged.get(_key(one), one)
        return {**one, **{part: [*map(self._file, one[part])] for part in _PARTS if one.get(part)}}


def _default(spec: Mapping[str, Any]) -> Any:
    return default_of(spec) if "default" in spec else None


def _remote(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the outermost objects in a value that lie elsewhere."""
    if isinstance(value, list):
        for item in value:
            yield from _remote(item)
    elif isinstance(value, Mapping):
        if not is_filelike(value):
            yield from _remote(list(value.values()))
        elif _is_remote(value):
            yield value
        else:
            yield from _remote([inner for part in _PARTS for inner in value.get(part) or ()])


def _is_remote(one: Mapping[str, Any]) -> bool:
    return not (is_local(one) or is_literal(one))


def _key(one: Mapping[str, Any]) -> str:
    return json.dumps(one, sort_keys=True)
