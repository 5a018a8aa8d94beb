"""Where the images of packages come from.

Owns which verb of a runtime brings one, and that nothing is asked of a network that is not to be
used. Must not know which runtime that is, nor when an image is wanted.
"""

from localproc.errors import ImageError
from localproc.model import Container
from localproc.plugins.containers import ContainerRuntime, Image
from localproc.storage.kept_inputs import Offline
from localproc.uris import uri_path


def bring(runtime: ContainerRuntime, box: Container, offline: str = Offline.NEVER) -> Image:
    """Have a runtime bring an image from where its package says that it comes from.

    Raises ``ImageError``, too, for one that is not in a file where nothing is to be asked of the
    network.
    """
    if box.load:
        return runtime.load(local_file(box.load), box.image)
    if box.imported:
        return runtime.imported(local_file(box.imported), box.image)
    if Offline(offline) is Offline.ALWAYS:
        verb = "built" if box.build else "pulled"
        raise ImageError(
            f"the image {box.image} is not {verb}: nothing is to be asked of the network",
            hint="localproc images load FILE takes one that was saved elsewhere; "
            "--offline never (or LOCALPROC_OFFLINE) allows the network",
        )
    if box.build:
        return runtime.build(box.build, box.image)
    return runtime.pull(box.pull or box.image, box.image)


def local_file(address: str) -> str:
    """Return the path of a file that a package names by path or URI; raises ``ImageError``."""
    if "://" not in address:
        return address
    if not address.startswith("file:"):
        raise ImageError(
            f"the image in {address} is not on this machine",
            hint="download it, and localproc images load it",
        )
    return uri_path(address)
