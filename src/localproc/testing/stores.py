"""The contract of stores.

Inherit from ``StoreContract`` and give it ``open_store``; every test then runs against your store.
Owns what the engine relies on. Must not know any store.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from localproc.machine import apply
from localproc.model import Callback, JobFilter, Kind, TokenRecord
from localproc.model.events import Accepted, Failed, Started, Succeeded
from localproc.plugins.store import Change, Store
from localproc.testing.store_lists import ListsContract
from localproc.testing.store_tests import BEGINNING, OpenStore, failed, job_at, process, success

__all__ = ["OpenStore", "StoreContract", "job_at"]


class StoreContract(ListsContract):
    """What every store does."""

    def test_a_job_comes_back_as_it_was(self, store: Store) -> None:
        job = self.add(store, 1, Started, success, title="Täst", tags=("a", "b"), reason="why")
        assert store.job(job.id) == job
        assert store.job("nothing") is None

    def test_events_come_back_in_order(self, store: Store) -> None:
        self.add(store, 1, Started, success)
        kinds = [event.kind for event in store.events("job-1")]
        assert kinds == [Kind.ACCEPTED, Kind.STARTED, Kind.SUCCEEDED]
        assert [event.kind for event in store.events("job-1", after=2)] == [Kind.SUCCEEDED]
        first = store.events("job-1")[0]
        assert isinstance(first, Accepted)
        assert first.request.inputs == {"n": 1}

    def test_what_was_encoded_before_comes_back_as_it_was(self, store: Store) -> None:
        """Whatever is in it: texts with marks of their own, and paths of this machine."""
        values: dict[str, object] = {
            "said": '\\ " \x01 \x02 é \ud800',
            "at": os.getcwd(),
            "no": [None, True, 1.5, {}],
        }
        large = values | {
            "many": [dict(values) for _ in range(2000)],
            "long": "\x01\U0001f30d" * 99_999,
        }
        for number, outputs in ((1, values), (2, large), (3, {})):
            job = self.add(store, number, Started)
            asked: list[None] = []
            encoded = store.encoded(job.id, outputs, partial(asked.append, None))
            ended = Succeeded(job.updated, outputs=encoded, features={}, tidy=True)
            assert set(store.commit("me", [Change(apply(job, ended), [ended], 2)])) == set()
            last = store.events(job.id)[-1]
            assert last == Succeeded(job.updated, outputs=outputs, features={}, tidy=True)
            assert asked

    def test_encoding_ends_when_it_is_to(self, store: Store) -> None:
        def stop() -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            store.encoded("job-1", {"a": 1}, stop)

    def test_there_is_one_job_of_a_key_until_it_fails(self, open_store: OpenStore) -> None:
        mine, other = open_store(), open_store()
        self.add(mine, 1, Started, once="nightly", priority=3)
        assert other.add_job(*job_at(2, once="nightly")) == "job-1"
        assert other.job("job-2") is None
        assert other.add_job(*job_at(3, once="weekly")) == "job-3"
        assert other.add_job(*job_at(4)) == "job-4"
        found = mine.job("job-1")
        assert found is not None
        assert (found.once, found.priority) == ("nightly", 3)
        ended = Failed(found.created, problem={})
        mine.commit("me", [Change(apply(found, ended), [ended], 2)])
        assert other.add_job(*job_at(5, once="nightly")) == "job-5"

    def test_jobs_of_the_highest_priority_are_claimed_first(self, store: Store) -> None:
        for number, priority in ((1, 0), (2, 7), (3, 3), (4, 7)):
            store.add_job(*job_at(number, owner=None, priority=priority))
        assert [job.id for job in store.claim("me", [], 3)] == ["job-2", "job-3", "job-4"]

    def test_only_the_owner_commits(self, store: Store) -> None:
        job = self.add(store, 1)
        started = Started(job.created)
        change = Change(apply(job, started), [started], 1)
        assert set(store.commit("somebody else", [change])) == {"job-1"}
        assert len(store.events("job-1")) == 1
        assert not store.commit("me", [change])
        assert len(store.events("job-1")) == 2

    def test_a_request_to_dismiss_is_seen_by_all_and_survives_commits(
        self, open_store: OpenStore
    ) -> None:
        mine, other = open_store(), open_store()
        job = self.add(mine, 1)
        before = mine.version()
        assert other.request_dismiss("job-1")
        assert mine.version() != before
        assert mine.to_dismiss("me") == ["job-1"]
        started = Started(job.created)
        mine.commit("me", [Change(apply(job, started), [started], 1)])
        found = other.job("job-1")
        assert found is not None
        assert found.dismiss_requested

    def test_a_job_that_has_ended_is_not_dismissed(self, store: Store) -> None:
        self.add(store, 1, Started, success)
        assert not store.request_dismiss("job-1")
        assert not store.request_dismiss("nothing")

    def test_claiming_takes_what_nobody_owns_and_what_the_dead_left(self, store: Store) -> None:
        self.add(store, 1, owner="dead")
        self.add(store, 2, owner=None)
        self.add(store, 3, owner="alive")
        self.add(store, 4, failed, owner="dead")
        assert store.owners() == {"dead", None, "alive"}
        claimed = store.claim("me", ["dead"], 10)
        assert [(job.id, job.owner) for job in claimed] == [("job-1", "me"), ("job-2", "me")]
        assert store.claim("other", ["dead"], 10) == []

    def test_what_is_to_stop_can_be_claimed_alone(self, store: Store) -> None:
        for number in range(3):
            self.add(store, number, owner=None)
        store.request_dismiss("job-1")
        claimed = store.claim("me", [], 10, dismissed=True)
        assert [(job.id, job.dismiss_requested) for job in claimed] == [("job-1", True)]

    def test_only_one_of_many_claims_a_job(self, open_store: OpenStore) -> None:
        first = open_store()
        for number in range(40):
            self.add(first, number, owner=None)
        claimed: list[str] = []

        def claim(name: str) -> None:
            store = open_store()
            while taken := store.claim(name, [], 3):
                claimed.extend(job.id for job in taken)

        threads = [threading.Thread(target=claim, args=(f"engine-{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(claimed) == sorted(f"job-{number}" for number in range(40))

    def test_releasing_leaves_open_jobs_to_anybody(self, store: Store) -> None:
        self.add(store, 1)
        store.release("me")
        assert store.owners() == {None}

    def test_a_job_that_was_put_aside_is_claimed_to_stop_alone(self, store: Store) -> None:
        self.add(store, 1)
        self.add(store, 2)
        store.put_aside("somebody else", "job-1", "torn")
        assert store.claim("me", [], 10) == []
        store.put_aside("me", "job-1", "torn")
        found = store.job("job-1")
        assert found is not None
        assert (found.aside, found.owner) == ("torn", None)
        assert "torn" in found.message
        assert store.owners() == {"me"}
        assert store.claim("me", [], 10) == []
        store.request_dismiss("job-1")
        assert store.owners() == {"me", None}
        assert [job.id for job in store.claim("me", [], 10)] == ["job-1"]

    def test_what_was_put_aside_can_be_tried_again(self, store: Store) -> None:
        self.add(store, 1)
        store.put_aside("me", "job-1", "torn")
        store.reconsider()
        assert [job.aside for job in store.claim("me", [], 10)] == [""]

    def test_a_home_that_has_become_a_copy_puts_its_open_jobs_aside(self, store: Store) -> None:
        self.add(store, 1)
        self.add(store, 2, failed)
        assert store.identity() == ""
        store.become("here")
        assert (store.identity(), store.owners()) == ("here", {"me"})
        store.become("there", aside="a copy")
        assert store.identity() == "there"
        assert [job.aside for job in store.jobs(JobFilter())] == ["", "a copy"]
        assert store.claim("me", [], 10) == []

    def test_only_ended_jobs_are_deleted(self, store: Store) -> None:
        self.add(store, 1)
        self.add(store, 2, failed)
        assert not store.delete_job("job-1")
        assert store.delete_job("job-2")
        assert store.job("job-2") is None
        assert store.events("job-2") == []

    def test_a_job_that_somebody_else_has_deleted_is_no_other(self, open_store: OpenStore) -> None:
        """What a store knows of a job is not taken for another one that has come since."""
        mine, other = open_store(), open_store()
        job = self.add(mine, 1)
        ended = Failed(job.created, problem={})
        other.commit("me", [Change(apply(job, ended), [ended], 1)])
        assert other.delete_job("job-1")
        self.add(other, 2)
        assert mine.events("job-1") == []
        started = Started(job.created)
        assert set(mine.commit("me", [Change(apply(job, started), [started], 1)])) == {"job-1"}
        assert [event.kind for event in mine.events("job-2")] == [Kind.ACCEPTED]

    def test_a_process_keeps_its_revisions(self, store: Store) -> None:
        first, second = process("r1", b"one"), process("r2", b"two")
        store.put_process(first)
        store.put_process(second)
        assert store.process("default", "echo") == second
        assert store.process("default", "echo", "r1") == first
        assert store.processes("default") == [second]
        assert store.process("other", "echo") is None
        assert store.processes_from("default", "file:///echo.cwl") == [second]

    def test_of_many_that_deploy_what_is_absent_one_does(self, open_store: OpenStore) -> None:
        stores = [open_store() for _ in range(4)]
        revisions = [process(f"r{number}", b"one") for number in range(16)]

        def put(number: int) -> bool:
            return stores[number % 4].put_process(revisions[number], if_absent=True)

        with ThreadPoolExecutor(4) as pool:
            done = [
                one for one, put in zip(revisions, pool.map(put, range(16)), strict=True) if put
            ]
        assert stores[0].processes("default") == done
        assert len(done) == 1
        stores[1].remove_process("default", "echo")
        assert stores[2].put_process(revisions[5], if_absent=True)
        assert stores[3].put_process(revisions[6])
        assert stores[0].process("default", "echo") == revisions[6]

    def test_an_undeployed_process_is_there_for_its_jobs_alone(self, store: Store) -> None:
        store.put_process(process("r1", b"one"))
        assert store.remove_process("default", "echo")
        assert not store.remove_process("default", "echo")
        assert store.process("default", "echo") is None
        assert store.processes("default") == []
        assert store.process("default", "echo", "r1") is not None

    def test_open_jobs_are_counted(self, store: Store) -> None:
        self.add(store, 1)
        self.add(store, 2, Started)
        self.add(store, 3, failed)
        self.add(store, 4, process="other")
        assert store.open_jobs("default", "echo") == 2
        assert store.open_jobs("default") == 3
        assert store.open_jobs("elsewhere") == 0

    def test_letters_are_recorded_with_their_events(self, store: Store) -> None:
        job = self.add(store, 1)
        started = Started(job.created)
        callback = Callback(job.id, "https://example.org/in-progress", "inProgressUri")
        change = Change(apply(job, started), [started], 1, [callback])
        store.commit("somebody else", [change])
        assert store.next_callback() is None
        store.commit("me", [change])
        assert store.next_callback() is not None

    def test_a_letter_is_due_until_it_is_settled(self, open_store: OpenStore) -> None:
        store, other = open_store(), open_store()
        job = self.add(store, 1)
        end = failed(job.created)
        callback = Callback(job.id, "https://example.org/failed", "failedUri")
        store.commit("me", [Change(apply(job, end), [end], 1, [callback])])
        minute = timedelta(minutes=1)
        first = store.take_callbacks(BEGINNING, BEGINNING + minute, 10)
        assert [(one.uri, one.kind, one.attempts) for one in first] == [
            ("https://example.org/failed", "failedUri", 1)
        ]
        assert other.take_callbacks(BEGINNING, BEGINNING + minute, 10) == []
        store.put_off_callback(first[0], BEGINNING + 3 * minute)
        assert other.take_callbacks(BEGINNING + 2 * minute, BEGINNING + minute, 10) == []
        second = other.take_callbacks(BEGINNING + 3 * minute, BEGINNING + 4 * minute, 10)
        assert [one.attempts for one in second] == [2]
        other.settle_callback(second[0])
        assert store.next_callback() is None

    def test_who_is_late_with_a_letter_touches_no_other(self, open_store: OpenStore) -> None:
        """Its lease has ended, another one has delivered it, and its number is a new letter's."""
        late, other = open_store(), open_store()
        minute = timedelta(minutes=1)
        taken = []
        for number in (1, 2):
            job = self.add(late, number)
            end = failed(job.created)
            callback = Callback(job.id, "https://example.org/failed", "failedUri")
            late.commit("me", [Change(apply(job, end), [end], 1, [callback])])
            (first,) = late.take_callbacks(BEGINNING, BEGINNING + minute, 10)
            taken.append(first)
            if number == 1:
                (again,) = other.take_callbacks(BEGINNING + minute, BEGINNING + 2 * minute, 10)
                late.put_off_callback(first, BEGINNING + 9 * minute)
                assert other.next_callback() == BEGINNING + 2 * minute  # it is the other's by now
                other.settle_callback(again)
        late.settle_callback(taken[0])
        late.put_off_callback(taken[0], BEGINNING + 9 * minute)
        assert late.next_callback() == BEGINNING + minute
        (left,) = other.take_callbacks(BEGINNING + minute, BEGINNING + 2 * minute, 10)
        assert left.job_id == "job-2"

    def test_tokens_open_their_namespace_alone(self, store: Store) -> None:
        token = TokenRecord("acme", "laptop", BEGINNING)
        store.put_token("digest", token)
        assert store.token("acme", "digest") == token
        assert store.token("other", "digest") is None
        assert store.tokens("acme") == [token]
        store.put_token("newer", token)
        assert store.token("acme", "digest") is None
        assert store.remove_token("acme", "laptop")
        assert not store.remove_token("acme", "laptop")
        assert store.token("acme", "newer") is None

    def test_a_sound_store_has_nothing_wrong(self, store: Store) -> None:
        self.add(store, 1, Started)
        assert store.check() == []
