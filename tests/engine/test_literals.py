"""Files and folders that are made of nothing arrive everywhere, whole."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from localproc import Engine
from localproc.errors import InvalidInputs, InvalidPackage, JobFailed
from localproc.uris import uri_path
from tests.patience import patient

#: Writes what a value's files and folders are on the disk of a task: as ``plain`` does.
SEE = """
import json, os

def of(path):
    if os.path.isdir(path):
        return {"name": os.path.basename(path), "holds": [of(f"{path}/{name}")
                for name in sorted(os.listdir(path))]}
    return {"name": os.path.basename(path), "text": open(path, newline="").read()}

def seen(value):
    if isinstance(value, list):
        return [seen(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class") not in ("File", "Directory"):
        return {key: seen(item) for key, item in value.items()}
    beside = [of(os.path.join(os.path.dirname(value["path"]), one["basename"]))
              for one in flat(value)]
    return {**of(value["path"]), **({"beside": beside} if beside else {})}

def flat(value):
    for one in value.get("secondaryFiles", []):
        yield one
        yield from flat(one)

json.dump(seen(json.load(open("value.json"))), open("seen.json", "w"))
"""


def see(version: str) -> dict[str, Any]:
    """Give a tool that tells what it sees of a value, and passes the value on."""
    listing = [
        {"entryname": "value.json", "entry": "${ return JSON.stringify(inputs.x); }"},
        {"entryname": "see.py", "entry": SEE.replace("\\", "\\\\")},
    ]
    return {
        "class": "CommandLineTool",
        "cwlVersion": version,
        "requirements": {
            "InlineJavascriptRequirement": {},
            "InitialWorkDirRequirement": {"listing": listing},
        },
        "baseCommand": ["python3", "see.py"],
        "inputs": {"x": "Any"},
        "outputs": {
            "seen": {"type": "File", "outputBinding": {"glob": "seen.json"}},
            "x": {"type": "Any", "outputBinding": {"outputEval": "$(inputs.x)"}},
        },
    }


def expression_tool(value: Any) -> dict[str, Any]:
    return {
        "class": "ExpressionTool",
        "inputs": {"i": "Any?"},
        "outputs": {"x": "Any"},
        "expression": f"${{ return {{x: {json.dumps(value)}}}; }}",
    }


def output_eval(value: Any) -> dict[str, Any]:
    evaluated = f"${{ return {json.dumps(value)}; }}"
    return {
        "class": "CommandLineTool",
        "baseCommand": "true",
        "inputs": {"i": "Any?"},
        "outputs": {"x": {"type": "Any", "outputBinding": {"outputEval": evaluated}}},
    }


def output_json(value: Any) -> dict[str, Any]:
    entry = f"${{ return {json.dumps(json.dumps({'x': value}))}; }}"
    listing = [{"entryname": "cwl.output.json", "entry": entry}]
    return {
        "class": "CommandLineTool",
        "requirements": {"InitialWorkDirRequirement": {"listing": listing}},
        "baseCommand": "true",
        "inputs": {"i": "Any?"},
        "outputs": {"x": "Any"},
    }


MAKERS = {"expression": expression_tool, "outputEval": output_eval, "output.json": output_json}


def workflow(way: str, value: Any, version: str) -> dict[str, Any]:
    """Give a workflow in which a value comes into being in some way and is seen by a tool."""
    steps: dict[str, Any] = {"see": {"run": see(version), "out": ["seen", "x"], "in": {}}}
    inputs: dict[str, Any] = {"given": "Any?"}
    if way in MAKERS:
        steps["make"] = {"run": MAKERS[way](value), "in": {}, "out": ["x"]}
        steps["see"]["in"]["x"] = "make/x"
    elif way == "valueFrom":
        steps["see"]["in"]["x"] = {"valueFrom": f"${{ return {json.dumps(value)}; }}"}
    elif way == "default":
        inputs["made"] = {"type": "Any", "default": value}
        steps["see"]["in"]["x"] = "made"
    else:
        steps["see"]["in"]["x"] = "given"
    return {
        "cwlVersion": version,
        "class": "Workflow",
        "requirements": {"InlineJavascriptRequirement": {}, "StepInputExpressionRequirement": {}},
        "inputs": inputs,
        "outputs": {
            "seen": {"type": "File", "outputSource": "see/seen"},
            "x": {"type": "Any", "outputSource": "see/x"},
        },
        "steps": steps,
    }


WAYS = [*MAKERS, "valueFrom", "default", "given"]

# Values, and what they have to become

names = st.text("abé _.-#%1", min_size=1, max_size=8).filter(lambda name: name.strip(". ") != "")
texts = st.text(st.characters(codec="utf-8", exclude_characters="$\\\0"), max_size=20)


def files(*, beside: bool) -> st.SearchStrategy[Any]:
    members: dict[str, Any] = {"class": st.just("File"), "contents": texts}
    if beside:
        one = files(beside=False)
        nested = st.builds(
            lambda file, inner: {**file, "secondaryFiles": inner}, one, st.lists(one, max_size=1)
        )
        members["secondaryFiles"] = st.lists(nested, max_size=2)
    return st.fixed_dictionaries(members)


def folders(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    listing = st.lists(inner, max_size=3)
    return st.fixed_dictionaries({"class": st.just("Directory"), "listing": listing})


filelikes = st.recursive(files(beside=True), folders, max_leaves=5)
values = st.recursive(
    filelikes,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)


def named(value: Any, numbers: Iterator[int], draw: Any) -> Any:
    """Give every object a name that no other one has."""
    if isinstance(value, list):
        return [named(item, numbers, draw) for item in value]
    if not isinstance(value, Mapping):
        return value
    plain = {key: named(item, numbers, draw) for key, item in value.items()}
    if value.get("class") in ("File", "Directory"):
        plain["basename"] = f"{draw(names)}{next(numbers)}"
    return plain


@st.composite
def named_values(draw: Any) -> Any:
    return named(draw(values), iter(range(1000)), draw)


def companions(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for one in value.get("secondaryFiles") or ():
        yield one
        yield from companions(one)


def plain(value: Any) -> Any:
    """Give names and texts of what a value of literals has to become."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class") not in ("File", "Directory"):
        return {key: plain(item) for key, item in value.items()}
    beside = [alone(one) for one in companions(value)]
    return {**alone(value), **({"beside": beside} if beside else {})}


def alone(value: Mapping[str, Any]) -> dict[str, Any]:
    if value["class"] == "File":
        return {"name": value["basename"], "text": value["contents"]}
    inside = [each for one in value["listing"] for each in (one, *companions(one))]
    holds = sorted((alone(each) for each in inside), key=lambda one: str(one["name"]))
    return {"name": value["basename"], "holds": holds}


def published(value: Any) -> Any:
    """Give names and texts of what a published value is on the disk; checksums have to be true."""
    if isinstance(value, list):
        return [published(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class") not in ("File", "Directory"):
        return {key: published(item) for key, item in value.items()}
    beside = [on_disk(one) for one in companions(value)]
    return {**on_disk(value), **({"beside": beside} if beside else {})}


def on_disk(value: Mapping[str, Any]) -> dict[str, Any]:
    path = Path(uri_path(value["location"]))
    if value["class"] == "Directory":
        listed = sorted((on_disk(one) for one in value["listing"]), key=lambda one: one["name"])
        assert [one["name"] for one in listed] == sorted(each.name for each in path.iterdir())
        return {"name": value["basename"], "holds": listed}
    data = path.read_bytes()
    assert value["size"] == len(data)
    assert value["checksum"] == "sha1$" + hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return {"name": value["basename"], "text": data.decode()}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("home")) as engine:
        yield engine


def run(engine: Engine, folder: Path, document: Mapping[str, Any], **inputs: Any) -> Any:
    package = folder / "package.cwl"
    package.write_text(json.dumps(document))
    results = str(folder / "results")
    job = engine.deploy(package).execute(inputs, results=results, options={"layout": "flat"})
    return job.wait(patient(60)).outcome().outputs


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes a third of a second
)
@given(
    value=named_values(),
    way=st.sampled_from(WAYS),
    version=st.sampled_from(["v1.0", "v1.1", "v1.2"]),
)
def test_literals_anywhere_arrive_whole(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, value: Any, way: str, version: str
) -> None:
    folder = tmp_path_factory.mktemp("package")
    document = workflow(way, value, version)
    given = {"given": value} if way == "given" else {}
    outputs = run(engine, folder, document, **given)
    seen = json.loads(Path(uri_path(outputs["seen"]["location"])).read_text())
    assert seen == plain(value)
    assert published(outputs["x"]) == plain(value)


# Folders of the user that get more

ADD = """${
  var d = %s;
  d.listing[0].listing = [{class: "File", basename: "deep.txt", contents: "deep"}].concat(
      d.listing[0].listing || []);
  d.listing = d.listing.concat([
      {class: "File", basename: "new.txt", contents: "new"},
      {class: "Directory", basename: "more", listing: [
          {class: "File", basename: "leaf.txt", contents: "leaf"}]}]);
  return %s;
}"""
MORE = {
    "name": "d",
    "holds": [
        {
            "name": "a",
            "holds": [{"name": "b.txt", "text": "b"}, {"name": "deep.txt", "text": "deep"}],
        },
        {"name": "c.txt", "text": "c"},
        {"name": "more", "holds": [{"name": "leaf.txt", "text": "leaf"}]},
        {"name": "new.txt", "text": "new"},
    ],
}
LISTED = {"type": "Directory", "loadListing": "deep_listing"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d" / "a").mkdir(parents=True)
    (tmp_path / "d" / "a" / "b.txt").write_text("b")
    (tmp_path / "d" / "c.txt").write_text("c")
    return tmp_path


def adding(way: str, version: str) -> dict[str, Any]:
    """Give a workflow in which an input folder gets files that are made of nothing."""
    listed = "Directory" if version == "v1.0" else LISTED
    document = workflow("given", None, version)
    steps = document["steps"]
    javascript: dict[str, Any] = {"InlineJavascriptRequirement": {}}
    if way == "valueFrom":
        steps["see"]["in"]["x"] = {"source": "given", "valueFrom": ADD % ("self", "d")}
        return {**document, "inputs": {"given": listed}}
    if way == "expression":
        made: dict[str, Any] = {
            "class": "ExpressionTool",
            "expression": ADD % ("inputs.i", "{x: d}"),
        }
        output: Any = "Any"
    elif way == "outputEval":
        made = {"class": "CommandLineTool", "baseCommand": "true"}
        output = {"type": "Any", "outputBinding": {"outputEval": ADD % ("inputs.i", "d")}}
    else:
        entry = ADD % ("inputs.i", "JSON.stringify({x: d})")
        listing = [{"entryname": "cwl.output.json", "entry": entry}]
        staging = {"InitialWorkDirRequirement": {"listing": listing}}
        made = {"class": "CommandLineTool", "baseCommand": "true", "requirements": staging}
        output = "Any"
    made["requirements"] = {**made.get("requirements", {}), **javascript}
    made |= {"inputs": {"i": listed}, "outputs": {"x": output}}
    steps["make"] = {"run": made, "in": {"i": "given"}, "out": ["x"]}
    steps["see"]["in"]["x"] = "make/x"
    return document


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize("way", ["expression", "outputEval", "output.json", "valueFrom"])
def test_a_folder_of_the_user_gets_more(
    engine: Engine, folder: Path, way: str, version: str
) -> None:
    given = {"class": "Directory", "path": str(folder / "d")}
    outputs = run(engine, folder, adding(way, version), given=given)
    assert json.loads(Path(uri_path(outputs["seen"]["location"])).read_text()) == MORE
    assert published(outputs["x"]) == MORE
    assert sorted(one.name for one in (folder / "d").rglob("*")) == ["a", "b.txt", "c.txt"]


def test_a_folder_that_was_given_with_more_has_it(engine: Engine, folder: Path) -> None:
    extra = {"class": "File", "basename": "new.txt", "contents": "new"}
    own = {"class": "File", "path": str(folder / "d" / "c.txt")}
    given = {"class": "Directory", "path": str(folder / "d"), "listing": [own, extra]}
    outputs = run(engine, folder, workflow("given", None, "v1.2"), given=given)
    assert [one["name"] for one in published(outputs["x"])["holds"]] == ["c.txt", "new.txt"]


def test_folders_of_one_name_in_a_listing_are_one(engine: Engine, folder: Path) -> None:
    """CWL v1.2 Directory.listing."""
    (folder / "e" / "a").mkdir(parents=True)
    (folder / "e" / "a" / "z.txt").write_text("z")
    both = [{"class": "Directory", "path": str(folder / one / "a")} for one in ("d", "e")]
    given = {"class": "Directory", "basename": "both", "listing": both}
    outputs = run(engine, folder, workflow("given", None, "v1.2"), given=given)
    files = [{"name": "b.txt", "text": "b"}, {"name": "z.txt", "text": "z"}]
    expected = {"name": "both", "holds": [{"name": "a", "holds": files}]}
    assert json.loads(Path(uri_path(outputs["seen"]["location"])).read_text()) == expected
    assert published(outputs["x"]) == expected


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"class": "File", "basename": "a.txt"}, "(neither|without) location"),
        ({"class": "Directory", "basename": "d"}, "(neither|without) location"),
        ({"class": "File", "location": "nowhere.txt"}, r"nowhere.txt"),
        ({"class": "File", "path": "/nowhere.txt"}, r"nowhere.txt"),
        ({"class": "Directory", "location": "nowhere"}, r"nowhere"),
        (
            {
                "class": "Directory",
                "basename": "d",
                "listing": [{"class": "File", "basename": "a"}],
            },
            "(neither|without) location",
        ),
        ({"class": "File", "basename": "a" * 256, "contents": ""}, "too long"),
    ],
)
def test_what_is_nothing_is_no_file(
    engine: Engine, tmp_path: Path, way: str, value: Any, reason: str
) -> None:
    given = {"given": value} if way == "given" else {}
    with pytest.raises((JobFailed, InvalidInputs, InvalidPackage), match=reason):
        run(engine, tmp_path, workflow(way, value, "v1.2"), **given)


VALUE = {
    "class": "Directory",
    "basename": "x",
    "listing": [
        {
            "class": "File",
            "basename": "f",
            "contents": "1",
            "secondaryFiles": [{"class": "File", "basename": "g", "contents": "2"}],
        }
    ],
}


@pytest.mark.parametrize("maker", ["outputEval", "output.json"])
def test_literals_of_a_step_that_is_reused_are_whole(tmp_path: Path, maker: str) -> None:
    document = workflow(maker, VALUE, "v1.2")
    document["outputs"] = {"x": {"type": "Any", "outputSource": "make/x"}}
    document["steps"] = {"make": document["steps"]["make"]}
    with Engine(tmp_path / "home", reuse=True) as engine:
        for number in range(2):
            (tmp_path / str(number)).mkdir()
            outputs = run(engine, tmp_path / str(number), document)
            assert published(outputs["x"]) == plain(VALUE)
        statuses = [step.status for job in engine.jobs() for step in job.steps]
    assert "reused" in statuses


@pytest.mark.parametrize("way", ["expression", "outputEval", "valueFrom"])
def test_literals_arrive_through_scatters_and_nested_workflows(
    engine: Engine, tmp_path: Path, way: str
) -> None:
    inner = workflow(way, VALUE, "v1.2")
    outer = {
        "cwlVersion": inner.pop("cwlVersion"),
        "class": "Workflow",
        "requirements": {
            **inner["requirements"],
            "SubworkflowFeatureRequirement": {},
            "ScatterFeatureRequirement": {},
        },
        "inputs": {"n": "int[]"},
        "outputs": {"x": {"type": "Any[]", "outputSource": "s/x"}},
        "steps": {"s": {"run": inner, "in": {"given": "n"}, "scatter": "given", "out": ["x"]}},
    }
    outputs = run(engine, tmp_path, outer, n=[1, 2, 3])
    assert [published(one) for one in outputs["x"]] == [plain(VALUE)] * 3
