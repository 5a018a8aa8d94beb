"""While files come, the step says how many bytes have."""

from pathlib import Path

from localproc import Engine
from tests.engine.test_loop_blocking import CAT, Slow
from tests.patience import until


def test_a_step_that_stages_tells_how_far_it_is(tmp_path: Path) -> None:
    slow = Slow()
    with Engine(tmp_path / "home", plugins=[slow]) as engine:
        job = engine.deploy(CAT).execute({"file": "slow://there/a.txt"})
        until(lambda: [one.bytes_done for one in job.steps] == [0])
        (step,) = job.status_info()["steps"]
        assert step["bytesDone"] == 0
        assert "bytesTotal" not in step, "nobody knows before it is here"
        slow.may_end.set()
        assert job.wait().status == "successful"
        assert "bytesDone" not in job.status_info()["steps"][0]
