"""Which tasks are handed in together.

Owns what a task asks of a scheduler, and making batches of tasks that ask for the same. Pure.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from localproc.frozen import frozen
from localproc.model import Task

_MINUTE: Final = 60
_OF_NODE: Final = ("setup", "keep", "tmp", "python", "mpirun")
_OF_ALL: Final = ("jobs", "timeout", "shared", "silence")
_ARRAY: Final = 500  #: elements at most: fewer than any scheduler allows


class Mode(StrEnum):
    """How tasks go to the scheduler."""

    SINGLE = "single"  #: a job for each
    ARRAY = "array"  #: an element of an array for each
    BUNDLE = "bundle"  #: many in one job, which packs them


@frozen
class Request:
    """What a job needs: whole ``cores`` for each of its processes, ``seconds`` (0: no limit here).

    ``ram`` is that of a node, in MiB. ``options`` are the scheduler's own, by name; equal ones
    compare equal.
    """

    cores: int
    ram: int
    seconds: int = 0
    gpus: int = 0
    processes: int = 1
    nodes: int = 1
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def each(self) -> int:
        """The processes on a node, at the most."""
        return math.ceil(self.processes / self.nodes)


@frozen
class Batch:
    """Tasks that are handed in as one; ``slots`` of a bundle run at a time.

    ``node`` are the options that say how things are there.
    """

    mode: Mode
    tasks: tuple[Task, ...]
    request: Request
    slots: int = 1
    node: tuple[tuple[str, Any], ...] = ()


def request(task: Task, options: Mapping[str, Any]) -> Request:
    """Return what a task asks for. The scheduler's limit comes after the runner's own."""
    others = ("mode", "bundle", "bundle_cores", *_OF_NODE, *_OF_ALL)
    own = {name: value for name, value in options.items() if name not in others}
    needs = task.resources
    each = math.ceil(needs.processes / needs.nodes)
    return Request(
        cores=max(1, math.ceil(needs.cores)),
        ram=max(1, math.ceil(needs.ram_max or needs.ram)) * each,
        seconds=math.ceil(needs.time) + _MINUTE if needs.time else 0,
        gpus=needs.gpus,
        processes=needs.processes,
        nodes=needs.nodes,
        options=tuple(sorted((name, _fixed(value)) for name, value in own.items())),
    )


def batches(tasks: Sequence[Task], options: Callable[[Task], Mapping[str, Any]]) -> Iterator[Batch]:
    """Group tasks that ask for the same; an array of one, which not all schedulers take, is none.

    Of ``options``, ``mode`` says how; by default more than one make an array. ``bundle`` is the
    most tasks of a bundle, ``bundle_cores`` what it has at a time.
    """
    groups: dict[tuple[Any, Any, Request], list[Task]] = {}
    for task in tasks:
        chosen = options(task)
        mode = chosen.get("mode")
        size, cores = int(chosen.get("bundle", 32)), int(chosen.get("bundle_cores", 4))
        needs = request(task, chosen)
        node = tuple((name, _fixed(chosen[name])) for name in _OF_NODE if name in chosen)
        spread = needs.nodes > 1 or needs.processes > 1
        how = (Mode(mode) if mode and not spread else None, size, cores)
        groups.setdefault((how, node, needs), []).append(task)
    for ((mode, size, cores), node, needs), group in groups.items():
        if mode is Mode.BUNDLE:
            for part in _parts(group, size):
                yield replace(_bundle(part, needs, cores), node=node)
        elif mode is Mode.SINGLE or len(group) == 1:
            yield from (Batch(Mode.SINGLE, (task,), needs, node=node) for task in group)
        else:
            for part in _parts(group, _ARRAY):
                yield Batch(Mode.ARRAY, part, needs, node=node)


def halved(batch: Batch) -> Sequence[Batch]:
    """Return the halves of an array; none of what cannot be handed in by parts."""
    if batch.mode is not Mode.ARRAY:
        return ()
    parts = _parts(batch.tasks, math.ceil(len(batch.tasks) / 2))
    return [
        replace(batch, tasks=part, mode=Mode.ARRAY if len(part) > 1 else Mode.SINGLE)
        for part in parts
    ]


def _bundle(tasks: tuple[Task, ...], needs: Request, cores: int) -> Batch:
    slots = max(1, min(len(tasks), cores // needs.cores))
    rounds = math.ceil(len(tasks) / slots)
    each = replace(
        needs,
        cores=needs.cores * slots,
        ram=needs.ram * slots,
        gpus=needs.gpus * slots,
        seconds=(needs.seconds - _MINUTE) * rounds + _MINUTE if needs.seconds else 0,
    )
    return Batch(Mode.BUNDLE, tasks, each, slots)


def _parts(tasks: Sequence[Task], most: int) -> Iterator[tuple[Task, ...]]:
    """Split into parts that are as equal as can be."""
    count = math.ceil(len(tasks) / max(1, most))
    size = math.ceil(len(tasks) / count)
    for begin in range(0, len(tasks), size):
        yield tuple(tasks[begin : begin + size])


def _fixed(value: Any) -> Any:
    """Return a value that can be compared and hashed."""
    if isinstance(value, list | tuple):
        return tuple(_fixed(one) for one in value)
    return value
