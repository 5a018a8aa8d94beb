"""Where a step runs: the executor, and whose container."""

import pytest

from localproc.cwl.run.process import Tool
from localproc.engine.job.executor_choice import Boxes, ExecutorChoice
from localproc.plugins.backend import Capabilities
from tests.cwl.memory import runnable

ABLE = {
    "local": Capabilities(),
    "slurm": Capabilities(remote=True),
    "docker": Capabilities(containers=True),
}
OWN = {"docker": "docker"}


def tool(image: str = "") -> Tool:
    named = f"hints: {{DockerRequirement: {{dockerPull: {image}}}}}\n" if image else ""
    return runnable(f"{named}baseCommand: a")


@pytest.mark.parametrize(
    ("executor", "boxes", "image", "expected"),
    [
        ("local", Boxes(own=OWN), "", ("local", "")),
        ("local", Boxes(own=OWN), "a:1", ("local", "")),
        ("local", Boxes("apptainer", own=OWN), "a:1", ("local", "apptainer")),
        ("local", Boxes("apptainer", own=OWN), "", ("local", "")),
        ("slurm", Boxes("apptainer", own=OWN), "a:1", ("slurm", "apptainer")),
        ("local", Boxes("docker", "docker", OWN), "a:1", ("docker", "docker")),
        ("local", Boxes("docker", "docker", OWN), "", ("local", "")),
        ("docker", Boxes(own=OWN), "a:1", ("docker", "docker")),
        ("docker;no-container=local", Boxes(own=OWN), "", ("local", "")),
    ],
)
def test_a_step_goes_to(executor: str, boxes: Boxes, image: str, expected: tuple[str, str]) -> None:
    place = boxes.place(ExecutorChoice.read(executor), ABLE, "step", tool(image))
    assert (place.executor, place.runtime) == expected
    assert place.containers is (expected[1] != "")


def test_a_daemon_of_this_machine_runs_nothing_for_another_one() -> None:
    boxes = Boxes("docker", "docker", OWN)
    place = boxes.place(ExecutorChoice.read("slurm"), ABLE, "step", tool("a:1"))
    assert (place.executor, place.containers) == ("slurm", False)


def test_an_image_that_stands_for_this_machine_is_none() -> None:
    boxes = Boxes("apptainer", is_local=lambda name: name == "a:1")
    place = boxes.place(ExecutorChoice.read("local"), ABLE, "step", tool("a:1"))
    assert (place.runtime, place.containers, place.bare) == ("", False, True)
