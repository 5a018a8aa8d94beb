"""The protocol of a container runtime: what images there are, and how a task runs in one.

Owns the verbs by which the engine asks a runtime. Must not know any runtime, nor executors.

A runtime is not an executor. One whose containers are plain processes says which command starts
them (``command``), and works with every executor that starts processes. One whose daemon owns the
processes names the executor that its tasks go to (``ContainerPlugin.executor``), and is asked about
images alone. All verbs may block, and are called by threads, several at a time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, Protocol

from localproc.frozen import frozen
from localproc.model import Container, Limits, Mount, StageAction, Task
from localproc.spelling import public

#: How many processes, with their threads, there may be in a container.
MOST_PROCESSES: Final = 4096


@frozen
class Image:
    """An image that is here.

    ``name`` is what packages call it, ``id`` what the runtime itself calls it. ``digest``
    (``sha256:...``) stands for all that is in it: that of its configuration (the image ID of OCI),
    or of its file; empty where nobody knows, so that no step in it is ever reused. ``env`` and
    ``workdir`` are what its processes begin with, ``volumes`` the folders that each container has
    of its own, to write to. ``path`` is where it lies, if that is a path of
    this machine, ``size`` how many bytes it takes, 0 if that is not known.
    """

    name: str
    id: str
    digest: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = ""
    volumes: tuple[str, ...] = ()
    path: str = ""
    size: int = 0


@frozen
class ContainerSettings:
    """What a runtime is opened with.

    ``folder`` is where it may keep images, shared with other engines, users and machines.
    ``options`` are those of ``container_options={NAME: {...}}``, or, for a runtime that names an
    executor, ``executor_options={EXECUTOR: {...}}``.
    """

    folder: str
    options: Mapping[str, Any] = field(default_factory=dict)


class ContainerRuntime(Protocol):
    """Knows images, and how a task runs in one.

    Verbs raise ``ImageError`` for what cannot be done, and ``ExecutorUnavailable`` for "ask again
    later".
    """

    def version(self) -> str:
        """Return what it calls itself and its version; raises ``EnvironmentProblem`` if absent."""

    def image(self, container: Container) -> Image | None:
        """Return the image that a container wants if it is here; never brings it."""

    def images(self) -> Sequence[Image]:
        """Return all images that are here."""

    def brings(self, container: Container) -> str:
        """Return the command, or what else a person does, that brings a missing image."""

    def pull(self, reference: str, name: str) -> Image:
        """Bring an image from a registry, and call it ``name``."""

    def load(self, archive: str, name: str) -> Image:
        """Bring an image from a file: what ``docker save`` writes, or an OCI layout in a tar.

        An empty ``name``: as the archive calls it.
        """

    def imported(self, tarball: str, name: str) -> Image:
        """Make an image of a root file system in a tar file (``dockerImport``)."""

    def build(self, dockerfile: str, name: str) -> Image:
        """Make an image by the text of a Dockerfile (``dockerFile``)."""

    def save(self, image: Image, archive: str) -> None:
        """Write an image to a file that ``load`` reads, on another machine too."""

    def command(self, task: Task, image: Image) -> Task:
        """Return the task, without a container, that runs one in its container.

        It may look at the image, but makes nothing: what has to be there is ``stage`` of the task
        that it returns. Key, folders, streams and secrets stay: the values are put into the command
        and its environment as it is started. A program that does not pass its environment on as it
        is gets the variables that are secrets by other names.
        """

    def shell(self, task: Task, image: Image, *, terminal: bool) -> Task:
        """Return the task, without a container, that runs one in a new container of its kind.

        It is for a person: its streams are those of the process, a ``terminal`` if so, and the
        image's entry point does not come before its command. Nothing is made here either. Raises
        ``EnvironmentProblem`` where a program for it is missing.
        """

    def stop(self, task: Task) -> None:
        """End what is left of a task when its process and all below that are gone.

        It is called with the task as it was before ``command``; one that leaves nothing does
        nothing.
        """


@public
@frozen
class ContainerPlugin:
    """A container runtime by name.

    ``is_here`` says at once, without asking anybody, whether it is worth opening: its program or
    its socket is there. ``executor`` is the one that tasks go to which want a container; empty for
    a runtime whose containers are plain processes. ``gpus``: it can give tasks devices,
    ``shm``: shared memory of the size that they ask for.
    """

    name: str
    open: Callable[[ContainerSettings], ContainerRuntime]
    is_here: Callable[[ContainerSettings], bool]
    summary: str = ""
    executor: str = ""
    gpus: bool = False
    shm: bool = False


def mounts(task: Task) -> tuple[Mount, ...]:
    """Return what a container sees of this machine: what its task reads and writes, no more.

    Besides its own folders, that is. One that lies in another one comes after it.
    """
    box = task.container
    assert box is not None, "a task without a container has no place here"
    found = {
        task.tmpdir: Mount(task.tmpdir, task.tmpdir, writable=True),
        box.outdir: Mount(task.outdir, box.outdir, writable=True),
    }
    found.update((one.target, one) for one in box.mounts)
    for path in task.writes:
        found[path] = Mount(path, path, writable=True)
    for path in outermost(task.reads):
        found.setdefault(path, Mount(path, path))
    return tuple(sorted(found.values(), key=lambda one: one.target.split("/")))


def command(task: Task, image: Image) -> tuple[str, ...]:
    """Return what is started in a container: the task's command after the image's entry point."""
    return (*image.entrypoint, *(task.argv or image.command))


def plain(
    task: Task,
    argv: Sequence[str],
    env: Mapping[str, str],
    stage: Iterable[StageAction] = (),
) -> Task:
    """Return a task as the process that starts its container; ``stage`` is to be made first.

    Such a container has no limits: whoever looks after the process holds it to them.
    """
    needs = task.resources
    held = Limits(max(needs.cores, needs.cores_max), needs.ram_max, MOST_PROCESSES)
    return replace(
        task,
        argv=tuple(argv),
        env=dict(env),
        container=None,
        stage=tuple(stage),
        held=held,
    )


def outermost(paths: Iterable[str]) -> list[str]:
    """Return paths without those that lie below another one of them, sorted."""
    kept: list[str] = []
    for path in sorted(set(paths), key=lambda one: one.split("/")):
        if not kept or not path.startswith(f"{kept[-1].rstrip('/')}/"):
            kept.append(path)
    return kept
