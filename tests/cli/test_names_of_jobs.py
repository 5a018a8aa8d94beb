"""A job is named as people name it: by a piece of its id, or as the last one."""

from pathlib import Path

import pytest

from localproc import Engine
from localproc.errors import AmbiguousJob, InvalidInputs, NoSuchJob
from tests.cli.terminal import localproc
from tests.conftest import PACKAGES

STEPS = PACKAGES / "three-steps.cwl"


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Give a home, and the ids of a job that failed and of a later one that went well."""
    home = tmp_path_factory.mktemp("past") / "home"
    with Engine(home) as engine:
        failed = engine.run(STEPS, {"text": "x", "code": 3}, title="the bad one")
        good = engine.run(PACKAGES / "echo.cwl", {"message": "x"})
    return home, failed.id, good.id


def test_any_piece_that_no_other_job_has_will_do(past: tuple[Path, str, str]) -> None:
    home, failed, good = past
    with Engine(home, run_jobs=False) as engine:
        for piece in (failed, failed[-12:], failed[-20:-3], failed[-12:].upper()):
            assert engine.find_job(piece).id == failed
        assert engine.find_job(good[20:]).id == good


def test_a_piece_of_several_ids_is_refused_with_the_candidates(
    past: tuple[Path, str, str],
) -> None:
    home, failed, good = past
    with Engine(home, run_jobs=False) as engine, pytest.raises(AmbiguousJob) as told:
        engine.find_job("-")
    first, second = told.value.candidates
    assert first.startswith(f"{good} echo successful ")
    assert second.startswith(f"{failed} three-steps failed ")
    assert second.endswith(" the bad one")
    said = localproc("--home", home, "status", "--", "-")
    assert said.code == 2
    assert f"  {failed} three-steps failed" in said.err
    assert "hint: give more of the id" in said.err


def test_the_last_one_and_the_last_one_in_a_state(past: tuple[Path, str, str]) -> None:
    home, failed, good = past
    with Engine(home, run_jobs=False) as engine:
        assert engine.find_job("last").id == good
        assert engine.find_job("last:failed").id == failed
        assert engine.find_job("last:successful").id == good
        with pytest.raises(NoSuchJob, match="no job of this home is dismissed"):
            engine.find_job("last:dismissed")
        with pytest.raises(InvalidInputs, match="there is no state 'lost'"):
            engine.find_job("last:lost")
        for nothing in ("", "xyz", "%", "_"):
            with pytest.raises(NoSuchJob, match=f"no job '{nothing}'"):
                engine.find_job(nothing)


@pytest.mark.parametrize("command", ["status", "logs", "executions show"])
def test_every_command_that_looks_takes_pieces(past: tuple[Path, str, str], command: str) -> None:
    home, failed, _ = past
    for name in (failed[-12:], "last:failed"):
        said = localproc("--home", home, *command.split(), name)
        assert said.code == 0, said.err
        assert said.out == localproc("--home", home, *command.split(), failed).out


def test_results_dismissal_and_pages_take_pieces(past: tuple[Path, str, str]) -> None:
    home, failed, good = past
    assert "said" in localproc("--home", home, "results", good[-12:]).out
    said = localproc("--home", home, "dismiss", failed[-12:])
    assert said.out == f"{failed}: failed\n"
    page = localproc("--home", home, "jobs", "--json", "--before", good[-12:])
    assert [one["jobID"] for one in page.document["jobs"]] == [failed]
    page = localproc("--home", home, "executions", "--json", "--before", good[-12:])
    assert [one["_id"] for one in page.document] == [failed]
