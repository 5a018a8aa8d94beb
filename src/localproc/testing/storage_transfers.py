"""The contract of storages: transfers that are watched, bounded, gone on with and given up.

Owns what whoever waits for bytes relies on. Must not know any storage.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localproc.errors import StagingError, StorageUnavailable
from localproc.plugins.storage import Put, Storage


class _Enough(Exception):
    """Whoever watches a transfer wants no more of it."""


class TransferContract:
    """What every storage does with transfers that do not simply come to their end."""

    def file(self, tmp_path: Path, data: bytes = b"some bytes") -> str:
        """Make a file to put."""
        path = tmp_path / "source.bin"
        path.write_bytes(data)
        return str(path)

    def test_more_bytes_than_allowed_are_refused(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(Put(self.file(tmp_path, bytes(2000)), f"{root}/big.bin"))
        with pytest.raises(StagingError):
            storage.fetch(f"{root}/big.bin", str(tmp_path / "fetched"), most=1000)

    def test_whoever_watches_can_end_a_transfer(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(Put(self.file(tmp_path), f"{root}/long.bin"))

        def stop(_: int) -> None:
            raise _Enough

        with pytest.raises(_Enough):
            storage.fetch(f"{root}/long.bin", str(tmp_path / "fetched"), watch=stop)

    def test_whoever_watches_a_put_can_end_it_and_nothing_is_there(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        def stop(_: int) -> None:
            raise _Enough

        with pytest.raises(_Enough):
            storage.put(Put(self.file(tmp_path), f"{root}/ended.bin"), watch=stop)
        assert storage.info(f"{root}/ended.bin") is None

    def test_progress_is_told_in_bytes(self, storage: Storage, root: str, tmp_path: Path) -> None:
        data, sent, come = bytes(300_000), [0], [0]
        storage.put(Put(self.file(tmp_path, data), f"{root}/told.bin"), watch=sent.append)
        storage.fetch(f"{root}/told.bin", str(tmp_path / "fetched"), watch=come.append)
        for told in (sent, come):
            assert told == sorted(told)
            assert told[-1] == len(data)

    def test_what_cannot_be_gone_on_with_is_begun_anew(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        storage.put(Put(b"some bytes", f"{root}/resumed.bin"))
        (tmp_path / "fetched").write_bytes(b"other")
        storage.fetch(f"{root}/resumed.bin", str(tmp_path / "fetched"), resume='"another etag"')
        assert (tmp_path / "fetched").read_bytes() == b"some bytes"

    def test_what_does_not_answer_is_given_up_for_now(
        self, storage: Storage, root: str, tmp_path: Path
    ) -> None:
        """The engine tries again what passes, and waits for nobody without end."""
        uri = f"{root}/there.txt"
        storage.put(Put(b"some bytes", uri))
        verbs: tuple[Callable[[], object], ...] = (
            lambda: storage.info(uri),
            lambda: storage.fetch(uri, str(tmp_path / "none")),
            lambda: list(storage.list(f"{root}/")),
            lambda: storage.put(Put(self.file(tmp_path), f"{root}/new.txt")),
            lambda: storage.delete([uri]),
            lambda: storage.check(f"{root}/"),
        )
        for verb in verbs:
            with self.stalled() as is_stalled:
                if is_stalled:
                    with pytest.raises(StorageUnavailable):
                        verb()
        other = f"{root}/other.txt"  # what was given up may still come to its end
        storage.put(Put(b"others", other))
        storage.fetch(other, str(tmp_path / "fetched"))
        assert (tmp_path / "fetched").read_bytes() == b"others"

    @contextmanager
    def stalled(self) -> Iterator[bool]:
        """Have nothing answered meanwhile, and the storage wait but a moment for that.

        Override it, and give true, where what is asked may be silent.
        """
        yield False
