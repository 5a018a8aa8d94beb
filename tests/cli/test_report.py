"""A job as one page to keep."""

import zipfile
from pathlib import Path

import yaml

from localproc import Engine
from tests.cli.terminal import localproc
from tests.conftest import PACKAGES


def test_a_report_is_one_file_named_as_its_job(home: Path, here: Path) -> None:
    with Engine(home) as engine:
        job = engine.run(PACKAGES / "echo.cwl", {"message": "good <morning>"})
    assert localproc("report").out == f"{job.id}.html\n"
    text = (here / f"{job.id}.html").read_text()
    assert "good &lt;morning&gt;" in text
    assert [one.name for one in here.iterdir()] == [f"{job.id}.html"]
    assert localproc("report", "last", "-o", "-").out.startswith("<!doctype html>")
    assert localproc("report", "last", "--output", "x.html").out == "x.html\n"
    assert "echo: successful" in (here / "x.html").read_text()


def test_what_a_tool_took_is_what_it_may_ask_for(home: Path) -> None:
    with Engine(home) as engine:
        engine.run(PACKAGES / "echo.cwl", {"message": "x"})
    found = yaml.safe_load(localproc("report", "--resources").out)
    asked = found["echo"]["requirements"]["ResourceRequirement"]
    assert asked["coresMin"] >= 1
    assert asked["ramMin"] % 64 == 0


def test_a_crate_is_a_file_or_a_folder_that_is_new(home: Path, here: Path) -> None:
    with Engine(home) as engine:
        engine.run(PACKAGES / "three-steps.cwl", {"text": "x"})
    assert localproc("report", "--crate", "run.zip").out == "run.zip\n"
    assert zipfile.is_zipfile(here / "run.zip")
    assert localproc("report", "--crate", "run").out == "run\n"
    assert (here / "run" / "ro-crate-metadata.json").is_file()
    again = localproc("report", "--crate", "run")
    assert again.code == 2
    assert "run exists already" in again.err
    both = localproc("report", "--crate", "other", "--resources")
    assert both.code == 2
    assert sorted(one.name for one in here.iterdir()) == ["run", "run.zip"]
