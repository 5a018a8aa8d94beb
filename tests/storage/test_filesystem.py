"""Folders of this machine keep the contract of storages."""

from pathlib import Path

import pytest

from localproc.errors import NoSpace, StagingError
from localproc.plugins.storage import Put, Storage
from localproc.storage.filesystem import FilesystemStorage
from localproc.testing.storages import StorageContract
from localproc.uris import path_uri, uri_path


class TestFilesystemStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return FilesystemStorage()

    @pytest.fixture
    def root(self, tmp_path: Path) -> str:
        folder = tmp_path / "results with space"
        folder.mkdir()
        return path_uri(str(folder))

    def cut_short(self, storage: Storage, uri: str, tmp_path: Path) -> None:
        path = Path(uri_path(uri))
        path.parent.mkdir(parents=True)
        path.with_name(f".{path.name}.0123abcd.part").write_bytes(b"half")

    def leftovers(self, root: str) -> list[str]:
        return [str(path) for path in Path(uri_path(root)).rglob("*") if path.is_file()]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    storage = FilesystemStorage()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StagingError, match="Too many levels of symbolic links"):
        storage.info(path_uri(str(tmp_path / "loop")))


def test_a_disk_without_room_is_the_one_that_is_written_to(
    tmp_path: Path, small_disk: Path
) -> None:
    storage = FilesystemStorage()
    (tmp_path / "large").write_bytes(bytes(4 << 20))
    with pytest.raises(OSError, match="No space left"):
        storage.fetch(path_uri(str(tmp_path / "large")), str(small_disk / "copy"))
    with pytest.raises(NoSpace, match=f"no space left for {small_disk}/there"):
        storage.put(Put(str(tmp_path / "large"), path_uri(str(small_disk / "there"))))
    with pytest.raises(StagingError, match=f"{tmp_path}/gone: No such file"):
        storage.put(Put(str(tmp_path / "gone"), path_uri(str(tmp_path / "there"))))
