"""Resolvers of software: modules, conda environments, folders, mappings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localproc.errors import EnvironmentProblem, InvalidInputs
from localproc.model import SoftwarePackage
from localproc.plugins.software import Found
from localproc.software.configuration import check, read_file
from localproc.software.folders import Conda, GalaxyFolders
from localproc.software.mapping import Mapped
from localproc.software.modules import Modules
from localproc.software.resolution import Software, SoftwareSource
from localproc.software.shells import changed

PATH = "/usr/local/bin:/usr/bin:/bin"
ENV: Mapping[str, str] = {"PATH": f"/mine:{PATH}"}

#: A module command as small as can be: one module with two versions, and one that sets a lot.
MODULES = """
module() {
  [ "$1" = load ] || return 1
  case "$2" in
    samtools/1.9 | samtools/1.17) export PATH="/opt/$2/bin:$PATH" ;;
    gdal) set -- load gdal/3.8; export GDAL_DATA=/opt/gdal/share LD_LIBRARY_PATH=/opt/gdal/lib ;;
    *) echo "ERROR: Unable to locate a modulefile for '$2'" >&2; return 1 ;;
  esac
  export LOADEDMODULES="${LOADEDMODULES:+$LOADEDMODULES:}$2"
}
"""


def package(name: str, *versions: str) -> SoftwarePackage:
    return SoftwarePackage(name, versions)


def test_the_whole_difference_counts() -> None:
    commands = "export PATH=/a:$PATH:/z A='two\nlines' C=1; export D=/before:$D; cd /tmp"
    env = changed({"PATH": f"/mine:{PATH}", "C": "2", "E": "3"}, commands)
    assert env == {
        "PATH": f"/a:/mine:{PATH}:/z",
        "A": "two\nlines",
        "C": "1",
        "D": "/before:",
        "E": "3",
    }


@pytest.mark.parametrize("name", ["PATH", "LD_LIBRARY_PATH"])
def test_what_is_put_before_a_path_comes_before_ours(name: str) -> None:
    env = {**ENV, "LD_LIBRARY_PATH": "/lib/ours"}
    assert changed(env, f'export {name}="/a:${name}"') == {**env, name: f"/a:{env[name]}"}


def test_what_fails_is_told() -> None:
    with pytest.raises(EnvironmentProblem, match="no such thing"):
        changed(ENV, "echo no such thing >&2; exit 3")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (package("samtools", "1.9"), Found("samtools", "1.9", "samtools/1.9")),
        (package("samtools", "2.0", "1.17"), Found("samtools", "1.17", "samtools/1.17")),
        (package("gdal"), Found("gdal", "3.8", "gdal/3.8")),
        (package("samtools", "3"), None),
        (package("bwa"), None),
        (package("x; exit 0"), None),
    ],
)
def test_a_module_is_there_if_it_can_be_loaded(asked: SoftwarePackage, found: Found | None) -> None:
    assert Modules({"init": MODULES}).find(asked) == found


def test_modules_are_loaded_together_with_all_that_they_set() -> None:
    modules = Modules({"init": MODULES})
    found = [Found("samtools", "1.9", "samtools/1.9"), Found("gdal", "", "gdal")]
    env = modules.load(found, ENV)
    assert env["PATH"].startswith("/opt/samtools/1.9/bin:")
    assert "/mine" in env["PATH"]
    assert (env["GDAL_DATA"], env["LD_LIBRARY_PATH"]) == ("/opt/gdal/share", "/opt/gdal/lib")


def environment(prefix: Path, *packages: str) -> None:
    (prefix / "conda-meta").mkdir(parents=True)
    for name in packages:
        (prefix / "conda-meta" / f"{name}-h1_0.json").write_text("{}")


def test_conda_environments_have_what_their_metadata_lists(tmp_path: Path) -> None:
    environment(tmp_path / "envs" / "a", "samtools-1.9", "libgdal-3.7")
    environment(tmp_path / "envs" / "b", "samtools-1.17", "gdal-3.8")
    environment(tmp_path / "other" / "c", "bwa-0.7")
    conda = Conda({"prefix": str(tmp_path), "envs": [str(tmp_path / "other")]})
    places = {
        "a": conda.find(package("samtools", "1.9")),
        "b": conda.find(package("gdal")),
        "c": conda.find(package("bwa", "1", "0.7")),
    }
    for name, found in places.items():
        assert found is not None, name
        assert found.place.endswith(name)
    assert conda.find(package("gdal", "3.7")) is None, "libgdal is another one"
    assert conda.find(package("g*")) is None


def test_a_conda_environment_is_activated(tmp_path: Path) -> None:
    prefix = tmp_path / "envs" / "it's a"
    environment(prefix, "gdal-3.8")
    scripts = prefix / "etc" / "conda" / "activate.d"
    scripts.mkdir(parents=True)
    (scripts / "gdal.sh").write_text('export GDAL_DATA="$CONDA_PREFIX/share/gdal"\n')
    conda = Conda({"prefix": str(tmp_path)})
    found = conda.find(package("gdal"))
    assert found is not None
    env = conda.load([found, found], ENV)
    assert env["GDAL_DATA"] == f"{prefix}/share/gdal"
    assert env["PATH"] == f"{prefix}/bin:{ENV['PATH']}"


def test_folders_by_name_and_version(tmp_path: Path) -> None:
    (tmp_path / "samtools" / "1.9" / "bin").mkdir(parents=True)
    (tmp_path / "samtools" / "default").symlink_to("1.9")
    (tmp_path / "gdal" / "3.8").mkdir(parents=True)
    (tmp_path / "gdal" / "3.8" / "env.sh").write_text("export GDAL_DATA=/share")
    folders = GalaxyFolders({"base_path": str(tmp_path)})
    samtools, gdal = folders.find(package("samtools")), folders.find(package("gdal", "3.8"))
    assert samtools is not None
    assert gdal is not None
    assert samtools.version == "1.9"
    env = folders.load([samtools, gdal], ENV)
    assert env["GDAL_DATA"] == "/share"
    assert env["PATH"].startswith(f"{tmp_path.resolve()}/samtools/1.9/bin:")
    assert folders.find(package("gdal")) is None


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("../theirs", "1.9"),
        ("samtools", "../../theirs/1.9"),
        ("{theirs}", "1.9"),
        ("samtools", "{theirs}/1.9"),
        ("./samtools", "1.9"),
        ("--", "1.9"),
        ("samtools", "1.9\0"),
    ],
)
def test_names_lead_nowhere_else(tmp_path: Path, name: str, version: str) -> None:
    """A file that a tool has written is not run by the engine, outside of the tool's container."""
    theirs = tmp_path / "theirs"
    for folder in (tmp_path / "packages" / "samtools" / "1.9", theirs / "1.9"):
        (folder / "bin").mkdir(parents=True)
    folders = GalaxyFolders({"base_path": str(tmp_path / "packages")})
    software = Software([SoftwareSource("galaxy", folders)], ENV)
    asked = package(name.format(theirs=theirs), version.format(theirs=theirs))
    assert software.provide([asked]).missing == (str(asked),)
    assert software.provide([package("samtools", "1.9")]).missing == ()


def test_a_module_may_lie_in_a_folder_of_modules() -> None:
    known = Mapped({"packages": {"compilers/gcc": {"path": "/gcc"}}})
    software = Software([SoftwareSource("one", known)], ENV)
    assert software.provide([package("compilers/gcc", "12/mkl")]).missing == ()


def test_a_mapping_says_what_to_do() -> None:
    mapped = Mapped(
        {
            "init": MODULES,
            "packages": {
                "samtools": {
                    "1.9": {"path": ["/s/bin", "/s/more"]},
                    "*": {"module": "samtools/1.17"},
                },
                "gdal": {"env": {"GDAL_DATA": "/share", "N": 1}},
            },
        }
    )
    nine, other = mapped.find(package("samtools", "1.9")), mapped.find(package("samtools", "3"))
    gdal = mapped.find(package("gdal", "3.8"))
    assert nine is not None
    assert other is not None
    assert gdal is not None
    assert mapped.load([nine], ENV) == {"PATH": f"/s/bin:/s/more:{ENV['PATH']}"}
    assert "/opt/samtools/1.17/bin" in mapped.load([other], ENV)["PATH"]
    assert mapped.load([gdal], ENV) == {**ENV, "GDAL_DATA": "/share", "N": "1"}
    assert mapped.find(package("bwa")) is None


@pytest.mark.parametrize("packages", [None, {"a": 1}, {"a": {}}, {"a": {"1": {"paths": "/x"}}}])
def test_a_mapping_that_makes_no_sense_is_refused(packages: Any) -> None:
    with pytest.raises(InvalidInputs):
        Mapped({"packages": packages})


def test_files_of_either_form(tmp_path: Path) -> None:
    (tmp_path / "names.yml").write_text("- from: {name: sam, version: 1}\n  to: samtools\n")
    resolvers = tmp_path / "resolvers.yml"
    resolvers.write_text(
        "- type: modules\n  mapping_files: names.yml\n- type: conda\n  prefix: /o\n"
    )
    assert read_file(str(resolvers)) == [
        {"type": "modules", "names": [{"from": {"name": "sam", "version": 1}, "to": "samtools"}]},
        {"type": "conda", "prefix": "/o"},
    ]
    mapping = tmp_path / "mapping.yml"
    mapping.write_text("gdal: {path: /opt/gdal/bin}\n")
    packages = {"gdal": {"path": "/opt/gdal/bin"}}
    assert read_file(str(mapping)) == [{"type": "mapping", "packages": packages}]
    named = check([{"type": "mapping", "file": "mapping.yml"}], str(resolvers))
    assert named == [{"type": "mapping", "packages": packages}]


@pytest.mark.parametrize("text", ["3", "- 3", "- {prefix: /o}", "a: [", "- type: 3"])
def test_files_that_make_no_sense_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file.yml").write_text(text)
    with pytest.raises(InvalidInputs, match=r"file\.yml"):
        read_file(str(tmp_path / "file.yml"))


class Counting(Mapped):
    """A mapping that counts how often it is asked."""

    asked = 0

    def find(self, package: SoftwarePackage) -> Found | None:
        self.asked += 1
        return super().find(package)


def test_resolvers_are_asked_in_their_order_and_each_set_once() -> None:
    first = Counting({"packages": {"a": {"path": "/first/a"}}})
    second = Counting({"packages": {"a": {"path": "/no"}, "sam": {"1": {"path": "/second/b"}}}})
    names = [{"from": {"name": "b"}, "to": {"name": "sam", "version": "1"}}]
    software = Software([SoftwareSource("one", first), SoftwareSource("two", second, names)], ENV)
    for _ in range(3):
        provided = software.provide([package("a"), package("b", "7"), package("c", "2", "3")])
    assert provided.env["PATH"] == f"/second/b:/first/a:{ENV['PATH']}"
    assert provided.packages == ("a (one: *)", "b 1 (two: 1)")
    assert provided.missing == ("c 2 or 3",)
    assert provided.changes == {"PATH": provided.env["PATH"]}
    assert (first.asked, second.asked) == (3, 2)
    assert software.provide([]).env == ENV
