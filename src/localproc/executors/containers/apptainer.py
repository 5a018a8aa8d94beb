"""Apptainer and its sister Singularity: containers in single files (SIF).

Owns how the program is called, and a folder of images that machines may share. Must not know
executors. Images are run by their own runscript, which knows the ENTRYPOINT of what they were made
of, and has the shell evaluate all arguments unless it is told not to (Singularity 3.10). The home
is mounted before anything else, so a task's folder is mounted again, over a /tmp that it lies in.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from localproc.errors import ImageError
from localproc.executors.containers import bringing, image_archives, roots
from localproc.executors.containers.image_folder import ImageFolder, image_name_of
from localproc.executors.containers.programs import program, run_program
from localproc.model import Container, Mount, Task
from localproc.plugins.containers import ContainerSettings, Image, command, mounts, plain

_MARKS: Final = re.compile(r'[:,^"\\\n]')
_SIF: Final = b"#!/usr/bin/env run-singularity"  #: how a file in this format begins
#: Root keeps all capabilities unless told. It may write to the user's files, whoever owns them.
_ROOT_MAY: Final = ("--no-privs", "--add-caps", "CAP_DAC_OVERRIDE")
_COMES_WITH: Final = "your administrator, or https://apptainer.org"


class Apptainer:
    """Implements ``localproc.plugins.containers.ContainerRuntime`` for both programs."""

    def __init__(self, name: str, settings: ContainerSettings) -> None:
        self._name = name
        self._run = program(name, _COMES_WITH)
        self._folder = ImageFolder(os.path.join(settings.folder, "sif"), ".sif")

    def version(self) -> str:
        """Return what it calls itself."""
        return run_program([self._run, "--version"]).strip()

    # Images

    def image(self, container: Container) -> Image | None:
        """Return the image of a file or a folder by its path, or by its name in the folder."""
        if container.image.startswith("/"):
            return self._image(container.image, container.image)
        return self._image(container.image, self._folder.place(container.image))

    def images(self) -> Sequence[Image]:
        """Return those in the folder."""
        found = (self._image(one, self._folder.place(one)) for one in self._folder.names())
        return [one for one in found if one is not None]

    def brings(self, container: Container) -> str:
        """Return what a person does."""
        return bringing.brings(container, self._name)

    def pull(self, reference: str, name: str) -> Image:
        """Have it pulled and converted, once for all who share the folder."""
        self._make(name, "pull", f"docker://{reference}")
        return self._named(name)

    def load(self, archive: str, name: str) -> Image:
        """Convert what ``docker save`` has written, or an OCI layout; a SIF is taken as it is."""
        if _is_sif(archive):
            name = name or image_name_of(os.path.basename(archive).removesuffix(".sif"))
            self._folder.make(name, lambda part: _copy(archive, part))
            return self._named(name)
        with image_archives.opened(archive) as tar:
            is_docker = "manifest.json" in tar.getnames()
            name = name or image_archives.contents(tar).name
        if not name:
            raise ImageError(f"the image in {archive} has no name", hint="give it one: --name")
        self._make(name, "build", f"{'docker' if is_docker else 'oci'}-archive:{archive}")
        return self._named(name)

    def imported(self, tarball: str, name: str) -> Image:
        """Convert a root file system."""
        with tempfile.TemporaryDirectory() as folder, image_archives.opened(tarball) as tar:
            roots.unpack(tar, folder)
            self._make(name, "build", folder)
        return self._named(name)

    def build(self, dockerfile: str, name: str) -> Image:
        """Refuse: these programs know recipes of their own only."""
        del dockerfile
        raise ImageError(
            f"{self._name} cannot build {name} by a dockerFile",
            hint="build it with docker or podman, save it, and localproc images load it",
        )

    def save(self, image: Image, archive: str) -> None:
        """Copy the file."""
        _copy(image.path, archive)

    def _make(self, name: str, verb: str, source: str) -> None:
        self._folder.make(name, lambda part: _done(run_program([self._run, verb, part, source])))

    def _named(self, name: str) -> Image:
        found = self.image(Container(name, ""))
        if found is None:
            raise ImageError(f"the image {name} is not here, though it was just made")
        return found

    def _image(self, name: str, path: str) -> Image | None:
        if not os.path.exists(path):
            return None
        size = 0 if os.path.isdir(path) else os.path.getsize(path)
        digest = "" if os.path.isdir(path) else _digest(path)
        return Image(name, id=path, digest=digest, path=path, size=size)

    # Tasks

    def command(self, task: Task, image: Image) -> Task:
        """Return the task with the program in front, and the image's runscript after it."""
        return self._commanded("run", task, image)

    def shell(self, task: Task, image: Image, *, terminal: bool) -> Task:
        """Return the task with the program in front, without the image's runscript."""
        del terminal  # it is that of the process
        return self._commanded("exec", task, image)

    def _commanded(self, verb: str, task: Task, image: Image) -> Task:
        box = task.container
        assert box is not None
        if ":" in task.outdir + box.outdir:
            raise ImageError(
                f"{self._name} cannot mount {task.outdir} at {box.outdir}: there is a colon in it",
                hint="choose a --home whose path has none",
            )
        name = self._name.upper()
        prefix = f"{name}ENV_"
        env = {f"{prefix}{one}": value for one, value in task.env.items() if one != "HOME"}
        # A flag would be an unknown one to Singularity before 3.10.
        env[f"{name}_NO_EVAL"] = "1"
        seen = [_seen(one) for one in mounts(task)]
        tmp = _seen(Mount(task.tmpdir, "/tmp", writable=True))  # noqa: S108
        argv = (
            *(self._run, "--quiet", verb, "--contain", "--ipc", "--cleanenv"),
            *(_ROOT_MAY if os.getuid() == 0 else ()),
            *(() if box.network else ("--net", "--network", "none")),
            *(("--nv",) if task.resources.gpus else ()),
            *("--home", f"{task.outdir}:{box.outdir}"),
            *(word for pair in (tmp, *seen) for word in pair),
            *("--pwd", box.outdir, image.path, *command(task, image)),
        )
        given = {f"{prefix}{one}": value for one, value in task.secrets.variables.items()}
        task = replace(task, secrets=replace(task.secrets, variables=given))
        kept = ("PATH", "HOME", "USER", f"{name}_TMPDIR")  # where it unpacks, as a site says
        host = {one: os.environ[one] for one in kept if one in os.environ}
        return plain(task, argv, {**host, **env})

    def stop(self, task: Task) -> None:
        """Nothing is left: its processes are those of the task."""


def _seen(one: Mount) -> tuple[str, str]:
    """Return the option by which a path is seen; ``--bind`` parts paths where they have a mark."""
    if not _MARKS.search(one.source + one.target):
        return "--bind", f"{one.source}:{one.target}:{'rw' if one.writable else 'ro'}"
    paths = (f"source={one.source}", f"destination={one.target}")
    fields = ["type=bind", *('"' + path.replace('"', '""') + '"' for path in paths)]
    return "--mount", ",".join(fields if one.writable else [*fields, "ro"])


def _is_sif(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_SIF)) == _SIF
    except OSError:
        return False


def _copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)


def _done(_: str) -> None:
    """Pass over what a program says that has done its work."""


def _digest(path: str) -> str:
    """Return the digest of a file; what it was is kept beside it where that can be written."""
    found = os.stat(path)
    state = f"{found.st_size} {found.st_mtime_ns}"
    kept = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.digest")
    try:
        with open(kept, encoding="ascii") as text:
            was, _, digest = text.read().rpartition(" ")
        if was == state:
            return digest
    except OSError:
        pass
    with open(path, "rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    try:
        with open(kept, "w", encoding="ascii") as text:
            text.write(f"{state} {digest}")
    except OSError:
        pass
    return digest
