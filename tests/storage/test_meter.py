"""Bytes of transfers are added up, and told now and then."""

from localproc.storage.meter import Meter


class Watched:
    """A meter on a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[int, int | None]] = []
        self.meter = Meter(lambda done, total: self.told.append((done, total)), lambda: self.now)

    def count(self, at: float, key: str, done: int) -> None:
        self.now = at
        self.meter.count(key, done)


def test_transfers_are_added_up() -> None:
    watched = Watched()
    for key in "ab":
        watched.meter.expect(key, 100)
    watched.count(2, "a", 30)
    watched.count(4, "b", 50)
    watched.count(6, "a", 60)
    assert watched.told == [(30, 200), (80, 200), (110, 200)]


def test_what_was_not_expected_makes_the_whole_unknown() -> None:
    watched = Watched()
    watched.meter.expect("a", 100)
    watched.count(2, "a", 30)
    watched.count(4, "surprise", 1)
    assert watched.told == [(30, 100), (31, None)]


def test_what_takes_no_time_is_not_told() -> None:
    watched = Watched()
    watched.count(0.9, "a", 100)
    assert watched.told == []


def test_it_is_told_less_often_the_longer_it_takes() -> None:
    watched = Watched()
    for tenth in range(36_000):
        watched.count(tenth / 10, "a", tenth)
    assert 50 < len(watched.told) < 200
