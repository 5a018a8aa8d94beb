"""What an executor runs for a step, and what it reports back. JSON, nothing else.

Owns the words of both. Must not know any executor.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from localproc.frozen import frozen
from localproc.model.secret import NO_SECRETS, Secrets


@frozen
class Resources:
    """What a task needs (CWL ResourceRequirement): cores, and sizes in MiB; ``time`` in seconds.

    ``cores_max`` is what it can make use of; ``ram_max`` what it may use at most, and is stopped
    beyond where memory is enforced. ``gpus`` are the devices of a CUDARequirement, with a CUDA of
    at least ``cuda`` and of the compute ``capabilities`` that it names: one is the least, several
    are all that will do; a hint names neither, and is done without. ``processes`` are those of an
    MPIRequirement, each with ``cores`` and ``ram``, ``nodes`` the machines they are spread over.
    """

    cores: float = 1
    ram: int = 256
    tmpdir: int = 1024
    outdir: int = 1024
    time: float = 0  #: wall-clock limit, 0 for none
    cores_max: float = 0  #: 0 for as many as ``cores``
    ram_max: int = 0  #: 0 for as much as there is
    gpus: int = 0
    processes: int = 1
    nodes: int = 1
    cuda: str = ""
    capabilities: tuple[str, ...] = ()


@frozen
class Limits:
    """What a task may take at most, with all that it starts; 0 is no limit. ``ram`` in MiB.

    ``processes`` are counted with their threads.
    """

    cores: float = 0
    ram: int = 0
    processes: int = 0


NO_LIMITS: Final = Limits()


@frozen
class Mount:
    """A file or folder of this machine that a container sees at another path."""

    source: str
    target: str
    writable: bool = False


@frozen
class Container:
    """The image a task wants to run in, and where its output directory is inside it.

    ``pull``, ``load``, ``imported`` and ``build`` are what the image is brought by (dockerPull,
    dockerLoad, dockerImport, dockerFile). ``mounts`` are seen besides what the task reads and
    writes, which is at the same paths inside. ``runtime`` is the name of the container runtime that
    was chosen, empty where the executor has containers itself. ``digest`` is that of the image when
    the task was prepared, if it is known: a container is only ever made of that one. ``shm`` are
    the bytes of its shared memory, 0 for the runtime's own default.
    """

    image: str
    outdir: str
    network: bool = False
    pull: str | None = None
    mounts: tuple[Mount, ...] = ()
    load: str = ""
    imported: str = ""
    build: str = ""
    runtime: str = ""
    digest: str = ""
    shm: int = 0


@frozen
class StageAction:
    """One thing to put in place before a task starts.

    ``link``: a symbolic link at ``target`` to ``source``; ``copy``: a writable copy of ``source``,
    a file or a tree; ``write``: a file with ``contents``; ``mkdir``: an empty directory.
    """

    kind: Literal["link", "copy", "write", "mkdir"]
    target: str
    source: str = ""
    contents: str = ""


@frozen
class Task:
    """One program to run.

    ``key`` names the attempt and is unique in a home for ever, so submitting twice is harmless.
    ``outdir`` exists and is empty but for what was staged; it is also the working directory.
    ``stdout`` and ``stderr`` are absolute paths, opened for appending; ``stdin`` is ``None`` for
    an empty one. ``reads`` are the files and folders outside of its own folders that it has to see,
    with the targets of links, ``writes`` those that it changes in place; both are empty for an
    executor that shows tasks all of the disk. ``process`` is the id of the job's, ``step`` the
    place in its workflow, ``group`` is equal for tasks that differ in their inputs alone (a
    scatter).
    ``executor`` is the name of the one that it goes to, ``software`` what was made available,
    ``without`` says which hints could not be met, and why.
    ``secrets`` are what its marks stand for, and variables that are not in ``env``.
    ``held`` is what whoever looks after its processes holds them to: those of a container that has
    no limits of its own.
    """

    key: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    outdir: str
    tmpdir: str
    stdin: str | None
    stdout: str
    stderr: str
    resources: Resources = Resources()
    container: Container | None = None
    stage: tuple[StageAction, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    process: str = ""
    step: str = ""
    group: str = ""
    executor: str = ""
    software: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    secrets: Secrets = NO_SECRETS
    held: Limits = NO_LIMITS
    progress: bool = False  #: it tells how far it is, by lines on stderr


class TaskState(StrEnum):
    """What an executor knows of a task."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"  #: it has an exit record: ``exit_code`` is the truth
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    CANCELLED = "cancelled"
    LOST = "lost"  #: it is gone and left no exit record; it may be run again
    NODE_LOST = "node-lost"  #: the machine that it ran on is gone; it may be run again
    REFUSED = "refused"  #: it can never run there: ``reason`` says why
    NEVER_STARTED = "never-started"  #: asked for by its key, and nobody has ever begun it


@frozen
class Report:
    """News of one task.

    ``exit_code`` is negative for a signal, as in ``subprocess``. ``cpu`` in seconds, ``rss`` (the
    peak) in KiB where the executor can tell. ``reason`` is for people: why it waits, who cancelled
    it. ``host`` is where it runs, ``native_id`` what the executor itself calls it, ``queued`` the
    seconds that it waited there. ``without`` are hints that only its start has shown not to be met.
    """

    key: str
    state: TaskState
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    cpu: float | None = None
    rss: int | None = None
    reason: str = ""
    host: str = ""
    native_id: str = ""
    queued: float | None = None
    without: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
