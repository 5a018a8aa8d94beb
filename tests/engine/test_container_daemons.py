"""A container daemon that hangs: it is asked for so long only, and others are taken."""

import threading
from collections.abc import Iterator

import pytest

import localproc
from localproc.engine.container_runtimes import Containers
from localproc.engine.home.settings import Settings
from localproc.engine.prompt import Prompt
from localproc.errors import EnvironmentProblem
from localproc.model import Container
from localproc.plugins.containers import ContainerPlugin, Image
from localproc.plugins.manager import PluginManager


class Daemons:
    """Two daemons: one that hangs until a test is over, and one that has no image."""

    def __init__(self) -> None:
        self.over = threading.Event()

    @localproc.hookimpl
    def localproc_containers(self) -> list[ContainerPlugin]:
        return [
            ContainerPlugin("docker", lambda _: Hanging(self.over), lambda _: True, executor="any"),  # type: ignore[arg-type,return-value]
            ContainerPlugin("podman", lambda _: Empty(), lambda _: True, executor="any"),  # type: ignore[arg-type,return-value]
        ]


class Hanging:
    def __init__(self, over: threading.Event) -> None:
        self._over = over

    def version(self) -> str:
        self._over.wait()
        return ""

    def image(self, _: Container) -> Image | None:
        self._over.wait()
        return None


class Empty:
    def version(self) -> str:
        return "podman 4"

    def image(self, _: Container) -> Image | None:
        return None

    def brings(self, _: Container) -> str:
        return "podman pull"


@pytest.fixture
def known() -> Iterator[Containers]:
    daemons = Daemons()
    found = Containers(PluginManager([daemons]), Settings())
    found._prompt = Prompt(0.01)
    yield found
    daemons.over.set()


def test_one_that_answers_is_taken_though_it_has_no_image(known: Containers) -> None:
    assert known.chosen("", [Container("tool:1", "")]).runtime == "podman"


def test_whoever_waits_for_one_is_told_that_it_hangs(known: Containers) -> None:
    with pytest.raises(EnvironmentProblem, match="docker does not answer within") as told:
        known.version("docker")
    assert told.value.hint == "it hangs: restart it, or name another runtime: --containers"
    assert known.version("podman") == "podman 4"
