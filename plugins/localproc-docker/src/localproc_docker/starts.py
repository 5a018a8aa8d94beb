"""Making and starting the containers of tasks.

Owns which image a task runs in, what a daemon's refusal means, and that no task is started twice
where nobody knows what came of the first time. Must not know when there is room.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import httpx

from localproc.errors import ExecutorUnavailable, ImageError
from localproc.model import Container, Report, Task, TaskState
from localproc.plugins import containers as shared
from localproc.plugins.backend import Refused
from localproc.plugins.containers import Image
from localproc_docker import NO_IMAGE, daemon_images, private_tmp, task_containers
from localproc_docker.boxes import Boxes
from localproc_docker.engine_api import ApiRefused, EngineApi
from localproc_docker.feeds import Feeds
from localproc_docker.task_containers import Owner

_SHELL: Final = '"/bin/sh"'  #: stands in the message if an image has none
_NO_DRIVER: Final = "could not select device driver"
_WITHOUT: Final = (
    "the hint CUDARequirement cannot be met: the daemon has no driver for GPUs; it is done without"
)
_NO_SHELL: Final = "its image has no /bin/sh to be given its secrets"
_FAR: Final = (
    "its image has no /bin/sh to open what it reads, and the daemon is not at a socket of this "
    "machine, by which it could be sent"
)
_UNCERTAIN: Final = "the daemon went away as it was started, so it may have begun"


class Starts:
    """Containers of tasks until they run.

    ``program`` is the command by which people bring images: ``docker`` or ``podman``. ``begun`` is
    told of tasks that an earlier call has started already.
    """

    def __init__(
        self,
        api: EngineApi,
        boxes: Boxes,
        owner: Owner,
        program: str,
        begun: Callable[[Task], None],
        feeds: Feeds,
    ) -> None:
        self._api = api
        self._boxes = boxes
        self._owner = owner
        self._program = program
        self._begun = begun
        self._feeds = feeds
        self._fed: set[str] = set()  #: tasks whose container is sent what it reads
        self.failed: dict[str, Report] = {}  #: tasks that could not be started
        self._uncertain: set[str] = set()  #: may have been started: nobody answered
        self._plain: set[str] = set()  #: images without a shell
        self._images: dict[str, Image] = {}  #: by digest: what one stands for never changes

    def usable(self, task: Task) -> Image | None:
        """Return a task's image if it is here, and has a shell for all that is known."""
        image = self._image(task)
        return None if isinstance(image, Refused) or image.id in self._plain else image

    def make(self, task: Task) -> str | Refused:
        """Make a task's container, unless there is one; return its name."""
        image = self._image(task)
        made = image if isinstance(image, Refused) else self._create(task, image)
        if isinstance(made, Refused):
            task_containers.curtain(self._owner, self._owner.name(task.key)).remove()
        return made

    def start(self, task: Task) -> bool:
        """Start a container; whether it is known what came of it."""
        name = self._owner.name(task.key)
        try:
            if task.key in self._uncertain and self._was_begun(task.key, name):
                return True
            if task.key in self._fed and task.stdin is not None:
                self._feeds.begin(name, task_containers.outside(task, task.stdin))
            self._api.post(f"/containers/{name}/start")
        except ExecutorUnavailable as error:
            if not _is_unsent(error):
                self._uncertain.add(task.key)
            return False
        except ApiRefused as error:
            self._feeds.end(name)
            if error.code == 404:  # it has been removed meanwhile: a look will tell
                return True
            seen = self._boxes.seen(name)
            if _NO_DRIVER in error.message and _are_wished(task):
                return self._start_without_devices(task, name)
            if _SHELL in error.message and not task_containers.keeps_streams(seen):
                return self._start_plain(task, name, task_containers.image_id(seen))
            self.refuse(task.key, _why(task, error.message))
        return True

    def refuse(self, key: str, reason: str) -> None:
        """Have a task told of as one that cannot be started."""
        self.failed[key] = Report(key, TaskState.REFUSED, reason=reason)

    def _image(self, task: Task) -> Image | Refused:
        """Return the image of a task, or why there is none for it."""
        box = task.container
        if box is None:
            return Refused(NO_IMAGE)
        image = self._images.get(box.digest)
        if image is None:
            try:
                image = daemon_images.find(self._api, replace(box, image=box.digest or box.image))
            except ImageError as error:
                return Refused(error.message)
            if image is None:
                return self._missing(box)
            self._images[image.digest] = image
        if not (task.argv or image.entrypoint or image.command):
            return Refused(f"it has no command, and the image {box.image} has none either")
        return image

    def _missing(self, box: Container) -> Refused:
        said = daemon_images.brings(box, self._program)
        return Refused(f"the image {box.image} is not here: {said} brings it")

    def _create(self, task: Task, image: Image) -> str | Refused:
        name = self._owner.name(task.key)
        shell = image.id not in self._plain
        if not shell and task.secrets:
            return Refused(_NO_SHELL)
        if not shell and task.stdin is not None:
            if not self._api.is_near:
                return Refused(_FAR)
            self._fed.add(task.key)
        if shell:
            for path in (task.stdout, task.stderr):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "ab"):
                    pass
        curtain = task_containers.curtain(self._owner, name) if task.secrets else None
        if curtain is not None:
            curtain.make(task)
        body = task_containers.creation(task, image, self._owner, shell=shell, curtain=curtain)
        private_tmp.make(body["HostConfig"]["Mounts"])
        for one in body["HostConfig"]["Mounts"]:  # some daemons would make an empty folder of it
            if not os.path.exists(one["Source"]):
                return Refused(f"it is to see {one['Source']}, which is not there")
            if why := task_containers.hindrance(one, self._owner.daemon):
                return Refused(why)
        try:
            self._boxes.create(name, body)
        except ApiRefused as error:
            if error.code == 404 and task.container is not None:
                self._images.pop(image.digest, None)
                return self._missing(task.container)
            if error.code != 409:
                return Refused(error.message)
            if not task_containers.is_waiting(self._boxes.seen(name)):
                self._begun(task)
                return name
        if curtain is not None:
            curtain.draw(task, shared.command(task, image))
        return name

    def _was_begun(self, key: str, name: str) -> bool:
        """Return whether a task is not to be started again, as it runs or may have run.

        A daemon that is killed as it starts a container forgets that, and would start it anew.
        """
        if task_containers.is_waiting(self._boxes.seen(name)):
            self._boxes.remove(name)
            self.failed[key] = Report(key, TaskState.LOST, reason=_UNCERTAIN)
        self._uncertain.discard(key)
        return True

    def _start_without_devices(self, task: Task, name: str) -> bool:
        """Make a container again, of a task that would rather had GPUs: log and step say so."""
        self._boxes.remove(name)
        with open(task.stderr, "a", encoding="utf-8") as log:
            log.write(f"{_WITHOUT}\n")
        needs = replace(task.resources, gpus=0)
        without = (*task.without, _WITHOUT)
        return self._start_made(replace(task, resources=needs, without=without))

    def _start_plain(self, task: Task, name: str, image: str) -> bool:
        """Make a container again, of an image that turned out to have no shell."""
        self._plain.add(image)
        self._boxes.remove(name)
        return self._start_made(task)

    def forget(self, key: str) -> None:
        """Forget a task."""
        self.failed.pop(key, None)
        self._fed.discard(key)
        self._feeds.end(self._owner.name(key))

    def _start_made(self, task: Task) -> bool:
        made = self.make(task)
        if isinstance(made, Refused):
            self.refuse(task.key, made.reason)
            return True
        return self.start(task)


def _are_wished(task: Task) -> bool:
    """Whether a task does without devices where there are none: a requirement names a CUDA."""
    return bool(task.resources.gpus) and not task.resources.cuda


def _why(task: Task, message: str) -> str:
    """Return why a container cannot be started, so that people know what to do."""
    if _NO_DRIVER in message and task.resources.gpus:
        return (
            f"it needs GPUs ({task.resources.gpus}), and the daemon has no driver for any: "
            "install the NVIDIA container toolkit, and restart the daemon"
        )
    return message


def _is_unsent(error: ExecutorUnavailable) -> bool:
    """Return whether the daemon cannot have heard of what it was asked."""
    return isinstance(error.__cause__, (httpx.ConnectError, httpx.ConnectTimeout))
