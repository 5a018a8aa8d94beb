"""Tests that are written down as cwltest has them: a tool, a job, and what comes of it.

Owns reading such files, and running each of their entries as a test of pytest. Must not be imported
where there are none.

Source: https://github.com/common-workflow-language/cwltest, "Writing a test".
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from localproc.cwl.base.reading import read_data
from localproc.cwl.base.trees import UnreadableText
from localproc.engine.admission.inputs import known_inputs, read_inputs
from localproc.errors import InvalidInputs, InvalidPackage, JobFailed, UnsupportedPackage
from localproc.testing.expected import output_differences

if TYPE_CHECKING:
    from localproc.api import Engine

_MEMBERS: Final = frozenset(
    {"tool", "job", "output", "should_fail", "id", "doc", "tags", "label", "short_name"}
)


class EntryFailedError(AssertionError):
    """What came of an entry is not what it says."""


class CwlTests(pytest.File):
    """A file of tests."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each entry; raises ``CollectError`` for what is none."""
        for number, (entry, folder) in enumerate(_entries(self.path)):
            name = str(entry.get("id") or entry.get("label") or number).rpartition("#")[2]
            yield CwlTest.from_parent(self, name=name, entry=entry, folder=folder)


class CwlTest(pytest.Function):
    """One entry; the engine is that of the fixture ``localproc_engine``."""

    def __init__(self, *, entry: Mapping[str, Any], folder: Path, **more: Any) -> None:
        def run(localproc_engine: "Engine", tmp_path: Path) -> None:
            __tracebackhide__ = True
            check(localproc_engine, entry, folder, tmp_path / "outputs")

        super().__init__(callobj=run, **more)
        self._doc = str(entry.get("doc", "")).strip()
        self.extra_keyword_matches.update(map(str, entry.get("tags", ())))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Tell where it is written down."""
        return self.path, None, self.name

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | Any:
        """Tell what differs, without our own lines of Python."""
        if isinstance(excinfo.value, EntryFailedError):
            return "\n".join(filter(None, [self._doc, str(excinfo.value)]))
        return super().repr_failure(excinfo)


def check(engine: "Engine", entry: Mapping[str, Any], folder: Path, outputs: Path) -> None:
    """Run an entry; raises ``EntryFailedError``, or what the package or the job failed of.

    What is not supported is skipped, unless the entry is tagged as ``required``.
    """
    __tracebackhide__ = True
    try:
        actual = _outputs(engine, entry, folder, outputs)
    except UnsupportedPackage as error:
        if "required" in entry.get("tags", ()) or entry.get("should_fail"):
            raise
        pytest.skip(f"not supported: {error}")
    except (InvalidPackage, InvalidInputs, JobFailed):
        if entry.get("should_fail"):
            return
        raise
    if entry.get("should_fail"):
        raise EntryFailedError("it should fail, and has not")
    wrong = list(output_differences(entry["output"], actual)) if "output" in entry else []
    if wrong:
        raise EntryFailedError("\n  ".join(["the outputs are not as expected:", *wrong]))


def _outputs(engine: "Engine", entry: Mapping[str, Any], folder: Path, outputs: Path) -> Any:
    __tracebackhide__ = True
    process = engine.deploy(_named(entry["tool"], folder))
    job = entry.get("job")
    values, base = read_inputs(_named(job, folder) if isinstance(job, str) else job, str(folder))
    inputs = known_inputs(process.inputs, values)
    flat = {"layout": "flat"}
    running = process.execute(
        inputs, base=base, references=False, results=str(outputs), options=flat
    )
    return dict(running.wait().outcome().outputs)


def _named(name: str, folder: Path) -> str:
    """Return a file's path; raises ``EntryFailedError`` for one that is not there.

    A test that should fail does not do so for that.
    """
    if "://" in name:
        return name
    path = os.path.join(folder, name)
    if not os.path.exists(path.partition("#")[0]):
        raise EntryFailedError(f"there is no {path}")
    return path


def _entries(path: Path, within: tuple[Path, ...] = ()) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """Yield the entries of a file and of those that it imports, with the folder of each."""
    if path.resolve() in within:
        raise pytest.Collector.CollectError(f"{path} imports itself")
    within = (*within, path.resolve())
    try:
        found = read_data(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, UnreadableText) as error:
        raise pytest.Collector.CollectError(f"{path} cannot be read: {error}") from None
    for entry in found if isinstance(found, list) else [found]:
        if isinstance(entry, Mapping) and "$import" in entry:
            yield from _entries(path.parent / str(entry["$import"]), within)
        elif not isinstance(entry, Mapping) or "tool" not in entry:
            raise pytest.Collector.CollectError(f"{path}: {entry!r:.80} names no tool")
        elif unknown := set(entry) - _MEMBERS:
            named = ", ".join(sorted(map(str, unknown)))
            raise pytest.Collector.CollectError(f"{path}: a test has no member {named}")
        else:
            yield entry, path.parent
