"""Jobs that triggers set off.

Owns what of an execute request is kept with a trigger, and making a job of it. Must not know why it
is set off.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from localproc.engine.namespace import Namespace
from localproc.errors import InvalidInputs, Problem
from localproc.model import InputPolicy, ProcessRecord
from localproc.model.secret import with_texts
from localproc.model.trigger import Accepting

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


@dataclass(frozen=True, slots=True)
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
        problems = [Problem("cannot be kept", f"options.{name}") for name in unknown]
        raise InvalidInputs("some options cannot be kept", problems)
    policy = options.get("policy", InputPolicy())
    kept = {**options, "policy": policy if isinstance(policy, Mapping) else _policy_data(policy)}
    if kept.get("results"):
        kept["results"] = str(kept["results"])
    run_as = ""
    if complete:
        run_as = space.acceptance.request(record, inputs, _given(kept)).run_as
    return Checked(dict(inputs), kept, run_as)


def accepting(
    space: Namespace,
    process: str,
    inputs: Mapping[str, Any],
    kept: Mapping[str, Any],
    owner: str | None,
    **options: Any,
) -> Accepting:
    """Return a job that is ready to be recorded; raises ``LocalprocError`` if there can be none."""
    record = space.processes.get(process)
    request = space.acceptance.request(record, inputs, {**_given(kept), **options})
    return space.acceptance.prepare(record, request, owner=owner)


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
