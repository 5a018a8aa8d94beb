"""How storages are opened."""

from collections.abc import Iterable
from typing import Any

import pytest

from localproc.errors import EnvironmentProblem
from localproc.plugins.storage import Info, StoragePlugin
from localproc.storage.open_storages import Storages
from tests.storage.recorder import Recorder


class OfVersion01:
    """The verbs that storages had in localproc 0.1."""

    def info(self, uri: str) -> None: ...
    def fetch(self, uri: str, path: str, *, most: Any = None, watch: Any = None) -> None: ...
    def put(
        self, path: str, uri: str, *, media_type: str = "", disposable: bool = False
    ) -> None: ...
    def list(self, prefix: str) -> None: ...
    def delete(self, uris: Iterable[str]) -> None: ...
    def presign(self, uri: str, seconds: int) -> None: ...
    def describe(self, uri: str) -> None: ...
    def close(self) -> None: ...


class WithoutPut(Recorder):
    """A storage whose ``put`` is given the parts of a ``Put``."""

    def put(self, source: str, uri: str, sha256: str, watch: Any = None) -> None: ...  # type: ignore[override]


class TakingAnything(Recorder):
    """A storage that hands all on to another one."""

    def put(self, *given: Any, **named: Any) -> Info:
        return super().put(*given, **named)


def storages(opened: object) -> Storages:
    plugin = StoragePlugin("mem", lambda _: opened)  # type: ignore[arg-type, return-value]
    return Storages(lambda _: plugin, {}, {})


@pytest.mark.parametrize(
    ("opened", "lacking"),
    [
        (OfVersion01(), "fetch(resume=...), put(watch=...), sweep(), check()"),
        (WithoutPut(), "put(what)"),
    ],
)
def test_a_storage_of_an_older_version_is_told_what_it_lacks(opened: object, lacking: str) -> None:
    with pytest.raises(EnvironmentProblem) as raised:
        storages(opened).open("mem://bucket/a.tif")
    assert raised.value.message.endswith(f"protocol of storages: it has no {lacking}")
    assert "plugins/README.md" in raised.value.hint


@pytest.mark.parametrize("opened", [Recorder(), TakingAnything()])
def test_one_that_keeps_the_protocol_is_opened_once(opened: object) -> None:
    opening = storages(opened)
    assert opening.open("mem://bucket/a.tif") is opened
    assert opening.open("mem://other/b.tif") is opened
