"""The images of packages in files, to be moved with them.

Owns writing those that jobs have run in, and loading them on another machine. Must not know what
else is moved, nor how any runtime keeps images.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from localproc.engine.container_runtimes import Containers
from localproc.engine.packages.images import named_images
from localproc.errors import EnvironmentProblem, StagingError
from localproc.model import Container
from localproc.storage.integrity import file_sha256


def save_images(
    jobs: Iterable[tuple[Mapping[str, Any], str]], containers: Containers, folder: str
) -> list[dict[str, str]]:
    """Write the images of jobs to files in a folder; return what each is called and its digest.

    A job is its compiled package and the runtime that it ran in, empty for none. Raises
    ``ImageError`` for an image that is not here any more.
    """
    saved: dict[str, dict[str, str]] = {}
    for resolved, runtime in jobs:
        for one in named_images(resolved) if runtime else ():
            if one.box.image in saved or containers.is_local(one.box.image):
                continue
            image = containers.image(containers.mapped(replace(one.box, runtime=runtime)))
            name = f"{len(saved)}.tar"
            path = os.path.join(folder, name)
            containers.runtime(runtime).save(image, path)
            saved[one.box.image] = {
                "image": one.box.image,
                "file": name,
                "sha256": file_sha256(path),
            }
    return list(saved.values())


def load_images(
    saved: Sequence[Mapping[str, str]], containers: Containers, folder: str, shown: str
) -> None:
    """Load images that ``save_images`` has written into the runtime that is here.

    ``shown`` is what they came in. Raises ``StagingError`` for one that is damaged,
    ``EnvironmentProblem`` where there is no runtime.
    """
    if not saved:
        return
    paths = [os.path.join(folder, os.path.basename(one["file"])) for one in saved]
    for one, path in zip(saved, paths, strict=True):
        if not os.path.isfile(path) or file_sha256(path) != one["sha256"]:
            raise StagingError(f"the image {one['image']} is not in {shown} as it was saved")
    boxes = [Container(one["image"], "") for one in saved]
    name = containers.chosen("", boxes).runtime
    if not name:
        raise EnvironmentProblem(
            f"{shown} has images, and there is no container runtime on this machine",
            hint="install one (docs/containers.md), or leave them out: --no-images",
        )
    for one, path in zip(saved, paths, strict=True):
        containers.runtime(name).load(path, one["image"])
