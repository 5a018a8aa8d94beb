"""What flows along the links of a workflow.

Owns linkMerge, pickValue, defaults, valueFrom and ``when`` of a step, and the three ways to
scatter. Must not know the order in which steps run.

Source: CWL v1.2 Workflow, sections 4.2 "WorkflowStep" and 4.2.3 "WorkflowStepInput".
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localproc.cwl.base.files import Files, default_of, map_files, normalize, shown
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.enrich import Enricher
from localproc.cwl.run.process import StepInput, Workflow, WorkflowStep
from localproc.errors import StepError


def linked(
    what: str, sources: Sequence[str], spec: Mapping[str, Any], values: Mapping[str, Any]
) -> Any:
    """Return what arrives at a sink: the sources merged, picked from, or else the default."""
    value = _merged(sources, spec.get("linkMerge"), values)
    if spec.get("listed") and not isinstance(value, list):
        value = [value]
    if "pickValue" in spec and isinstance(value, list):
        value = _picked(what, spec["pickValue"], value)
    if value is None and "default" in spec:
        return default_of(spec)
    return value


def _merged(sources: Sequence[str], method: str | None, values: Mapping[str, Any]) -> Any:
    if not sources:
        return None
    if len(sources) == 1 and method is None:
        return values[sources[0]]
    items = [values[source] for source in sources]
    if method != "merge_flattened":
        return items
    return [leaf for item in items for leaf in (item if isinstance(item, list) else [item])]


def _picked(what: str, method: str, value: list[Any]) -> Any:
    there = [item for item in value if item is not None]
    if method == "all_non_null":
        return there
    if not there:
        raise StepError(f"{what}: {method} found nothing but nulls")
    if method == "the_only_non_null" and len(there) > 1:
        raise StepError(f"{what}: the_only_non_null found {len(there)} values")
    return there[0]


def step_inputs(step: WorkflowStep, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step's inputs before scatter and valueFrom."""
    return {
        one.id: linked(f"{step.id}/{one.id}", one.sources, one.spec, values) for one in step.inputs
    }


def evaluated(
    step: WorkflowStep, inputs: Mapping[str, Any], workflow: Workflow, files: Files
) -> tuple[dict[str, Any], bool]:
    """Return the inputs of one instance, loaded and after valueFrom, and whether it runs."""
    values = dict(inputs)
    enricher = Enricher(workflow, lambda: Context(values), files)
    for one in step.inputs:
        if one.spec.get("loadContents") and values[one.id] is not None:
            values[one.id] = map_files(
                values[one.id], lambda file: {**file, "contents": enricher.contents(file)}
            )
        if "loadListing" in one.spec:
            values[one.id] = _with_listings(values[one.id], enricher, one.spec["loadListing"])
    if any("valueFrom" in one.spec for one in step.inputs):
        values = _values_from(step, values, enricher)
    if step.when is None:
        return values, True
    runs = evaluate_field(step.when, step.dialect, Context(shown(values)))
    if not isinstance(runs, bool):
        raise StepError(f"{step.id}: when gave {runs!r}, not a boolean")
    return values, runs


def _values_from(step: WorkflowStep, values: dict[str, Any], enricher: Enricher) -> dict[str, Any]:
    context = Context(shown(values))
    after = dict(values)
    for one in step.inputs:
        if "valueFrom" in one.spec:
            self_ = values[one.id]
            if "loadListing" not in one.spec:
                # As cwltool has it, which many packages rely on.
                self_ = _with_listings(self_, enricher, "deep_listing")
            after[one.id] = normalize(_value_from(one, step, context, shown(self_)))
    return after


def _value_from(one: StepInput, step: WorkflowStep, context: Context, self_: Any) -> Any:
    return evaluate_field(one.spec["valueFrom"], step.dialect, context, self_)


def _with_listings(value: Any, enricher: Enricher, much: str) -> Any:
    return map_files(
        value,
        lambda one: enricher.directory(one, much) if one["class"] == "Directory" else one,
    )


class Scatter:
    """The instances of a scattered step: how many, and the inputs of each, made when asked for.

    An input may be scattered over twice: then the items of its array are arrays (section 4.2.1).
    """

    def __init__(self, step: WorkflowStep, inputs: Mapping[str, Any]) -> None:
        self._step = step
        self._inputs = inputs
        self._dot = step.scatter_method == "dotproduct"
        self._again = len(set(step.scatter)) < len(step.scatter)
        lengths = [len(self._array(name, inputs)) for name in step.scatter]
        if self._dot and len(set(lengths)) > 1:
            named = ", ".join(
                f"{name} has {length}" for name, length in zip(step.scatter, lengths, strict=True)
            )
            raise StepError(f"{step.id}: dotproduct needs arrays of equal length: {named}")
        if self._dot:
            self.total = lengths[0]
        elif self._again:
            self.total = sum(1 for _ in self._crossed(step.scatter, inputs))
        else:
            self.total = math.prod(lengths)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = self._step.scatter
        if not self._dot:
            yield from self._crossed(names, self._inputs)
            return
        for values in zip(*(self._inputs[name] for name in names), strict=True):
            yield {**self._inputs, **dict(zip(names, values, strict=True))}

    def shape(self, flat: list[Any]) -> list[Any]:
        """Return the gathered outputs the nesting that the method asks for."""
        if self._step.scatter_method != "nested_crossproduct":
            return flat
        return self._nested(self._step.scatter, self._inputs, iter(flat))

    def _array(self, name: str, values: Mapping[str, Any]) -> list[Any]:
        array = values[name]
        if not isinstance(array, list):
            said = f"scatter over {name}, which is not an array: {array!r}"
            raise StepError(f"{self._step.id}: {said}")
        return array

    def _crossed(self, names: Sequence[str], values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for item in self._array(names[0], values):
            inner = {**values, names[0]: item}
            if len(names) > 1:
                yield from self._crossed(names[1:], inner)
            else:
                yield inner

    def _nested(
        self, names: Sequence[str], values: Mapping[str, Any], flat: Iterator[Any]
    ) -> list[Any]:
        items = self._array(names[0], values)
        if len(names) == 1:
            return list(itertools.islice(flat, len(items)))
        return [self._nested(names[1:], {**values, names[0]: item}, flat) for item in items]
