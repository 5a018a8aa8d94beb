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
