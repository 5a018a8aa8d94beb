"""Assets that may be had at several places, and what items say of storages and logins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.storage.asset_places import advice, places
from localproc.storage.stage_in import stage_in
from tests.storage.conftest import OpenDesk
from tests.storage.desk import Desk, directory, item, read, write
from tests.storage.recorder import Recorder
from tests.storage.website import Site


def bring(desk: Desk, location: str, assets: str) -> None:
    stage_in({"scene": directory(location)}, str(desk.folder), desk.access, desk.log.append, assets)


def staged(desk: Desk) -> bytes:
    """Return what was brought of the only asset of an item."""
    asset = read(desk.folder / "scene_1" / "scene" / "scene.json")["assets"]["red"]
    return (desk.folder / "scene_1" / "scene" / str(asset["href"])).read_bytes()


@pytest.fixture
def asset(site: Site) -> dict[str, Any]:
    """An asset that is at its own place and at two others."""
    return {
        "href": site.add("/own.tif", b"own"),
        "alternate": {
            "s3": {"href": site.add("/s3.tif", b"s3"), "alternate:name": "Near"},
            "ftp": {"href": "nowhere://host/x.tif"},
        },
    }


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("", b"own"),
        ("alternate=s3", b"s3"),
        ("alternate=Near", b"s3"),
        ("alternate=none,s*", b"s3"),
        ("alternate=none", b"own"),
        ("alternate=ftp", b"own"),  # there is no storage for it here
        ("alternate=ftp,s3", b"s3"),
    ],
)
def test_an_asset_is_taken_from_the_place_that_is_preferred(
    desk: Desk, site: Site, asset: dict[str, Any], choice: str, found: bytes
) -> None:
    bring(desk, site.add("/item.json", item({"red": asset})), choice)
    assert staged(desk) == found


def test_an_asset_whose_own_place_has_no_storage_is_taken_from_another(
    desk: Desk, site: Site, asset: dict[str, Any]
) -> None:
    asset["href"] = "nowhere://host/own.tif"
    desk.bring(directory(site.add("/item.json", item({"red": asset}))))
    assert staged(desk) == b"s3"


def test_an_asset_without_any_place_is_told_by_its_own(desk: Desk, site: Site) -> None:
    asset = {"href": "nowhere://host/a.tif", "alternate": {"x": {"href": "nowhere://other/a.tif"}}}
    with pytest.raises(StagingError, match="there is no storage for nowhere://host/a") as caught:
        desk.bring(directory(site.add("/item.json", item({"red": asset}))))
    assert "it has other places: x (--assets alternate=NAME)" in caught.value.hint


@pytest.mark.parametrize("odd", [5, [], {"x": None}, {"x": {}}, {"x": {"href": ""}}, {"x": 3}])
def test_what_is_no_alternate_is_none(desk: Desk, site: Site, odd: Any) -> None:
    asset = {"href": site.add("/own.tif", b"own"), "alternate": odd}
    bring(desk, site.add("/item.json", item({"red": asset})), "alternate=*")
    assert staged(desk) == b"own"


def test_an_alternate_leads_nowhere_that_an_asset_may_not(
    open_desk: OpenDesk, site: Site, tmp_path: Path, memory: Recorder
) -> None:
    """A document on the web names no file of this machine, and no object of the server's keys."""
    memory.objects["mem://bucket/a"] = b"theirs"
    secret = write(tmp_path / "secret.json", {})
    alternates = {"a": {"href": secret}, "b": {"href": "mem://bucket/a"}}
    asset = {"href": site.add("/own.tif", b"own"), "alternate": alternates}
    desk = open_desk(InputPolicy(roots=()))
    bring(desk, site.add("/item.json", item({"red": asset})), "alternate=a,b")
    assert staged(desk) == b"own"


def test_what_an_alternate_says_of_its_file_has_to_be_true(desk: Desk, site: Site) -> None:
    other = {"href": site.add("/b.tif", b"xx"), "file:size": 2}
    asset = {"href": site.add("/a.tif", b"x"), "file:size": 1, "alternate": {"b": other}}
    uri = site.add("/item.json", item({"red": asset}))
    bring(desk, uri, "alternate=b")
    assert staged(desk) == b"xx"
    assert places(asset, ["b"])[0]["file:size"] == 2


def test_an_asset_that_stays_remote_is_named_at_the_place_that_is_preferred(
    desk: Desk, site: Site, asset: dict[str, Any]
) -> None:
    bring(desk, site.add("/item.json", item({"red": asset})), "alternate=s3;remote=red")
    said = read(desk.folder / "scene_1" / "scene" / "scene.json")["assets"]["red"]
    assert said["href"] == f"{site.root}/s3.tif"


SAYS = "its item says: storage_options: {{s3://b: {{{}}}}}"
V2 = {
    "type": "custom-s3",
    "platform": "https://{bucket}.eodata.org",
    "region": "eu",
    "requester_pays": True,
}


@pytest.mark.parametrize(
    ("asset", "properties", "said"),
    [
        ({}, {}, ""),
        (
            {"storage:refs": ["main"]},
            {"storage:schemes": {"main": V2}},
            SAYS.format("endpoint: https://eodata.org, region: eu, requester_pays: true"),
        ),
        (
            {"storage:refs": ["main"]},
            {"storage:schemes": {"main": {**V2, "type": "aws-s3", "requester_pays": False}}},
            SAYS.format("region: eu"),
        ),
        (
            {"storage:requester_pays": True},
            {"storage:region": "us-west-2"},
            SAYS.format("region: us-west-2, requester_pays: true"),
        ),
        (
            {"auth:refs": ["sso"]},
            {"auth:schemes": {"sso": {"type": "openIdConnect"}}},
            "its item says that it needs a login: openIdConnect",
        ),
        ({"storage:refs": [5, "x"], "auth:refs": 7}, {"storage:schemes": {"x": 3}}, ""),
        ({"storage:refs": ["x"]}, {"storage:schemes": [1], "storage:region": "a\nb"}, ""),
        ({"storage:region": "x" * 300}, None, ""),
    ],
)
def test_what_an_item_says_of_a_storage_is_advice(
    asset: Mapping[str, Any], properties: Any, said: str
) -> None:
    assert advice(asset, {"properties": properties}, "s3://b/a.tif") == said


def test_the_advice_stands_with_the_error(desk: Desk, site: Site) -> None:
    asset = {"href": site.add("/a.tif", status=401), "auth:refs": ["sso"]}
    with pytest.raises(StagingError) as caught:
        desk.bring(directory(site.add("/item.json", item({"red": asset}))))
    assert "its item says that it needs a login: sso" in caught.value.hint
