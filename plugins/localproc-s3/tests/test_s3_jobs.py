"""Jobs whose inputs come from S3 and whose results go there, on a real server."""

import json
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import localproc_s3
import pytest
from s3_fixtures import bucket, server
from s3_packages import READS, SCENE
from s3_server import Server, keys, uploads
from tests.patience import until

import localproc
from localproc import Engine
from localproc.errors import InvalidInputs, ResultsGone, StagingError
from localproc.model import InputPolicy

__all__ = ["bucket", "server"]

OpenEngine = Callable[..., Engine]


@pytest.fixture
def open_engine(tmp_path: Path, server: Server, bucket: str) -> Iterator[OpenEngine]:
    """Give what opens an engine with the storage, whose results go to the bucket."""
    opened: list[Engine] = []

    def open_one(**options: Any) -> Engine:
        settings: dict[str, Any] = {
            "plugins": [localproc_s3],
            "results": f"s3://{bucket}/results",
            "storage_options": {"s3": server.options},
        }
        opened.append(Engine(tmp_path / "home", **{**settings, **options}))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def engine(open_engine: OpenEngine) -> Engine:
    """Give such an engine."""
    return open_engine()


def test_results_have_their_layout_media_types_and_checksums(
    engine: Engine, server: Server, bucket: str
) -> None:
    job = engine.run(SCENE, {}).raise_for_status()
    top = f"results/{job.id}"
    assert set(keys(server, bucket)) == {
        f"{top}/catalog.json",
        f"{top}/{job.id}/N/N.json",
        f"{top}/{job.id}/N/a_b.bin",
        f"{top}/{job.id}/collection.json",
        f"{top}/note ü.txt",
    }
    client = server.client()
    kinds = {
        key.rpartition("/")[2]: client.head_object(Bucket=bucket, Key=key)["ContentType"]
        for key in keys(server, bucket)
    }
    geojson = "application/geo+json"
    assert kinds == {
        "catalog.json": geojson,
        "N.json": geojson,
        "collection.json": geojson,
        "a_b.bin": "application/octet-stream",
        "note ü.txt": "text/plain",
    }
    (feature,) = job.results_document()["catalog"]["value"]["features"]
    asset = feature["assets"]["data"]
    assert asset["href"] == f"s3://{bucket}/{top}/{job.id}/N/a_b.bin"
    assert {name: asset[name] for name in asset if name.startswith("storage:")} == {
        "storage:platform": "eoap",
        "storage:requester_pays": False,
        "storage:tier": "Standard",
        "storage:region": "us-east-1",
        "storage:endpoint": server.endpoint,
    }
    assert asset["file:size"] == 64
    assert asset["file:checksum"].startswith("1220")
    assert [link["rel"] for link in feature["links"]] == ["collection", "root", "self", "parent"]
    stored = client.get_object(Bucket=bucket, Key=f"{top}/{job.id}/N/N.json")["Body"].read()
    assert json.loads(stored) == feature


def test_the_second_form_of_the_storage_extension_can_be_chosen(
    open_engine: OpenEngine, server: Server, bucket: str
) -> None:
    options = {**server.options, "fields": "v2", "public_endpoint": "https://s3.example.com"}
    engine = open_engine(storage_options={"s3": options})
    job = engine.run(SCENE, {}).raise_for_status()
    (feature,) = job.results_document()["catalog"]["value"]["features"]
    assert feature["properties"]["storage:schemes"] == {
        "s3": {
            "type": "custom-s3",
            "platform": "https://s3.example.com/{bucket}",
            "bucket": bucket,
            "region": "us-east-1",
            "requester_pays": False,
        }
    }
    assert feature["assets"]["data"]["storage:refs"] == ["s3"]
    assert "storage:platform" not in feature["assets"]["data"]
    declared = feature["stac_extensions"]
    assert "https://stac-extensions.github.io/storage/v2.0.0/schema.json" in declared


def test_where_results_go_is_a_template(engine: Engine, server: Server, bucket: str) -> None:
    place = f"s3://{bucket}/of {{namespace}}/{{process}}/{{date}}/{{job}}-x"
    job = engine.run(SCENE, {}, results=place.replace(" ", "-")).raise_for_status()
    (catalog,) = [key for key in keys(server, bucket) if key.endswith("catalog.json")]
    found = catalog.split("/")
    assert found[:2] == ["of-default", "scene"]
    assert time.strptime(found[2], "%Y-%m-%d")
    assert found[3:] == [f"{job.id}-x", "catalog.json"]
    with pytest.raises(InvalidInputs, match=r"it names \{jbo\}, and may name job, process"):
        engine.run(SCENE, {}, results=f"s3://{bucket}/{{jbo}}")


def test_items_read_what_they_lead_to_with_the_keys_of_the_engine(
    engine: Engine, server: Server, bucket: str
) -> None:
    job = engine.run(SCENE, {}).raise_for_status()
    results: localproc.StacResults = job.result("catalog")
    (item,) = results.items
    assert item.to_dict()["id"] == "N"
    collection = item.get_collection()
    assert collection is not None
    assert collection.id == job.id
    assert len(results.read(item.assets["data"].href)) == 64
    copied = pickle.loads(pickle.dumps(results))
    assert copied == results
    assert copied.items[0].to_dict()["id"] == "N"


def test_results_are_downloaded(
    engine: Engine, server: Server, bucket: str, tmp_path: Path
) -> None:
    job = engine.run(SCENE, {}).raise_for_status()
    found = job.download(tmp_path / "all")
    names = {str(path.relative_to(tmp_path / "all")) for path in found}
    assert names == {
        "catalog.json",
        f"{job.id}/N/N.json",
        f"{job.id}/N/a_b.bin",
        f"{job.id}/collection.json",
        "note ü.txt",
    }
    item = json.loads((tmp_path / "all" / job.id / "N" / "N.json").read_text())
    assert item["assets"]["data"]["href"] == "./a_b.bin"
    assert [path.name for path in job.download(tmp_path / "one", "note")] == ["note ü.txt"]
    server.client().delete_object(Bucket=bucket, Key=f"results/{job.id}/note ü.txt")
    with pytest.raises(ResultsGone, match="is not there any more"):
        job.download(tmp_path / "two", "note")


def test_a_bucket_that_is_not_there_is_told_before_anything_is_run(engine: Engine) -> None:
    with pytest.raises(StagingError, match="nothing is at s3://localproc-nowhere"):
        engine.run(SCENE, {}, results="s3://localproc-nowhere/results")
    assert engine.jobs() == []


def test_a_key_that_may_not_write_is_told_before_anything_is_run(
    open_engine: OpenEngine, server: Server, bucket: str
) -> None:
    wrong = {**server.options, "secret": "not-the-secret"}
    engine = open_engine(storage_options={"s3": wrong})
    with pytest.raises(StagingError, match=f"s3://{bucket}") as error:
        engine.run(SCENE, {})
    assert "not-the-secret" not in str(error.value)
    assert engine.jobs() == []


def test_inputs_come_from_a_bucket(engine: Engine, server: Server, bucket: str) -> None:
    client = server.client()
    for name in ("in/a ü+%41#?.txt", "in/deep/b.txt", "in/big.bin"):
        body = bytes(20 << 20) if name.endswith("bin") else name.encode()
        client.put_object(Bucket=bucket, Key=name, Body=body)
    inputs = {
        "file": {"class": "File", "location": f"s3://{bucket}/in/a%20%C3%BC%2B%2541%23%3F.txt"},
        "folder": {"class": "Directory", "location": f"s3://{bucket}/in"},
    }
    job = engine.run(READS, inputs).raise_for_status()
    said = job.published.read(job.result("said")).decode()
    assert said == "in/a ü+%41#?.txt./a ü+%41#?.txt\n./big.bin\n./deep/b.txt\n"


def test_an_item_in_a_bucket_is_staged_with_its_assets(
    engine: Engine, server: Server, bucket: str
) -> None:
    first = engine.run(SCENE, {}).raise_for_status()
    item = f"s3://{bucket}/results/{first.id}/{first.id}/N/N.json"
    note = first.result("note")
    inputs = {
        "file": {"class": "File", "location": note},
        "folder": {"class": "Directory", "location": item},
    }
    job = engine.run(READS, inputs).raise_for_status()
    said = job.published.read(job.result("said")).decode()
    assert said == "a note./N/N.json\n./N/a_b.bin\n./catalog.json\n"


def test_no_part_of_a_key_is_shown_or_kept(
    open_engine: OpenEngine, server: Server, bucket: str, tmp_path: Path, caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    engine = open_engine()
    job = engine.run(SCENE, {}).raise_for_status()
    failed = engine.run(
        READS,
        {
            "file": {"class": "File", "location": f"s3://{bucket}/nothing"},
            "folder": {"class": "Directory", "location": f"s3://{bucket}/nothing"},
        },
    )
    assert failed.status == "failed"
    said = [
        str(failed.problem),
        repr(engine),
        repr(job.published),
        json.dumps(job.results_document()),
        json.dumps(job.provenance()),
        str([event for one in (job, failed) for event in one.events()]),
        caplog.text,
    ]
    with closing(localproc_s3.open_s3(server.options)) as storage:
        said += [repr(storage), repr(vars(storage)), str(storage.describe(f"s3://{bucket}/a"))]
        for one in (storage, *vars(storage).values()):
            with pytest.raises((TypeError, AttributeError)):
                pickle.dumps(one)
    engine.close()
    files = [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert files
    assert not any(server.secret in text or server.key in text for text in said)
    assert not any(server.secret.encode() in data for data in files)


def test_what_a_network_client_may_name_is_bounded(
    engine: Engine, server: Server, bucket: str
) -> None:
    server.client().put_object(Bucket=bucket, Key="open/a.txt", Body=b"open")
    server.client().put_object(Bucket=bucket, Key="secret.txt", Body=b"secret")
    policy = InputPolicy(roots=(), guarded=True, prefixes=(f"s3://{bucket}/open",))

    def run(name: str) -> localproc.Job:
        inputs = {
            "file": {"class": "File", "location": f"s3://{name}"},
            "folder": {"class": "Directory", "location": f"s3://{bucket}/open"},
        }
        process = engine.deploy(READS, replace=True)
        return process.execute(inputs, policy=policy).wait()

    assert run(f"{bucket}/open/a.txt").status == "successful"
    for name in (f"{bucket}/secret.txt", f"{bucket}/open/../secret.txt", "other/open/a.txt"):
        with pytest.raises(InvalidInputs, match="may not be read"):
            run(name)


def test_a_user_in_an_address_is_refused(engine: Engine, bucket: str) -> None:
    inputs = {
        "file": {"class": "File", "location": f"s3://me:hush@{bucket}/a.txt"},
        "folder": {"class": "Directory", "location": f"s3://{bucket}/a"},
    }
    for refused in (
        lambda: engine.run(READS, inputs),
        lambda: engine.run(SCENE, {}, results=f"s3://me:hush@{bucket}/results"),
    ):
        with pytest.raises(InvalidInputs, match="user or a password") as error:
            refused()
        assert "hush" not in str(error.value)
    assert engine.jobs() == []


@pytest.mark.parametrize("client", ["s3fs", "obstore"])
def test_dismissed_while_publishing_leaves_nothing(
    open_engine: OpenEngine, server: Server, bucket: str, client: str
) -> None:
    engine = open_engine(storage_options={"s3": {**server.options, "client": client}})
    job = engine.deploy(SCENE).execute({"size": 200 << 20})
    until(lambda: job.status.final or uploads(server, bucket))
    job.dismiss()
    assert job.status == "dismissed"
    until(lambda: not uploads(server, bucket) and not keys(server, bucket))
