"""Forgetting jobs, and telling what takes how much room."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs, Job
from localproc.engine.home.retention import Retention, age, size
from localproc.engine.upkeep.prune import Pruner
from localproc.engine.upkeep.usage import Sizes
from tests.cli.terminal import localproc
from tests.conftest import PACKAGES
from tests.patience import until

ECHO, STEPS = PACKAGES / "echo.cwl", PACKAGES / "three-steps.cwl"
READS = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "reads",
    "baseCommand": ["sleep", "300"],
    "inputs": {"file": "File"},
    "outputs": {},
}


@pytest.fixture
def past(home: Path) -> dict[str, Job]:
    """Give a home in which three jobs have ended, by names."""
    with Engine(home) as engine:
        return {
            "old": engine.run(ECHO, {"message": "x"}),
            "failed": engine.run(STEPS, {"text": "x", "code": 3}),
            "new": engine.run(ECHO, {"message": "y"}),
        }


def going(*words: object) -> list[str]:
    said = localproc("prune", "--json", *words)
    assert said.code == 0, said.err
    return [one["jobID"] for one in said.document["jobs"]]


def ids(past: dict[str, Job], *names: str) -> list[str]:
    return [past[name].id for name in names]


def test_a_dry_run_tells_what_would_go_and_takes_nothing(past: dict[str, Job]) -> None:
    said = localproc("prune", "--dry-run")
    assert said.code == 0
    for job in past.values():
        assert job.id in said.out
    assert said.out.splitlines()[-1].startswith("3 jobs, ")
    assert len(localproc("jobs", "--json").document["jobs"]) == 3


def test_nothing_goes_unasked(past: dict[str, Job]) -> None:
    said = localproc("prune")  # nobody can be asked
    assert said.code == 0
    assert "nothing was removed; --yes does so without asking" in said.err
    assert len(localproc("jobs", "--json").document["jobs"]) == 3


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["new", "failed", "old"]),
        ("--status failed", ["failed"]),
        ("--process echo", ["new", "old"]),
        ("--keep-last 1", ["old"]),
        ("--keep-last 1 --status failed", []),
        ("--older-than 1h", []),
        ("--older-than 0s", ["new", "failed", "old"]),
        ("--larger-than 1G", []),
        ("--larger-than 1", ["new", "failed", "old"]),
    ],
)
def test_which_jobs_go(past: dict[str, Job], words: str, names: list[str]) -> None:
    assert going("--dry-run", *words.split()) == ids(past, *names)


def test_results_stay_unless_they_are_to_go(past: dict[str, Job], home: Path) -> None:
    results = [home / "results" / job.id for job in past.values() if job.id != past["failed"].id]
    logs = [Path(job.logs_folder) for job in past.values()]
    assert all(one.is_dir() for one in (*results, *logs))
    said = localproc("prune", "--yes", "--process", "echo", "--keep-last", "1")
    assert said.out.splitlines()[-1] == "1 job removed"
    assert [one.exists() for one in results] == [True, True]
    assert [one.exists() for one in logs] == [False, True, True]
    assert going("--yes", "--results") == ids(past, "new", "failed")
    assert [one.exists() for one in results] == [True, False]
    assert not any(one.exists() for one in logs)
    assert localproc("jobs", "--json").document["jobs"] == []


def test_what_an_open_job_needs_stays(past: dict[str, Job], home: Path, sleeper: Path) -> None:
    with Engine(home, adopt=False) as engine:
        said = past["old"].outcome().outputs["said"]
        job = engine.execute(engine.deploy(READS), {"file": said})
        until(lambda: job.status == "running")
        found = engine.prune(results=True)
        assert found.needed == ids(past, "old")
        assert [one.job.id for one in found.jobs] == ids(past, "new", "failed")
        assert Path(past["old"].results()["said"]).read_text() == "x\n"
        assert not engine.delete(job.id)
        job.dismiss()
        assert [one.job.id for one in engine.prune(dry_run=True).jobs] == [job.id, past["old"].id]


def test_what_a_job_needs_that_comes_meanwhile_stays(
    past: dict[str, Job], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measuring takes long: others accept jobs until the last one has gone."""
    measured, accepted = Pruner._measured, list[str]()

    def measures(*given: Any) -> int | None:
        if not accepted:
            with Engine(home, run_jobs=False) as other:
                said = past["old"].outcome().outputs["said"]
                accepted.append(other.execute(other.deploy(READS), {"file": said}).id)
        return measured(*given)

    monkeypatch.setattr(Pruner, "_measured", measures)
    with Engine(home, adopt=False) as engine:
        found = engine.prune()
        assert found.needed == ids(past, "old")
        assert [one.job.id for one in found.jobs] == ids(past, "new", "failed")
        assert engine.job(past["old"].id).status == "successful"


def test_what_ends_while_it_is_asked_stays(
    past: dict[str, Job], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was told of goes."""
    ended = list[str]()

    def is_sure(_: bool) -> bool:
        with Engine(home) as engine:
            ended.append(engine.run(ECHO, {"message": "z"}).id)
        return True

    monkeypatch.setattr("localproc.cli.leftovers.is_sure", is_sure)
    assert localproc("prune").out.splitlines()[-1] == f"{len(past)} jobs removed"
    with Engine(home, run_jobs=False) as engine:
        assert [job.id for job in engine.jobs()] == ended


def test_single_jobs_are_forgotten(past: dict[str, Job], home: Path) -> None:
    said = localproc("rm", past["old"].id[-12:], "last:failed")
    assert said.code == 0
    assert said.out == "".join(f"{job_id}: removed\n" for job_id in ids(past, "old", "failed"))
    assert (home / "results" / past["old"].id).exists()
    said = localproc("rm", "last", "last", "--results", "--json")
    assert said.document == {"removed": ids(past, "new")}
    assert not (home / "results" / past["new"].id).exists()
    assert localproc("rm", "last").code == 2


def test_a_job_that_has_not_ended_stays(home: Path) -> None:
    with Engine(home, run_jobs=False) as engine:
        job = engine.execute(engine.deploy(ECHO), {"message": "x"})
    said = localproc("rm", job.id)
    assert said.code == 1
    assert f"has not ended: localproc dismiss {job.id} stops it" in said.err
    assert going() == []


def test_results_among_those_of_others_are_not_touched(home: Path, tmp_path: Path) -> None:
    with Engine(home) as engine:
        process = engine.deploy(ECHO)
        out = tmp_path / "out"
        job = process.execute({"message": "x"}, results=out, options={"layout": "flat"}).wait()
        with pytest.raises(InvalidInputs, match="lie among others"):
            engine.delete(job.id, results=True)
        found = engine.prune(results=True)
        assert list(found.failed) == [job.id]
        assert (out / "said.txt").exists()
        assert engine.delete(job.id)


def test_what_takes_how_much_room(past: dict[str, Job]) -> None:
    parts = localproc("du", "--json").document
    assert list(parts) == ["store", "jobs", "search", "results", "cache", "inputs", "tmp", "rest"]
    assert parts["results"] >= 4
    assert parts["store"] > 10_000
    assert parts["jobs"] > 0
    assert localproc("du").out.splitlines()[1].split()[0] == "store"
    of_jobs = localproc("du", "--json", past["old"].id, "last").document
    assert of_jobs[past["old"].id]["results"] == 2
    assert past["old"].usage()["folder"] == of_jobs[past["old"].id]["folder"] > 0
    assert past["old"].id in localproc("du", past["old"].id).out


@pytest.mark.parametrize("command", ["prune", "du", "rm last"])
def test_upkeep_makes_no_home(home: Path, command: str) -> None:
    said = localproc(*command.split())
    assert said.code == 2
    assert "there is no home" in said.err
    assert not home.exists()


# By itself


def test_a_home_is_pruned_as_its_settings_say(past: dict[str, Job], home: Path) -> None:
    (home / "settings.yml").write_text(json.dumps({"prune": {"keep_last": 1, "results": True}}))
    with Engine(home) as engine:
        engine.run(STEPS, {"text": "x", "code": 3})
        until(lambda: past["old"].id not in [job.id for job in engine.jobs()])
        assert past["new"].id in [job.id for job in engine.jobs()]
    assert not (home / "results" / past["old"].id).exists()


@pytest.mark.parametrize(
    ("prune", "said"),
    [
        ({"older": "30d"}, "prune has no 'older'"),
        ({"older_than": "soon"}, "'soon' is not an age"),
        ({"larger_than": "much"}, "'much' is not a size"),
        ({"status": "running"}, "'running' is not one of successful, failed, dismissed"),
        ({"keep_last": -1}, "-1 is not a number of jobs"),
        ({"keep_last": True}, "True is not a number of jobs"),
        ({"keep_lst": 1}, "did you mean 'keep_last'?"),
        ({"results": "no"}, "'no' is not yes or no"),
    ],
)
def test_settings_that_make_no_sense(home: Path, prune: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputs) as told:
        Engine(home, prune=prune)
    assert said in str(told.value)


def test_a_file_of_settings_that_makes_no_sense_is_named(home: Path) -> None:
    home.mkdir()
    for text, said in (
        ("prune: {keep_last: two}", "prune: this is not a number of jobs"),
        ("prun: {keep_last: 2}", "did you mean 'prune'?"),
    ):
        (home / "settings.yml").write_text(text)
        with pytest.raises(InvalidInputs) as told:
            Engine(home)
        assert str(home / "settings.yml") in str(told.value)
        assert said in str(told.value)


def test_ages_and_sizes() -> None:
    assert [age(one) for one in ("30d", "1.5h", "90 m", "2w", 7)] == [
        2_592_000,
        5400,
        5400,
        1_209_600,
        7,
    ]
    assert [size(one) for one in ("1K", "1.5 MiB", "2GB", "10", 7)] == [
        1024,
        1_572_864,
        2 << 30,
        10,
        7,
    ]
    for unclear in ("999999999w", float("inf"), float("nan"), "1e400d"):
        with pytest.raises(InvalidInputs, match="an age"):
            age(unclear)
    assert Retention(status="failed").statuses == ("failed",)


def test_links_are_counted_once_and_freed_with_the_last(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(bytes(100))
    (tmp_path / "two").hardlink_to(tmp_path / "a" / "one")
    sizes = Sizes()
    sizes.add(str(tmp_path / "a"))
    assert (sizes.total, sizes.freed) == (100, 0)
    sizes.add(str(tmp_path / "two"), str(tmp_path / "nothing"))
    assert (sizes.total, sizes.freed) == (100, 100)


# Outputs that are kept for reuse


def kept(home: Path) -> list[str]:
    return sorted(one.parent.name for one in (home / "cache" / "steps").glob("*/*/entry.json"))


def aged(home: Path) -> None:
    """Make what is kept for reuse look as if it had not been used for long."""
    for number, path in enumerate(sorted((home / "cache" / "steps").glob("*/*/entry.json"))):
        os.utime(path, (number, number))


def test_of_kept_outputs_those_go_that_were_least_used(home: Path) -> None:
    with Engine(home, reuse=True) as engine:
        for message in ("aaaa", "bbbb", "cccc"):
            engine.run(ECHO, {"message": message})
    assert len(kept(home)) == 3
    assert localproc("prune", "--yes", "--keep-last", 9, "--cache", "0").code == 0
    assert len(kept(home)) == 3, "what was used just now stays"
    aged(home)
    with Engine(home, run_jobs=False) as engine:
        _, second, third = kept(home)
        engine.prune(keep_last=9, cache=12)
        assert kept(home) == [second, third]


def test_kept_outputs_that_an_open_job_has_been_given_stay(home: Path) -> None:
    with Engine(home, reuse=True) as engine:
        engine.run(ECHO, {"message": "aaaa"})
        engine.run(ECHO, {"message": "bbbb"})
    first, _ = kept(home)
    aged(home)
    with Engine(home, run_jobs=False) as engine:
        engine.execute("echo", {"message": f"given {first}"})
        engine.prune(keep_last=9, cache=0)
    assert kept(home) == [first]


def test_a_bound_of_the_cache_holds_while_jobs_run(home: Path) -> None:
    with Engine(home, reuse=True) as engine:
        engine.run(ECHO, {"message": "x" * 5000})
    old = kept(home)
    aged(home)
    with Engine(home, reuse=True, prune={"cache": 6000, "older_than": "9w"}) as engine:
        engine.run(ECHO, {"message": "y" * 5000})
    assert len(kept(home)) == 1
    assert kept(home) != old


def test_many_jobs_are_looked_at_without_their_histories(home: Path) -> None:
    """That it is quick is seen in benchmarks/looking.py."""
    Engine(home).close()
    with closing(sqlite3.connect(home / "localproc.db")) as db, db:
        db.executemany(
            "INSERT INTO jobs (id, namespace, process, revision, status, created, updated, trigger)"
            " VALUES (?, 'default', 'p', 'r', 'successful', ?, ?, 'manual')",
            [(f"{number:032x}", number, number) for number in range(300)],
        )
    assert len(going("--dry-run", "--keep-last", 10)) == 290
    assert len(going("--yes")) == 300
