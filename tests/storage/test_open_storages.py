"""Opening storages: what is told of a plugin that was written for another version."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from localproc.errors import EnvironmentProblem
from localproc.plugins.storage import Info, StoragePlugin
from localproc.storage.open_storages import Storages


class OfVersion01:
    """A storage as a plugin for localproc 0.1 has written it."""

    def info(self, uri: str) -> Info | None: ...
    def fetch(self, uri: str, path: str, *, most: int | None = None) -> Info: ...  # type: ignore[empty-body]
    def put(self, path: str, uri: str, *, media_type: str = "") -> Info: ...  # type: ignore[empty-body]
    def list(self, prefix: str) -> Iterator[Info]: ...  # type: ignore[empty-body]
    def delete(self, uris: Iterable[str]) -> None: ...
    def presign(self, uri: str, seconds: int) -> str | None: ...
    def describe(self, uri: str) -> Mapping[str, Any]: ...  # type: ignore[empty-body]


def test_a_storage_of_an_older_version_is_told_what_it_lacks() -> None:
    plugin = StoragePlugin("old", lambda _: OfVersion01())  # type: ignore[arg-type, return-value]
    storages = Storages(lambda _: plugin, {}, {})
    with pytest.raises(EnvironmentProblem) as raised:
        storages.open("old://a/b")
    said = raised.value.message
    assert "fetch(watch=...), fetch(resume=...), sweep(), check(), close()" in said
    assert "plugins/README.md" in raised.value.hint
    storages.close()
