"""Packages that were loaded before need not be loaded again, in whatever home."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.engine.packages import package_cache
from localproc.errors import InvalidPackage


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a cache."""
    monkeypatch.setenv("LOCALPROC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packages"


WORKFLOW = """
cwlVersion: v1.2
class: Workflow
id: relay
inputs: {message: string}
outputs: {said: {type: File, outputSource: say/said}}
steps: {say: {run: echo.cwl, in: {message: message}, out: [said]}}
"""


@pytest.fixture
def package(tmp_path: Path, packages: Path) -> Path:
    """Give a package of two files."""
    shutil.copy(packages / "echo.cwl", tmp_path)
    path = tmp_path / "relay.cwl"
    path.write_text(WORKFLOW)
    return path


def described(home: Path, package: object, **options: Any) -> Any:
    with Engine(home) as engine:
        return engine.deploy(package, **options).record


def test_a_new_home_knows_a_package_from_another(tmp_path: Path, package: Path) -> None:
    first = described(tmp_path / "one", package)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("localproc.engine.packages.registry.Registry._loaded", None)
        second = described(tmp_path / "two", package)
    assert (second.revision, second.resolved, second.texts) == (
        first.revision,
        first.resolved,
        first.texts,
    )
    assert second.deployed > first.deployed


def test_it_runs(tmp_path: Path, package: Path) -> None:
    for home in ("one", "two"):
        with Engine(tmp_path / home) as engine:
            job = engine.run(package, {"message": "hello"})
            assert job.result("said").read_text() == "hello\n"


def test_the_id_is_each_homes_own(tmp_path: Path, package: Path) -> None:
    described(tmp_path / "one", package, process_id="first")
    record = described(tmp_path / "two", package)
    assert (record.id, record.description["id"]) == ("relay", "relay")
    assert described(tmp_path / "three", package, process_id="third").description["id"] == "third"


def test_a_package_that_changed_is_loaded_again(tmp_path: Path, package: Path) -> None:
    first = described(tmp_path / "one", package)
    included = tmp_path / "echo.cwl"
    included.write_text(included.read_text() + "\n# another line\n")
    assert described(tmp_path / "two", package).revision != first.revision
    included.write_text("cwlVersion: v1.2\nclass: Nothing\n")
    with pytest.raises(InvalidPackage):
        described(tmp_path / "three", package)


def test_a_loader_that_changed_loads_again(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    described(tmp_path / "one", package)
    monkeypatch.setattr(package_cache, "_loader", lambda: "another")
    described(tmp_path / "two", package)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    "name", ["cwl/load/resolve.py", "ogc/describe.py", "engine/packages/registry.py", "cwl_v1_2.py"]
)
def test_every_module_that_makes_a_process_of_a_package_counts(name: str) -> None:
    assert f"/{name}'" in package_cache._loader()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"texts": []}', '{"texts": [["a", 3]]}'])
def test_what_is_damaged_is_made_anew(
    tmp_path: Path, package: Path, cache: Path, text: str
) -> None:
    first = described(tmp_path / "one", package)
    [kept] = cache.iterdir()
    kept.write_text(text)
    assert described(tmp_path / "two", package).revision == first.revision
    assert json.loads(kept.read_text())["revision"] == first.revision


def test_what_another_user_has_put_there_does_not_count(
    tmp_path: Path, package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described(tmp_path / "one", package)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("localproc.engine.packages.registry.Registry._loaded", None)
        with pytest.raises(TypeError):
            described(tmp_path / "two", package)


@pytest.mark.parametrize("place", ["", "/proc/nowhere"])
def test_without_a_cache_nothing_is_kept(
    tmp_path: Path, package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("LOCALPROC_CACHE", place)
    first = described(tmp_path / "one", package)
    assert described(tmp_path / "two", package).revision == first.revision
    assert not cache.exists()


def test_texts_are_not_kept(tmp_path: Path, packages: Path, cache: Path) -> None:
    described(tmp_path / "one", (packages / "echo.cwl").read_text())
    assert not cache.exists()


def test_the_ones_used_last_are_kept(
    tmp_path: Path, packages: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_cache, "_MOST", 2)
    text = (packages / "echo.cwl").read_text()
    for name in ("a", "b", "a", "c"):
        (tmp_path / f"{name}.cwl").write_text(text)
        described(
            tmp_path / f"home-{name}-{len(list(tmp_path.iterdir()))}", tmp_path / f"{name}.cwl"
        )
    entries = {json.loads(one.read_text())["entry"].rpartition("/")[2] for one in cache.iterdir()}
    assert entries == {"a.cwl", "c.cwl"}


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALPROC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert package_cache.cache_folder() == "/caches/localproc/packages"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert package_cache.cache_folder() == "/home/me/.cache/localproc/packages"
