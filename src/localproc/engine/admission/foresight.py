"""What a job would do, before there is one.

Owns following a process as far as that can be known: through steps whose outputs are kept from
earlier jobs, to those that would have to run. Must not run anything, nor write anywhere.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from localproc.cwl.base.files import Files, is_literal, is_local, local_path, walk
from localproc.cwl.base.types import is_filelike
from localproc.cwl.run.expression_tool import run_expression
from localproc.cwl.run.plan import Invocation, Plan, Skipped
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.process_inputs import complete, fill
from localproc.cwl.run.reads import place
from localproc.cwl.run.task_layout import Folders
from localproc.engine.admission.suitability import StepPlacement
from localproc.errors import LocalprocError, Problem
from localproc.frozen import frozen
from localproc.spelling import public
from localproc.storage.step_cache import CachedStep

_NOWHERE: Final = "/nonexistent/localproc-plan"  #: folders of expressions; none is ever made

Action = Literal["run", "reuse", "skip", "work out"]

#: Says what is kept for an invocation: outputs, or why there are none.
Recall = Callable[[Invocation], CachedStep | str]


@frozen
class PlannedStep:
    """A step as it would go: by its place in nested workflows (``items/crop``).

    ``actions`` counts its instances by what becomes of them; none are known where ``why`` says what
    it waits for. ``reused_from``: the jobs whose outputs would be reused. ``executor`` runs it, in
    the container ``image`` if there is one; ``unfit`` says why it never can, ``note`` what is worth
    knowing.
    """

    place: str
    actions: Mapping[Action, int]
    why: str
    executor: str
    unfit: str = ""
    note: str = ""
    image: str = ""
    reused_from: tuple[str, ...] = ()


@public
@frozen
class JobPlan:
    """What a job would do.

    ``problems`` are those of the inputs; ``missing`` are files that are not here, ``images`` says
    which images are not, ``fetched`` the URIs of files that would be brought in first.
    """

    steps: list[PlannedStep]
    problems: list[Problem] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    @property
    def feasible(self) -> bool:
        """Whether nothing is known that would keep the job from being accepted and run."""
        return not (
            self.problems or self.missing or self.images or any(step.unfit for step in self.steps)
        )

    def to_json(self) -> dict[str, Any]:
        """Return its members by name, as JSON has them, and ``feasible``."""
        return {
            "feasible": self.feasible,
            "steps": [
                {
                    "step": one.place,
                    "actions": dict(one.actions),
                    "why": one.why,
                    "executor": one.executor,
                    "unfit": one.unfit,
                    "note": one.note,
                    "image": one.image,
                    "reusedFrom": list(one.reused_from),
                }
                for one in self.steps
            ],
            "problems": [one.to_json() for one in self.problems],
            "missing": self.missing,
            "fetched": self.fetched,
            "images": self.images,
        }


@dataclass(slots=True)
class _Seen:
    """What was seen of the instances of a step."""

    actions: Counter[Action] = field(default_factory=Counter)
    reasons: dict[str, None] = field(default_factory=dict)
    jobs: dict[str, None] = field(default_factory=dict)


def foresee(
    process: Tool | Workflow,
    inputs: Mapping[str, Any],
    placements: list[StepPlacement],
    recall: Recall,
    files: Files,
) -> JobPlan:
    """Return what a job of a process with these inputs (a CWL job object) would do."""
    missing, fetched = _absent(inputs, files)
    seen: dict[str, _Seen] = {}
    try:
        values = complete(process, fill(process, inputs), files, discover=True)
        for at, action, why, job in _followed(Plan(process, values, files), recall, files):
            one = seen.setdefault(at, _Seen())
            one.actions[action] += 1
            one.reasons |= {why: None} if why else {}
            one.jobs |= {job: None} if job else {}
        waits = "it needs what other steps make"
    except LocalprocError as error:
        waits = f"not known: {error.message}"
    steps = [_step(one, seen.get(one.step), waits) for one in placements]
    return JobPlan(steps, missing=missing, fetched=fetched)


def unforeseen(placements: list[StepPlacement], problems: list[Problem]) -> JobPlan:
    """Return what is known of a job whose inputs do not fit."""
    return JobPlan([_step(one, None, "its inputs are not known") for one in placements], problems)


def _step(at: StepPlacement, seen: _Seen | None, waits: str) -> PlannedStep:
    known = seen or _Seen(reasons={waits: None})
    return PlannedStep(
        at.step,
        dict(known.actions),
        "; ".join(known.reasons),
        at.executor,
        at.unfit,
        at.note,
        "" if at.container is None else at.container.image,
        tuple(known.jobs),
    )


def _followed(plan: Plan, recall: Recall, files: Files) -> Iterator[tuple[str, Action, str, str]]:
    """Yield what becomes of each instance that can be reached: place, action, why, whose it is."""
    while (instance := plan.pull()) is not None:
        at = place(instance.key)
        if isinstance(instance, Skipped):
            yield at, "skip", "its condition is false", ""
        elif instance.tool.expression is not None:
            outputs = _worked_out(instance, files)
            yield at, "work out", "", ""
            if outputs is not None:
                plan.finish(instance.key, outputs)
        elif isinstance(found := recall(instance), CachedStep):
            yield at, "reuse", "", found.job_id
            plan.finish(instance.key, found.outputs)
        else:
            yield at, "run", found, ""


def _worked_out(instance: Invocation, files: Files) -> Mapping[str, Any] | None:
    """Return what an expression gives, ``None`` if it is to make files."""
    folders = Folders(*(os.path.join(_NOWHERE, part) for part in ("out", "tmp", "in")))
    outputs, actions = run_expression(instance.tool, instance.inputs, folders, files)
    return None if actions else outputs


def _absent(inputs: Mapping[str, Any], files: Files) -> tuple[list[str], list[str]]:
    """Return the files that are not here, and the URIs of those that are elsewhere."""
    missing: dict[str, None] = {}
    fetched: dict[str, None] = {}
    for one in walk(dict(inputs)):
        if is_local(one):
            if files.stat(local_path(one)) is None:
                missing[local_path(one)] = None
        elif is_filelike(one) and not is_literal(one):
            fetched[str(one["location"])] = None
    return list(missing), list(fetched)
