"""What daemons say of themselves, as they say it."""

import pytest
from localproc_docker.info import Info
from localproc_docker.task_containers import Owner

OPTIONS = ["name=seccomp,profile=default"]


@pytest.mark.parametrize(
    ("told", "info"),
    [
        ({"NCPU": 4, "SecurityOptions": OPTIONS}, Info(processors=4)),
        ({"SecurityOptions": [*OPTIONS, "name=rootless"]}, Info(is_rootless=True)),
        ({"SecurityOptions": [*OPTIONS, "name=userns"]}, Info(is_remapped=True)),
        ({"BuildahVersion": "1.28.2", "Rootless": False}, Info(is_podman=True)),
        ({"BuildahVersion": "", "Rootless": True}, Info(is_podman=True, is_rootless=True)),
        ({"SecurityOptions": None}, Info()),
    ],
)
def test_a_daemon_is_what_it_says(told: dict[str, object], info: Info) -> None:
    assert Info.read(told) == info


def test_the_user_of_a_rootless_daemon_is_root_in_its_containers() -> None:
    assert Owner("/home", 1000, 100).user == "1000:100"
    assert Owner("/home", 1000, 100, Info(is_rootless=True)).user == "0:0"
