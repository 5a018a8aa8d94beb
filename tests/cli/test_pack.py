"""A package of several files as one document, for whatever runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from localproc import Engine, InvalidPackage
from localproc.errors import UnsupportedPackage
from tests.cli.terminal import localproc
from tests.patience import patient

FILES = {
    "main.cwl": """\
# What it is for.
cwlVersion: v1.2
$namespaces: {edam: "http://edamontology.org/"}
class: Workflow
id: several
requirements:
  SchemaDefRequirement: {types: [{$import: types.yml}]}
  SubworkflowFeatureRequirement: {}
inputs:
  who: {type: "types.yml#Person"}  # a record
  more: "types.yml#Pair?"
outputs:
  out: {type: File, outputSource: say/out}
  again: {type: File, outputSource: inner/out}
steps:
  say:
    run: tools/say.cwl
    in: {who: who}
    out: [out]
  inner:
    run: parts/parts.cwl#inner
    in: {file: say/out}
    out: [out]
""",
    "types.yml": """\
- name: Person
  type: record
  fields:
    - {name: first, type: string}
    - {name: last, type: string}
- name: Pair
  type: record
  fields:
    - {name: one, type: "#Person"}
    - {name: two, type: "#Person"}
""",
    "tools/say.cwl": """\
cwlVersion: v1.2
class: CommandLineTool
id: say
requirements:
  SchemaDefRequirement: {types: [{$import: ../types.yml}]}
  InlineJavascriptRequirement:
    expressionLib: [{$include: lib.js}]
  InitialWorkDirRequirement:
    listing: [{entryname: note.txt, entry: {$include: note.txt}}]
baseCommand: sh
arguments: [$(inputs.script.path), '$(shout(inputs.who.first))', types.yml#Person]
inputs:
  who: "../types.yml#Person"
  script:
    type: File
    default: {class: File, location: say.sh}
  data:
    type: Directory
    default: {class: Directory, path: data}
stdout: said.txt
outputs: {out: stdout}
""",
    "tools/lib.js": "function shout(text) {\n  return text.toUpperCase() + '!';\n}\n",
    "tools/note.txt": "a note\n",
    "tools/say.sh": '# "quotes" and \\\nset -e\n\tcat note.txt\necho "$1" $2\n',
    "tools/data/a.txt": "a",
    "tools/data/sub/b.txt": "b: [1\n",
    "parts/parts.cwl": """\
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: inner
    inputs: {file: File}
    outputs: {out: {type: File, outputSource: copy/out}}
    steps: {copy: {run: "#copy", in: {file: file}, out: [out]}}
  - class: CommandLineTool
    id: copy
    baseCommand: cat
    inputs: {file: {type: File, inputBinding: {}}}
    stdout: copy.txt
    outputs: {out: stdout}
""",
}
WHO = {"who": {"first": "ann", "last": "x"}}
SAID = "a note\nANN! types.yml#Person\n"


@pytest.fixture
def package(here: Path) -> Path:
    for name, text in FILES.items():
        (here / "package" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "package" / name).write_text(text)
    return here / "package" / "main.cwl"


@pytest.fixture
def packed(package: Path, tmp_path: Path) -> Path:
    """Give the package as one document, in a folder with nothing beside it."""
    path = tmp_path / "alone" / "packed.cwl"
    path.parent.mkdir()
    said = localproc("pack", package, "--output", path)
    assert said.code == 0, said.err
    return path


def test_a_packed_package_gives_the_same(package: Path, packed: Path, home: Path) -> None:
    with Engine(home) as engine:
        for one in (package, packed):
            results = engine.run(one, WHO).results()
            assert results["out"].read_text() == SAID
            assert results["again"].read_text() == SAID
        assert engine.pack(package) == packed.read_text()


def test_comments_stay_and_files_become_literals(packed: Path) -> None:
    text = packed.read_text()
    assert text.startswith("# What it is for.\n")
    assert "  # a record\n" in text
    assert "$import" not in text
    assert "$include" not in text
    assert "location" not in text
    assert "arguments: [$(inputs.script.path), '$(shout(inputs.who.first))', types.yml#" in text
    assert localproc("validate", packed).code == 0


def test_cwltool_runs_it_too(packed: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.json"
    inputs.write_text(json.dumps(WHO))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cwltool", "--quiet", "--outdir", str(out)]
    ended = subprocess.run(
        [*command, str(packed), str(inputs)],
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
    )
    assert ended.returncode == 0, ended.stderr
    assert (out / "said.txt").read_text() == SAID
    assert (out / "copy.txt").read_text() == SAID


def test_it_is_printed_and_deployed_as_it_is(package: Path, home: Path) -> None:
    said = localproc("pack", package)
    assert said.code == 0
    with Engine(home) as engine:
        process = engine.deploy(said.out)
        assert process.id == "several"
        assert process.execute(WHO).wait().results()["out"].read_text() == SAID


def test_what_cannot_stand_in_a_document_is_told(package: Path, home: Path) -> None:
    (package.parent / "tools" / "say.sh").write_bytes(b"\xff\xfe")
    with Engine(home, run_jobs=False) as engine:
        with pytest.raises(UnsupportedPackage, match=r"tools/say.sh is no text") as told:
            engine.pack(package)
        assert "ZIP" in told.value.hint
        (package.parent / "tools" / "say.sh").unlink()
        with pytest.raises(InvalidPackage, match=r"cannot read tools/say.sh"):
            engine.pack(package)
    said = localproc("pack", package)
    assert said.code == 2
    assert "say.sh" in said.err


def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.cwl").write_text("cwlVersion: v1.2\ninputs: {words: string[]}\n")
    said = localproc("pack", tmp_path / "bad.cwl")
    assert said.code == 2
    assert "bad.cwl:2:" in said.err


def test_documents_that_do_not_go_together_are_told(package: Path) -> None:
    part = package.parent / "parts" / "parts.cwl"
    part.write_text(part.read_text().replace("v1.2", "v1.1"))
    said = localproc("pack", package)
    assert said.code == 2
    assert "parts/parts.cwl is of CWL v1.1, the package of v1.2" in said.err
    part.write_text(FILES["parts/parts.cwl"].replace("#copy", "parts.cwl#inner"))
    said = localproc("pack", package)
    assert said.code == 2
    assert "includes itself" in said.err
