"""Results that have to be removed and cannot be, as their storage refuses."""

import os
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.engine.engine import namespace_of
from localproc.engine.upkeep.remains import Remains
from localproc.errors import StoreLocked
from localproc.storage.remnants import Remnant, Remnants, Undoing
from tests.cli.terminal import localproc
from tests.conftest import PACKAGES
from tests.engine.folder_storage import Boxes, FolderStorage
from tests.engine.test_storages import boxes, killed, written
from tests.patience import until

__all__ = ["boxes", "killed"]

ECHO = PACKAGES / "echo.cwl"
LATER: dict[str, Any] = {"storage_options": {"box": {"after": 3600.0}}}  #: nobody tries again


@pytest.fixture
def left(killed: Path, boxes: Boxes) -> Path:
    """Give a home whose job was dismissed while its storage refused, whose engine has left."""
    boxes.refuses.set()
    with Engine(killed, plugins=[boxes], adopt=False, **LATER) as engine:
        dismiss(engine)
    boxes.refuses.clear()
    assert written(boxes) != []
    return killed


def dismiss(engine: Engine) -> None:
    """Dismiss the job of a home before anybody goes on with it."""
    (job,) = engine.jobs()
    namespace_of(engine).runtime.store.request_dismiss(job.id)
    engine.resume()
    assert job.wait().status == "dismissed"


def due(engine: Engine) -> list[Remnant]:
    return namespace_of(engine).runtime.remains.due()


def test_the_next_engine_that_runs_something_removes_what_is_left(left: Path, boxes: Boxes) -> None:
    with Engine(left, plugins=[boxes]) as engine:
        assert len(due(engine)) == 1
        engine.run(ECHO, {"message": "x"})
        until(lambda: not written(boxes))
        until(lambda: not due(engine))
    assert not os.listdir(left / "remnants")


def test_an_engine_that_goes_on_tries_again(
    killed: Path, boxes: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localproc.engine.upkeep.remains._FIRST", 0.01)
    boxes.refuses.set()
    with Engine(killed, plugins=[boxes], adopt=False, **LATER) as engine:
        dismiss(engine)
        assert written(boxes) != []
        boxes.refuses.clear()
        until(lambda: not written(boxes))
        until(lambda: not due(engine))


def test_a_store_that_cannot_be_used_delays_it(
    left: Path, boxes: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [StoreLocked("somebody else has it"), OSError("the disk is away")]
    look = Remains.due

    def due(remains: Remains) -> list[Remnant]:
        if refusals:
            raise refusals.pop()
        return look(remains)

    monkeypatch.setattr("localproc.engine.upkeep.remains._FIRST", 0.01)
    monkeypatch.setattr(Remains, "due", due)
    with Engine(left, plugins=[boxes]) as engine:
        engine.run(ECHO, {"message": "x"})
        until(lambda: not written(boxes))


def test_doctor_tells_of_it_and_prune_removes_it(left: Path, boxes: Boxes) -> None:
    said = localproc("--home", left, "doctor").out
    assert "box://there/results/" in said
    assert "could not be removed yet" in said
    with Engine(left, plugins=[boxes], run_jobs=False) as engine:
        (job,) = engine.jobs()
        boxes.refuses.set()
        assert engine.prune(older_than="1d").failed == {job.id: "box: it refuses"}
        boxes.refuses.clear()
        assert engine.prune(older_than="1d", dry_run=True).remains == [job.id]
        assert written(boxes) != []
        pruned = engine.prune(older_than="1d")
        assert (pruned.remains, pruned.jobs, pruned.failed) == ([job.id], [], {})
        assert engine.prune(older_than="1d").remains == []
    assert written(boxes) == []


def test_it_is_remembered_when_the_job_itself_is_forgotten(left: Path, boxes: Boxes) -> None:
    with Engine(left, plugins=[boxes], run_jobs=False) as engine:
        (job,) = engine.jobs()
        assert engine.delete(job.id)
        assert [one.job_id for one in due(engine)] == [job.id]
        engine.prune()
    assert written(boxes) == []


def test_a_job_that_is_deleted_with_its_results_leaves_nothing_to_remember(
    left: Path, boxes: Boxes
) -> None:
    with Engine(left, plugins=[boxes], run_jobs=False) as engine:
        assert engine.delete(engine.jobs()[0].id, results=True)
        assert due(engine) == []
    assert written(boxes) == []


def test_a_job_that_is_published_after_all_keeps_its_results(killed: Path, boxes: Boxes) -> None:
    """An engine was killed while it took back what it could not complete; the next one completes
    it."""
    with Engine(killed, plugins=[boxes], adopt=False) as engine:
        (job,) = engine.jobs()
        root = f"box://there/results/{job.id}"
        Remnants(str(killed / "remnants")).remember(Remnant(job.id, "default", root))
        assert due(engine) == []
    with Engine(killed, plugins=[boxes]) as engine:
        assert engine.job(job.id).wait().status == "successful"
        assert due(engine) == []
    assert written(boxes) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert not os.listdir(killed / "remnants")


def test_what_a_look_that_was_broken_off_may_have_left_is_swept(
    boxes: Boxes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether an upload was begun, and the job may end before it is published."""
    monkeypatch.setattr("localproc.engine.upkeep.remains._FIRST", 0.01)
    swept: list[str] = []
    monkeypatch.setattr(FolderStorage, "swept", swept)
    settings: dict[str, Any] = {"storage_options": {"box": {"away": True}}, "adopt": False}
    with Engine(tmp_path / "home", plugins=[boxes], results="box://there/all", **settings) as one:
        one.deploy(ECHO).execute({"message": "x"})
        until(lambda: any(prefix.startswith("box://there/all/look-") for prefix in swept))
        until(lambda: not due(one))


def test_what_ends_after_the_removal_is_remembered_until_then() -> None:
    told: list[str] = []
    undoing = Undoing(lambda: told.append("remember"), lambda: told.append("forget"))
    undoing.enter()  # a transfer under way
    undoing.begin()
    undoing.leave()  # all that was there is removed
    assert told == ["remember"]
    undoing.leave()
    assert told == ["remember", "forget"]


def test_a_note_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    remnants = Remnants(str(tmp_path / "remnants"))
    assert remnants.all() == []
    one = Remnant("a", "default", "s3://results/a")
    remnants.remember(one)
    (tmp_path / "remnants" / "b").touch()
    assert remnants.all() == [one]
    remnants.forget("a")
    remnants.forget("a")
    assert remnants.all() == []
