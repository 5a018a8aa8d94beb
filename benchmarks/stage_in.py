"""Staging in over HTTP: an item with many assets, beside curl that brings the same files.

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
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final
from urllib.request import urlopen

from benchmarks.measure import Cost, Effort, command, cost_of, in_turn
from benchmarks.places import fresh, lasting, usual
from benchmarks.table import Line, Note, Row
from localproc.model import InputPolicy
from localproc.storage.access import Access
from localproc.storage.stage_in import stage_in

_ASSETS, _SIZE = 100, 1 << 20
_AT_A_TIME: Final = 8  #: as many as localproc brings
_TARGET: Final = 1.2


def over_http(effort: Effort) -> Iterator[Line]:
    """Measure bringing all assets of an item."""
    if shutil.which("curl") is None:
        yield Note("stage-in over HTTP", "there is no curl")
        return
    names = [f"{number}.bin" for number in range(_ASSETS)]
    with _served(names) as root:
        costs = in_turn(
            effort.rounds,
            {"curl": partial(_by_curl, root, names), "localproc": partial(_by_us, root)},
        )
    bare, wall = costs["curl"].wall, costs["localproc"].wall
    yield Row(f"stage in {_ASSETS} x 1 MiB over HTTP", f"curl, {_AT_A_TIME} at a time", bare, "s")
    yield Row("", "localproc", wall, "s", "curl", wall / bare, _TARGET)


@contextmanager
def _served(names: list[str]) -> Iterator[str]:
    """Give the address of a server that has an item and its assets."""
    folder = lasting(usual())
    for name in names:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(os.urandom(_SIZE))
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
    words = ["-m", "http.server", str(port), "--bind", "127.0.0.1", "--protocol", "HTTP/1.1"]
    nowhere = subprocess.DEVNULL
    command_line = [sys.executable, *words, "-d", folder]
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
    from localproc.storage.web import WebStorage

    web = WebStorage()
    scene = {"class": "Directory", "location": f"{root}/N.json"}
    access = Access(lambda *_: web, InputPolicy())
    try:
        with fresh(usual()) as folder:
            top = os.path.join(folder, "inputs")
            return cost_of(lambda: stage_in({"scene": scene}, top, access, lambda _: None))
    finally:
        web.close()
