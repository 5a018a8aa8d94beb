"""The folder of images: one is made by one, whole or not at all, and nothing else is left."""

import os
import threading
from pathlib import Path

import pytest

from localproc.errors import ImageError
from localproc.executors.containers.image_folder import ImageFolder


class Fill:
    """Makes a file, and counts how often."""

    def __init__(self, text: str) -> None:
        self.text, self.made = text, 0

    def __call__(self, path: str) -> None:
        Path(path).write_text(self.text)
        self.made += 1


def fail(path: str) -> None:
    Path(path).mkdir()
    (Path(path) / "half").touch()
    raise ImageError("it is broken")


def test_nothing_is_left_beside_an_image(tmp_path: Path) -> None:
    folder = ImageFolder(str(tmp_path), ".sif")
    folder.make("tool:1", Fill("one"))
    with pytest.raises(ImageError, match="it is broken"):
        folder.make("other:1", fail)
    with pytest.raises(ImageError, match="it is broken"):
        folder.make("tool:1", fail)
    assert os.listdir(tmp_path) == ["tool+1.sif"]
    assert (tmp_path / "tool+1.sif").read_text() == "one"


def test_what_a_killed_one_has_left_goes_with_the_next_of_that_name(tmp_path: Path) -> None:
    folder = ImageFolder(str(tmp_path))
    left = [".tool+1.0123456789abcdef.part", ".tool+1.0123456789abcdef.part.old"]
    others = [".tool+1.5.0123456789abcdef.part", ".tool+2.0123456789abcdef.part"]
    for one in (*left, *others):
        (tmp_path / one).mkdir()
    (tmp_path / ".tool+1.lock").touch()
    folder.make("tool:1", Fill("one"))
    assert sorted(os.listdir(tmp_path)) == [*others, "tool+1"]


def test_of_many_who_want_an_image_one_makes_it(tmp_path: Path) -> None:
    fill = Fill("one")
    folder = ImageFolder(str(tmp_path))
    threads = [
        threading.Thread(target=folder.make, args=("tool:1", fill), kwargs={"anew": False})
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (fill.made, os.listdir(tmp_path)) == (1, ["tool+1"])
