"""Environment modules as sites have them: the real command, found by the profile of the shell."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.errors import EnvironmentProblem, UnsupportedPackage
from localproc.model import SoftwarePackage
from localproc.software.modules import Modules
from localproc.software.resolution import Software, SoftwareSource
from tests.conftest import absent

pytestmark = pytest.mark.slow

PROJ = """\
#%Module1.0
setenv PROJ_LIB /apps/proj/share
prepend-path LD_LIBRARY_PATH /apps/proj/lib
"""
GDAL = """\
#%Module1.0
module load proj/9.1
prepend-path PATH {bin}
prepend-path LD_LIBRARY_PATH /apps/gdal/lib
setenv GDAL_DATA "/apps/gdal share"
unsetenv LANG
"""
DEFAULT = """\
#%Module1.0
set ModulesVersion "3.8"
"""


@pytest.fixture
def modules(tmp_path: Path) -> str:
    """Give a folder of modules: gdal in two versions, one of which needs what is nowhere."""
    if shutil.which("modulecmd") is None:
        absent("modulecmd is not installed (Debian: environment-modules)")
    program(tmp_path / "gdal" / "bin" / "info", 'echo "$GDAL_DATA $PROJ_LIB $LD_LIBRARY_PATH"')
    files = {
        "proj/9.1": PROJ,
        "gdal/3.8": GDAL.format(bin=tmp_path / "gdal" / "bin"),
        "gdal/3.6": "#%Module1.0\nprereq nowhere/1\n",
        "gdal/.version": DEFAULT,
    }
    for name, text in files.items():
        (path := tmp_path / "modules" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(tmp_path / "modules")


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        (("3.8",), "gdal/3.8"),
        ((), "gdal/3.8"),
        (("3.6", "3.8"), "gdal/3.8"),
        (("9",), ""),
    ],
)
def test_a_module_is_found_if_it_can_be_loaded(
    modules: str, versions: tuple[str, ...], found: str
) -> None:
    resolver = Modules({"use": modules})
    there = resolver.find(SoftwarePackage("gdal", versions))
    assert (there.place if there else "") == found


def test_a_module_that_is_there_and_cannot_be_loaded_is_told_of(modules: str) -> None:
    resolver = Modules({"use": modules})
    with pytest.raises(EnvironmentProblem, match="nowhere/1"):
        resolver.find(SoftwarePackage("gdal", ("3.6",)))
    source = SoftwareSource("modules", resolver)
    [missing] = Software([source], {}).provide([SoftwarePackage("gdal", ("3.6",))]).missing
    assert missing.startswith("gdal 3.6 (modules: ")
    assert "nowhere/1" in missing


def test_all_that_modules_change_counts(modules: str) -> None:
    resolver = Modules({"use": [modules]})
    gdal = resolver.find(SoftwarePackage("gdal", ()))
    assert gdal is not None
    env = {"PATH": os.defpath, "LD_LIBRARY_PATH": "/lib/ours", "LANG": "C.UTF-8"}
    loaded = resolver.load([gdal], env)
    assert loaded["LD_LIBRARY_PATH"] == "/apps/gdal/lib:/apps/proj/lib:/lib/ours"
    assert loaded["LOADEDMODULES"] == "proj/9.1:gdal/3.8"
    assert "LANG" not in loaded


def test_a_package_runs_with_modules_and_a_conda_environment(modules: str, tmp_path: Path) -> None:
    prefix = tmp_path / "conda" / "envs" / "sam"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "samtools-1.9-h1_0.json").write_text("{}")
    program(prefix / "bin" / "samtools", "echo samtools 1.9")
    wanted: list[dict[str, Any]] = [
        {"package": "gdal", "version": ["3.8"]},
        {"package": "samtools", "version": ["1.9"]},
    ]
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "both",
        "requirements": {"SoftwareRequirement": {"packages": wanted}},
        "baseCommand": ["sh", "-c", "info && samtools"],
        "inputs": {},
        "stdout": "out.txt",
        "outputs": {"out": "stdout"},
    }
    software: list[dict[str, Any]] = [
        {"type": "modules", "use": [modules]},
        {"type": "conda", "prefix": str(tmp_path / "conda")},
    ]
    with Engine(tmp_path / "home", software=software) as engine:
        job = engine.run(tool, {}).raise_for_status()
        said = job.result("out").read_text().splitlines()
        assert said == [
            "/apps/gdal share /apps/proj/share /apps/gdal/lib:/apps/proj/lib",
            "samtools 1.9",
        ]
        [step] = [one for one in job.steps if one.name == "both"]
        assert step.software == (
            "gdal 3.8 (modules: gdal/3.8)",
            f"samtools 1.9 (conda: {prefix})",
        )
        wanted[0]["version"] = ["3.6"]
        process = engine.deploy({**tool, "id": "older"})
        with pytest.raises(UnsupportedPackage) as refused:
            process.execute({})
        said = refused.value.problems[0].message
        assert said.startswith("nothing here provides gdal 3.6 (modules: ")
