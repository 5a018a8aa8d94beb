"""The container runtimes of an engine, and the images that steps run in.

Owns opening runtimes, choosing one, what a name of an image stands for here, and whether an image
may be brought that is not here. Must not know jobs, nor how a runtime works. Several threads may
use it at once.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Final, TypeVar

from localproc.engine.home.settings import Pull, Settings
from localproc.engine.image_sources import bring
from localproc.engine.job.executor_choice import Boxes
from localproc.engine.prompt import Prompt
from localproc.errors import EnvironmentProblem, ExecutorUnavailable, ImageError, LocalprocError
from localproc.executors.containers import image_folder
from localproc.frozen import frozen
from localproc.model import Container
from localproc.plugins.containers import (
    ContainerPlugin,
    ContainerRuntime,
    ContainerSettings,
    Image,
)
from localproc.plugins.manager import PluginManager
from localproc.shortages import started
from localproc.storage.disk import GoOn, on
from localproc.storage.kept_inputs import Offline

_LOG: Final = logging.getLogger("localproc")
_T = TypeVar("_T")
_HANGS: Final = "it hangs: restart it, or name another runtime: --containers"
_LOOK: Final = 0.2  #: seconds between looks whether an image is still wanted

#: Stands for what is there, for none at all, and, of an image, for this machine.
AUTO: Final = "auto"
NONE: Final = "none"
LOCAL: Final = "local"
#: In which order ``auto`` looks; any other comes after these.
_ORDER: Final = ("docker", "podman", "apptainer", "singularity", "charliecloud")


@frozen
class Choice:
    """The runtime of a package, empty for none.

    ``passed_over`` are the images that its tools but hint at and do without, each with why.
    """

    runtime: str = ""
    passed_over: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Look:
    """What a runtime has of the images of a package: ``lacking`` are those that are hinted at."""

    name: str
    is_away: bool = False
    lacks_required: bool = False
    lacking: dict[str, str] = field(default_factory=dict)

    @property
    def cost(self) -> tuple[bool, bool, int]:
        """What speaks against it, the worst first."""
        will_not_do = self.is_away or self.lacks_required
        return self.is_away, self.lacks_required, 0 if will_not_do else len(self.lacking)


class Containers:
    """Runtimes by name, each opened when it is first asked for."""

    def __init__(self, plugins: PluginManager, settings: Settings) -> None:
        self._plugins = plugins
        self._settings = settings
        self._opened: dict[str, ContainerRuntime] = {}
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}  #: who brings an image, by its name
        self._prompt = Prompt()
        self._pulled: set[str] = set()  #: by this engine: once is enough where it always pulls

    # Runtimes

    def plugin(self, name: str) -> ContainerPlugin:
        """Return a runtime's plugin; raises ``PluginMissing``."""
        return self._plugins.container(name)

    def here(self) -> list[ContainerPlugin]:
        """Return those that are on this machine, in the order in which ``auto`` takes them."""
        known = [one for one in self._plugins.containers() if one.is_here(self._with(one))]
        return sorted(known, key=lambda one: (*_ORDER, one.name).index(one.name))

    def runtime(self, name: str) -> ContainerRuntime:
        """Return a runtime; raises ``LocalprocError`` where it cannot be used."""
        with self._lock:
            if name not in self._opened:
                plugin = self.plugin(name)
                self._opened[name] = plugin.open(self._with(plugin))
            return self._opened[name]

    def version(self, name: str) -> str:
        """Return what a runtime calls itself; raises ``EnvironmentProblem`` if that takes long."""
        try:
            return self._soon(name, lambda: self.runtime(name).version())
        except ExecutorUnavailable as error:
            raise EnvironmentProblem(error.message, hint=_HANGS) from error

    def are_used(self) -> bool:
        """Return whether packages that require an image can be run."""
        wanted = self.wanted("")
        return bool(self.here()) if wanted == AUTO else wanted != NONE

    def wanted(self, asked: str) -> str:
        """Return what counts where somebody has asked for a runtime, or for nothing."""
        return asked or self._settings.containers or AUTO

    def boxes(self, name: str, passed_over: Mapping[str, str] = {}) -> Boxes:
        """Return who runs containers for a job that was accepted for a runtime.

        Raises ``PluginMissing``.
        """
        return Boxes(
            name,
            self.plugin(name).executor if name else "",
            self._own,
            self.is_local,
            passed_over,
        )

    @cached_property
    def _own(self) -> Mapping[str, str]:
        """The runtimes of executors that have containers themselves, by those."""
        return {one.executor: one.name for one in self._plugins.containers() if one.executor}

    def chosen(
        self, wanted: str, required: Sequence[Container], hinted: Sequence[Container] = ()
    ) -> Choice:
        """Return the runtime for a package that requires some images, and hints at others.

        ``auto`` takes the first that has all that are required, and most of the others: a hint is
        followed where its image is here. One that does not answer soon counts as away. Where no
        image is here, it takes the first for what is required, and does without for hints. Raises
        ``PluginMissing``.
        """
        wanted = self.wanted(wanted)
        if wanted == NONE or not (required or hinted):
            return Choice()
        if wanted != AUTO:
            return Choice(self.plugin(wanted).name)
        names = [one.name for one in self.here()]
        if not names or (len(names) == 1 and not hinted):
            return Choice("".join(names))
        best = self._best(names, required, hinted)
        if not required and len(best.lacking) == len(hinted):
            return Choice("", best.lacking)
        return Choice(best.name, best.lacking)

    def _best(
        self, names: Sequence[str], required: Sequence[Container], hinted: Sequence[Container]
    ) -> _Look:
        looks = []
        for name in names:
            looks.append(self._look(name, required, hinted))
            if not any(looks[-1].cost):
                break
        return min(looks, key=lambda one: one.cost)

    def _look(self, name: str, required: Sequence[Container], hinted: Sequence[Container]) -> _Look:
        look = _Look(name)
        try:
            look.lacks_required = any(self._lack(name, one) for one in required)
            found = {one.image: self._lack(name, one) for one in hinted}
            look.lacking = {image: why for image, why in found.items() if why}
        except ExecutorUnavailable as error:
            _LOG.warning("%s: it counts as away", error.message)
            look.is_away = True
            look.lacking = {one.image: error.message for one in hinted}
        return look

    def _lack(self, name: str, box: Container) -> str:
        """Return why an image is not to be had of a runtime now, empty if it is here."""
        try:
            wanted = self.mapped(replace(box, runtime=name))
            self.image_soon(wanted)
        except ExecutorUnavailable:
            raise
        except LocalprocError as error:
            return "; ".join(filter(None, (error.message, error.hint)))
        return ""

    # Images

    @cached_property
    def _map(self) -> Mapping[str, str]:
        """What images stand for, by what they are called in full: python is python:latest."""
        given = self._settings.container_map
        return {image_folder.normalized(name): to for name, to in given.items()}

    def is_local(self, image: str) -> bool:
        """Whether tools of an image run on this machine as they are."""
        return self._map.get(image_folder.normalized(image)) == LOCAL

    def mapped(self, box: Container) -> Container:
        """Return a container with the image that its own stands for here."""
        stands_for = self._map.get(image_folder.normalized(box.image))
        if stands_for is None:
            return box
        if os.sep in stands_for and os.path.exists(stands_for):
            return replace(
                box, image=os.path.abspath(stands_for), pull=None, load="", imported="", build=""
            )
        return replace(box, image=stands_for, pull=stands_for, load="", imported="", build="")

    def image(self, box: Container) -> Image:
        """Return the image of a container that is here; raises ``ImageError`` if none is."""
        runtime = self.runtime(box.runtime)
        found = runtime.image(box)
        if found is None and box.image.startswith(os.sep):
            there = os.path.exists(box.image)
            what = f"is nothing that {box.runtime} can run" if there else "is not there"
            raise ImageError(
                f"{box.image}, which an image stands for, {what}",
                hint="that is said by --container-map, or container_map in settings.yml",
            )
        if found is None:
            raise ImageError(
                f"the image {box.image} is not here for {box.runtime}",
                hint=f"{runtime.brings(box)} brings it",
            )
        return found

    def image_soon(self, box: Container) -> Image:
        """Do the same where somebody waits; raises ``ExecutorUnavailable`` for a slow daemon."""
        return self._soon(box.runtime, lambda: self.image(box))

    def _soon(self, name: str, question: Callable[[], _T]) -> _T:
        """Hurry a daemon alone: it may hang, while the digest of a large file takes its time."""
        if not self.plugin(name).executor:
            return question()
        return self._prompt.ask(name, question)

    def missing(self, boxes: Sequence[Container]) -> list[ImageError]:
        """Return what is wrong with images that would have to be here before a job is accepted.

        Nothing where they may be brought later, or nobody answers.
        """
        found: dict[str, ImageError] = {}
        away: set[str] = set()
        if self._may_bring:
            return []
        for box in map(self.mapped, boxes):
            if box.image in found or box.runtime in away:
                continue
            try:
                self.image_soon(box)
            except ImageError as error:
                found[box.image] = error
            except ExecutorUnavailable as error:
                _LOG.warning(
                    "%s: whether the image %s is here is not known", error.message, box.image
                )
                away.add(box.runtime)
        return list(found.values())

    def settled(self, box: Container, go_on: GoOn = on) -> Container:
        """Return a container with the digest of its image, which is brought if that is allowed.

        This may take minutes: ``go_on`` is called meanwhile, and may raise. Raises ``ImageError``.
        """
        box = self.mapped(box)
        if self._may_bring:
            _wait_for(partial(self._bring, box), go_on)
        return replace(box, digest=self.image(box).digest)

    @property
    def _may_bring(self) -> bool:
        is_offline = Offline(self._settings.offline) is Offline.ALWAYS
        return self._settings.pull in (Pull.MISSING, Pull.ALWAYS) and not is_offline

    def _bring(self, box: Container) -> None:
        with self._lock:
            turn = self._turns.setdefault(box.image, threading.Lock())
        with turn:
            self._bring_now(box)

    def _bring_now(self, box: Container) -> None:
        runtime = self.runtime(box.runtime)
        wanted = self._settings.pull == Pull.ALWAYS and box.image not in self._pulled
        if not wanted and runtime.image(box) is not None:
            return
        _LOG.info("the image %s is brought for %s", box.image, box.runtime)
        if box.build and not (self._settings.build or box.load or box.imported):
            raise ImageError(
                f"the image {box.image} would have to be built by a dockerFile",
                hint="allow that: build=True, --build",
            )
        bring(runtime, box)
        self._pulled.add(box.image)

    def _with(self, plugin: ContainerPlugin) -> ContainerSettings:
        options = self._settings.container_options.get(plugin.name, {})
        if plugin.executor:
            options = self._settings.executor_options.get(plugin.executor, {})
        return ContainerSettings(images_folder(self._settings), options)


def _wait_for(work: Callable[[], None], go_on: GoOn) -> None:
    """Have something done that nobody can stop, until nobody waits for it any more."""
    wrong: list[Exception] = []

    def do() -> None:
        try:
            work()
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=do, name="localproc-image", daemon=True)
    if not started(thread):
        do()
    while thread.is_alive():
        thread.join(_LOOK)
        go_on()
    if wrong:
        raise wrong[0]


def images_folder(settings: Settings) -> str:
    """Return the folder of images: one for all homes, as they are large."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.abspath(settings.images or os.path.join(data, "localproc", "images"))
