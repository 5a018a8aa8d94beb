"""JavaScript within the loop: what is tried there, and what is left to workers."""

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.engine.loop.quick_scripts import QuickScripts
from localproc.executors.script_process import TakesLong
from localproc.executors.scripts import NoneFree, Scripts
from localproc.storage.disk import TooBig

ARGUMENTS = ("1", "null", "{}")
JS: Mapping[str, Any] = {"InlineJavascriptRequirement": {}}


class Counting(Scripts):
    """Scripts that say what they are asked, and answer as they are told."""

    def __init__(self, answer: str | Exception) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[str] = []

    def run_briefly(self, source: str, arguments: tuple[str, str, str], seconds: float) -> str:
        assert 0 < seconds < 1
        self.asked.append(source)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def too_big(quick: QuickScripts, source: str, times: int = 1) -> None:
    for _ in range(times):
        quick.next_turn()
        with pytest.raises(TooBig):
            quick(source, ARGUMENTS, 20)


def test_a_value_comes_back() -> None:
    assert QuickScripts(Counting("[2]"))("f", ARGUMENTS, 20) == "[2]"


def test_without_a_process_it_is_tried_again_the_next_time() -> None:
    scripts = Counting(NoneFree())
    too_big(QuickScripts(scripts), "f", 3)
    assert scripts.asked == ["f"] * 3


def test_a_slow_one_is_left_to_workers_for_a_while_and_longer_each_time() -> None:
    scripts = Counting(TakesLong())
    quick = QuickScripts(scripts)
    too_big(quick, "slow", 1 + 10)
    assert scripts.asked == ["slow"]
    too_big(quick, "other", 1)
    too_big(quick, "slow", 1 + 100)
    assert scripts.asked == ["slow", "other", "slow"]
    scripts.answer = "[2]"
    assert quick("slow", ARGUMENTS, 20) == "[2]", "it may have been the machine"
    scripts.answer = TakesLong()
    too_big(quick, "slow", 1 + 10)
    scripts.answer = "[2]"
    assert quick("slow", ARGUMENTS, 20) == "[2]", "so it is not held against it"


def test_large_questions_and_answers_are_not_for_the_loop() -> None:
    scripts = Counting(f"[{'1' * 20_000}]")
    quick = QuickScripts(scripts)
    too_big(quick, "x" * 20_000)
    assert scripts.asked == []
    too_big(quick, "f", 2)
    assert scripts.asked == ["f"]


def test_a_turn_has_an_end() -> None:
    scripts = Counting("[2]")
    quick = QuickScripts(scripts)
    with pytest.raises(TooBig):
        deque(iter(lambda: quick("f", ARGUMENTS, 20), ""), 0)
    quick.next_turn()
    assert quick("f", ARGUMENTS, 20) == "[2]"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home") as engine:
        yield engine


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("$(new Array(200000000).fill(1).length)", None),
        ("${ try { new Array(200000000).fill(1); return 'much'; } catch (e) { return 'little'; } }",
         "little"),
        ("${ try { Array.prototype.x = 1; } catch (e) { return 'frozen'; } return 'thawed'; }",
         "frozen"),
        ("$(typeof globalThis.left + (globalThis.left = 1))", "undefined1"),
    ],
)  # fmt: skip
def test_where_it_is_evaluated_makes_no_difference(
    engine: Engine, code: str, value: str | None
) -> None:
    """The first one is a worker's; once its process is there, the loop may try."""
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "say",
        "requirements": JS,
        "baseCommand": "echo",
        "inputs": {},
        "outputs": {"out": {"type": "string", "outputBinding": {"outputEval": code}}},
    }
    process = engine.deploy(tool)
    said = [engine.run(process, {}, reuse=False) for _ in range(3)]
    found = [job.results().get("out") if job.status == "successful" else None for job in said]
    assert found == [value] * 3, [job.problem for job in said]
