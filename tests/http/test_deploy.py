"""Deploying packages in every form that clients send, and what comes of it."""

import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc import Engine
from localproc.engine.packages.archive import read_archive
from localproc.errors import InvalidPackage
from localproc.model import InputPolicy
from tests.engine.test_wrapped import WRAPPED
from tests.http.packages import BAND_MATH, CWL, FAILING, TOOL, package
from tests.http.service import Receiver, execute, finish, receiving, start

PART_1 = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
PART_2 = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/"
PACKAGE = "application/ogcapppkg+json"


@pytest.fixture(autouse=True)
def nothing_stays(client: httpx.Client) -> Iterator[None]:
    yield
    for one in client.get("processes", params={"limit": 100}).json()["processes"]:
        if one["mutable"]:
            client.delete(f"processes/{one['id']}", params={"force": "true"})


def deploy(
    client: httpx.Client, content: bytes | str, kind: str = PACKAGE, **query: str
) -> httpx.Response:
    return client.post("processes", content=content, headers={"Content-Type": kind}, params=query)


def works(client: httpx.Client, answer: httpx.Response, message: str = "hello") -> None:
    """See that what was deployed is listed, described and executes."""
    assert answer.status_code == 201, answer.text
    summary = answer.json()
    name = summary["id"]
    assert answer.headers["location"] == f"{client.base_url}processes/{name}"
    assert summary in client.get("processes").json()["processes"]
    assert "message" in client.get(answer.headers["location"]).json()["inputs"]
    said = execute(client, {"message": message}, name, outputs={"said": {}}, response="raw")
    assert said.text == f"{message}\n"


# CWL


@pytest.mark.parametrize(
    "kind",
    [
        "application/cwl",
        "application/cwl+yaml",
        "application/x-yaml",
        "application/cwl; charset=utf-8",
        "Application/CWL+YAML",
    ],
)
def test_cwl_in_yaml(client: httpx.Client, kind: str) -> None:
    works(client, deploy(client, CWL, kind))


@pytest.mark.parametrize("kind", ["application/cwl+json", "application/cwl", "application/json"])
def test_cwl_in_json(client: httpx.Client, kind: str) -> None:
    works(client, deploy(client, json.dumps(TOOL), kind))


def test_what_the_description_says(client: httpx.Client) -> None:
    deploy(client, CWL, "application/cwl")
    said = client.get("processes/first").json()
    assert said["title"] == "Says it"
    assert said["version"] == "1.2.3"
    assert said["mutable"] is True
    assert said["inputs"] == {
        "message": {
            "title": "message",
            "schema": {"type": "string"},
            "minOccurs": 1,
            "maxOccurs": 1,
        }
    }


def test_w_picks_the_workflow(client: httpx.Client) -> None:
    """Without it the first one is taken (Part 2, ``/req/cwl/deploy-w-param``)."""
    answer = deploy(client, CWL, "application/cwl", w="second")
    assert answer.json()["id"] == "second"
    assert "word" in client.get("processes/second").json()["inputs"]
    assert client.get("processes/first").status_code == 404


def test_a_workflow_that_is_not_there(client: httpx.Client) -> None:
    answer = deploy(client, CWL, "application/cwl", w="third")
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == PART_2 + "workflow-not-found"
    assert "third" in problem["detail"]
    assert "first" in problem["hint"]
    assert "second" in problem["hint"]


# Application packages


@pytest.mark.parametrize(
    "unit",
    [
        {"value": TOOL, "mediaType": "application/cwl+json"},
        {"value": json.dumps(TOOL), "mediaType": "application/cwl+json"},
        {"unit": TOOL, "type": "application/cwl"},
        [{"value": TOOL, "mediaType": "application/cwl+json"}],
        TOOL,
    ],
    ids=["value", "text", "unit", "array", "plain"],
)
def test_a_package_by_value(client: httpx.Client, unit: Any) -> None:
    works(client, deploy(client, package(unit)))


def test_a_package_by_reference(engine: Engine) -> None:
    """The CWL is fetched from where the package says, if that may be read."""
    with (
        receiving(Receiver(files={"/tool.json": json.dumps(TOOL).encode()})) as web,
        engine.client(policy=InputPolicy(roots=())) as client,
    ):
        unit = {"type": "application/cwl", "href": f"{web.address}/tool.json"}
        works(client, deploy(client, package(unit)))
        gone = {"type": "application/cwl", "href": f"{web.address}/gone.json"}
        assert deploy(client, package(gone, id="gone")).status_code == 400


def test_a_package_by_reference_picks_a_workflow(engine: Engine) -> None:
    with (
        receiving(Receiver(files={"/all.cwl": CWL.encode()})) as web,
        engine.client(policy=InputPolicy(roots=())) as client,
    ):
        answer = deploy(client, package({"href": f"{web.address}/all.cwl#second"}))
        assert answer.json()["id"] == "second"
        answer = deploy(client, package({"href": f"{web.address}/all.cwl"}), w="first")
        assert answer.json()["id"] == "first"


def test_references_are_guarded(client: httpx.Client) -> None:
    """By default nothing on this machine or in its network is read for a client."""
    with receiving(Receiver(files={"/tool.json": json.dumps(TOOL).encode()})) as web:
        for href in (f"{web.address}/tool.json", "file:///etc/passwd", "/etc/passwd"):
            answer = deploy(client, package({"href": href}))
            assert answer.status_code == 400, href
            assert "root:" not in answer.text


@pytest.mark.parametrize("wrapper", [True, False], ids=["process", "bare"])
def test_what_the_author_says_comes_first(client: httpx.Client, wrapper: bool) -> None:
    """``processDescription`` holds the description, in ``process`` or without."""
    said = {
        "id": "named",
        "title": "By its author",
        "version": "9",
        "inputs": {"message": {"title": "Words", "schema": {"type": "string", "maxLength": 5}}},
    }
    content = {
        "processDescription": {"process": said} if wrapper else said,
        "executionUnit": {"value": TOOL},
    }
    works(client, deploy(client, json.dumps(content)))
    shown = client.get("processes/named").json()
    assert (shown["title"], shown["version"]) == ("By its author", "9")
    assert shown["inputs"]["message"]["schema"] == {"type": "string", "maxLength": 5}
    refused = execute(client, {"message": "far too long"}, "named")
    assert refused.status_code == 400
    assert refused.json()["problems"][0]["where"] == "inputs.message"


def test_a_package_whose_cwl_says_no_title_has_that_of_its_process(client: httpx.Client) -> None:
    unlabelled = {name: value for name, value in TOOL.items() if name not in ("id", "label")}
    assert deploy(client, package({"unit": unlabelled}, id="named")).status_code == 201
    assert client.get("processes/named").json()["title"] == "named"


def test_an_image(client: httpx.Client) -> None:
    """A unit that is an image (class "docker") is deployed, even where no container can run."""
    answer = deploy(client, json.dumps(BAND_MATH))
    assert answer.json()["id"] == "BandMath"
    refused = execute(
        client,
        {"exp": "im1b1", "out": "float", "ram": 128, "il": [{"href": "https://example.org/a.tif"}]},
        "BandMath",
    )
    assert refused.status_code == 422, refused.text
    # Where there is a container runtime, its image is not there.
    assert re.search("container|image .* is not here", refused.json()["detail"])


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (package([{"value": TOOL}, {"value": TOOL}]), 422),
        (package({}), 400),
        (package([]), 400),
        (package({"value": "not: [yaml"}), 400),
        (package({"value": TOOL}, id="a", inputs={"other": {"schema": {}}}), 400),
        (package({"value": TOOL}, id=5), 400),
        (b'{"processDescription": {}}', 400),
        (b"[]", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (package({"href": "http://[::1"}), 400),
        (package({"href": "http://xn--0/"}), 400),
        (package({"value": TOOL}, jobControlOptions=5), 400),
        (b'{"a": ' * 5000, 400),
        (b'{"executionUnit": ' + b'{"value": ' * 5000, 400),
    ],
    ids=range(15),
)
def test_packages_that_are_no_good(client: httpx.Client, content: bytes, status: int) -> None:
    answer = deploy(client, content)
    assert answer.status_code == status, answer.text
    assert len(client.get("processes").json()["processes"]) == 1


@pytest.mark.parametrize("content", [b"[" * 500, b'{"a": ' * 5000, b"- " * 5000, b"&a [*a]"])
def test_cwl_that_is_too_deep(client: httpx.Client, content: bytes) -> None:
    for kind in ("application/cwl", "application/cwl+json"):
        assert deploy(client, content, kind).status_code == 400


@pytest.mark.parametrize("label", ['"\\ud83c\\udf0d"', '"\U0001f30d"'], ids=["escaped", "plain"])
@pytest.mark.parametrize("kind", ["application/cwl", PACKAGE])
def test_characters_beyond_the_first_plane(client: httpx.Client, kind: str, label: str) -> None:
    text = json.dumps({**TOOL, "label": "LABEL"}).replace('"LABEL"', label)
    if kind == PACKAGE:
        text = f'{{"executionUnit": {{"value": {text}}}}}'
    answer = deploy(client, text, kind)
    assert answer.json()["title"] == "\U0001f30d"
    works(client, answer)


@pytest.mark.parametrize("half", ["\\ud83c", "\\udf0d", "x\\uDFFFx"])
def test_halves_of_characters(client: httpx.Client, half: str) -> None:
    tool = json.dumps({**TOOL, "label": "LABEL"}).replace("LABEL", half)
    assert deploy(client, tool, "application/cwl").status_code == 400
    assert deploy(client, f'{{"executionUnit": {{"value": {tool}}}}}').status_code == 400
    body = f'{{"inputs": {{"string": "{half}"}}}}'
    assert client.post("processes/echo/execution", content=body).status_code == 400


def test_characters_that_no_text_has(client: httpx.Client) -> None:
    for content in (b"\0", b"label: \x07", b"\x80\x81"):
        assert deploy(client, content, "application/cwl").status_code == 400


def test_cwl_that_is_no_good_is_told_with_its_place(client: httpx.Client) -> None:
    answer = deploy(client, CWL.replace("message: message", "message: massage"), "application/cwl")
    assert answer.status_code == 400
    (problem,) = answer.json()["problems"]
    assert "massage" in problem["message"]
    assert problem["line"] == 9


# Several documents at once

MAIN = """\
cwlVersion: v1.2
class: Workflow
id: several
inputs: {message: string}
outputs: {said: {type: File, outputSource: say/said}}
steps: {say: {run: tool.json, in: {message: message}, out: [said]}}
"""


def related(*parts: tuple[str, str], boundary: str = "b") -> str:
    lines: list[str] = []
    for name, text in parts:
        lines += [f"--{boundary}", f"Content-ID: <{name}>", "Content-Type: application/cwl"]
        lines += ["", text]
    return "\r\n".join([*lines, f"--{boundary}--", ""])


def test_parts_by_content_id(client: httpx.Client) -> None:
    body = related(("main.cwl", MAIN), ("tool.json", json.dumps(TOOL)))
    kind = "multipart/related; boundary=b"
    works(client, deploy(client, body, kind))
    package = client.get("processes/several/package")
    assert package.text == body
    assert package.headers["content-type"] == kind


def test_parts_of_an_application_package(client: httpx.Client) -> None:
    unit = {"type": "application/cwl", "href": "cid:main.cwl"}
    body = related(
        ("package.json", package(unit).decode()),
        ("main.cwl", MAIN),
        ("tool.json", json.dumps(TOOL)),
    )
    works(client, deploy(client, body, "multipart/related; boundary=b"))


def test_parts_of_a_form(client: httpx.Client) -> None:
    files = [
        ("package", ("main.cwl", MAIN, "application/cwl")),
        ("package", ("tool.json", json.dumps(TOOL), "application/cwl+json")),
    ]
    works(client, client.post("processes", files=files))


@pytest.mark.parametrize("kind", ["multipart/related", "multipart/related; boundary=other"])
def test_parts_that_cannot_be_told_apart(client: httpx.Client, kind: str) -> None:
    assert deploy(client, related(("a", MAIN)), kind).status_code == 400


def test_a_part_that_is_missing(client: httpx.Client) -> None:
    answer = deploy(client, related(("main.cwl", MAIN)), "multipart/related; boundary=b")
    assert answer.status_code == 400
    assert "tool.json" in answer.text


#: The same, whose tool is in another folder and has a script of its own.
FOLDERS = {
    "app/main.cwl": MAIN.replace("tool.json", "tools/say%20it.cwl#say"),
    "app/tools/say it.cwl": """\
cwlVersion: v1.2
$graph:
  - class: CommandLineTool
    id: say
    baseCommand: sh
    inputs:
      script: {type: File, default: {class: File, location: say.sh}, inputBinding: {position: 0}}
      message: {type: string, inputBinding: {position: 1}}
    stdout: said.txt
    outputs: {said: stdout}
""",
    "app/tools/say.sh": 'echo "$1"\n',
}


def zipped(files: dict[str, str]) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return found.getvalue()


def parts(*heads: tuple[str, str], boundary: str = "b") -> str:
    lines = [f"--{boundary}\r\n{head}\r\n\r\n{text}\r\n" for head, text in heads]
    return "".join([*lines, f"--{boundary}--\r\n"])


@pytest.mark.parametrize("start", ["<main@x>", '"<main@x>"', "main@x"])
def test_start_names_the_package(client: httpx.Client, start: str) -> None:
    body = parts(
        ("Content-ID: <tool.json>", json.dumps(TOOL)),
        ("Content-ID: <main@x>", MAIN),
    )
    kind = f"multipart/related; boundary=b; start={start}; type=application/cwl"
    answer = deploy(client, body, kind)
    works(client, answer)
    assert answer.json()["id"] == "several"
    assert client.get("processes/several/package").headers["content-type"] == kind


def test_start_that_names_nothing(client: httpx.Client) -> None:
    body = related(("main.cwl", MAIN), ("tool.json", json.dumps(TOOL)))
    answer = deploy(client, body, "multipart/related; boundary=b; start=none")
    assert answer.status_code == 400
    assert "none" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("run", "head"),
    [
        ("cid:tool@x", "Content-ID: <tool@x>"),
        ("cid:to%2Fol@x", "Content-ID: <to/ol@x>"),
        ("tools/tool.json", "Content-Location: tools/tool.json\r\nContent-ID: <tool@x>"),
        ("cid:tool@x", "Content-Location: tools/tool.json\r\nContent-ID: <tool@x>"),
        ("https://example.org/tool.json", "Content-Location: https://example.org/tool.json"),
        ("tools/tool.json", "Content-ID: <tool.json>"),
        ("../tools/tool.json", "Content-ID: <tool.json>"),
    ],
)
def test_parts_are_found_by_what_others_call_them(
    client: httpx.Client, run: str, head: str
) -> None:
    main = MAIN.replace("run: tool.json", f'run: "{run}"')
    body = parts(("Content-ID: <main>", main), (head, json.dumps(TOOL)))
    works(client, deploy(client, body, "multipart/related; boundary=b"))


def test_a_base_name_of_two_is_no_name(client: httpx.Client) -> None:
    main = MAIN.replace("tool.json", "c/tool.json")
    tool = json.dumps(TOOL)
    body = related(("main.cwl", main), ("a/tool.json", tool), ("b/tool.json", tool))
    answer = deploy(client, body, "multipart/related; boundary=b")
    assert answer.status_code == 400
    assert "c/tool.json" in answer.text


def test_a_form_may_send_its_files_in_any_order_and_without_folders(client: httpx.Client) -> None:
    names = list(FOLDERS)
    for order in (names, names[::-1]):
        files = [
            ("package", (name.rpartition("/")[2], FOLDERS[name], "application/octet-stream"))
            for name in order
        ]
        works(client, client.post("processes", files=files))
        assert client.delete("processes/several").status_code == 204


def test_a_form_may_send_a_folder(client: httpx.Client) -> None:
    body = parts(
        *(
            (f'Content-Disposition: form-data; name="folder"; filename="{name}"', text)
            for name, text in sorted(FOLDERS.items(), reverse=True)
        ),
        ('Content-Disposition: form-data; name="package"; filename=""', ""),
    )
    works(client, deploy(client, body, "multipart/form-data; boundary=b"))


def test_an_archive(client: httpx.Client) -> None:
    data = zipped({**FOLDERS, "app/.git/config": "cwlVersion", "__MACOSX/app/._x": "x"})
    works(client, deploy(client, data, "application/zip"))
    package = client.get("processes/several/package")
    assert (package.content, package.headers["content-type"]) == (data, "application/zip")
    client.delete("processes/several")
    works(client, client.post("processes", files={"package": ("app.zip", data)}))


@pytest.mark.parametrize(
    "files", [{}, {"../main.cwl": MAIN}, {"/main.cwl": MAIN}, {"x.txt": "x"}, {".main.cwl": MAIN}]
)
def test_archives_that_are_no_good(client: httpx.Client, files: dict[str, str]) -> None:
    data = zipped(files)
    assert deploy(client, data, "application/zip").status_code == 400
    for cut in (data[:30], data[:-10], b"PK\x03\x04" + bytes(100)):
        assert deploy(client, cut, "application/zip").status_code == 400


def test_an_archive_that_would_never_end(client: httpx.Client) -> None:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.cwl", b"#" * (65 << 20))
    answer = deploy(client, found.getvalue(), "application/zip")
    assert answer.status_code == 400
    assert "most" in answer.json()["hint"]


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile cuts names at NUL
@given(st.dictionaries(st.text(), st.binary(max_size=50), max_size=4), st.binary(max_size=30))
def test_archives_of_anything(files: dict[str, bytes], noise: bytes) -> None:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name.encode(errors="replace").decode()), data)
    for data in (found.getvalue(), noise + found.getvalue()[len(noise) :]):
        try:
            read = read_archive(data)
        except InvalidPackage:
            continue
        assert set(read.values()) <= set(files.values()) | {b""}


EXAMPLE = Path(__file__).parents[2] / "examples" / "water_bodies"


def test_the_shipped_example_as_the_documents_say(client: httpx.Client) -> None:
    """See docs/http.md, "Deploying"; what it gives is tested elsewhere."""
    sources = [EXAMPLE / "water-bodies.cwl", *sorted((EXAMPLE / "tools").glob("*.py"))]
    data = zipped({str(one.relative_to(EXAMPLE)): one.read_text() for one in sources})
    form = [("package", (one.name, one.read_bytes())) for one in sources]
    for body in (
        {"content": data, "headers": {"Content-Type": "application/zip"}},
        {"files": form},
    ):
        assert client.post("processes", **body).status_code == 201
        assert len(client.get("processes/water-bodies").json()["inputs"]) == 4
        client.delete("processes/water-bodies")


# A package with files comes back


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FOLDERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "app"


def test_a_package_from_a_folder_comes_back_with_its_files(
    engine: Engine, client: httpx.Client, folder: Path
) -> None:
    engine.deploy(folder / "main.cwl")
    package = client.get("processes/several/package")
    assert package.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        assert archive.namelist() == ["main.cwl", "tools/say it.cwl", "tools/say.sh"]
    client.delete("processes/several")
    shutil.rmtree(folder)
    works(client, deploy(client, package.content, "application/zip"))


def test_what_lies_beside_its_folder_comes_along(
    engine: Engine, client: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "tool.json").write_text(json.dumps(TOOL))
    (tmp_path / "app" / "main.cwl").write_text(MAIN.replace("tool.json", "../tool.json"))
    engine.deploy(tmp_path / "app" / "main.cwl")
    package = client.get("processes/several/package")
    client.delete("processes/several")
    works(client, deploy(client, package.content, "application/zip"))


def test_any_package_can_be_had_as_an_archive(client: httpx.Client) -> None:
    body = related(("main.cwl", MAIN), ("tool.json", json.dumps(TOOL)))
    deploy(client, body, "multipart/related; boundary=b")
    wanted = {"Accept": "application/zip"}
    package = client.get("processes/several/package", headers=wanted)
    assert package.headers["content-type"] == "application/zip"
    client.delete("processes/several")
    works(client, deploy(client, package.content, "application/zip"))


def test_files_of_this_machine_do_not_go_along(
    engine: Engine, client: httpx.Client, folder: Path
) -> None:
    """A default may name any file; what goes into an archive lies in the package's folder."""
    secret = folder.parent / "secret.txt"
    secret.write_text("hush")
    tool = FOLDERS["app/tools/say it.cwl"].replace("say.sh", str(secret))
    (folder / "tools" / "say it.cwl").write_text(tool)
    engine.deploy(folder / "main.cwl")
    package = client.get("processes/several/package").content
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.namelist() == ["main.cwl", "tools/say it.cwl"]


# What is deployed


def test_the_package_comes_back_byte_for_byte(client: httpx.Client) -> None:
    deploy(client, CWL, "application/cwl+yaml")
    answer = client.get("processes/first/package")
    assert answer.content == CWL.encode()
    assert answer.headers["content-type"] == "application/cwl+yaml"
    strange = json.dumps(TOOL, indent=7).encode() + b"\n\n"
    deploy(client, strange, "application/cwl+json")
    assert client.get("processes/tool/package").content == strange


def test_twice(client: httpx.Client) -> None:
    """409 says where the first one is."""
    deploy(client, CWL, "application/cwl")
    answer = deploy(client, CWL, "application/cwl")
    assert answer.status_code == 409
    assert answer.json()["type"] == PART_2 + "duplicated-process"
    assert answer.headers["location"] == f"{client.base_url}processes/first"


def test_what_is_immutable_stays(client: httpx.Client) -> None:
    before = client.get("processes/echo/package").content
    named_echo = json.dumps({**TOOL, "id": "echo"})
    answers = [
        client.delete("processes/echo"),
        client.delete("processes/echo", params={"force": "true"}),
        client.put("processes/echo", content=CWL, headers={"Content-Type": "application/cwl"}),
        deploy(client, named_echo, "application/cwl+json"),
    ]
    for answer in answers:
        assert answer.status_code == 403
        assert answer.json()["type"] == PART_2 + "immutable-process"
    assert client.get("processes/echo/package").content == before


def test_replacing_what_is_not_there(client: httpx.Client) -> None:
    answer = client.put("processes/none", content=CWL, headers={"Content-Type": "application/cwl"})
    assert answer.status_code == 404
    assert answer.json()["type"] == PART_1 + "no-such-process"


def test_revisions_are_kept(engine: Engine, client: httpx.Client) -> None:
    """A job says which revision it ran, and that stays as it was."""
    deploy(client, json.dumps(TOOL), "application/cwl+json")
    before = finish(client, {"message": "one"}, "tool")
    other = json.dumps({**TOOL, "baseCommand": ["echo", "really,"]})
    answer = client.put(
        "processes/tool", content=other, headers={"Content-Type": "application/cwl+json"}
    )
    assert answer.status_code == 204
    after = finish(client, {"message": "one"}, "tool")
    assert client.get(f"{before}/results/said").text == "one\n"
    assert client.get(f"{after}/results/said").text == "really, one\n"
    revisions = [client.get(job).json()["properties"]["revision"] for job in (before, after)]
    assert len(set(revisions)) == 2
    ran = engine.job(before.rpartition("/")[2]).process
    assert ran.package == json.dumps(TOOL).encode()


def test_undeploying_while_jobs_run(engine: Engine, client: httpx.Client) -> None:
    sleeper = {**TOOL, "id": "sleeper", "baseCommand": "sleep"}
    deploy(client, json.dumps(sleeper), "application/cwl+json")
    job = start(client, {"message": "3600"}, "sleeper")
    answer = client.delete("processes/sleeper")
    assert answer.status_code == 403
    assert "force" in answer.json()["hint"]
    assert client.delete("processes/sleeper", params={"force": "maybe"}).status_code == 400
    assert client.delete("processes/sleeper", params={"force": "true"}).status_code == 204
    assert client.get(job).json()["status"] in ("accepted", "running")
    assert client.delete(job).json()["status"] == "dismissed"


def test_jobs_outlive_their_process(client: httpx.Client) -> None:
    deploy(client, FAILING, "application/cwl")
    job = finish(client, {}, "failing")
    assert client.delete("processes/failing").status_code == 204
    assert client.get(job).json()["status"] == "failed"
    assert client.get(f"{job}/results").json()["exitCode"] == 7


def test_the_list_has_pages(client: httpx.Client) -> None:
    """Links lead through all processes, and back."""
    for number in range(4):
        deploy(client, json.dumps({**TOOL, "id": f"tool-{number}"}), "application/cwl+json")
    pages = []
    place: str | None = "processes?limit=2"
    while place:
        page = client.get(place).json()
        pages.append([one["id"] for one in page["processes"]])
        links = {one["rel"]: one["href"] for one in page["links"]}
        place = links.get("next")
    assert pages == [["echo", "tool-0"], ["tool-1", "tool-2"], ["tool-3"]]
    back = client.get(links["prev"]).json()
    assert [one["id"] for one in back["processes"]] == pages[1]


def test_a_wrapped_package_is_deployed_without_its_stages_if_that_is_wanted(
    client: httpx.Client,
) -> None:
    whole, kind = WRAPPED.read_text(), "application/cwl"
    assert deploy(client, whole, kind, staging="ours").json()["id"] == "bright"
    assert deploy(client, whole, kind).json()["id"] == "main"
    again = client.put(
        "processes/main", content=whole, headers={"Content-Type": kind}, params={"staging": "ours"}
    )
    assert again.status_code == 204
    assert "threshold" in client.get("processes/main").json()["inputs"]
    assert "STAGEOUT_OUTPUT" not in client.get("processes/main").json()["inputs"]
    refused = deploy(client, whole, kind, staging="theirs")
    assert refused.status_code == 400
    assert "staging is 'theirs'; it is own or ours" in refused.text
