"""Packages that came wrapped: with steps that stage inputs in and results out around what they are.

Owns telling such a package by the names of its steps, or of what they run, and which of its
processes is the one that was wrapped. Must not load anything.

Wrapped ones are made by EOEPCA's cwl-wrapper (``node_stage_in``, ``on_stage``, ``node_stage_out``)
and by eoap-cwlwrap (``directory_stage_in_0``, ``app``, ``directory_stage_out_0``).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.errors import InvalidPackage

_STAGES: Final = re.compile(r"(^|.*[_-])stage[_-]?(in|out)([_-].*|$)|^node_metrics_out$")


def unwrapped(resolved: Mapping[str, Any]) -> str:
    """Return the id of what a package wraps, empty for one that is not wrapped.

    Raises ``InvalidPackage`` where that could not be run with the inputs of the whole.
    """
    main = resolved["processes"][resolved["main"]]
    steps = main.get("steps", ())
    processes = resolved["processes"]
    stages = [
        step
        for step in steps
        if _STAGES.match(step["id"]) or _STAGES.match(str(processes[step["run"]]["id"]))
    ]
    others = [step for step in steps if step not in stages]
    if not stages or len(others) != 1:
        return ""
    (inner,) = others
    process = processes[inner["run"]]
    if inner["scatter"]:
        raise _not_so(main, f"its step {inner['id']} is scattered")
    named = {step["id"]: set(_sources(step)) for step in stages}
    for link in inner["in"]:
        for source in link.get("source", ()):
            if link["id"] not in named.get(source.partition("/")[0], {source}):
                raise _not_so(main, f"{link['id']} of {process['id']} is not called so outside")
    return str(process["id"])


def _sources(step: Mapping[str, Any]) -> Iterator[str]:
    for link in step["in"]:
        yield from link.get("source", ())


def _not_so(main: Mapping[str, Any], why: str) -> InvalidPackage:
    return InvalidPackage(
        f"{main['id']} cannot be run without its stages: {why}",
        hint="run it with its own (staging own), or name the process itself: PACKAGE#NAME",
    )
