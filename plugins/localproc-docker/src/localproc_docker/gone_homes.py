"""Containers of homes that are gone.

Owns finding them by their labels. Must not know homes that are still there: their engines remove
what is theirs.
"""

import os
from collections.abc import Iterator
from functools import partial

from localproc.plugins.executor import Leftover
from localproc_docker.daemons import Daemon
from localproc_docker.engine_api import PROMPTLY, ApiRefused, EngineApi
from localproc_docker.opening import reached
from localproc_docker.task_containers import FOLDER


def leftovers(daemon: Daemon) -> Iterator[Leftover]:
    """Return the containers of this machine's homes that are gone, by their homes.

    Raises ``ExecutorUnavailable`` where no daemon answers, ``EnvironmentProblem`` for one that
    cannot be had to listen.
    """
    api = reached(daemon, {})
    try:
        yield from _found(api, daemon.name)
    finally:
        api.close()


def _found(api: EngineApi, name: str) -> Iterator[Leftover]:
    homes: dict[str, list[str]] = {}
    ours = {"label": [FOLDER]}
    for one in api.get("/containers/json", all=True, filters=ours, patience=PROMPTLY):
        folder = one["Labels"][FOLDER]
        if not os.path.exists(folder):
            homes.setdefault(folder, []).append(one["Id"])
    for folder, ids in sorted(homes.items()):
        home = os.path.dirname(folder)
        said = (
            f"{len(ids)} {name} container{'s' if len(ids) > 1 else ''} of {home}, which is gone: "
        )
        yield Leftover(
            said + ", ".join(sorted(one[:12] for one in ids)),
            partial(_remove, api.address, ids),
            containers=True,
        )


def _remove(address: str, ids: list[str]) -> None:
    api = EngineApi(address)
    try:
        for one in ids:
            try:
                api.delete(f"/containers/{one}", force=True, v=True)
            except ApiRefused as error:
                if error.code != 404:  # it is gone
                    raise
    finally:
        api.close()
