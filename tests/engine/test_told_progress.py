"""Tools that tell how far they are."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import localproc
from localproc.engine.loop.told_progress import ToldProgress, last_told
from localproc.model import Task
from localproc.model.events import StepProgress
from tests.patience import patient, until


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"progress 0.42 tile 3 of 7\n", (0.42, "tile 3 of 7")),
        (b"reading\nprogress 0 begun\nprogress .5\nwarning: odd\n", (0.5, "")),
        (b"progress 1\r\n", (1.0, "")),
        (b"progress 42 percent\n", (1.0, "percent")),
        (b"progress 0.5 \x1b[31mred\xff\n", (0.5, "[31mred\N{REPLACEMENT CHARACTER}")),
        (b"progress is slow\nin progress 0.5\nprogress -1\nprogress nan\n", None),
        (b"", None),
    ],
)
def test_the_last_line_of_the_convention_counts(
    written: bytes, said: tuple[float, str] | None
) -> None:
    assert last_told(written) == said


@given(st.binary())
def test_whatever_a_tool_writes_can_be_read(written: bytes) -> None:
    found = last_told(b"progress 0.5 " + written + b"\n")
    assert found is None or 0 <= found[0] <= 1


def task(path: Path, key: str = "job:step:1", *, progress: bool = True) -> Task:
    return Task(key, (), {}, "", "", None, "", str(path), progress=progress)


def test_logs_are_read_as_they_grow_and_what_is_cut_off_is_waited_for(tmp_path: Path) -> None:
    log, told = tmp_path / "log", list[tuple[str, float, str]]()
    follower = ToldProgress(lambda *said: told.append(said), pause=0.01)
    follower.follow([task(log), task(log, "job:other:1", progress=False)], anew=True)
    with log.open("a") as file:
        file.write("progress 0.1 one\nprogress 0.")
        file.flush()
        until(lambda: told == [("job:step:1", 0.1, "one")])
        file.write("2 two\n")
    until(lambda: told[1:] == [("job:step:1", 0.2, "two")])
    follower.forget_job("job")
    until(lambda: follower._thread is None)
    follower.close()


def test_what_an_earlier_attempt_has_left_does_not_count(tmp_path: Path) -> None:
    log, told = tmp_path / "log", list[tuple[str, float, str]]()
    log.write_text("progress 0.9 before\n")
    follower = ToldProgress(lambda *said: told.append(said), pause=0.01)
    follower.follow([task(log, "job:again:2")], anew=True)
    follower.follow([task(log, "job:found:2")], anew=False)

    def write() -> bool:
        with log.open("a") as file:
            file.write("progress 0.1 now\n")
        return any(key == "job:again:2" for key, _, _ in told)

    until(write)
    assert ("job:again:2", 0.9, "before") not in told
    until(lambda: any(key == "job:found:2" for key, _, _ in told))
    follower.close()


def tool(**more: Any) -> dict[str, Any]:
    """Give a tool that tells of itself, and waits until it may go on."""
    command = 'echo "progress 0.5 half way" >&2; until test -e "$0"; do sleep 0.05; done'
    return {
        "cwlVersion": "v1.2",
        "$namespaces": {"localproc": "https://localproc.dev/ns#"},
        "class": "CommandLineTool",
        "id": "work",
        "baseCommand": ["sh", "-c", command],
        "inputs": {"gate": {"type": "string", "inputBinding": {}}},
        "outputs": {},
        **more,
    }


@pytest.mark.parametrize(
    ("hints", "option"),
    [({"localproc:Progress": {}}, ""), ([{"class": "localproc:Progress"}], ""), ({}, "wo*")],
)
def test_a_step_tells_how_far_its_tool_is(tmp_path: Path, hints: Any, option: str) -> None:
    gate = tmp_path / "gate"
    with localproc.Engine(tmp_path / "home") as engine:
        job = engine.execute(
            engine.deploy(tool(hints=hints)).id, {"gate": str(gate)}, progress=option
        )
        until(lambda: job.steps[-1:] and job.steps[-1].share == 0.5)
        step = job.status_info()["steps"][-1]
        assert (step["progress"], step["said"]) == (50, "half way")
        assert (job.progress, job.message) == (49, "work: 50% half way")
        gate.touch()
        job.wait(patient(20)).raise_for_status()
        assert "progress" not in job.status_info()["steps"][-1]
        [event] = [one for one in job.events() if isinstance(one, StepProgress)]
        assert (event.share, event.said, event.done) == (0.5, "half way", None)
