"""What a task has to see of the disk, besides its own folders.

Owns the files and folders that a task reads and those that it changes in place, for executors that
show it nothing else. Must not know any executor.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from localproc.cwl.base.files import Files
from localproc.cwl.run.prepare import Prepared
from localproc.uris import is_below

_INDEX: Final = re.compile(r"\[\d+\]")


@lru_cache(maxsize=64)
def place(key: str) -> str:
    """Return the place of an instance in its workflow: its key without the indices of scatters."""
    return _INDEX.sub("", key)


def reads(
    prepared: Prepared,
    files: Files,
    *,
    links: bool,
    named: Mapping[str, Sequence[str]] | None = None,
) -> tuple[str, ...]:
    """Return the absolute paths of what a task reads, and of what links among them lead to.

    What was put in place beside its own folders is among them.

    ``named`` are files that strings may name, with those that they lead to: they are read where one
    of the inputs does. ``links``: look below Directories as well, which takes a look at each of
    their entries.
    """
    folders = prepared.folders
    paths = [*_sources(prepared), *_named(prepared.context.inputs, named or {})]
    if not paths and not prepared.stage:
        return ()
    own = tuple(f"{one.rstrip('/')}/" for one in (folders.outdir, folders.tmpdir, folders.stage))
    found: dict[str, None] = {}
    if prepared.stage and any(is_below(one.target, folders.stage) for one in prepared.stage):
        found[folders.stage] = None
    for path in paths:
        for one in _with_targets(path, files, below=links):
            if not f"{one}/".startswith(own):
                found[one] = None
    return tuple(_outermost(found))


def writes(prepared: Prepared) -> tuple[str, ...]:
    """Return the absolute paths of what a task may change in place (InplaceUpdateRequirement)."""
    return tuple(_outermost(set(prepared.shared)))


def _sources(prepared: Prepared) -> list[str]:
    found = [*prepared.given.paths, *(one.source for one in prepared.stage if one.source)]
    return found if prepared.stdin is None else [*found, prepared.stdin]


def _named(value: Any, named: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the files that strings among some values name, and what they lead to."""
    if isinstance(value, str) and value in named:
        yield from (value, *named[value])
    elif named and isinstance(value, (list, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _named(item, named)


def _with_targets(path: str, files: Files, *, below: bool) -> Iterator[str]:
    """Return a path, what it leads to, and what links below it lead to out of it."""
    yield path
    real = files.realpath(path)
    if real != path:
        yield real
    if not below:
        return
    stat = files.stat(real)
    pending, seen = [real] if stat is not None and stat.is_dir else [], {real}
    while pending:
        folder = pending.pop()
        for name in files.listdir(folder):
            inner = posixpath.join(folder, name)
            target = files.realpath(inner)
            found = files.stat(target)
            if target != inner:
                yield target
            if found is not None and found.is_dir and target not in seen:
                seen.add(target)
                pending.append(target)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Return paths without those that lie below another one of them."""
    kept: list[str] = []
    for path in sorted(paths, key=lambda one: one.split("/")):
        if not kept or not path.startswith(f"{kept[-1].rstrip('/')}/"):
            kept.append(path)
    return kept
