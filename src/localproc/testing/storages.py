"""The contract of storages.

Inherit from ``StorageContract`` and give it a ``storage`` and a ``root``; every test then runs
against your storage. Owns what staging relies on. Must not know any storage.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localproc.errors import StagingError
from localproc.plugins.storage import Storage

NAMES = ("plain.txt", "a/b c/é+ü.txt", "hash#1.txt", "50%.txt", "q?.txt")


class _Enough(Exception):
    """Whoever watches a transfer wants no more of it."""


class StorageContract:
    """What every storage that can be written to does."""

    @pytest.fixture
    def storage(self) -> Storage:
        """Give the storage."""
        raise NotImplementedError("give your storage")

    @pytest.fixture
    def root(self) -> str:
        """Give the URI of an empty folder, without a slash at its end."""
        raise NotImplementedError("give the URI of an empty folder")

    def file(self, tmp_path: Path, data: bytes = b"some bytes") -> str:
        """Make a file to put."""
        path = tmp_path / "source.bin"
        path.write_bytes(data)
        return str(path)

    def uri(self, root: str, name: str) -> str:
        """Give the URI of an object; names are quoted in URIs."""
        from urllib.parse import quote

        return f"{root}/{quote(name)}"

    @pytest.mark.parametrize("name", NAMES)
    def test_what_was_put_is_fetched(
        self, storage: Storage, root: str, tmp_path: Path, name: str
    ) -> None:
        uri = self.uri(root, name)
        storage.put(self.file(tmp_path), uri)
        storage.fetch(uri, str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"some bytes"
        info = storage.info(uri)
        assert info is not None
        assert info.size == 10

    def test_nothing_is_there_before_it_was_put(self, storage: Storage, root: str) -> None:
        assert storage.info(f"{root}/nothing") is None

    def test_fetching_nothing_names_it(self, storage: Storage, root: str, tmp_path: Path) -> None:
        with pytest.raises(StagingError, match="nothing"):
            storage.fetch(f"{root}/nothing", str(tmp_path / "fetched"))

    @pytest.mark.parametrize("disposable", [False, True])
    def test_putting_again_replaces(
        self, storage: Storage, root: str, tmp_path: Path, disposable: bool
    ) -> None:
        uri = f"{root}/again.txt"
        for data in (b"first", b"second, and longer"):
            path = tmp_path / f"{len(data)}.bin"
            path.write_bytes(data)
            storage.put(str(path), uri, disposable=disposable)
        storage.fetch(uri, str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"second, and longer"

    def test_a_copy_does_not_change_with_its_source(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        path = self.file(tmp_path)
        storage.put(path, f"{root}/copy.txt")
        Path(path).write_bytes(b"changed")
        storage.fetch(f"{root}/copy.txt", str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"some bytes"

    def test_more_bytes_than_allowed_are_refused(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(self.file(tmp_path, bytes(2000)), f"{root}/big.bin")
        with pytest.raises(StagingError):
            storage.fetch(f"{root}/big.bin", str(tmp_path / "fetched"), most=1000)

    def test_whoever_watches_can_end_a_transfer(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(self.file(tmp_path), f"{root}/long.bin")

        def stop(_: int) -> None:
            raise _Enough

        with pytest.raises(_Enough):
            storage.fetch(f"{root}/long.bin", str(tmp_path / "fetched"), watch=stop)

    def test_several_threads_may_use_it_at_once(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        def round_trip(number: int) -> bytes:
            source, back = tmp_path / f"{number}.bin", tmp_path / f"{number}.back"
            source.write_bytes(b"%d" % number)
            storage.put(str(source), f"{root}/many/{number}.bin")
            storage.fetch(f"{root}/many/{number}.bin", str(back))
            return back.read_bytes()

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(round_trip, range(32)))
        assert found == [b"%d" % number for number in range(32)]
        assert len(list(storage.list(f"{root}/many/"))) == 32

    def test_it_can_be_closed(self, storage: Storage) -> None:
        storage.close()

    def test_a_prefix_lists_what_is_below_it(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        for name in ("job/a.txt", "job/deep/b.txt", "other/c.txt"):
            storage.put(self.file(tmp_path), f"{root}/{name}")
        found = sorted(info.uri for info in storage.list(f"{root}/job/"))
        assert found == [f"{root}/job/a.txt", f"{root}/job/deep/b.txt"]

    def test_deleting_what_is_there_and_what_is_not(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(self.file(tmp_path), f"{root}/gone.txt")
        storage.delete([f"{root}/gone.txt", f"{root}/never.txt"])
        assert storage.info(f"{root}/gone.txt") is None

    def test_putting_what_does_not_exist_leaves_nothing(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        with pytest.raises(StagingError):
            storage.put(str(tmp_path / "missing"), f"{root}/missing.txt")
        assert storage.info(f"{root}/missing.txt") is None

    def test_an_etag_changes_with_the_contents(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        etags = set()
        for data in (b"one", b"three"):
            storage.put(self.file(tmp_path, data), f"{root}/tagged.txt")
            info = storage.info(f"{root}/tagged.txt")
            assert info is not None
            etags.add(info.etag)
        assert len(etags) == 2

    def test_presigning_gives_a_url_or_nothing(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(self.file(tmp_path), f"{root}/signed.txt")
        url = storage.presign(f"{root}/signed.txt", 60)
        assert url is None or url.startswith(("http://", "https://"))
