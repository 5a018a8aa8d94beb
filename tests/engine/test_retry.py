"""A job that goes on where another one has failed: what it takes over, and what it runs again."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import localproc
from localproc import Engine, Job
from localproc.engine.loop.removal import Removal
from localproc.errors import Conflict, JobFailed
from localproc.model import JobStatus, StepStatus
from tests.patience import patient, until

TOOL = """
cwlVersion: v1.2
class: CommandLineTool
id: tool
baseCommand: python3
inputs:
  script: {type: File, inputBinding: {position: 1}}
  word: {type: string, inputBinding: {position: 2}}
  given: {type: File?, inputBinding: {position: 3}}
stdout: out.txt
outputs: {out: stdout}
"""
FIVE = """
cwlVersion: v1.2
class: Workflow
id: five
inputs: {word: string, other: {type: string, default: o}, file: File}
outputs: {out: {type: File, outputSource: last/out}}
steps:
  first: {run: tool.cwl, out: [out], in: {word: word, given: file, script: {default: &say
    {class: File, location: say.py}}}}
  second: {run: tool.cwl, out: [out], in: {word: other, given: first/out, script: {default: *say}}}
  third: {run: tool.cwl, out: [out], in: {word: word, given: first/out, script: {default: *say}}}
  fourth: {run: tool.cwl, out: [out], in: {word: word, given: third/out, script: {default: *say}}}
  last: {run: tool.cwl, out: [out], in: {word: other, given: fourth/out, script: {default:
    {class: File, location: last.py}}}}
"""
SAY = """
import sys
text = open(sys.argv[2]).read() if sys.argv[2:] else ""
print("said", sys.argv[1], file=sys.stderr)
print(sys.argv[1] + " " + text)
"""
BROKEN = "import sys; sys.exit(3)"


class Desk:
    """A folder with a package, and an engine."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        self.write(**{"tool.cwl": TOOL, "five.cwl": FIVE, "say.py": SAY, "last.py": BROKEN})
        self.write(**{"in.txt": "hello\n"})

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def run(self, package: str = "five.cwl", **inputs: Any) -> Job:
        given = inputs or {"word": "w", "file": str(self.folder / "in.txt")}
        job = self.engine.run(self.folder / package, given)
        assert job.status is JobStatus.FAILED, job.message
        return job

    def mend(self) -> None:
        self.write(**{"last.py": SAY})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "package").mkdir()
    with localproc.Engine(tmp_path / "home", slots=2) as engine:
        yield Desk(tmp_path / "package", engine)


def told(job: Job) -> dict[str, str]:
    """Give what became of each step but the engine's own: taken over, or why it was run."""
    job.wait(patient(60))
    return {
        step.key: "reused" if step.status is StepStatus.REUSED else step.because
        for step in job.steps
        if not step.key.startswith("/")
    }


def reused(job: Job) -> set[str]:
    return {key for key, said in told(job).items() if said == "reused"}


# What is taken over


def test_only_the_step_runs_whose_script_was_mended(desk: Desk) -> None:
    failed = desk.run()
    desk.mend()
    again = failed.retry()
    assert told(again) == {
        "first": "reused",
        "second": "reused",
        "third": "reused",
        "fourth": "reused",
        "last": "it failed before: failed with exit code 3",
    }
    assert again.status is JobStatus.SUCCESSFUL
    assert again.result("out").read_text() == "o w w w hello\n\n\n\n\n"
    assert again.request.derived_from == failed.id
    steps = {step.key: step for step in again.steps}
    assert (steps["first"].reused_from, steps["first"].reused_step) == (failed.id, "first")
    assert again.logs("first").stderr == "said w\n", "its log is that of the step it came from"


def test_what_a_changed_input_reaches_is_run_again(desk: Desk) -> None:
    failed = desk.run()
    desk.mend()
    again = failed.retry({"other": "x"})
    assert told(again) == {
        "first": "reused",
        "third": "reused",
        "fourth": "reused",
        "second": "its inputs have changed: word",
        "last": "it failed before: failed with exit code 3",
    }
    assert again.inputs["other"] == "x"
    assert again.result("out").read_text().startswith("x w")


def test_the_earlier_job_may_be_removed_afterwards(desk: Desk) -> None:
    failed = desk.run()
    again = failed.retry()
    assert len(reused(again)) == 4
    assert desk.engine.delete(failed.id)
    desk.mend()
    once_more = again.retry()
    assert len(reused(once_more)) == 4
    assert once_more.status is JobStatus.SUCCESSFUL


def test_what_a_successful_retry_has_not_kept_comes_from_before(desk: Desk) -> None:
    failed = desk.run()
    desk.mend()
    good = failed.retry()
    assert good.wait(patient(60)).status is JobStatus.SUCCESSFUL
    other = good.retry({"other": "x"})
    assert reused(other) == {"first", "third", "fourth"}
    assert {step.reused_from for step in other.steps} == {None, failed.id}


def test_what_is_about_to_be_removed_counts_as_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is removed at ease after a job has ended well, and a retry may come before."""
    monkeypatch.setattr(Removal, "begin", lambda _: None)
    desk.mend()
    good = desk.engine.run(
        desk.folder / "five.cwl", {"word": "w", "file": str(desk.folder / "in.txt")}
    )
    assert good.status is JobStatus.SUCCESSFUL
    assert os.listdir(Path(good.folder) / "work")
    assert reused(good.retry()) == set()


def test_the_package_is_read_again(desk: Desk) -> None:
    failed = desk.run()
    desk.mend()
    desk.write(
        **{"five.cwl": FIVE.replace("word: other, given: first", "word: word, given: first")}
    )
    again = failed.retry()
    assert reused(again) == {"first", "second", "third", "fourth"}
    steps = {step.key: step for step in again.steps}
    assert steps["second"].reused_step == "third", "which did what this one does now"
    assert again.status is JobStatus.SUCCESSFUL


def test_a_package_may_be_given(desk: Desk, tmp_path: Path) -> None:
    failed = desk.run()
    other = tmp_path / "other"
    shutil.copytree(desk.folder, other)
    (other / "last.py").write_text(SAY)
    (other / "five.cwl").write_text(FIVE + "label: a newer one\n")
    again = failed.retry(package=other / "five.cwl")
    assert reused(again) == {"first", "second", "third", "fourth"}, "contents count, not places"
    assert again.status is JobStatus.SUCCESSFUL
    assert again.process_id == failed.process_id


def test_a_changed_tool_is_told_of(desk: Desk) -> None:
    failed = desk.run()
    desk.write(**{"tool.cwl": TOOL.replace("baseCommand: python3", "baseCommand: [python3, -B]")})
    again = failed.retry()
    assert told(again)["first"] == "its definition has changed: baseCommand"
    assert reused(again) == set()


def test_a_dismissed_job_is_gone_on_with(desk: Desk) -> None:
    desk.write(**{"last.py": "import time; print('here', flush=True); time.sleep(600)"})
    job = desk.engine.deploy(desk.folder / "five.cwl").execute(
        {"word": "w", "file": str(desk.folder / "in.txt")}
    )
    until(lambda: any(step.name == "last" and step.start for step in job.steps))
    job.dismiss()
    desk.mend()
    again = job.retry()
    assert reused(again) >= {"first", "third", "fourth"}
    assert told(again)["last"] == "it was stopped before"
    assert again.status is JobStatus.SUCCESSFUL


def test_a_job_that_has_not_ended_cannot_be_retried(desk: Desk) -> None:
    desk.write(**{"last.py": "import time; time.sleep(600)"})
    job = desk.engine.deploy(desk.folder / "five.cwl").execute(
        {"word": "w", "file": str(desk.folder / "in.txt")}
    )
    with pytest.raises(Conflict, match="cannot be retried yet"):
        job.retry()
    job.dismiss()


# What is not


def test_a_file_that_was_changed_since_is_not_taken_for_what_it_was(desk: Desk) -> None:
    failed = desk.run()
    desk.write(**{"in.txt": "other\n"})
    again = failed.retry()
    assert "first" not in reused(again)
    assert told(again)["first"] == "a file that it was given has been changed or removed since"
    assert "second" not in reused(again), "it depends on what is new"


def test_outputs_that_somebody_has_changed_are_not_taken_over(desk: Desk) -> None:
    failed = desk.run()
    (Path(failed.folder) / "work" / "second" / "out.txt").write_text("forged\n")
    again = failed.retry()
    assert told(again)["second"] == "its outputs have been changed or removed since"
    assert reused(again) == {"first", "third", "fourth"}


def test_a_module_beside_a_script_counts(desk: Desk) -> None:
    desk.write(**{"helper.py": "X = 1\n", "say.py": "import helper\n" + SAY})
    failed = desk.run()
    desk.write(**{"helper.py": "X = 2\n"})
    again = failed.retry()
    assert told(again)["first"] == "what lies beside its script has changed"
    assert reused(again) == set()


def test_other_steps_scripts_and_documents_count_where_they_are_mentioned(desk: Desk) -> None:
    desk.write(**{"say.py": SAY + "# reads settings.yml\n", "settings.yml": "a: 1\n"})
    desk.write(**{"README.md": "# read me\n"})
    failed = desk.run()
    desk.write(**{"README.md": "# read it\n"})
    desk.mend()
    assert len(reused(failed.retry())) == 4
    desk.write(**{"settings.yml": "a: 2\n"})
    assert reused(failed.retry()) == set()


# Shapes of workflows

SHAPES = """
cwlVersion: v1.2
class: Workflow
id: shapes
requirements: [{class: ScatterFeatureRequirement}, {class: SubworkflowFeatureRequirement},
  {class: InlineJavascriptRequirement}, {class: StepInputExpressionRequirement}]
inputs: {words: "string[]", runs: {type: boolean, default: false},
  end: {type: string, default: bad}}
outputs: {out: {type: string, outputSource: last/out}}
steps:
  inner:
    scatter: word
    in: {word: words}
    out: [dir, count]
    run:
      class: Workflow
      id: inside
      inputs: {word: string}
      outputs: {dir: {type: Directory, outputSource: make/dir},
        count: {type: int, outputSource: count/n}}
      steps:
        make: {run: make.cwl, in: {word: word}, out: [dir]}
        count:
          in: {word: word}
          out: [n]
          run: {class: ExpressionTool, id: count, inputs: {word: string}, outputs: {n: int},
            expression: '${ return {n: inputs.word.length}; }'}
  maybe: {run: make.cwl, when: $(inputs.runs), out: [dir],
    in: {word: {valueFrom: maybe}, runs: runs}}
  last:
    in: {dirs: inner/dir, end: end}
    out: [out]
    run:
      class: CommandLineTool
      id: last
      baseCommand: [sh, -c, 'test "$0" = good && cat "$1/deep/er/a.txt" "$1/link.txt" | wc -c']
      arguments: [$(inputs.end)]
      inputs: {end: string, dirs: {type: 'Directory[]', inputBinding: {position: 1}}}
      stdout: n.txt
      outputs: {out: {type: string, outputBinding: {glob: n.txt, loadContents: true,
        outputEval: '$(self[0].contents.trim())'}}}
"""
MAKE = """
cwlVersion: v1.2
class: CommandLineTool
id: make
baseCommand:
  [sh, -c, 'mkdir -p d/deep/er; cd d; echo $0 >deep/er/a.txt; ln -s deep/er/a.txt link.txt']
inputs: {word: {type: string, inputBinding: {}}}
outputs: {dir: {type: Directory, outputBinding: {glob: d}}}
"""


@pytest.fixture
def shapes(desk: Desk) -> Desk:
    desk.write(**{"shapes.cwl": SHAPES, "make.cwl": MAKE})
    return desk


def test_nested_and_scattered_steps_expressions_and_folders_are_taken_over(shapes: Desk) -> None:
    failed = shapes.run("shapes.cwl", words=["a", "bb"])
    again = failed.retry({"end": "good"})
    assert reused(again) == {
        "inner[0]/make",
        "inner[0]/count",
        "inner[1]/make",
        "inner[1]/count",
    }
    states = {step.key: step.status for step in again.steps}
    assert states["maybe"] is StepStatus.SKIPPED
    assert again.results()["out"] == "4", "both names in the first folder"


def test_items_of_a_scatter_are_found_wherever_they_are(shapes: Desk) -> None:
    failed = shapes.run("shapes.cwl", words=["a", "bb"])
    again = failed.retry({"words": ["new", "bb", "a"], "end": "good"})
    assert reused(again) == {f"inner[{n}]/{step}" for n in (1, 2) for step in ("make", "count")}
    assert told(again)["inner[0]/make"] == "its inputs have changed: word"


IN_PLACE = """
cwlVersion: v1.2
class: Workflow
id: places
inputs: {word: string, end: {type: string, default: bad}}
outputs: {out: {type: File, outputSource: last/out}}
steps:
  make:
    in: {word: word}
    out: [out]
    run: {class: CommandLineTool, id: make, baseCommand: echo, inputs: {word: {type: string,
      inputBinding: {}}}, stdout: a.txt, outputs: {out: stdout}}
  update:
    in: {file: make/out}
    out: [out]
    run: {class: CommandLineTool, id: update, baseCommand: [sh, -c, 'echo more >> a.txt'],
      requirements: [{class: InplaceUpdateRequirement, inplaceUpdate: true},
        {class: InitialWorkDirRequirement, listing: [{entry: $(inputs.file), writable: true}]}],
      inputs: {file: File}, outputs: {out: {type: File, outputBinding: {glob: a.txt}}}}
  last:
    in: {file: update/out, end: end}
    out: [out]
    run: {class: CommandLineTool, id: last, baseCommand: [sh, -c, 'test $0 = good && cat $1'],
      arguments: [$(inputs.end), $(inputs.file.path)], inputs: {file: File, end: string},
      stdout: b.txt, outputs: {out: stdout}}
"""


def test_what_was_updated_in_place_is_made_again(desk: Desk) -> None:
    desk.write(**{"places.cwl": IN_PLACE})
    failed = desk.run("places.cwl", word="one")
    again = failed.retry({"end": "good"})
    said = told(again)
    assert said["update"] == "it is never reused: it updates files in place"
    assert said["make"] in (
        "another step has updated its outputs in place since",
        "its outputs have been changed or removed since",
    )
    assert again.result("out").read_text() == "one\nmore\n", "updated once"


def test_options_are_as_they_were_unless_they_are_given(desk: Desk) -> None:
    first = desk.engine.deploy(desk.folder / "five.cwl").execute(
        {"word": "w", "file": str(desk.folder / "in.txt")},
        title="one",
        tags=["a"],
        priority=3,
        time_limit="1h",
    )
    with pytest.raises(JobFailed):
        first.results()
    again = first.retry(title="two")
    again.wait(patient(60))
    assert (again.record.title, again.record.tags, again.record.priority) == ("two", ("a",), 3)
    assert again.request.time_limit == 3600
    assert again.request.inputs == first.request.inputs


def test_what_lies_beside_a_script_counts_that_the_job_is_given(desk: Desk) -> None:
    desk.write(**{"helper.py": "X = 1\n", "mine.py": "import helper\n" + SAY})
    package = FIVE.replace("file: File", "file: File, mine: File").replace(
        "script: {default: &say\n    {class: File, location: say.py}}", "script: mine"
    )
    desk.write(**{"mine.cwl": package.replace("*say", "{class: File, location: say.py}")})
    files = {name: str(desk.folder / name) for name in ("in.txt", "mine.py")}
    failed = desk.run("mine.cwl", word="w", file=files["in.txt"], mine=files["mine.py"])
    assert reused(failed.retry()) >= {"first", "third"}
    desk.write(**{"helper.py": "X = 2\n"})
    assert told(failed.retry())["first"] == "what lies beside its script has changed"
