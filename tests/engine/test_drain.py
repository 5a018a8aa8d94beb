"""Jobs that were accepted for another engine are taken as there is room for them."""

from pathlib import Path

import pytest

from localproc import Engine
from localproc.engine.loop import loop
from tests.patience import patient

NOTHING = {
    "cwlVersion": "v1.2",
    "class": "ExpressionTool",
    "id": "nothing",
    "inputs": {},
    "outputs": {},
    "requirements": {"InlineJavascriptRequirement": {}},
    "expression": "${ return {}; }",
}


def test_one_look_is_enough_for_any_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        process = engine.deploy(NOTHING)
        jobs = [process.execute({}) for _ in range(60)]
    monkeypatch.setattr(loop, "_IDLE", 3600.0)  # it does not look again
    with Engine(tmp_path / "home", active=2) as engine:
        engine.resume()
        for job in jobs:
            assert engine.job(job.id).wait(patient(60)).status == "successful"


@pytest.mark.parametrize("how", ["wait", "watch"])
def test_an_idle_engine_takes_over_what_it_is_told_to_wait_for(tmp_path: Path, how: str) -> None:
    """It was opened when there was nothing to do, and nobody else is there."""
    with Engine(tmp_path / "home") as engine:
        with Engine(tmp_path / "home", run_jobs=False) as other:
            job = engine.job(other.deploy(NOTHING).execute({}).id)
        if how == "watch":
            assert [step.status for step in job.watch()]
        assert job.wait(patient(30)).status == "successful"
        with Engine(tmp_path / "home", adopt=False) as looking:
            assert looking.job(job.id).wait(patient(30)).status == "successful"


def test_an_engine_that_takes_nothing_over_waits_for_another(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", adopt=False) as engine:
        with Engine(tmp_path / "home", run_jobs=False) as other:
            job = engine.job(other.deploy(NOTHING).execute({}).id)
        with pytest.raises(TimeoutError, match="is accepted after 0"):
            job.wait(0.5)  # longer than the pause after which it looks again
        assert not list((tmp_path / "home").glob("engines/*"))
