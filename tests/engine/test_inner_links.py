"""Links that tools make where their folder has another place in a container."""

import os
from pathlib import Path

from localproc.cwl.run.task_layout import Folders
from localproc.engine.job.inner_links import lead_outside


def test_links_to_places_below_the_folder_lead_there_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "crop"
    (out / "a/b").mkdir(parents=True)
    (out / "a/mask.tif").write_text("mask")
    made = {
        "a/b/up.tif": "/var/work/a/mask.tif",
        "a/dir": "/var/work/a/b",
        "whole": "/var/work",
        "near.tif": "a/mask.tif",
        "elsewhere": "/var/worker/x",
        "input": "/data/scene.tif",
    }
    for name, target in made.items():
        (out / name).symlink_to(target)
    lead_outside(Folders(str(out), "/tmp", "/stage", inner="/var/work"))
    assert (out / "a/b/up.tif").read_text() == "mask"
    assert os.path.samefile(out / "a/dir", out / "a/b")
    assert os.path.samefile(out / "whole", out)
    assert {name: os.readlink(out / name) for name in ("near.tif", "elsewhere", "input")} == {
        "near.tif": "a/mask.tif",
        "elsewhere": "/var/worker/x",
        "input": "/data/scene.tif",
    }


def test_links_stay_where_the_folder_has_one_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(f"{tmp_path}/file")
    lead_outside(Folders(str(tmp_path), "/tmp", "/stage"))
    assert os.readlink(tmp_path / "link") == f"{tmp_path}/file"
