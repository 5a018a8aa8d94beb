"""The contract of storages.

Inherit from ``StorageContract`` and give it a ``storage`` and a ``root``; every test then runs
against your storage. Owns what staging relies on. Must not know any storage.
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localproc.errors import NoSuchObject, ObjectExists, StagingError
from localproc.plugins.storage import Put, Storage, object_key, object_uri
from localproc.testing.storage_transfers import TransferContract

NAMES = (
    "plain.txt",
    "a/b c/é+ü.txt",
    "hash#1.txt",
    "50%.txt",
    "50%25.txt",
    "q?.txt",
    "a;b=c,d&e.txt",
    "B04:10m.tif",
    "日本.txt",
    "e\u0301.txt",
    "~tilde'(x)!*$@.txt",
    " space at both ends ",
    ".hidden",
    "n" * 200,
)


class StorageContract(TransferContract):
    """What every storage that can be written to does."""

    @pytest.fixture
    def storage(self) -> Storage:
        """Return the storage."""
        raise NotImplementedError("give your storage")

    @pytest.fixture
    def root(self) -> str:
        """Return the URI of an empty folder, without a slash at its end."""
        raise NotImplementedError("give the URI of an empty folder")

    def uri(self, root: str, name: str) -> str:
        """Return the URI of an object; names are quoted in URIs."""
        return object_uri(root, name)

    @pytest.mark.parametrize("name", NAMES)
    def test_what_was_put_is_fetched(
        self, storage: Storage, root: str, tmp_path: Path, name: str
    ) -> None:
        uri = self.uri(root, name)
        storage.put(Put(self.file(tmp_path), uri))
        storage.fetch(uri, str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"some bytes"
        info = storage.info(uri)
        assert info is not None
        assert info.size == 10

    @pytest.mark.parametrize("name", NAMES)
    def test_an_object_is_listed_by_the_uri_that_it_was_put_at(
        self, storage: Storage, root: str, name: str
    ) -> None:
        uri = self.uri(root, f"named/{name}")
        storage.put(Put(b"some bytes", uri))
        assert [info.uri for info in storage.list(f"{root}/named/")] == [uri]
        assert object_key(uri) == f"{object_key(root)}/named/{name}".lstrip("/")

    @pytest.mark.parametrize("other", ["a%20b%c3%a9.txt", "%61%20b%C3%A9.txt", "a bé.txt"])
    def test_an_object_has_one_name_however_it_is_quoted(
        self, storage: Storage, root: str, tmp_path: Path, other: str
    ) -> None:
        storage.put(Put(b"some bytes", f"{root}/a%20b%C3%A9.txt"))
        storage.fetch(f"{root}/{other}", str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"some bytes"
        storage.put(Put(b"others", f"{root}/{other}"))
        assert len(list(storage.list(f"{root}/"))) == 1
        storage.delete([f"{root}/{other}"])
        assert storage.info(f"{root}/a%20b%C3%A9.txt") is None

    @pytest.mark.parametrize("data", [b"", b"\x00\xff bytes"])
    def test_bytes_are_put_as_they_are(
        self, storage: Storage, root: str, tmp_path: Path, data: bytes
    ) -> None:
        info = storage.put(Put(data, f"{root}/bytes.bin", media_type="application/json"))
        assert info.size == len(data)
        storage.fetch(f"{root}/bytes.bin", str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == data

    @pytest.mark.parametrize("size", [0, 10, 6_000_000])
    def test_a_checksum_that_is_told_of_what_was_put_is_that_of_its_bytes(
        self, storage: Storage, root: str, tmp_path: Path, size: int
    ) -> None:
        data = b"x" * size
        put = storage.put(Put(self.file(tmp_path, data), f"{root}/put.bin"))
        assert put.size == size
        assert put.sha256 in ("", hashlib.sha256(data).hexdigest())

    @pytest.mark.parametrize("size", [0, 10, 6_000_000])
    def test_what_has_the_checksum_that_is_expected_is_put(
        self, storage: Storage, root: str, tmp_path: Path, size: int
    ) -> None:
        expected = hashlib.sha256(b"x" * size).hexdigest()
        for name, source in (("file", self.file(tmp_path, b"x" * size)), ("bytes", b"x" * size)):
            info = storage.put(Put(source, f"{root}/{name}", sha256=expected))
            assert (info.size, info.sha256) == (size, expected)
            storage.fetch(f"{root}/{name}", str(tmp_path / "fetched"))
            assert (tmp_path / "fetched").read_bytes() == b"x" * size

    @pytest.mark.parametrize("disposable", [False, True])
    @pytest.mark.parametrize("size", [0, 10, 6_000_000])
    def test_what_has_another_checksum_than_expected_is_put_nowhere(
        self, storage: Storage, root: str, tmp_path: Path, size: int, disposable: bool
    ) -> None:
        storage.put(Put(b"what was there", f"{root}/kept.bin"))
        other = hashlib.sha256(b"x" * size + b"others").hexdigest()
        path = self.file(tmp_path, b"x" * size)
        for name, source in (("kept", path), ("new", path), ("bytes", b"x" * size)):
            what = Put(source, f"{root}/{name}.bin", sha256=other, disposable=disposable)
            with pytest.raises(StagingError, match=name):
                storage.put(what)
        assert [info.uri for info in storage.list(f"{root}/")] == [f"{root}/kept.bin"]
        storage.fetch(f"{root}/kept.bin", str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"what was there"
        storage.delete([f"{root}/kept.bin"])
        assert self.leftovers(root) == []

    def test_a_checksum_that_is_told_is_that_of_the_contents(
        self, storage: Storage, root: str
    ) -> None:
        storage.put(Put(b"some bytes", f"{root}/told.bin"))
        for info in (storage.info(f"{root}/told.bin"), *storage.list(f"{root}/told.bin")):
            assert info is not None
            assert info.sha256 in ("", hashlib.sha256(b"some bytes").hexdigest())

    @pytest.mark.parametrize("disposable", [False, True])
    def test_what_is_there_can_be_left_alone(
        self, storage: Storage, root: str, tmp_path: Path, disposable: bool
    ) -> None:
        uri = f"{root}/once.txt"
        storage.put(Put(b"first", uri, if_absent=True))
        path = self.file(tmp_path, b"second")
        with pytest.raises(ObjectExists, match="once"):
            storage.put(Put(path, uri, if_absent=True, disposable=disposable))
        storage.fetch(uri, str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"first"

    def test_of_many_that_put_what_is_absent_one_does(self, storage: Storage, root: str) -> None:
        def put(number: int) -> bool:
            try:
                storage.put(Put(b"%d" % number, f"{root}/lock", if_absent=True))
            except ObjectExists:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(put, range(16))) == 1

    def test_of_many_that_put_one_object_one_is_there_whole(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        contents = [bytes([number]) * 100_000 for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda data: storage.put(Put(data, f"{root}/same.bin")), contents))
        storage.fetch(f"{root}/same.bin", str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() in contents
        assert len(list(storage.list(f"{root}/"))) == 1

    def test_nothing_is_there_before_it_was_put(self, storage: Storage, root: str) -> None:
        assert storage.info(f"{root}/nothing") is None

    def test_fetching_nothing_names_it(self, storage: Storage, root: str, tmp_path: Path) -> None:
        with pytest.raises(NoSuchObject, match="nothing"):
            storage.fetch(f"{root}/nothing", str(tmp_path / "fetched"))

    @pytest.mark.parametrize("disposable", [False, True])
    def test_putting_again_replaces(
        self, storage: Storage, root: str, tmp_path: Path, disposable: bool
    ) -> None:
        uri = f"{root}/again.txt"
        for data in (b"first", b"second, and longer"):
            path = tmp_path / f"{len(data)}.bin"
            path.write_bytes(data)
            storage.put(Put(str(path), uri, disposable=disposable))
        storage.fetch(uri, str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"second, and longer"

    def test_a_copy_does_not_change_with_its_source(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        path = self.file(tmp_path)
        storage.put(Put(path, f"{root}/copy.txt"))
        Path(path).write_bytes(b"changed")
        storage.fetch(f"{root}/copy.txt", str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"some bytes"

    def test_sweeping_takes_nothing_that_is_whole(self, storage: Storage, root: str) -> None:
        for name in (".hidden", "a.part", ".a.0123abcd.part.txt"):
            storage.put(Put(b"whole", self.uri(root, f"job/{name}")))
        storage.sweep(f"{root}/job/")
        assert len(list(storage.list(f"{root}/job/"))) == 3
        storage.sweep(f"{root}/nothing/")

    def test_what_was_cut_short_is_swept(self, storage: Storage, root: str, tmp_path: Path) -> None:
        self.cut_short(storage, f"{root}/job/half.bin", tmp_path)
        assert list(storage.list(f"{root}/job/")) == []
        storage.sweep(f"{root}/job/")
        assert self.leftovers(root) == []

    def cut_short(self, storage: Storage, uri: str, tmp_path: Path) -> None:
        """Begin to put something as if killed in the middle; override where that leaves traces."""

    def leftovers(self, root: str) -> list[str]:
        """Name what such puts have left; override it with ``cut_short``."""
        return []

    def test_several_threads_may_use_it_at_once(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        def round_trip(number: int) -> bytes:
            source, back = tmp_path / f"{number}.bin", tmp_path / f"{number}.back"
            source.write_bytes(b"%d" % number)
            storage.put(Put(str(source), f"{root}/many/{number}.bin"))
            storage.fetch(f"{root}/many/{number}.bin", str(back))
            return back.read_bytes()

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(round_trip, range(32)))
        assert found == [b"%d" % number for number in range(32)]
        assert len(list(storage.list(f"{root}/many/"))) == 32

    def test_a_place_is_looked_at_and_nothing_is_left_there(
        self, storage: Storage, root: str
    ) -> None:
        storage.check(f"{root}/later/")
        assert list(storage.list(f"{root}/")) == []
        assert self.leftovers(root) == []

    def test_it_can_be_closed(self, storage: Storage) -> None:
        storage.close()

    def test_a_prefix_lists_what_is_below_it(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        for name in ("job/a.txt", "job/deep/b.txt", "other/c.txt"):
            storage.put(Put(self.file(tmp_path), f"{root}/{name}"))
        found = sorted(info.uri for info in storage.list(f"{root}/job/"))
        assert found == [f"{root}/job/a.txt", f"{root}/job/deep/b.txt"]

    def test_deleting_what_is_there_and_what_is_not(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(Put(self.file(tmp_path), f"{root}/gone.txt"))
        storage.delete([f"{root}/gone.txt", f"{root}/never.txt"])
        assert storage.info(f"{root}/gone.txt") is None

    def test_putting_what_does_not_exist_leaves_nothing(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        with pytest.raises(StagingError):
            storage.put(Put(str(tmp_path / "missing"), f"{root}/missing.txt"))
        assert storage.info(f"{root}/missing.txt") is None

    def test_an_etag_changes_with_the_contents(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        etags = set()
        for data in (b"one", b"three"):
            storage.put(Put(self.file(tmp_path, data), f"{root}/tagged.txt"))
            info = storage.info(f"{root}/tagged.txt")
            assert info is not None
            etags.add(info.etag)
        assert len(etags) == 2

    def test_presigning_gives_a_url_or_nothing(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(Put(self.file(tmp_path), f"{root}/signed.txt"))
        url = storage.presign(f"{root}/signed.txt", 60)
        assert url is None or url.startswith(("http://", "https://"))

    def test_what_an_item_says_of_an_asset_is_json(self, storage: Storage, root: str) -> None:
        said = storage.describe(f"{root}/asset.tif")
        assert json.dumps([dict(said.asset), dict(said.properties)])
        assert all(one.startswith("https://") for one in said.extensions)
