"""The interpreter by itself: a JavaScript expression, and loading and checking a package.

Owns first and later times, each in a process of its own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks.cases import chain
from benchmarks.measure import Effort, apart
from benchmarks.places import fresh, quickest
from benchmarks.table import Line, Row

_LATER = 200


@dataclass(frozen=True, slots=True)
class _Times:
    first: float
    later: float


def interpreter(effort: Effort) -> Iterator[Line]:
    """Measure expressions and packages."""
    javascript = _middle([apart(_javascript) for _ in range(effort.rounds)])
    case = "a JavaScript expression"
    yield Row(case, "first", javascript.first * 1e3, "ms", target=10)
    yield Row(case, "later, a new one each", javascript.later * 1e3, "ms", target=0.3)
    packages = _middle([apart(_package) for _ in range(effort.rounds)])
    case = "load and check a 5-step package"
    yield Row(case, "first", packages.first * 1e3, "ms", target=300)
    yield Row(case, "again, with another label", packages.later * 1e3, "ms", target=20)


def _middle(times: list[_Times]) -> _Times:
    return _Times(median(one.first for one in times), median(one.later for one in times))


def _javascript() -> _Times:
    from localproc.cwl.expr.expressions import Context, Dialect, evaluate_field

    inputs = {"words": ["one", "two"], "file": {"class": "File", "basename": "a.tif"}}

    def once(number: int) -> float:
        text = f"${{ return inputs.words.map(w => w + {number}).join('-'); }}"
        began = perf_counter()
        found = evaluate_field(text, Dialect(library=""), Context(inputs))
        took = perf_counter() - began
        assert found == f"one{number}-two{number}"
        return took

    return _Times(once(0), median(once(number) for number in range(1, _LATER)))


def _package() -> _Times:
    from localproc.engine.packages.package_source import validate

    with fresh(quickest()) as folder:
        path = f"{folder}/package.cwl"

        def once(number: int) -> float:
            package = json.loads(json.dumps(chain().package))
            package["$graph"][0]["label"] = f"number {number}"
            with open(path, "w", encoding="utf-8") as file:
                json.dump(package, file, indent=2)
            began = perf_counter()
            findings = validate(path)
            took = perf_counter() - began
            assert not findings.errors
            return took

        return _Times(once(0), median(map(once, range(1, 20))))
