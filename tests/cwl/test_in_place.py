"""InplaceUpdateRequirement: who may use a file that is updated in place."""

from typing import Any

import pytest

from localproc.cwl.run.plan import Invocation, Plan
from localproc.errors import StepError
from tests.cwl.memory import Memory, directory, file, workflow

UPDATE = """
      run:
        class: CommandLineTool
        requirements:
          InitialWorkDirRequirement: {listing: [{entry: $(inputs.f), writable: true}]}
          InplaceUpdateRequirement: {inplaceUpdate: true}
        baseCommand: a
        inputs: {f: Any, after: Any?}
        outputs: {o: {type: Any, outputBinding: {glob: a.txt}}}
"""
READ = """
      run:
        class: CommandLineTool
        baseCommand: a
        inputs: {f: Any, after: Any?}
        outputs: {o: {type: Any, outputBinding: {glob: a.txt}}}
"""
DISK = Memory(
    {"/data/a.txt": "a", "/data/d/b.txt": "b"},
    links={"/job/one/a.txt": "/data/a.txt", "/alias/a.txt": "/data/a.txt"},
)
GIVEN = file("/data/a.txt")
OUTPUT = {"o": file("/job/one/a.txt")}


def plan(first: str, second: str, link: str, given: Any = GIVEN, other: Any = GIVEN) -> Plan:
    """Plan two steps; ``link`` is what the second one takes."""
    text = f"""
inputs: {{f: Any, g: Any}}
outputs: {{o: {{type: Any, outputSource: one/o}}}}
requirements: {{InlineJavascriptRequirement: {{}}}}
steps:
    one:
      in: {{f: f}}
      out: [o]
{first}
    two:
      in: {link}
      out: [o]
{second}
"""
    return Plan(workflow(text), {"f": given, "g": other}, DISK)


def started(plan: Plan) -> str:
    found = plan.pull()
    assert isinstance(found, Invocation)
    return found.key


@pytest.mark.parametrize(("first", "second"), [(UPDATE, UPDATE), (UPDATE, READ), (READ, UPDATE)])
def test_nobody_else_uses_a_file_while_it_is_updated(first: str, second: str) -> None:
    two = plan(first, second, "{f: f}")
    started(two)
    with pytest.raises(StepError, match="in place"):
        two.pull()


def test_a_file_is_the_same_by_whatever_path() -> None:
    two = plan(UPDATE, READ, "{f: g}", other=file("/alias/a.txt"))
    started(two)
    with pytest.raises(StepError, match=r"uses /data/a.txt while one updates it in place"):
        two.pull()


def test_a_file_in_a_folder_that_is_updated_is_updated() -> None:
    two = plan(UPDATE, READ, "{f: g}", directory("/data/d"), file("/data/d/b.txt"))
    started(two)
    with pytest.raises(StepError, match=r"two uses /data/d while one updates it in place"):
        two.pull()


def test_other_files_may_be_used_at_once() -> None:
    two = plan(UPDATE, UPDATE, "{f: g}", other=file("/data/d/b.txt"))
    assert [started(two), started(two)] == ["one", "two"]


def test_who_updates_next_takes_the_output_of_who_did_before() -> None:
    two = plan(UPDATE, UPDATE, "{f: one/o}")
    two.finish(started(two), OUTPUT)
    assert started(two) == "two"


def test_two_that_update_one_after_the_other_must_not_have_a_common_input() -> None:
    two = plan(UPDATE, UPDATE, "{f: f, after: one/o}")
    two.finish(started(two), OUTPUT)
    with pytest.raises(StepError, match=r"two updates /data/a.txt in place, and so does one"):
        two.pull()


def test_a_file_may_be_read_when_the_update_is_over() -> None:
    two = plan(UPDATE, READ, "{f: f, after: one/o}")
    two.finish(started(two), OUTPUT)
    assert started(two) == "two"


def test_what_was_known_of_a_file_before_its_update_is_not_given_out() -> None:
    text = file("/job/one/a.txt", size=99, checksum="sha1$old")
    two = plan(UPDATE, UPDATE, "{f: one/o}")
    two.finish(started(two), {"o": text})
    two.finish(started(two), OUTPUT)
    assert two.outputs == {"o": file("/job/one/a.txt", size=1)}


def test_without_the_requirement_files_are_everybodys() -> None:
    two = plan(READ, READ, "{f: f}")
    assert [started(two), started(two)] == ["one", "two"]
