"""Folders of this machine keep the contract of storages."""

from pathlib import Path

import pytest

from localproc.plugins.storage import Storage
from localproc.storage.filesystem import FilesystemStorage
from localproc.testing.storages import StorageContract
from localproc.uris import path_uri


class TestFilesystemStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return FilesystemStorage()

    @pytest.fixture
    def root(self, tmp_path: Path) -> str:
        folder = tmp_path / "results with space"
        folder.mkdir()
        return path_uri(str(folder))
