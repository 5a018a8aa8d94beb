"""What people see who sit at a terminal."""

import re
from pathlib import Path

import pytest

from localproc import Engine
from tests.cli.terminal import localproc, on_terminal

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def plain(drawn: str) -> list[str]:
    """Give what was drawn as lines without colours and movements."""
    return [line.strip() for line in _COLOURS.sub("", drawn).replace("\r", "\n").split("\n")]


def test_steps_are_drawn_as_they_go(packages: Path) -> None:
    drawn = on_terminal("run", packages / "three-steps.cwl", "text=hello")
    lines = plain(drawn)
    assert any(
        re.fullmatch(r"three-steps +━+ +100 % +successful +[0-9a-f-]{36}", line) for line in lines
    )
    for step in ("first", "second", "third", "stage_out"):
        assert any(re.fullmatch(rf"✓ +{step} +successful +\d+\.\d s", line) for line in lines), step
    assert "\x1b[32m" in drawn


def test_a_failure_is_drawn_with_its_story(packages: Path) -> None:
    lines = plain(on_terminal("run", packages / "three-steps.cwl", "text=hello", "code=3"))
    assert any(re.fullmatch(r"✗ +second +failed +\d+\.\d s", line) for line in lines)
    assert "failed: step second failed with exit code 3" in "\n".join(lines)


@pytest.mark.parametrize("columns", [40, 200])
def test_an_id_is_never_cut_off(packages: Path, home: Path, columns: int) -> None:
    localproc("run", packages / "echo.cwl", "message=x")
    with Engine(home, run_jobs=False) as engine:
        job_id = engine.jobs()[0].id
    drawn = on_terminal("jobs", columns=columns)
    assert job_id in drawn
    assert "\x1b[32msuccessful" in drawn
    assert "\x1b" not in localproc("jobs").out
