"""The steps of a job in rows: the instances of a scatter as one.

Owns which steps go together, what is said of them in a line, and what is known of how many there
will be. Must not know where they are shown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from localproc.cwl.run.reads import place
from localproc.frozen import frozen
from localproc.model import Step, StepStatus

_DONE: Final = (StepStatus.SUCCESSFUL, StepStatus.REUSED, StepStatus.SKIPPED)
_TOLD: Final = (
    (StepStatus.RUNNING, "running"),
    (StepStatus.ACCEPTED, "waiting"),
    (StepStatus.FAILED, "failed"),
    (StepStatus.DISMISSED, "stopped"),
    (StepStatus.REUSED, "reused"),
    (StepStatus.SKIPPED, "skipped"),
)


@frozen
class StepRow:
    """Steps at one place of a workflow: one, or the instances of a scatter.

    ``total`` is how many there will be, ``None`` where that is not known yet.
    """

    place: str
    steps: Sequence[Step]
    total: int | None = None

    @property
    def scattered(self) -> bool:
        """Whether it stands for the instances of a scatter."""
        return len(self.steps) > 1 or "[" in self.steps[0].key

    @property
    def name(self) -> str:
        """What it is called: its step, or its place if it is a scatter's."""
        return self.place if self.scattered else self.steps[0].name

    @property
    def said(self) -> str:
        """How far it is: ``42 of 120, 3 running, 1 failed``; a single step's status."""
        if not self.scattered:
            return self.steps[0].status.value
        counts = Counter(step.status for step in self.steps)
        done = sum(counts[status] for status in _DONE)
        first = f"{done} of {self.total}" if self.total is not None else f"{done} done"
        rest = [f"{counts[status]} {word}" for status, word in _TOLD if counts[status]]
        return ", ".join([first, *rest])

    @property
    def waits(self) -> str:
        """Why nothing of it runs, in its executor's words: of a scatter, the first that waits."""
        if self.status is not StepStatus.ACCEPTED:
            return ""
        waiting = [one for one in self.steps if one.status is StepStatus.ACCEPTED]
        return next((one.reason for one in waiting if one.reason and one.due is None), "")

    @property
    def status(self) -> StepStatus:
        """The status that counts most: failed, running, waiting, then how the last one ended."""
        found = {step.status for step in self.steps}
        for status in (StepStatus.FAILED, StepStatus.RUNNING, StepStatus.ACCEPTED):
            if status in found:
                return status
        return self.steps[-1].status

    def seconds(self, now: datetime) -> float | None:
        """Return the time from its first start to its last end, or to ``now``."""
        starts = [step.start for step in self.steps if step.start is not None]
        if not starts:
            return None
        ends = [now if step.end is None else step.end for step in self.steps]
        return max(0.0, (max(ends) - min(starts)).total_seconds())


def step_rows(steps: Iterable[Step], totals: Mapping[str, int] | None = None) -> list[StepRow]:
    """Return the rows of a job's steps, in the order in which the first of each was started."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(place(step.key), []).append(step)
    known = totals or {}
    return [StepRow(at.lstrip("/"), some, known.get(at)) for at, some in found.items()]


def scatter_totals(resolved: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, int]:
    """Return how many instances the scatters over inputs of the process will have, by place.

    ``inputs`` are the job's. Scatters over what other steps make are not among them, nor those in
    nested workflows.
    """
    main = resolved["processes"][resolved["main"]]
    values = {port["id"]: inputs.get(port["id"], port.get("default")) for port in main["inputs"]}
    found: dict[str, int] = {}
    for step in main.get("steps", ()):
        sources = {one["id"]: list(one["source"]) for one in step["in"]}
        lists = [
            values.get(sources[name][0]) if len(sources.get(name, ())) == 1 else None
            for name in step["scatter"]
        ]
        if lists and all(isinstance(one, list) for one in lists):
            sizes = [len(one) for one in lists if isinstance(one, list)]
            found[step["id"]] = sizes[0]
            if str(step.get("scatterMethod", "")).endswith("crossproduct"):
                for size in sizes[1:]:
                    found[step["id"]] *= size
    return found
