"""A service on a port of this machine, and a browser that looks at it."""

import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from localproc import Engine
from localproc.http import create_app
from tests.conftest import absent
from tests.patience import patient

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

EXAMPLE = Path(__file__).parents[2] / "examples" / "water_bodies"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = patient(30) * 1000  # ms


@dataclass(frozen=True)
class Service:
    engine: Engine
    base: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Service]:
    """Give a service with some jobs."""
    with Engine(tmp_path_factory.mktemp("home")) as engine, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = create_app(engine)
        settings = uvicorn.Config(
            app, log_level="warning", ws="none", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        engine.deploy(packages / "three-steps.cwl")
        engine.execute("three-steps", {"text": "hello", "code": 3}).wait()
        engine.execute("three-steps", {"text": "hello"}).wait()
        engine.execute("echo", {"string": "hello"}).wait()
        try:
            yield Service(engine, f"http://127.0.0.1:{listening.getsockname()[1]}/default/ogc-api")
        finally:
            server.should_exit = True
            thread.join()
            for job in engine.jobs(status=("accepted", "running")):
                job.dismiss()


@pytest.fixture(scope="module")
def water_bodies(service: Service) -> str:
    """Give the id of a job that detected water bodies."""
    if find_spec("rasterio") is None:
        absent("rasterio is not installed")
    service.engine.deploy(EXAMPLE / "water-bodies.cwl")
    job = service.engine.execute("water-bodies", EXAMPLE / "inputs.yml", title="Water at Olinda")
    return job.wait().raise_for_status().id


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Give a browser. While there is one, this thread has an event loop."""
    if find_spec("playwright") is None:
        absent("playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        absent("there is no chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=FLAGS, timeout=PATIENCE)
        yield found
        found.close()


@pytest.fixture
def context(browser: "Browser") -> "Iterator[BrowserContext]":
    """Give a browser's window with nothing in it of what was before."""
    found = browser.new_context(viewport={"width": 1100, "height": 800})
    found.set_default_timeout(PATIENCE)
    yield found
    found.close()


@pytest.fixture
def page(context: "BrowserContext") -> "Iterator[Page]":
    """Give a page; nothing may go wrong in it, nor be blocked."""
    found = context.new_page()
    wrong: list[str] = []
    found.on("pageerror", lambda error: wrong.append(str(error)))
    found.on(
        "console",
        lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None,
    )
    yield found
    assert wrong == []
