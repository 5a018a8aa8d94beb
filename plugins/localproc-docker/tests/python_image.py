"""An image of this machine's Python for a daemon of the tests' own."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from localproc_docker.daemon_images import DaemonImages
from own_daemon import OwnDaemon
from tests import container_image


def have_python(daemon: OwnDaemon, names: Iterable[str], packages: Iterable[str] = ()) -> None:
    """Make an image of busybox, Python and packages, and call it by these names."""
    images = DaemonImages(daemon.api, "docker")
    with tempfile.TemporaryDirectory() as folder:
        (root := Path(folder, "root")).mkdir()
        container_image.python(root, packages)
        # Somebody's script may ask for a shell by the name that most images have.
        archive = container_image.archive(
            root, Path(folder, "image.tar"), "localproc-tests/python:1"
        )
        for name in names:
            images.load(str(archive), name)


def plugin_path(folder: Path) -> str:
    """Return a ``PYTHONPATH`` by which a program finds the plugin as if it were installed."""
    source = Path(__file__).parents[1] / "src"
    info = folder / "localproc_docker-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: localproc-docker\nVersion: 0.1.0\n"
    )
    (info / "entry_points.txt").write_text("[localproc]\ndocker = localproc_docker\n")
    return f"{folder}:{source}"
