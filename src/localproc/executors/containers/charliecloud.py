"""Charliecloud: containers of an unprivileged user, in folders that hold root file systems.

Owns how ``ch-run`` (0.31) is called, and the images in a folder of localproc's and in the storage
of ``ch-image``. Must not know executors.

Each task gets a read-only root of its own: the image below, and above it empty folders where this
machine's are mounted (``overlay`` without an upper layer), so nothing is ever made in the image.
What it reads is mounted over itself first, read-only, as ``ch-run`` mounts all to be written.

Root is somebody else in it: to the system it is still root to whom files belong, but who is not
called 0 loses all capabilities of the container's namespace with the program that is started.
"""

import grp
import hashlib
import json
import os
import posixpath
import pwd
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from localproc.errors import ImageError
from localproc.executors.containers import bringing, image_archives, read_only_mounts, roots
from localproc.executors.containers.image_folder import ImageFolder, normalized
from localproc.executors.containers.programs import program, run_program
from localproc.model import Container, Mount, StageAction, Task
from localproc.plugins.containers import (
    MOST_PROCESSES,
    ContainerSettings,
    Image,
    command,
    mounts,
    plain,
)
from localproc.uris import is_below

_CONFIG: Final = "ch/config.pulled.json"  #: where ch-image puts an image's configuration too
_DONE: Final = "ch/metadata.json"  #: what it writes last
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMELESS: Final = "localproc"  #: ch-run wants a user's name, and has no use for it
_NOT_ROOT: Final = 1000  #: who root is in a container
#: Folders of the root above the image: a link of that name in the image is not seen.
_PLACES: Final = ("dev", "proc", "sys", "tmp", "etc")
_NOBODY: Final = 65534
#: ch-run mounts those of this machine where there are any: names of hosts are found by them.
_NAMES: Final = {"hosts": "", "resolv.conf": ""}

#: Mounts the root of a container and what it reads, and becomes it. ``$1`` is its folder; the
#: loopback device is brought up beside that, where the task has no other network. A root that is
#: not there is mounted once more, to say why. An input that cannot be mounted read-only is there
#: all the same: that it was written is noticed, as without containers. How many processes there
#: may be is counted in each namespace of users, unless that is root's; shells call it -u or -p.
_SHELL: Final = """\
cd "$1" || exit 126
{loopback}{mount} --all --fstab fstab 2>/dev/null
wait
[ -d mnt/proc ] || {mount} -t overlay -o {root} overlay mnt || exit 126
{shm}ulimit -u {most} 2>/dev/null || ulimit -p {most} 2>/dev/null
shift; unset OLDPWD; exec "$@\""""
_LOOPBACK: Final = "{ip} link set lo up &\n"
_SHM: Final = "{mount} -t tmpfs -o nosuid,nodev,mode=1777,size={size} shm /dev/shm || exit 126\n"
_ROOT: Final = "lowerdir=root:image"
_NOT_THERE: Final = 'echo "$1: there is no such program in $2" >&2; exit 127'


class Charliecloud:
    """Implements ``localproc.plugins.containers.ContainerRuntime``."""

    def __init__(self, settings: ContainerSettings) -> None:
        self._run = program("ch-run", "apt-get install charliecloud")
        self._unshare = program("unshare", "apt-get install util-linux")
        self._mount = program("mount", "apt-get install mount")
        self._ip = shutil.which("ip") or ""
        self._uid, self._gid = os.getuid() or _NOT_ROOT, os.getgid()
        self._accounts = _accounts(self._uid, self._gid)
        self._folder = ImageFolder(os.path.join(settings.folder, "charliecloud"))
        self._theirs = ImageFolder(os.path.join(_storage(), "img"))

    def version(self) -> str:
        """Return what ch-run calls itself."""
        said = run_program([self._run, "--version"], env={"USER": _NAMELESS})
        return f"Charliecloud {said.strip()}"

    # Images

    def image(self, container: Container) -> Image | None:
        """Return the image of a folder by its path, or by its name where images are kept."""
        if container.image.startswith("/"):
            return _image(container.image, container.image)
        place = self._theirs.place(container.image)
        ours = _image(container.image, self._folder.place(container.image))
        return _image(container.image, place) if ours is None and _is_whole(place) else ours

    def images(self) -> Sequence[Image]:
        """Return those of both folders; of two with a name ours counts."""
        found = {
            name: one
            for folder in (self._theirs, self._folder)
            for name in folder.names()
            if (folder is self._folder or _is_whole(folder.place(name)))
            and (one := _image(name, folder.place(name))) is not None
        }
        return [replace(one, size=roots.size(one.path)) for one in found.values()]

    def brings(self, container: Container) -> str:
        """Return what a person does."""
        return bringing.brings(container, "charliecloud")

    def pull(self, reference: str, name: str) -> Image:
        """Have ``ch-image`` pull it, with the user's own credentials."""
        puller = program("ch-image", "apt-get install charliecloud-builders")
        run_program([puller, "pull", reference], env=_systems_own())
        pulled = self._theirs.place(reference)
        if normalized(name) != normalized(reference):
            self._folder.make(name, lambda part: _copy(pulled, part))
        return self._named(name)

    def load(self, archive: str, name: str) -> Image:
        """Unpack what ``docker save`` has written, or an OCI layout."""
        with image_archives.opened(archive) as tar:
            found = image_archives.contents(tar)
            name = name or found.name
            if not name:
                raise ImageError(f"the image in {archive} has no name", hint="give it one: --name")

            def fill(part: str) -> None:
                os.makedirs(part)
                image_archives.unpack(tar, found, part)
                _describe(part, found.config)

            self._folder.make(name, fill)
        return self._named(name)

    def imported(self, tarball: str, name: str) -> Image:
        """Unpack a root file system."""

        def fill(part: str) -> None:
            os.makedirs(part)
            with image_archives.opened(tarball) as tar:
                roots.unpack(tar, part)
            with open(tarball, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            layers = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
            _describe(part, json.dumps({"config": {}, "rootfs": layers}).encode())

        self._folder.make(name, fill)
        return self._named(name)

    def build(self, dockerfile: str, name: str) -> Image:
        """Have ``ch-image`` build it."""
        builder = program("ch-image", "apt-get install charliecloud-builders")
        with tempfile.TemporaryDirectory() as folder:
            argv = [builder, "build", "--tag", name, "--file", "-", folder]
            run_program(argv, env=_systems_own(), text=dockerfile)
        return self._named(name)

    def save(self, image: Image, archive: str) -> None:
        """Write it as ``docker save`` does; its digest is another one then."""
        config = _read(image.path) or b"{}"
        image_archives.write(archive, image.name, json.loads(config), image.path)

    def _named(self, name: str) -> Image:
        found = self.image(Container(name, ""))
        if found is None:
            raise ImageError(f"the image {name} is not here, though it was just made")
        return found

    # Tasks

    def command(self, task: Task, image: Image) -> Task:
        """Return the task with ch-run in front, in a root of its own."""
        assert task.container is not None
        box = f"{task.outdir}.box"
        seen = mounts(task)
        env = {"PATH": _PATH, **image.env, **task.env}
        argv = command(task, image)
        if not _is_there(argv, image.path, env["PATH"], seen):
            said = ("/bin/sh", "-c", _NOT_THERE, "sh", argv[0] if argv else "", image.name)
            return plain(task, said, task.env)
        binds, stage = _binds(seen, image.path, box)
        stage.append(StageAction("link", f"{box}/image", source=image.path))
        for name, text in (_NAMES | self._accounts).items():
            stage.append(StageAction("write", f"{box}/root/etc/{name}", contents=text))
        lines = f"overlay mnt overlay {_ROOT} 0 0\n{read_only_mounts.fstab(seen)}"
        stage.append(StageAction("write", f"{box}/fstab", contents=lines))
        unset = [] if {"USER"} & (env.keys() | task.secrets.variables) else ["--unset-env=USER"]
        whole = (
            *(self._unshare, "--user", "--map-root-user", "--mount"),
            *(() if self._shares_network(task.container) else ("--net",)),
            *("/bin/sh", "-c", self._script(task.container), "sh", box, self._run),
            *(f"--uid={self._uid}", f"--gid={self._gid}", "--no-passwd"),
            *("--env-no-expand", f"--set-env=TMPDIR={env.get('TMPDIR', '/tmp')}", *unset),  # noqa: S108
            *(f"--bind={source}:{target}" for source, target in binds),
            *(f"--cd={task.container.outdir}", f"{box}/mnt", "--", *argv),
        )
        env |= {"USER": env.get("USER", _NAMELESS), "TMPDIR": f"{box}/tmp"}  # noqa: S108
        return plain(task, whole, env, stage)

    def shell(self, task: Task, image: Image, *, terminal: bool) -> Task:
        """Return the task with ch-run in front, without the image's entry point."""
        del terminal  # it is that of the process
        return self.command(task, replace(image, entrypoint=()))

    def stop(self, task: Task) -> None:
        """Nothing is left: its processes are those of the task."""

    def _shares_network(self, container: Container) -> bool:
        """Whether a container has this machine's network: without ``ip`` it cannot have its own."""
        return container.network or not self._ip

    def _script(self, container: Container) -> str:
        loopback = "" if self._shares_network(container) else _LOOPBACK.format(ip=self._ip)
        words = {"mount": self._mount, "root": _ROOT, "most": MOST_PROCESSES}
        words["shm"] = _SHM.format(size=container.shm, mount=self._mount) if container.shm else ""
        return _SHELL.format(loopback=loopback, **words)


def _binds(
    seen: Sequence[Mount], root: str, box: str
) -> tuple[list[tuple[str, str]], list[StageAction]]:
    """Return what is mounted where in a root, and the places that have to be made for that."""
    binds: dict[str, str] = {}  # sources by targets
    actions = [StageAction("mkdir", f"{box}/{one}") for one in ("mnt", "tmp")]
    actions += [StageAction("mkdir", f"{box}/root/{one}") for one in _PLACES]
    for mount in seen:
        source, target = _writable_as_option(mount)
        holder = next((one for one in reversed(binds) if is_below(target, one)), None)
        if holder is None:
            target = roots.inside(root, target, covered=_PLACES)
            place = f"{box}{target}" if is_below(target, "/tmp") else f"{box}/root{target}"  # noqa: S108
        else:
            place = binds[holder] + target[len(holder) :]
        binds[target] = source
        if os.path.isdir(source):
            actions.append(StageAction("mkdir", place))
        elif not os.path.exists(place):
            actions.append(StageAction("mkdir", posixpath.dirname(place)))
            actions.append(StageAction("write", place))
    return [(source, target) for target, source in binds.items()], actions


def _accounts(uid: int, gid: int) -> dict[str, str]:
    """Return the accounts of a container: nobody, and who runs this.

    ``ch-run`` would ask the system for the latter with each task, and that may ask a server.
    """
    passwd = f"nobody:x:{_NOBODY}:{_NOBODY}:nobody:/:/bin/false\n"
    group = f"nogroup:x:{_NOBODY}:\n"
    own, about = _NAMELESS, ""
    if uid == os.getuid():
        with suppress(KeyError):
            found = pwd.getpwuid(uid)
            own, about = found.pw_name, found.pw_gecos
    passwd += f"{own}:x:{uid}:{gid}:{about}:/:/bin/sh\n"
    with suppress(KeyError):
        group += f"{grp.getgrgid(gid).gr_name}:x:{gid}:\n"
    return {"passwd": passwd, "group": group}


def _writable_as_option(mount: Mount) -> tuple[str, str]:
    """Return source and target as ch-run can be told of them: a colon is what stands between them.

    A file whose path has one is seen with the folder that it lies in.
    """
    source, target = mount.source, mount.target
    while ":" in source + target:
        if source != target:
            raise ImageError(f"ch-run cannot mount {source} at {target}: there is a colon in it")
        source = target = posixpath.dirname(source)
    return source, target


def _is_there(argv: Sequence[str], root: str, search: str, seen: Sequence[Mount]) -> bool:
    """Whether there may be a program: what lies in a mounted folder is for the system to find."""
    if not argv:
        return False
    places = [argv[0]] if "/" in argv[0] else search.split(":")
    if any(is_below(one, mount.target) for one in places for mount in seen):
        return True
    return argv[0].startswith(".") or roots.program(root, argv[0], search) is not None


def _is_whole(path: str) -> bool:
    """Whether ch-image was done with an image, and not ended or told to end on its way."""
    return os.path.exists(os.path.join(path, _DONE))


def _image(name: str, path: str) -> Image | None:
    if not os.path.isdir(path):
        return None
    config = _read(path)
    if config is None:
        return Image(name, id=path, path=path)
    return image_archives.described(name, config, path)


def _read(root: str) -> bytes | None:
    try:
        with open(os.path.join(root, _CONFIG), "rb") as file:
            return file.read()
    except OSError:
        return None


def _copy(root: str, part: str) -> None:
    shutil.copytree(root, part, symlinks=True)


def _describe(root: str, config: bytes) -> None:
    """Put an image's configuration into it, as ch-image does."""
    os.makedirs(os.path.join(root, "ch"), exist_ok=True)
    with open(os.path.join(root, _CONFIG), "wb") as file:
        file.write(config)
    env = image_archives.described("", config, root).env
    with open(os.path.join(root, "ch/environment"), "w", encoding="utf-8") as text:
        text.writelines(f"{name}={value}\n" for name, value in env.items())


def _systems_own() -> dict[str, str]:
    """Return an environment in which ch-image finds the system's Python, and who its user is."""
    folders = ["/usr/local/bin", "/usr/bin", "/bin", os.environ.get("PATH", "")]
    return {"PATH": os.pathsep.join(folders), "USER": _user()}


def _user() -> str:
    """Return the user's name, which services are seldom told."""
    return os.environ.get("USER") or _NAMELESS


def _storage() -> str:
    """Return the folder of ch-image, as it finds it itself."""
    return os.environ.get("CH_IMAGE_STORAGE") or f"/var/tmp/{_user()}.ch"  # noqa: S108
