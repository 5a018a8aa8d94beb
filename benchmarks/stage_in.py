"""Staging in over HTTP: an item with many assets, beside curl that brings the same files; the same
item again, from the cache; and the memory that a very large asset takes.

Owns the server, which is a process of its own, and both contestants.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Final
from urllib.request import urlopen

from benchmarks.measure import Cost, Effort, apart, command, cost_of, extra_memory, in_turn
from benchmarks.places import fresh, lasting, usual
from benchmarks.table import Line, Note, Row
from localproc.model import InputPolicy
from localproc.storage.access import Access
from localproc.storage.input_cache import InputCache
from localproc.storage.kept_inputs import KeptInputs
from localproc.storage.stage_in import stage_in
from localproc.storage.web import WebStorage

_ASSETS, _SIZE, _HUGE = 100, 1 << 20, 2 << 30
_AT_A_TIME: Final = 8  #: as many as localproc brings
_TARGET: Final = 1.2


def over_http(effort: Effort) -> Iterator[Line]:
    """Measure bringing all assets of an item, once and again, and one of 2 GiB."""
    if shutil.which("curl") is None:
        yield Note("stage-in over HTTP", "there is no curl")
        return
    names = [f"{number}.bin" for number in range(_ASSETS)]
    with _served(names) as root:
        costs = in_turn(
            effort.rounds,
            {
                "curl": partial(_by_curl, root, names),
                "localproc": partial(_by_us, root),
                "again": partial(_again, root),
            },
        )
        peak = apart(_memory, root)
    bare, wall = costs["curl"].wall, costs["localproc"].wall
    yield Row(f"stage in {_ASSETS} x 1 MiB over HTTP", f"curl, {_AT_A_TIME} at a time", bare, "s")
    yield Row("", "localproc", wall, "s", "curl", wall / bare, _TARGET)
    each = costs["again"].wall / _ASSETS * 1000
    yield Row("stage in again, from the cache", "localproc", each, "ms/asset", target=5)
    yield Row("memory, staging in 2 GiB", "localproc", peak / 2**20, "MiB", target=64)


@contextmanager
def _served(names: list[str]) -> Iterator[str]:
    """Give the address of a server that has an item and its assets."""
    folder = lasting(usual())
    for name in names:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(os.urandom(_SIZE))
    with open(os.path.join(folder, "huge.bin"), "wb") as file:
        file.truncate(_HUGE)
    item: dict[str, object] = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "N",
        "geometry": None,
        "links": [],
        "properties": {"datetime": "2026-05-31T12:00:00Z"},
        "assets": {name: {"href": f"./{name}"} for name in names},
    }
    with open(os.path.join(folder, "N.json"), "w", encoding="utf-8") as file:
        json.dump(item, file)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    nowhere = subprocess.DEVNULL
    command_line = [sys.executable, "-m", "benchmarks.asset_server", str(port), folder]
    server = subprocess.Popen(command_line, stdout=nowhere, stderr=nowhere)
    root = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with suppress(OSError), urlopen(f"{root}/N.json"):
                break
            time.sleep(0.05)
        yield root
    finally:
        server.kill()
        server.wait()


def _by_curl(root: str, names: list[str]) -> Cost:
    urls = [f"{root}/{name}" for name in names]
    with fresh(usual()) as folder:
        parallel = ("--parallel", "--parallel-max", str(_AT_A_TIME))
        return command(
            "curl", "-sS", "--fail", *parallel, "--output-dir", folder, "--remote-name-all", *urls
        )


def _by_us(root: str) -> Cost:
    with closing(WebStorage()) as web, fresh(usual()) as folder:
        return cost_of(lambda: _bring(_scene(root), f"{folder}/inputs", web))


def _again(root: str) -> Cost:
    """Bring what another job has brought: the server is asked whether it is the same."""
    with closing(WebStorage()) as web, fresh(usual()) as folder:
        kept = KeptInputs(InputCache(f"{folder}/cache", _ASSETS * _SIZE * 2), "somebody")
        _bring(_scene(root), f"{folder}/first", web, kept)
        return cost_of(lambda: _bring(_scene(root), f"{folder}/second", web, kept))


def _memory(root: str) -> int:
    """Give how much more memory is held at the most than when nothing is done."""
    with closing(WebStorage()) as web, fresh(usual()) as folder:
        _bring(_scene(root), f"{folder}/first", web)
        huge = {"class": "File", "location": f"{root}/huge.bin"}
        return extra_memory(lambda: _bring(huge, f"{folder}/second", web))


def _scene(root: str) -> dict[str, str]:
    return {"class": "Directory", "location": f"{root}/N.json"}


def _bring(
    scene: dict[str, str], folder: str, web: WebStorage, kept: KeptInputs | None = None
) -> None:
    access = Access(lambda *_: web, InputPolicy(), kept=kept)
    stage_in({"scene": scene}, folder, access, lambda _: None)
