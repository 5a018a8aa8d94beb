"""Which keys, servers and terms a storage asks with. Moto answers: it takes any signature."""

import json
import os
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import localproc_s3
import pytest
import trustme
from moto.server import ThreadedMotoServer
from s3_road import Road, once, road_to
from s3_server import Server

from localproc.errors import EnvironmentProblem, StagingError, StorageUnavailable
from localproc.plugins.storage import Put, Storage

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

VARIABLES = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL")


@pytest.fixture
def road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    """Give a way to a server with the bucket ``there``, for who has no key anywhere."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    server = Server(f"http://{host}:{port}", "AKIDOFTESTS", "hush-hush")
    client = server.client()
    client.create_bucket(Bucket="there")
    client.put_object(Bucket="there", Key="a.txt", Body=b"some bytes", ACL="public-read")
    with road_to(server) as found:
        yield found
    client.close()
    moto.stop()


def fetched(storage: Storage, tmp_path: Path) -> bytes:
    storage.fetch("s3://there/a.txt", str(tmp_path / "back"))
    storage.close()
    return (tmp_path / "back").read_bytes()


def test_a_bucket_that_is_open_to_everybody_is_asked_without_a_key(
    road: Road, tmp_path: Path
) -> None:
    options = {"endpoint": road.server.endpoint, "anonymous": True}
    for client in ("s3fs", "obstore"):
        storage = localproc_s3.open_s3({**options, "client": client})
        assert fetched(storage, tmp_path) == b"some bytes"
    assert not any("authorization" in headers for headers in road.headers)


def test_who_reads_pays_if_told_to(road: Road, tmp_path: Path) -> None:
    storage = localproc_s3.open_s3({**road.server.options, "requester_pays": True})
    assert fetched(storage, tmp_path) == b"some bytes"
    assert [one["x-amz-request-payer"] for one in road.headers] == ["requester"]


def test_who_sends_parts_to_a_bucket_that_others_pay_for_pays_as_well(
    road: Road, tmp_path: Path
) -> None:
    storage = localproc_s3.open_s3({**road.server.options, "requester_pays": True})
    (tmp_path / "large").write_bytes(bytes(30 << 20))
    storage.check("s3://there/results")
    storage.put(Put(str(tmp_path / "large"), "s3://there/results/large"))
    assert storage.info("s3://there/results/large") is not None
    storage.sweep("s3://there/results")
    storage.delete([one.uri for one in storage.list("s3://there/results/")])
    storage.close()
    paid = [one.get("x-amz-request-payer") for one in road.headers]
    known = {*zip((method for method, _ in road.asked), paid, strict=True)}
    # S3 knows no payer of a look at a bucket.
    assert road.asked[0] == ("HEAD", "/there")
    assert paid[1:] == ["requester"] * (len(paid) - 1), (known, road.asked)
    assert {method for method, _ in known} == {"HEAD", "GET", "POST", "PUT", "DELETE"}


def test_a_profile_has_its_key_and_its_server(road: Road, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "[eo]\naws_access_key_id = AKIDOFEO\naws_secret_access_key = hush-hush\n"
    )
    (tmp_path / "config").write_text(
        f"[profile eo]\nregion = eu-central-1\nendpoint_url = {road.server.endpoint}\n"
    )
    for client in ("s3fs", "obstore"):
        storage = localproc_s3.open_s3({"profile": "eo", "client": client})
        described = storage.describe("s3://there/a.txt").asset
        assert described["storage:region"] == "eu-central-1"
        assert described["storage:endpoint"] == road.server.endpoint
        assert fetched(storage, tmp_path) == b"some bytes"
    assert all("AKIDOFEO" in headers["authorization"] for headers in road.headers)


def test_who_has_no_key_is_told_where_to_give_one(road: Road, tmp_path: Path) -> None:
    storage = localproc_s3.open_s3({"endpoint": road.server.endpoint, "region": "us-east-1"})
    with pytest.raises(StagingError, match="there is no key") as error:
        fetched(storage, tmp_path)
    assert "anonymous" in error.value.hint
    storage.close()


def test_what_a_helper_says_that_has_no_key_is_not_told(
    road: Road, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "config").write_text(
        f"[profile mine]\nendpoint_url = {road.server.endpoint}\nregion = us-east-1\n"
        "credential_process = sh -c 'echo hush-hush >&2; exit 3'\n"
    )
    storage = localproc_s3.open_s3({"profile": "mine"})
    with pytest.raises(StagingError, match="no key can be had from custom-process") as error:
        storage.info("s3://there/a.txt")
    storage.close()
    story = "".join(traceback.format_exception(error.value))
    assert "hush-hush" not in story + error.value.hint + caplog.text


def test_a_server_of_which_nobody_vouches_is_not_waited_for(road: Road, tmp_path: Path) -> None:
    """Nor is one that has no TLS: neither will be otherwise in a moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    plain = road.server.endpoint.partition("//")[2]
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for place in (plain, f"127.0.0.1:{server.server_port}"):
            given = {**road.server.options, "endpoint": f"https://{place}"}
            storage = localproc_s3.open_s3(given)
            with pytest.raises(StagingError) as error:
                storage.info("s3://there/a.txt")
            storage.close()
            assert not isinstance(error.value, StorageUnavailable)
            assert "AWS_CA_BUNDLE" in error.value.hint
        server.shutdown()


def test_what_s3_is_told_of_objects_besides(road: Road) -> None:
    for client in ("s3fs", "obstore"):
        upload = {"StorageClass": "STANDARD_IA"}
        storage = localproc_s3.open_s3({**road.server.options, "upload": upload, "client": client})
        storage.put(Put(b"rarely read", f"s3://there/{client}.txt"))
        head = road.server.client().head_object(Bucket="there", Key=f"{client}.txt")
        assert head["StorageClass"] == "STANDARD_IA"
        storage.close()


def test_a_token_that_has_expired_is_asked_for_again(road: Road, tmp_path: Path) -> None:
    storage = localproc_s3.open_s3(road.server.options)
    road.fault = once("expired", lambda method, _: method == "GET")
    with pytest.raises(StorageUnavailable, match="ExpiredToken"):
        storage.fetch("s3://there/a.txt", str(tmp_path / "back"))
    assert fetched(storage, tmp_path) == b"some bytes"


def test_who_may_not_look_for_leftovers_publishes_all_the_same(road: Road) -> None:
    storage = localproc_s3.open_s3(road.server.options)
    road.fault = lambda method, path: "denied" if "uploads" in path and method == "GET" else ""
    storage.sweep("s3://there/job/")
    road.fault = lambda method, path: "denied"
    with pytest.raises(StagingError, match="s3://there"):
        storage.check("s3://there/job/")
    storage.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"secert": "hush-hush"}, "has no option 'secert'"),
        ({"key": "AKID", "endpoint": "x"}, "needs a key and its secret"),
        ({"client": "hush-hush"}, "cannot have this client"),
        ({"anonymous": "hush-hush"}, "cannot have this anonymous"),
        ({"upload": "hush-hush"}, "cannot have this upload"),
        ({"secret": ["hush-hush"]}, "cannot have this secret"),
        ({"endpoint": "http://me:hush-hush@there"}, "cannot have this endpoint"),
        ({"endpoint": "http://there/?token=hush-hush"}, "cannot have this endpoint"),
        ({"endpoint": "hush-hush"}, "cannot have this endpoint"),
        ({"public_endpoint": "http://hush-hush@there"}, "cannot have this public_endpoint"),
    ],
)
def test_options_that_make_no_sense_are_told_without_what_they_are(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(EnvironmentProblem, match=said) as error:
        localproc_s3.open_s3(given)
    assert "hush" not in str(error.value)


def test_a_key_in_the_variable_of_the_endpoint_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://me:hush-hush@127.0.0.1:9")
    storage = localproc_s3.open_s3({"key": "AKID", "secret": "of-nobody", "region": "us-east-1"})
    for asked in (
        lambda: storage.info("s3://there/a.txt"),
        lambda: storage.describe("s3://there/a.txt"),
        lambda: storage.presign("s3://there/a.txt", 60),
    ):
        with pytest.raises(StagingError, match="the endpoint of S3 cannot be used"):
            asked()
    storage.close()


@pytest.mark.parametrize("mark", ["?versionId=hush-hush", "#hush-hush", "\n"])
def test_what_is_not_quoted_is_no_part_of_a_name(road: Road, tmp_path: Path, mark: str) -> None:
    """It would be left out, and so another object be read or written."""
    storage = localproc_s3.open_s3(road.server.options)
    for asked in (
        lambda: storage.fetch(f"s3://there/a.txt{mark}", str(tmp_path / "back")),
        lambda: storage.put(Put(b"x", f"s3://there/a.txt{mark}")),
        lambda: list(storage.list(f"s3://there/a.txt{mark}")),
    ):
        with pytest.raises(StagingError, match="is not quoted") as error:
            asked()
        assert "hush" not in str(error.value)
    assert road.asked == []
    storage.close()


@pytest.mark.parametrize("key", ["%FF.bin", "a" * 1025, "%C3%A9" * 513])
def test_what_cannot_name_an_object_is_told(road: Road, key: str) -> None:
    storage = localproc_s3.open_s3(road.server.options)
    with pytest.raises(StagingError, match="is no name of an object in S3") as error:
        storage.put(Put(b"x", f"s3://there/{key}"))
    assert "give the file another one" in error.value.hint
    storage.close()


def test_nothing_heavy_is_imported_before_a_bucket_is_opened() -> None:
    script = (
        "import sys, json, localproc_s3; list(localproc_s3.localproc_storages());"
        "print(json.dumps(sorted({'s3fs', 'botocore', 'obstore'} & set(sys.modules))))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(localproc_s3.__file__).parents[1])}
    ended = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, env=environment
    )
    assert json.loads(ended.stdout) == []
