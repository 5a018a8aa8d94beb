"""A real S3 server for the tests, and buckets of their own.

``LOCALPROC_TEST_S3`` names the server, with its key: ``http://key:secret@127.0.0.1:8333``. Without
one the tests are skipped, or fail where ``LOCALPROC_TEST_ALL`` is set.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest


@dataclass(frozen=True)
class Server:
    """An S3 server, and who may use it."""

    endpoint: str
    key: str
    secret: str

    @property
    def options(self) -> dict[str, Any]:
        """The options of a storage on it."""
        return {
            "endpoint": self.endpoint,
            "key": self.key,
            "secret": self.secret,
            "region": "us-east-1",
            "addressing": "path",
        }

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which other programs find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self) -> Any:
        """Return another client than ours."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )


def real_server() -> Server:
    """Return the server, without one the test is skipped, or fails."""
    named = urlsplit(os.environ.get("LOCALPROC_TEST_S3", ""))
    if not named.hostname:
        reason = "LOCALPROC_TEST_S3 names no S3 server"
        if os.environ.get("LOCALPROC_TEST_ALL"):
            pytest.fail(f"{reason}, and LOCALPROC_TEST_ALL forbids skipping")
        pytest.skip(reason)
    endpoint = f"{named.scheme}://{named.hostname}:{named.port}"
    return Server(endpoint, named.username or "", named.password or "")


@contextmanager
def bucket_of(server: Server) -> Iterator[str]:
    """Give a bucket that is there for a while."""
    client, name = server.client(), f"localproc-{secrets.token_hex(6)}"
    client.create_bucket(Bucket=name)
    yield name
    for key in keys(server, name):
        client.delete_object(Bucket=name, Key=key)
    for upload in uploads(server, name):
        client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    client.delete_bucket(Bucket=name)
    client.close()


def keys(server: Server, bucket: str, prefix: str = "") -> list[str]:
    """Return the keys of all objects, by another client than ours."""
    pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]


def uploads(server: Server, bucket: str) -> list[Any]:
    """Return the uploads that have not been completed."""
    answer = server.client().list_multipart_uploads(Bucket=bucket)
    return list(answer.get("Uploads", ()))
