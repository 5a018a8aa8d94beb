"""Lists of jobs: a part of the contract of stores.

Owns their order, their pages and their filters. Must not know any store.
"""

from datetime import timedelta

from localproc.model import JobStatus, Trigger
from localproc.model.events import Started
from localproc.plugins.store import Store
from localproc.testing.store_tests import BEGINNING, StoreTests, success


class ListsContract(StoreTests):
    """What every store does when it is asked for jobs."""

    def test_lists_are_newest_first_and_page_by_cursor(self, store: Store) -> None:
        for number in range(7):
            self.add(store, number)
        assert self.ids(store, limit=3) == ["job-6", "job-5", "job-4"]
        assert self.ids(store, limit=3, before="job-4") == ["job-3", "job-2", "job-1"]
        assert self.ids(store, limit=3, before="job-1") == ["job-0"]
        assert self.ids(store, limit=3, after="job-3") == ["job-6", "job-5", "job-4"]
        assert self.ids(store, limit=2, after="job-0") == ["job-2", "job-1"]
        assert self.ids(store, after="job-6") == []

    def test_filters(self, store: Store) -> None:
        self.add(store, 1, Started, success, process="a", tags=("x",))
        self.add(store, 2, Started, process="b", trigger=Trigger.SCHEDULED)
        self.add(store, 3, process="a", run_as="jane")
        assert self.ids(store, processes=("a",)) == ["job-3", "job-1"]
        assert self.ids(store, processes=("a", "b"), statuses=(JobStatus.RUNNING,)) == ["job-2"]
        assert self.ids(store, statuses=(JobStatus.ACCEPTED,)) == ["job-3"]
        assert self.ids(store, tag="x") == ["job-1"]
        assert self.ids(store, piece="b-1") == ["job-1"]
        assert self.ids(store, trigger=Trigger.SCHEDULED) == ["job-2"]
        assert self.ids(store, run_as="jane") == ["job-3"]
        assert self.ids(store, namespace="other") == []

    def test_the_interval_concerns_creation_and_includes_its_ends(self, store: Store) -> None:
        for number in range(4):
            self.add(store, number)
        second = BEGINNING + timedelta(seconds=1)
        third = BEGINNING + timedelta(seconds=2)
        assert self.ids(store, since=second, until=third) == ["job-2", "job-1"]
        assert self.ids(store, since=third) == ["job-3", "job-2"]
        assert self.ids(store, until=second) == ["job-1", "job-0"]

    def test_durations_concern_jobs_that_have_started(self, store: Store) -> None:
        self.add(store, 1, Started, success, seconds=10)
        self.add(store, 2, Started, success, seconds=100)
        self.add(store, 3)
        self.add(store, 4, Started)  # has been running since the beginning of the year
        assert self.ids(store, min_duration=50) == ["job-4", "job-2"]
        assert self.ids(store, max_duration=50) == ["job-1"]
        assert self.ids(store, min_duration=10, max_duration=100) == ["job-2", "job-1"]
