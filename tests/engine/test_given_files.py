"""What becomes of the files that tools are given."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.errors import JobFailed
from localproc.storage.disk import Disk
from localproc.uris import uri_path
from tests.patience import patient


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        yield engine


def run(engine: Engine, folder: Path, document: str, **inputs: Any) -> Any:
    package = folder / "package.cwl"
    package.write_text(document)
    results, options = str(folder / "results"), {"layout": "flat"}
    job = engine.deploy(package).execute(inputs, results=results, options=options)
    return job.wait(patient(60)).outcome().outputs


def path_of(one: Any) -> Path:
    return Path(uri_path(one["location"]))


def sha1(data: bytes) -> str:
    return "sha1$" + hashlib.sha1(data, usedforsecurity=False).hexdigest()


def updating(kind: str, command: str, version: str, outputs: str) -> str:
    """Give a workflow that makes a file or a folder, and then updates it in place."""
    make = "echo one > x" if kind == "File" else "mkdir x && echo one > x/one.txt"
    return f"""
cwlVersion: {version}
class: Workflow
inputs: []
outputs: {outputs}
steps:
  make:
    in: []
    out: [x]
    run:
      class: CommandLineTool
      inputs: []
      outputs: {{x: {{type: {kind}, outputBinding: {{glob: x}}}}}}
      arguments: [sh, -c, '{make}']
  update:
    in: {{x: make/x}}
    out: [x]
    run:
      class: CommandLineTool
      requirements:
        InitialWorkDirRequirement: {{listing: [{{entry: $(inputs.x), writable: true}}]}}
        InplaceUpdateRequirement: {{inplaceUpdate: true}}
      inputs: {{x: {kind}}}
      outputs: {{x: {{type: {kind}, outputBinding: {{glob: x}}}}}}
      arguments: [sh, -c, '{command}']
"""


BOTH = "{a: {type: %s, outputSource: make/x}, b: {type: %s, outputSource: update/x}}"


@pytest.mark.parametrize("version", ["v1.1", "v1.2"])
def test_a_folder_that_was_updated_in_place_is_published_once(
    engine: Engine, tmp_path: Path, version: str
) -> None:
    outputs = BOTH % ("Directory", "Directory")
    document = updating("Directory", "echo two > x/two.txt", version, outputs)
    found = run(engine, tmp_path, document)
    assert found["a"]["location"] == found["b"]["location"]
    for one in found.values():
        assert sorted(each["basename"] for each in one["listing"]) == ["one.txt", "two.txt"]
    assert [one.name for one in (tmp_path / "results").iterdir()] == ["x"]


@pytest.mark.parametrize("version", ["v1.1", "v1.2"])
@pytest.mark.parametrize("output", ["make/x", "update/x"])
def test_a_file_that_was_updated_in_place_has_the_checksum_of_its_bytes(
    engine: Engine, tmp_path: Path, version: str, output: str
) -> None:
    outputs = f"{{x: {{type: File, outputSource: {output}}}}}"
    found = run(engine, tmp_path, updating("File", "echo two >> x", version, outputs))["x"]
    assert path_of(found).read_text() == "one\ntwo\n"
    assert (found["size"], found["checksum"]) == (8, sha1(b"one\ntwo\n"))


def test_a_file_of_two_outputs_is_published_once(engine: Engine, tmp_path: Path) -> None:
    found = run(
        engine, tmp_path, updating("File", "echo two >> x", "v1.2", BOTH % ("File", "File"))
    )
    assert found["a"] == found["b"]
    assert [one.name for one in (tmp_path / "results").iterdir()] == ["x"]


CHANGING = """
cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  %s
inputs: {x: {type: File, secondaryFiles: [.idx?]}}
outputs:
  x: {type: File, outputBinding: {outputEval: $(inputs.x)}}
arguments: [sh, -c, '%s', sh, $(inputs.x.path)]
"""
WRITABLE = "InitialWorkDirRequirement: {listing: [{entry: $(inputs.x), writable: %s}]}"


def given(folder: Path) -> dict[str, Any]:
    (folder / "x.txt").write_text("given")
    checksum = sha1(b"given")
    return {"class": "File", "path": str(folder / "x.txt"), "checksum": checksum, "size": 5}


def test_a_writable_copy_that_is_given_back_has_the_checksum_of_its_bytes(
    engine: Engine, tmp_path: Path
) -> None:
    document = CHANGING % (WRITABLE % "true", 'printf more >> "$1"')
    found = run(engine, tmp_path, document, x=given(tmp_path))["x"]
    assert path_of(found).read_text() == "givenmore"
    assert (found["size"], found["checksum"]) == (9, sha1(b"givenmore"))
    assert (tmp_path / "x.txt").read_text() == "given"


@pytest.mark.parametrize(
    "command",
    [
        'printf more >> "$1"',
        'printf other > "$1"',
        'printf "" > "$1"',
        'rm -- `readlink -f -- "$1"`',
        'cp -p "$1" was; printf GIVEN > "$1"; touch -r was "$1"',
    ],
)
@pytest.mark.parametrize("requirement", ["{}", WRITABLE % "false"])
def test_a_tool_that_writes_to_a_file_it_may_only_read_fails(
    engine: Engine, tmp_path: Path, command: str, requirement: str
) -> None:
    """docs/adr/0031."""
    requirement = "NetworkAccess: {networkAccess: true}" if requirement == "{}" else requirement
    with pytest.raises(JobFailed, match=r"its input .*/x\.txt was (changed|removed)"):
        run(engine, tmp_path, CHANGING % (requirement, command), x=given(tmp_path))


@pytest.mark.parametrize("command", ['chmod 640 "$1"', 'ln "$1" other', 'touch -r "$1" "$1"'])
def test_a_tool_that_changes_no_byte_does_no_harm(
    engine: Engine, tmp_path: Path, command: str
) -> None:
    document = CHANGING % ("NetworkAccess: {networkAccess: true}", command)
    found = run(engine, tmp_path, document, x=given(tmp_path))["x"]
    assert found["checksum"] == sha1(b"given")


def test_secondary_files_are_watched_too(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "x.txt.idx").write_text("index")
    with pytest.raises(JobFailed, match=r"its input .*/x\.txt\.idx was changed"):
        run(
            engine,
            tmp_path,
            CHANGING % ("NetworkAccess: {networkAccess: true}", 'printf more >> "$1.idx"'),
            x=given(tmp_path),
        )


HANDED_ON = """
cwlVersion: v1.2
class: Workflow
inputs: []
outputs: {y: {type: File, outputSource: use/y}}
steps:
  make:
    in: []
    out: [x]
    run:
      class: CommandLineTool
      inputs: []
      outputs: {x: {type: stdout}}
      stdout: x.txt
      arguments: [echo, made]
  use:
    in: {x: make/x}
    out: [y]
    run:
      class: CommandLineTool
      inputs: {x: File}
      outputs: {y: {type: stdout}}
      stdout: y.txt
      arguments: [sh, -c, '%s', sh, $(inputs.x.path)]
"""


def test_a_file_that_a_step_has_made_is_watched_too(engine: Engine, tmp_path: Path) -> None:
    command = 'cp -p "$1" was; printf MADE > "$1"; printf "\\n" >> "$1"; touch -r was "$1"'
    with pytest.raises(JobFailed, match=r"its input .*/x\.txt was changed"):
        run(engine, tmp_path, HANDED_ON % command)


def test_a_step_may_set_the_mode_of_a_file_that_another_has_made(
    engine: Engine, tmp_path: Path
) -> None:
    found = run(engine, tmp_path, HANDED_ON % 'chmod 640 "$1"; cat "$1"')["y"]
    assert path_of(found).read_text() == "made\n"


def test_what_a_step_has_made_is_looked_at_once_at_a_time_and_read_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        plain = getattr(Disk, name)

        def look(disk: Disk, path: str, *more: Any) -> Any:
            done[name] += path.endswith("/work/make/x.txt")
            return plain(disk, path, *more)

        return look

    for name in ("stat", "read", "checksum"):
        monkeypatch.setattr(Disk, name, counted(name))
    run(engine, tmp_path, HANDED_ON % 'cat "$1"')
    # as an output, before the next step and after it
    assert done == Counter(stat=3, read=0, checksum=1)


SET_BACK = (
    'cp -p "$1" was; printf X | dd of="$1" bs=1 seek=%s conv=notrunc 2>/dev/null; touch -r was "$1"'
)
PLAIN = "NetworkAccess: {networkAccess: true}"


def test_a_write_far_behind_whose_times_are_set_back_is_noticed(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "x.txt").write_bytes(bytes(60_000))
    one = {"class": "File", "path": str(tmp_path / "x.txt")}
    with pytest.raises(JobFailed, match=r"its input .*/x\.txt was changed"):
        run(engine, tmp_path, CHANGING % (PLAIN, SET_BACK % 50_000), x=one)


def test_in_a_large_file_it_is_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(bytes(100_000))
    log = log_of(engine, tmp_path, CHANGING % (PLAIN, SET_BACK % 50_000), "x.txt")
    assert "x.txt may have been changed while it ran, and its times reset" in log


def log_of(engine: Engine, folder: Path, document: str, name: str) -> str:
    (folder / "package.cwl").write_text(document)
    kind = "Directory" if (folder / name).is_dir() else "File"
    job = engine.run(folder / "package.cwl", {"x": {"class": kind, "path": str(folder / name)}})
    assert job.wait(patient(60)).raise_for_status()
    return job.logs(step="package").stderr


@pytest.mark.parametrize("requirement", [PLAIN, WRITABLE % "false"])
@pytest.mark.parametrize(
    "command",
    ['printf b >> "$1/a.txt"', 'rm "$1/deep/b.txt"', f'cd "$1"; set a.txt; {SET_BACK % 0}'],
)
def test_a_file_in_a_folder_is_watched(
    engine: Engine, tmp_path: Path, command: str, requirement: str
) -> None:
    document, folder = in_folder(tmp_path, command, requirement)
    (tmp_path / "d" / "deep" / "b.txt").write_text("b")
    with pytest.raises(JobFailed, match=r"its input .*/[ab]\.txt was (changed|removed)"):
        run(engine, tmp_path, document, x=folder)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('printf b >> "$1/run.log"', "/d/run.log was changed while it ran"),
        ('printf b >> "$1/new.txt"', "new.txt was made in its input "),
    ],
)
def test_what_others_may_have_written_in_the_users_folder_is_told(
    engine: Engine, tmp_path: Path, command: str, said: str
) -> None:
    document, _ = in_folder(tmp_path, command, PLAIN)
    (tmp_path / "d" / "run.log").write_text("began\n")
    assert said in log_of(engine, tmp_path, document, "d")


def test_a_home_in_a_folder_is_nobodys_input(tmp_path: Path) -> None:
    document, _ = in_folder(tmp_path, "true", PLAIN)
    with Engine(tmp_path / "d" / "home") as engine:
        assert log_of(engine, tmp_path, document, "d") == ""


def test_a_folder_that_another_step_has_made_is_watched(engine: Engine, tmp_path: Path) -> None:
    outputs = "{x: {type: Directory, outputSource: make/x}}"
    document = updating("Directory", "", "v1.2", outputs)
    document = (
        document.split("      requirements:")[0]
        + """
      inputs: {x: Directory}
      outputs: {x: {type: Directory, outputBinding: {outputEval: $(inputs.x)}}}
      arguments: [sh, -c, 'echo two > "$0/two.txt"', $(inputs.x.path)]
"""
    )
    with pytest.raises(JobFailed, match=r"two\.txt was made in its input .*/x"):
        run(engine, tmp_path, document)


def in_folder(
    folder: Path, command: str, requirement: str = WRITABLE % "false"
) -> tuple[str, dict[str, Any]]:
    """Give a tool that is given, or linked to, a folder that it may only read; and the folder."""
    (folder / "d" / "deep").mkdir(parents=True)
    (folder / "d" / "a.txt").write_text("a")
    document = (CHANGING % (requirement, command)).replace(
        "{type: File, secondaryFiles: [.idx?]}", "Directory"
    )
    return document.replace("type: File", "type: Directory"), {
        "class": "Directory",
        "path": str(folder / "d"),
    }


@pytest.mark.parametrize("name", ["new.txt", "deep/new.txt"])
def test_what_is_made_in_a_folder_that_is_linked_to_is_noticed(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    document, folder = in_folder(tmp_path, f'printf b > "$1/{name}"')
    with pytest.raises(JobFailed, match=r"new\.txt was made in its input .*/d"):
        run(engine, tmp_path, document, x=folder)


def test_what_python_compiles_beside_a_script_harms_nobody(engine: Engine, tmp_path: Path) -> None:
    document, folder = in_folder(tmp_path, 'mkdir "$1/__pycache__"; printf b > "$1/.lock"')
    found = run(engine, tmp_path, document, x=folder)["x"]
    assert path_of(found).name == "d"


def test_a_tool_that_replaces_what_was_put_there_does_no_harm(
    engine: Engine, tmp_path: Path
) -> None:
    document = CHANGING % (WRITABLE % "false", 'printf new > t && mv t "$1"')
    found = run(engine, tmp_path, document, x=given(tmp_path))["x"]
    assert (path_of(found).read_text(), found["checksum"]) == ("new", sha1(b"new"))
    assert (tmp_path / "x.txt").read_text() == "given"


NESTED = """
cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  %s
inputs: {x: %s}
outputs: {names: {type: stdout}}
stdout: names.txt
arguments: [sh, -c, 'cd `dirname "$1"` && ls a.bam*', sh, $(inputs.x.path)]
"""


@pytest.mark.parametrize("requirement", ["StepInputExpressionRequirement: {}", WRITABLE % "true"])
@pytest.mark.parametrize("is_default", [True, False])
@pytest.mark.parametrize("literal", [True, False])
def test_secondary_files_of_secondary_files_stand_beside_them(
    engine: Engine, tmp_path: Path, requirement: str, *, is_default: bool, literal: bool
) -> None:
    value: Any = None
    for name in ("a.bam.bai.md5", "a.bam.bai", "a.bam"):
        (tmp_path / name[-3:]).mkdir()
        (tmp_path / name[-3:] / name).write_text(name)
        one = {"contents": name} if literal else {"path": str(tmp_path / name[-3:] / name)}
        beside = {} if value is None else {"secondaryFiles": [value]}
        value = {"class": "File", "basename": name, **one, **beside}
    port = json.dumps({"type": "File", "default": value} if is_default else "File")
    inputs = {} if is_default else {"x": value}
    found = run(engine, tmp_path, NESTED % (requirement, port), **inputs)["names"]
    assert path_of(found).read_text().split() == ["a.bam", "a.bam.bai", "a.bam.bai.md5"]
