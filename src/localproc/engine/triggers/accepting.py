"""Jobs that triggers set off.

Owns what of an execute request is kept with a trigger, making a job of it, and having this process
run it. Must not know why it is set off.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from localproc.engine.namespace import Namespace
from localproc.errors import InvalidInputs, LocalprocError, NoSpace, Problem, StoreLocked
from localproc.frozen import frozen
from localproc.model import InputPolicy, ProcessRecord
from localproc.model.secret import with_texts
from localproc.model.trigger import Accepting, Firing, TriggerRecord
from localproc.near import near

_LOG: Final = logging.getLogger("localproc")

#: What may be kept of the options of ``Engine.execute``; all of it is JSON.
KEPT = frozenset(
    {
        "assets",
        "base",
        "bases",
        "containers",
        "environment",
        "executor",
        "keep_going",
        "options",
        "outputs",
        "policy",
        "priority",
        "progress",
        "references",
        "results",
        "retries",
        "reuse",
        "service",
        "subscriber",
        "tags",
        "time_limit",
        "title",
        "variables",
    }
)


@frozen
class Checked:
    """What is kept: inputs and options as JSON, and who asks."""

    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    run_as: str


def checked_options(
    space: Namespace,
    record: ProcessRecord,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    complete: bool = True,
) -> Checked:
    """Return what is kept of a request, with what is wrong told now.

    ``complete``: the inputs are all there. Raises ``InvalidInputs``, ``UnsupportedPackage``.
    """
    unknown = sorted(set(options) - KEPT)
    if unknown:
        problems = [
            Problem("cannot be kept", f"options.{name}", hint=near(name, KEPT)) for name in unknown
        ]
        raise InvalidInputs("some options cannot be kept", problems)
    policy = options.get("policy", InputPolicy())
    kept = {**options, "policy": policy if isinstance(policy, Mapping) else _policy_data(policy)}
    if kept.get("results"):
        kept["results"] = str(kept["results"])
    run_as = ""
    if complete:
        run_as = space.acceptance.request(record, inputs, _given(kept)).run_as
    return Checked(dict(inputs), kept, run_as)


class TriggeredJobs:
    """Makes the jobs of triggers in any namespace of the home that ``space`` is one of."""

    def __init__(self, space: Namespace) -> None:
        self.runtime = space.runtime
        self._spaces = {space.name: space}
        self._space = space

    def make(
        self,
        trigger: TriggerRecord,
        firing: Firing,
        process: str,
        inputs: Mapping[str, Any],
        kept: Mapping[str, Any],
        /,
        **options: Any,
    ) -> tuple[Firing, Accepting | None]:
        """Return a firing with its job, ready to be recorded; with why if there can be none.

        Raises ``StoreLocked`` or ``NoSpace``: there can be one later.
        """
        owner = self.runtime.owner() if self.runtime.run_jobs else None
        try:
            space = self._within(trigger.namespace)
            record = space.processes.get(process)
            request = space.acceptance.request(record, inputs, {**_given(kept), **options})
            job = space.acceptance.prepare(record, request, owner=owner)
        except (StoreLocked, NoSpace):
            raise
        except LocalprocError as error:
            return refused(trigger, firing, error)
        return replace(firing, job_id=job.job.id, is_open=True), job

    def begin(self, jobs: Iterable[str]) -> None:
        """Have jobs that are recorded run here, if this process runs any."""
        for job_id in jobs:
            job = self.runtime.store.job(job_id)
            if job is not None and self.runtime.run_jobs:
                self.runtime.observers.tell(job, self.runtime.store.events(job.id))
                self.runtime.loop().accept(job)

    def _within(self, name: str) -> Namespace:
        if name not in self._spaces:
            self._spaces[name] = self._space.within(name)
        return self._spaces[name]


def refused(trigger: TriggerRecord, firing: Firing, error: LocalprocError) -> tuple[Firing, None]:
    """Return a firing that nothing comes of, with why."""
    _LOG.warning("%s %s set nothing off: %s", trigger.kind, trigger.name, error)
    return replace(firing, said=f"no job: {error}"), None


def _given(kept: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(kept)
    policy = dict(given.get("policy", {}))
    if policy.get("roots") is not None:
        policy["roots"] = tuple(policy["roots"])
    policy["prefixes"] = tuple(policy.get("prefixes", ()))
    given["policy"] = InputPolicy(**policy)
    return given


def _policy_data(policy: InputPolicy) -> dict[str, Any]:
    data: dict[str, Any] = with_texts(asdict(policy), lambda text: text)
    return data
