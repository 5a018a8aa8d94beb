"""The contract of storages, on a real server, for each of the clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from s3_fixtures import OpenS3, bucket, open_s3, server
from s3_road import Road, road_to
from s3_server import Server, uploads

from localproc.plugins.storage import Storage, object_key
from localproc.testing.storages import StorageContract

__all__ = ["bucket", "open_s3", "server"]


class TestS3fs(StorageContract):
    client = "s3fs"
    server: Server
    bucket: str
    road: Road

    @pytest.fixture
    def storage(self, open_s3: OpenS3, server: Server) -> Iterator[Storage]:
        self.server = server
        with road_to(server) as self.road:
            yield open_s3(client=self.client, endpoint=self.road.server.endpoint, slowest=1 << 20)

    @pytest.fixture
    def root(self, bucket: str) -> str:
        self.bucket = bucket
        return f"s3://{bucket}/a folder".replace(" ", "%20")

    def cut_short(self, storage: Storage, uri: str, tmp_path: Path) -> None:
        client = self.server.client()
        begun = client.create_multipart_upload(Bucket=self.bucket, Key=object_key(uri))
        place = {"Bucket": self.bucket, "Key": object_key(uri), "UploadId": begun["UploadId"]}
        client.upload_part(**place, PartNumber=1, Body=bytes(5 << 20))
        assert len(uploads(self.server, self.bucket)) == 1

    def leftovers(self, root: str) -> list[str]:
        return [one["Key"] for one in uploads(self.server, self.bucket)]

    @contextmanager
    def stalled(self) -> Iterator[bool]:
        with pytest.MonkeyPatch.context() as soon:
            soon.setattr("localproc_s3.pacing._ANSWERING", 0.2)
            soon.setattr("localproc.storage.pace.SPAN", 0.2)
            self.road.fault = lambda *_: "silent"
            yield True
            self.road.fault = lambda *_: ""


class TestObstore(TestS3fs):
    client = "obstore"

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have obstore give up soon: that is said once, when a bucket is first asked."""
        monkeypatch.setattr("localproc_s3.obstore_transfers._WHOLE", "1s")
