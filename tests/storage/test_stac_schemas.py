"""STAC documents are checked without a network, before they are published."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from localproc.errors import StagingError
from localproc.storage.stac import FILE
from localproc.storage.stac_check import StacCheck, Validation
from localproc.storage.stac_schemas import StacSchemas
from tests.storage.desk import read
from tests.storage.recorder import Recorder
from tests.storage.test_publish import Work, scene
from tests.storage.website import Site

ITEM: dict[str, Any] = {
    "type": "Feature",
    "stac_version": "1.1.0",
    "id": "N",
    "geometry": None,
    "properties": {"datetime": "2026-05-31T12:00:00Z"},
    "links": [],
    "assets": {},
}
TIDE = "https://example.org/tide/schema.json"


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ITEM), **fields}


@pytest.mark.parametrize("said", [5, "eo", {"a": 1}, [["a"]], [{}], None])
def test_extensions_that_are_none_are_wrong_and_no_more(said: object) -> None:
    verdict = StacSchemas().verdict(changed(stac_extensions=said))
    assert any(one.startswith("stac_extensions") for one in verdict.wrong)
    assert verdict.unchecked == ()


@pytest.mark.parametrize("said", [5, "eo", [["a"]]])
def test_an_item_with_such_extensions_is_published(work: Work, said: object) -> None:
    item = work.catalog("out", {**scene("N", "mask.tif"), "stac_extensions": said})
    _, features = work.publish({"out": item}, Recorder())
    assert features["out"]["features"][0]["stac_extensions"] == [FILE]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_an_item_is_valid_in_its_version(version: str) -> None:
    assert StacSchemas().verdict(changed(stac_version=version)).wrong == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"properties": {}}, "properties: "),
        ({"links": [{"rel": "self"}]}, "links/0"),
        ({"assets": {"a": {"title": "no href"}}}, "assets/a"),
        ({"id": 3}, "id"),
        ({"stac_version": "0.9.0"}, "stac_version"),
        ({"type": "Point"}, "is no kind of STAC document"),
        ({"properties": {"datetime": "yesterday"}}, "datetime"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(fields: dict[str, Any], said: str) -> None:
    wrong = StacSchemas().verdict(changed(**fields)).wrong
    assert wrong
    assert any(said in one for one in wrong)
    assert all(len(one) < 300 for one in wrong)


def test_an_extension_without_a_schema_is_not_checked_and_that_is_told() -> None:
    verdict = StacSchemas().verdict(changed(stac_extensions=[TIDE]))
    assert verdict.wrong == ()
    assert verdict.unchecked == (TIDE,)


def test_an_extension_is_checked_by_the_schema_in_a_folder(tmp_path: Path) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"{TIDE}#",
        "properties": {"properties": {"required": ["tide:level"]}},
    }
    (tmp_path / "tide.json").write_text(json.dumps(schema))
    schemas = StacSchemas(str(tmp_path))
    verdict = schemas.verdict(changed(stac_extensions=[TIDE]))
    assert verdict.unchecked == ()
    assert "tide:level" in verdict.wrong[0]
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(StagingError, match=r"other\.json is no schema"):
        StacSchemas(str(tmp_path))


LEVEL = "https://example.org/tide/level.json"


def test_an_extension_is_checked_by_schemas_that_are_mirrored() -> None:
    level = {"properties": {"properties": {"$ref": "level.json"}}}
    mirror = {TIDE: json.dumps(level).encode()}
    schemas = StacSchemas(mirrored=mirror.get)
    declared = changed(stac_extensions=[TIDE])
    assert schemas.verdict(declared).unchecked == (LEVEL,)
    mirror[LEVEL] = json.dumps({"required": ["tide:level"]}).encode()
    verdict = schemas.verdict(declared)
    assert verdict.unchecked == ()
    assert "tide:level" in verdict.wrong[0]


@pytest.mark.parametrize("text", [b"[]", b"<html>", b'{"type": 5}', b"\xff"])
def test_what_is_mirrored_and_no_schema_checks_nothing(text: bytes) -> None:
    verdict = StacSchemas(mirrored={TIDE: text}.get).verdict(changed(stac_extensions=[TIDE]))
    assert (verdict.wrong, verdict.unchecked) == ((), (TIDE,))


def test_nobody_is_asked_for_what_a_schema_refers_to(tmp_path: Path, site: Site) -> None:
    other = site.add("/other.json", {"required": ["tide:level"]})
    schema = {"$id": TIDE, "properties": {"properties": {"$ref": other}}}
    (tmp_path / "tide.json").write_text(json.dumps(schema))
    verdict = StacSchemas(str(tmp_path)).verdict(changed(stac_extensions=[TIDE]))
    assert (verdict.unchecked, site.asked) == ((other,), [])


def test_all_that_is_published_is_valid(work: Work) -> None:
    value = work.catalog("out", scene("N", "mask.tif"), scene("S", "mask.tif"))
    work.publish({"out": value})
    schemas = StacSchemas()
    paths = sorted(work.results.rglob("*.json"))
    assert len(paths) == 4
    for path in paths:
        assert schemas.verdict(read(path)).wrong == (), path


def broken(work: Work) -> dict[str, Any]:
    return {"out": work.catalog("out", scene("N", "mask.tif", geometry={"type": "Circle"}))}


@pytest.mark.parametrize("how", list(Validation))
def test_what_is_done_about_it(work: Work, how: Validation) -> None:
    check = StacCheck(how, StacSchemas, work.log.append).see
    if how is Validation.FAIL:
        with pytest.raises(StagingError, match=r"job-1/N/N\.json is no valid STAC"):
            work.publish(broken(work), check=check)
        assert not list(work.results.rglob("*"))
        return
    work.publish(broken(work), check=check)
    told = [line for line in work.log if "is no valid STAC" in line]
    assert bool(told) is (how is Validation.WARN)
    assert (work.results / "catalog.json").exists()
