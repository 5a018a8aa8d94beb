"""The images that a daemon has, and bringing others.

Owns looking images up, having them brought from registries, files and Dockerfiles, and saying which
command brings one that is not here. Brings none unasked. Must not know tasks.
"""

import io
import os
import shlex
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from localproc.errors import EnvironmentProblem, ExecutorUnavailable, ImageError
from localproc.model import Container, Task
from localproc.plugins.containers import Image
from localproc_docker import container_shells, docker_archives, registry_credentials
from localproc_docker.engine_api import PROMPTLY, ApiRefused, EngineApi
from localproc_docker.info import Info
from localproc_docker.task_containers import Owner

_LOADED: Final = ("Loaded image ID:", "Loaded image:", "Loaded image(s):")


class DaemonImages:
    """Implements ``localproc.plugins.containers.ContainerRuntime`` for a daemon.

    ``program`` is the command that does by hand what is done here: ``docker`` or ``podman``.
    """

    def __init__(self, api: EngineApi, program: str) -> None:
        self._api = api
        self._program = program

    def version(self) -> str:
        """Return what the daemon calls itself and its version."""
        try:
            told = self._api.get("/version", patience=PROMPTLY)
        except ExecutorUnavailable as error:
            raise EnvironmentProblem(error.message, hint=error.hint) from error
        parts = told.get("Components") or [{"Name": "Engine"}]
        name = "podman" if "podman" in parts[0]["Name"].lower() else "docker"
        return f"{name} {told.get('Version', '')}".strip()

    def image(self, container: Container) -> Image | None:
        """Return an image that is here."""
        return find(self._api, container)

    def images(self) -> Sequence[Image]:
        """Return all that have names; what they start is not told of so many."""
        return [
            Image(name=name, id=one["Id"], digest=one["Id"], size=int(one.get("Size") or 0))
            for one in self._api.get("/images/json")
            for name in one.get("RepoTags") or ()
            if name != "<none>:<none>"
        ]

    def brings(self, container: Container) -> str:
        """Return the command that brings a missing image."""
        return brings(container, self._program)

    def pull(self, reference: str, name: str) -> Image:
        """Bring an image from a registry, with the user's own credentials if there are any."""
        header = registry_credentials.header(reference)
        source, separator, tag = _parted(reference)
        query = {"fromImage": source + (separator + tag if separator == "@" else "")}
        if separator == ":":
            query["tag"] = tag
        sent = {"X-Registry-Auth": header} if header else None
        with _made(f"the image {reference} cannot be pulled"):
            self._api.told("/images/create", query, headers=sent)
        return self._named(reference, name)

    def load(self, archive: str, name: str) -> Image:
        """Bring an image from a file."""
        with (
            _made(f"no image can be loaded from {archive}"),
            docker_archives.opened(archive) as file,
        ):
            lines = self._api.told("/images/load", {"quiet": True}, file)
        found = [made for line in lines for made in _loaded(str(line.get("stream", "")))]
        if not found:
            raise ImageError(f"{archive} has no image", hint="docker save writes one that has")
        return self._named(found[-1], name or found[-1])

    def imported(self, tarball: str, name: str) -> Image:
        """Make an image of a root file system."""
        with _made(f"no image can be made of {tarball}"), open(tarball, "rb") as file:
            lines = self._api.told("/images/create", {"fromSrc": "-"}, file)
        return self._named(str(lines[-1]["status"]).strip(), name)

    def build(self, dockerfile: str, name: str) -> Image:
        """Make an image by a Dockerfile, which can copy nothing: it comes alone."""
        with _made(f"the Dockerfile of {name} makes no image"):
            query = {"t": name, "rm": True, "forcerm": True}
            self._api.told("/build", query, _context(dockerfile))
        return self._named(name, name)

    def save(self, image: Image, archive: str) -> None:
        """Write an image to a file, all of it or nothing."""
        part = f"{archive}.part"
        name = _name_of_its_own(image.name)
        if name != image.name:
            self._named(image.id, image.name)
        try:
            with (
                _made(f"the image {image.name} cannot be saved"),
                self._api.pieces("GET", f"/images/{name}/get") as pieces,
                open(part, "wb") as file,
            ):
                file.writelines(pieces)
            os.replace(part, archive)
        finally:
            if os.path.exists(part):
                os.unlink(part)

    def command(self, task: Task, image: Image) -> Task:
        """Return the task as it is: its executor makes the container."""
        return task

    def shell(self, task: Task, image: Image, *, terminal: bool) -> Task:
        """Return the task as the daemon's own program runs it: that knows terminals."""
        owner = Owner("", os.getuid(), os.getgid(), Info.read(self._api.get("/info")))
        return container_shells.shell(
            task, image, self._program, self._api.address, owner, terminal=terminal
        )

    def stop(self, task: Task) -> None:
        """Nothing: its executor ends the container."""

    def _named(self, made: str, name: str) -> Image:
        """Call an image by a name, and return it."""
        if made != name:
            repository, _, tag = _parted(_name_of_its_own(name))
            with _made(f"the image {made} cannot be called {name}"):
                self._api.post(f"/images/{made}/tag", repo=repository, tag=tag)
        found = find(self._api, Container(name, "/"))
        if found is None:
            raise ImageError(f"the image {name} is not here, though it was brought just now")
        return found


def find(api: EngineApi, container: Container) -> Image | None:
    """Return the image that a container wants if it is here."""
    wanted = container.image
    for name in dict.fromkeys((wanted, _name_of_its_own(wanted), _short(wanted))):
        try:
            return image_of(container.image, api.get(f"/images/{name}/json"))
        except ApiRefused as error:
            if error.code != 404:
                raise ImageError(f"{container.image}: {error.message}") from error
    return None


def brings(container: Container, program: str = "docker") -> str:
    """Return the command, or what else a person does, that brings a missing image."""
    name = shlex.quote(container.image)
    if container.load:
        # by whatever name the file has it
        file = shlex.quote(container.load)
        return f"localproc images load {file} --name {name} --containers {program}"
    if container.imported:
        return f"{program} import {shlex.quote(container.imported)} {name}"
    if container.build:
        return f"{program} build --tag {name} - < its Dockerfile"
    if container.pull:
        return f"{program} pull {shlex.quote(container.pull)}"
    return f"{program} load or {program} build"


def image_of(name: str, seen: Mapping[str, Any]) -> Image:
    """Return what ``GET /images/{name}/json`` says."""
    config = seen.get("Config") or {}
    env = (one.partition("=") for one in config.get("Env") or ())
    return Image(
        name=name,
        id=seen["Id"],
        digest=seen["Id"],
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        env={key: value for key, _, value in env},
        workdir=config.get("WorkingDir") or "",
        volumes=tuple(config.get("Volumes") or ()),
        size=int(seen.get("Size") or 0),
    )


@contextmanager
def _made(what: str) -> Iterator[None]:
    """Say what could not be done, and why the daemon thinks so."""
    try:
        yield
    except ApiRefused as error:
        raise ImageError(f"{what}: {error.message}") from error
    except OSError as error:
        raise ImageError(f"{what}: {error.strerror or error}") from error


def _name_of_its_own(name: str) -> str:
    """Return a tag for an image that is called by its digest (``tool@sha256:...``).

    A daemon knows such a name of an image that it has pulled itself, and gives it to no other.
    """
    named, at, digest = name.partition("@")
    return f"{_parted(named)[0]}:{digest.replace(':', '-')}" if at else name


def _short(name: str) -> str:
    """Return the name without docker's own registry: podman calls ``localhost/`` what it loads."""
    for start in ("index.docker.io/", "docker.io/", "library/"):
        name = name.removeprefix(start)
    return name


def _parted(reference: str) -> tuple[str, str, str]:
    """Part a name from its digest or its tag: a registry's port is no tag."""
    name, at, digest = reference.partition("@")
    if at:
        return name, at, digest
    last = reference.rpartition("/")[2]
    if ":" not in last:
        return reference, ":", "latest"  # without a tag all of them would be pulled
    name, _, tag = reference.rpartition(":")
    return name, ":", tag


def _loaded(line: str) -> list[str]:
    for start in _LOADED:
        if line.startswith(start):
            return [one.strip() for one in line.removeprefix(start).split(",")]
    return []


def _context(dockerfile: str) -> BinaryIO:
    """Return a tar file with a Dockerfile and nothing else."""
    file, data = io.BytesIO(), dockerfile.encode()
    with tarfile.open(fileobj=file, mode="w") as tar:
        info = tarfile.TarInfo("Dockerfile")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    file.seek(0)
    return file
