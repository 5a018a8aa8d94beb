"""What a job that is retried has left: its steps, and which of them can be taken over.

Owns finding the step of the earlier job that did just what one of this job is to do, and saying
why there is none. Must not move any file, nor know the store.

The earlier job's plan is made again from its history, so what each of its steps was given is known.
What was recorded when it ran tells whether the files are still as they were; if so, comparing them
now is comparing them as of then. Equal files need not be read: mostly they are the same ones.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from localproc.cwl.base.files import Files, local_paths
from localproc.cwl.run.fingerprint import MISSING, ByState, Without, fingerprint, of_given
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.process import Tool, Workflow, own_files
from localproc.cwl.run.reuse_key import named_files, parts, why_not_reused
from localproc.engine.job.past_steps import past_steps
from localproc.engine.job.replay import History, Known
from localproc.engine.job.reusable import joint_digest
from localproc.engine.job.step_names import folder_name, work_folders
from localproc.errors import LocalprocError
from localproc.frozen import frozen
from localproc.model import StepStatus

_BESIDE, _IMAGE = "beside", "image"
_CHANGED: Final = "a file that it was given has been changed or removed since"
_MOST_BEFORE: Final = 20  #: retries of retries that are looked at
_NOT_BEGUN: Final = "the earlier job had not come to it"


@frozen
class EarlierStep:
    """A step that can be taken over: what it is called, and what came of it.

    ``folder`` is that of its job.
    """

    job_id: str
    folder: str
    name: str
    attempt: int
    log: str
    outputs: Mapping[str, Any]
    ran_in: str


@frozen
class _Done:
    invocation: Invocation
    known: Known
    beside: str


class EarlierJob:
    """One job that has ended.

    What it has not kept may be there in the job that it was a retry of itself, and so on. ``load``
    gives the process and the past of a job, or raises; ``folder_of`` gives its folder.
    """

    def __init__(
        self,
        job_id: str,
        folder_of: Callable[[str], str],
        load: Callable[[str], tuple[Tool | Workflow, History]],
        most: int = _MOST_BEFORE,
    ) -> None:
        self._job_id = job_id
        self._folder_of = folder_of
        self._load = load
        self._most = most
        self._before: EarlierJob | None = None
        self._lock = threading.Lock()
        self._is_there = False
        self._missing = ""  # why nothing is known of it
        self._removed: tuple[str, ...] = ()  # folders that go, whether they have gone or not
        self._by_place: dict[str, _Done] = {}
        self._by_state: dict[str, list[_Done]] = {}
        self._updated: set[str] = set()

    def find(
        self, invocation: Invocation, beside: str, image: str, files: Files
    ) -> EarlierStep | str:
        """Return the step that did the same, or why there is none that can be taken over.

        ``beside`` is the digest of what lies beside the scripts of the invocation, ``image``
        what its image and software are.
        """
        if why := why_not_reused(invocation.tool, invocation.inputs):
            return f"it is never reused: {why}"
        with self._lock:
            if not self._is_there:
                self._read(files)
        files = Without(files, self._removed)
        found = self._missing or self._find(invocation, beside, image, files)
        if isinstance(found, str) and self._before is not None:
            further = self._before.find(invocation, beside, image, files)
            return found if isinstance(further, str) else further
        return found

    def _find(
        self, invocation: Invocation, beside: str, image: str, files: Files
    ) -> EarlierStep | str:
        tool, inputs = invocation.tool, invocation.inputs
        same = self._by_state.get(_key(tool, inputs, beside, image, files), [])
        why = ""
        for one in sorted(same, key=lambda one: one.invocation.key != invocation.key):
            why = self._why_not(one, files)
            if not why:
                return self._taken(one)
        return why or self._compare(invocation, beside, image, files)

    def _read(self, files: Files) -> None:
        self._is_there = True
        try:
            process, past = self._load(self._job_id)
            if past.request.retry_of and self._most:
                again = (past.request.retry_of, self._folder_of, self._load)
                self._before = EarlierJob(*again, self._most - 1)
            if past.tidied:
                self._removed = work_folders(self._folder_of(self._job_id))
            own = frozenset(own_files(process))
            for invocation, known in past_steps(process, past, files):
                self._take(invocation, known, past, own, files)
        except LocalprocError as error:
            self._missing = f"the earlier job cannot be read: {error.message}"

    def _take(
        self,
        invocation: Invocation,
        known: Known,
        past: History,
        own: Collection[str],
        files: Files,
    ) -> None:
        tool, inputs = invocation.tool, invocation.inputs
        if tool.requirements.has("InplaceUpdateRequirement"):
            paths = local_paths(inputs)
            self._updated |= {*paths, *map(files.realpath, paths)}
        scripts = named_files(tool, inputs).intersection({*own, *past.beside})
        beside = joint_digest({path: str(past.beside.get(path, "?")) for path in scripts})
        done = self._by_place[invocation.key] = _Done(invocation, known, beside)
        if known.outputs is not None:
            key = _key(tool, inputs, beside, known.ran_in, files)
            self._by_state.setdefault(key, []).append(done)

    def _compare(
        self, invocation: Invocation, beside: str, image: str, files: Files
    ) -> EarlierStep | str:
        """Compare an invocation with the one at the same place: by contents, where need be."""
        old = self._by_place.get(invocation.key)
        if old is None:
            return _NOT_BEGUN
        if old.known.outputs is None:
            return _said(old.known)
        fast = ByState(files)
        before, now = _Run.of(old.invocation), _Run.of(invocation)
        one, other = before.parts(fast), now.parts(fast)
        changed = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
        if stale := self._stale(old, files):  # what is not there cannot be compared
            changed = {name for name in changed if MISSING not in json.dumps(one.get(name))}
            if not changed:
                return stale
        else:
            one, other = before.parts(files, changed), now.parts(files, changed)
            changed = {name for name in changed if one.get(name) != other.get(name)}
        if old.beside != beside:
            changed.add(_BESIDE)
        if old.known.ran_in != image:
            changed.add(_IMAGE)
        if changed:
            return _what_changed(changed)
        return self._why_not(old, files) or self._taken(old)

    def _taken(self, old: _Done) -> EarlierStep:
        known, folder = old.known, self._folder_of(self._job_id)
        return EarlierStep(
            self._job_id,
            folder,
            known.name,
            known.attempt,
            known.log,
            known.outputs or {},
            known.ran_in,
        )

    def _stale(self, old: _Done, files: Files) -> str:
        """Say why it is not known what a step was given; nothing if that is still there."""
        if not old.known.given or not old.known.made:
            return "it is not known how its files were"
        now = of_given(old.invocation.tool, old.invocation.inputs, files)
        return "" if now == old.known.given else _CHANGED

    def _why_not(self, old: _Done, files: Files) -> str:
        """Say why a step that did the same cannot be taken over; nothing if it can."""
        known = old.known
        if stale := self._stale(old, files):
            return stale
        paths = local_paths(known.outputs)
        if any(_overlap(path, one) for path in paths for one in self._updated):
            return "another step has updated its outputs in place since"
        if fingerprint(known.outputs, files) != known.made:
            return "its outputs have been changed or removed since"
        return ""


@frozen
class _Run:
    tool: Tool
    inputs: Mapping[str, Any]

    @classmethod
    def of(cls, invocation: Invocation) -> "_Run":
        return cls(invocation.tool, invocation.inputs)

    def parts(self, files: Files, only: Collection[str] | None = None) -> dict[str, Any]:
        return parts(self.tool, self.inputs, files, only)


def _key(tool: Tool, inputs: Mapping[str, Any], beside: str, image: str, files: Files) -> str:
    known = {**parts(tool, inputs, ByState(files)), _BESIDE: beside, _IMAGE: image}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _said(known: Known) -> str:
    """Say how a step ended that did not end well."""
    if known.status is StepStatus.FAILED:
        return f"it failed before: {known.said.removeprefix(f'step {known.name}').lstrip(': ')}"
    return "it was stopped before" if known.ended else "it had not ended"


def _what_changed(names: Collection[str]) -> str:
    """Tell what a step depends on that is not what it was."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(names):
        kind, _, rest = name.partition(".")
        kinds.setdefault(kind, []).append(rest)
    said = []
    if "inputs" in kinds:
        said.append(f"its inputs have changed: {', '.join(kinds['inputs'])}")
    if "defaults" in kinds:
        said.append(f"defaults of its inputs have changed: {', '.join(kinds['defaults'])}")
    definition = [*kinds.get("tool", []), *kinds.get("requirements", [])]
    if definition:
        said.append(f"its definition has changed: {', '.join(definition)}")
    if _BESIDE in kinds:
        said.append("what lies beside its script has changed")
    if _IMAGE in kinds:
        said.append("its image, or its software, is another one")
    return "; ".join(said)


def _overlap(one: str, other: str) -> bool:
    a, b = f"{one}/", f"{other}/"
    return a.startswith(b) or b.startswith(a)


def outdir_of(step: EarlierStep) -> str:
    """Return the folder in which a step of an earlier job has left its outputs."""
    return os.path.join(step.folder, "work", folder_name(step.name, step.attempt))
