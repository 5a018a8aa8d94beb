"""The same commands at a server: a real ``localproc serve``, and one that takes less."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from starlette.types import ASGIApp, Receive, Scope, Send

from localproc import Engine
from localproc.errors import (
    DuplicatedProcess,
    InvalidInputs,
    NoSuchJob,
    NoSuchProcess,
    NoSuchStep,
    ServerRefused,
    ServerUnreachable,
)
from localproc.http import create_app
from localproc.remote import Server
from localproc.remote.sent_inputs import MOST, outgoing, typed_texts
from tests.cli.terminal import localproc, started
from tests.http.forms import FORMS
from tests.http.service import served
from tests.patience import patient

HELLO = """\
cwlVersion: v1.2
class: CommandLineTool
id: hello
baseCommand: echo
inputs: {message: {type: string, inputBinding: {}}}
stdout: said.txt
outputs: {said: stdout}
"""

#: A package of two files.
SHOUT = """\
cwlVersion: v1.2
class: CommandLineTool
id: shout
baseCommand: sh
inputs:
  script:
    type: File
    default: {class: File, location: shout.sh}
    inputBinding: {position: 1}
  text: {type: File, inputBinding: {position: 2}}
  times: {type: int, default: 1, inputBinding: {position: 3}}
stdout: shouted.txt
outputs: {shouted: stdout}
"""
SCRIPT = 'tr a-z A-Z < "$1"\necho "$2 times" "$(basename "$1")"\n'

EXAMPLE = Path(__file__).parents[2] / "examples" / "water_bodies"
SCENES = EXAMPLE / "scenes"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server."""
    home = tmp_path_factory.mktemp("there")
    with started("--home", home, "serve", "--port", 0, "--file-root", SCENES) as process:
        assert process.stdout is not None
        address = ""
        while not address:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            address = next((word for word in line.split() if word.startswith("http://")), "")
        yield address
        process.terminate()
        process.wait(patient(20))


@pytest.fixture
def hello(here: Path) -> Path:
    path = here / "hello.cwl"
    path.write_text(HELLO)
    return path


@pytest.fixture
def shout(here: Path) -> Path:
    folder = here / "shout"
    folder.mkdir()
    (folder / "shout.sh").write_text(SCRIPT)
    (folder / "shout.cwl").write_text(SHOUT)
    (here / "text.txt").write_text("hello\n")
    return folder / "shout.cwl"


class Picky:
    """A service that wants a token and takes no archives; it keeps what it was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.asked: list[tuple[str, str, str, str]] = []  #: method, path, content type, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        kind, token = headers.get("content-type", ""), headers.get("authorization", "")
        self.asked.append((scope["method"], scope["path"], kind, token))
        if token != "Bearer secret":
            await _refuse(send, 401)
        elif kind == "application/zip":
            await _refuse(send, 415)
        else:
            rest = [one for one in scope["headers"] if one[0] != b"authorization"]
            await self._app({**scope, "headers": rest}, receive, send)


async def _refuse(send: Send, status: int) -> None:
    body = json.dumps({"title": "No", "detail": f"this is refused with {status}"}).encode()
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# The commands


def test_the_same_commands_serve_there(there: str, hello: Path, home: Path, here: Path) -> None:
    assert localproc("deploy", hello, "--to", there).out.startswith("hello ")
    job = localproc("execute", "hello", "message=hi", "--title", "mine", "--to", there)
    assert job.code == 0, job.err
    job_id = job.out.strip()
    ended = localproc("status", job_id, "--watch", "--to", there, "--json").document
    assert (ended["status"], ended["title"]) == ("successful", "mine")
    shown = localproc("status", job_id, "--to", there).out
    assert shown.splitlines()[0] == f"{job_id}  hello  successful  100 %"
    assert shown.splitlines()[1].startswith("step "), "a message that is the status is not told"
    assert "stage_out" in shown
    assert "published 1 file" in localproc("logs", job_id, "stage_out", "--to", there).out
    assert set(localproc("logs", job_id, "--json", "--to", there).document) == {
        "node_hello.log",
        "node_stage_out.log",
    }
    assert "said.txt" in localproc("results", job_id, "--to", there).out
    brought = localproc("results", job_id, "said", "--download", "out", "--to", there)
    assert brought.out == "out/said/said.txt\n"
    assert (here / "out/said/said.txt").read_text() == "hi\n"
    assert localproc("dismiss", job_id, "--to", there).out == f"{job_id}: dismissed\n"
    gone = localproc("status", job_id, "--to", there)
    assert gone.code == 2
    assert not home.exists(), "nothing of it is here"


def test_files_of_results_are_brought_whatever_their_form(
    there: str, home: Path, here: Path
) -> None:
    Path("forms.cwl").write_text(json.dumps(FORMS))
    ran = localproc("execute", "forms.cwl", "--wait", "--to", there)
    assert ran.code == 0, ran.err
    brought = localproc("results", "--download", "out", "--to", there)
    assert sorted(brought.out.splitlines()) == [
        "out/files/f1",
        "out/files/f2",
        "out/folder/d/a#b.txt",
        "out/folder/d/in ner/ü 100%.txt",
        "out/folders/d/a#b.txt",
        "out/folders/d/in ner/ü 100%.txt",
        "out/folders/e/q",
        "out/nested/f1",
        "out/nested/f1-2",
        "out/nested/f1-3",
        "out/one/main?.txt",
        "out/one/main?.txt.idx",
        "out/record/e/q",
        "out/record/r",
    ]
    assert all((here / one).read_text() == "x" for one in brought.out.splitlines())
    assert localproc("run", "forms.cwl", "--quiet").code == 0
    same = localproc("compare", "last", there)
    assert "record.file" not in same.out
    assert home.exists()


def test_the_server_may_be_named_by_the_environment(
    there: str, hello: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALPROC_TO", there)
    said = localproc("execute", hello, "message=ho", "--wait", "--json")
    assert said.code == 0, said.err
    assert said.document["status"] == "successful"
    assert said.document["results"]["said"]["href"].startswith(there)
    assert not home.exists()


def test_a_job_that_fails_there_fails_the_command(there: str, here: Path) -> None:
    (here / "bad.cwl").write_text(HELLO.replace("hello", "bad").replace("echo", "[sh, -c, exit 3]"))
    said = localproc("execute", "bad.cwl", "message=hi", "--wait", "--to", there)
    assert said.code == 1
    assert "failed with exit code 3" in said.err


def test_a_package_is_sent_with_all_its_files(there: str, shout: Path) -> None:
    assert localproc("deploy", shout, "--to", there).code == 0
    assert localproc("deploy", shout, "--to", there).code == 0, "it replaces what was there"
    again = localproc("deploy", shout, "--no-replace", "--to", there)
    assert again.code == 2
    assert "deployed already" in again.err
    inputs = ("text=text.txt", "times=2")
    said = localproc("execute", "shout", *inputs, "--wait", "--json", "--to", there)
    assert said.code == 0, said.err
    with Server(there) as server:
        text = server.fetch(said.document["results"]["shouted"]["href"]).decode()
    assert text == "HELLO\n2 times text.txt\n"


def test_paths_of_an_inputs_file_hang_from_its_folder(there: str, shout: Path, here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub/words.txt").write_text("words\n")
    (here / "sub/inputs.yml").write_text("text: {class: File, path: words.txt}\n")
    said = localproc("execute", shout, "sub/inputs.yml", "--wait", "--json", "--to", there)
    assert said.code == 0, said.err
    with Server(there) as server:
        text = server.fetch(said.document["results"]["shouted"]["href"]).decode()
    assert text == "WORDS\n1 times words.txt\n"


def test_a_server_that_takes_no_archive_gets_one_document(shout: Path, tmp_path: Path) -> None:
    with Engine(tmp_path / "other") as engine:
        picky = Picky(create_app(engine))
        with served(picky) as address:
            url = f"{address}/default/ogc-api"
            refused = localproc("deploy", shout, "--to", url)
            assert refused.code == 2
            assert "--token" in refused.err
            said = localproc("deploy", shout, "--to", url, "--token", "secret")
            assert said.code == 0, said.err
        posted = [kind for method, _, kind, token in picky.asked if method == "POST" and token]
        assert posted == ["application/zip", "application/cwl+yaml"]
        (script,) = [one for one in engine.process("shout").ports() if one["id"] == "script"]
        assert script["default"]["contents"] == SCRIPT


MANY = """\
cwlVersion: v1.2
class: Workflow
id: many
requirements: {ScatterFeatureRequirement: {}}
inputs: {numbers: 'int[]'}
outputs: {}
steps:
  count:
    scatter: number
    in: {number: numbers}
    out: []
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo number $0 >&2']
      inputs: {number: {type: int, inputBinding: {}}}
      outputs: {}
"""


def test_all_steps_are_told_however_many_there_are(there: str, here: Path) -> None:
    (here / "many.cwl").write_text(MANY)
    numbers = f"numbers={list(range(120))}"
    said = localproc("execute", "many.cwl", numbers, "--to", there, "--wait")
    assert said.code == 0, said.err
    said = localproc("status", "last", "--to", there, "--steps")
    assert said.code == 0, said.err
    assert said.out.count("  exit code  0\n") == 120
    assert "count  successful\n  took " in said.out, "the first one is not on the server's page"
    document = localproc("status", "last", "--to", there, "--steps", "--json").document
    names = [step["name"] for step in document["steps"]]
    assert len(names) == len(set(names)) == 120
    assert len(localproc("status", "last", "--to", there, "--json").document["steps"]) == 100
    assert localproc("logs", "last", "count", "--to", there).out == "number 0\n"


def test_an_address_that_is_not_that_of_a_landing_page(there: str, hello: Path) -> None:
    said = localproc("deploy", hello, "--to", there.partition("/default")[0])
    assert said.code == 2
    assert "the address of its landing page?" in said.err


def test_only_the_server_itself_is_told_the_token(there: str, tmp_path: Path) -> None:
    with Engine(tmp_path / "other") as engine:
        picky = Picky(create_app(engine))
        with (
            served(picky) as address,
            Server(there, "secret") as server,
            pytest.raises(ServerRefused),
        ):
            server.fetch(f"{address}/default/ogc-api/processes")
        assert [token for *_, token in picky.asked] == [""]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("execute", "hello", "--executor", "slurm"), "--executor does not go with --to"),
        (("execute", "hello", "--tag", "demo"), "--tag does not go with --to"),
        (("deploy", "hello.cwl", "--id", "other"), "--id does not go with --to"),
        (("logs", "last", "--follow"), "--follow does not go with --to"),
    ],
)
def test_what_a_server_has_no_use_for_is_refused(words: tuple[str, ...], said: str) -> None:
    refused = localproc(*words, "--to", "http://127.0.0.1:9")
    assert refused.code == 2
    assert said in refused.err


def test_inputs_of_a_process_there_are_no_options(there: str, here: Path) -> None:
    (here / "far.cwl").write_text(HELLO.replace("id: hello", "id: far"))
    assert localproc("deploy", "far.cwl", "--to", there).code == 0
    refused = localproc("execute", "far", "--message", "hi", "--to", there)
    assert refused.code == 2
    assert "message=VALUE" in refused.err
    assert localproc("execute", "far", "message=hi", "--wait", "--to", there).code == 0
    known = localproc("execute", "far.cwl", "--message", "hi", "--wait", "--to", there)
    assert known.code == 0, known.err


def test_a_server_that_does_not_answer_is_of_the_environment() -> None:
    said = localproc("status", "--to", "http://127.0.0.1:9")
    assert said.code == 4
    assert "127.0.0.1:9 cannot be asked" in said.err
    assert localproc("status", "--to", "nowhere").code == 2


# Comparing


def test_a_job_is_compared_with_the_same_elsewhere(there: str, shout: Path) -> None:
    assert localproc("run", shout, "text=text.txt", "--quiet").code == 0
    same = localproc("compare", "last", there)
    assert same.code == 0, same.out + same.err
    assert same.out.startswith("0 differences in 1 output of ")
    script = shout.parent / "shout.sh"
    script.write_text(SCRIPT.replace("a-z A-Z", "a-z b-za"))
    assert localproc("deploy", shout, "--to", there).code == 0
    other = localproc("compare", "last", there, "--json")
    assert other.code == 1
    assert other.document["differences"] == ["shouted: shouted.txt has other bytes (23, not 23)"]
    assert not other.document["same"]


def test_items_and_rasters_are_compared(there: str, here: Path) -> None:
    package, inputs = EXAMPLE / "water-bodies.cwl", EXAMPLE / "inputs.yml"
    assert localproc("run", package, inputs, "--quiet", "--results", "kept").code == 0
    same = localproc("compare", "last", there)
    assert same.code == 0, same.out + same.err
    mask = min((here / "kept").rglob("otsu.tif"))
    with rasterio.open(mask) as raster:
        profile, pixels = raster.profile, raster.read(1)
    row, column = np.argwhere(pixels != profile["nodata"])[0]
    was = int(pixels[row, column])
    pixels[row, column] = was + 1
    with rasterio.open(mask, "w", **profile) as raster:
        raster.write(pixels, 1)
    other = localproc("compare", "last", there)
    assert other.code == 1, other.out + other.err
    assert f"at row {row}, column {column}: {was} instead of {was + 1}" in other.out
    assert other.out.count("\n") == 2
    assert localproc("compare", "last", there, "--tolerance", 1).code == 0
    brought = localproc("results", "--download", "out", "--to", there)
    assert brought.code == 0, brought.err
    assert len(list((here / "out/stac_catalog").glob("*/otsu.tif"))) == 2


# In Python


def test_what_a_server_says_is_an_error_of_its_kind(there: str, hello: Path) -> None:
    with Server(there) as server:
        server.deploy(hello)
        with pytest.raises(DuplicatedProcess):
            server.deploy(hello, replace=False)
        with pytest.raises(NoSuchProcess):
            server.describe("nothing")
        with pytest.raises(NoSuchJob):
            server.status("nothing")
        with pytest.raises(InvalidInputs) as wrong:
            server.execute("hello", {})
        assert [one.where for one in wrong.value.problems] == ["inputs.message"]
        job = server.execute("hello", {"message": "hi"})["jobID"]
        assert server.wait(job)["status"] == "successful"
        with pytest.raises(NoSuchStep, match="no log of 'other'"):
            server.logs(job, "other")
    with pytest.raises(ServerUnreachable), Server("http://127.0.0.1:9") as nobody:
        nobody.status()


FILE = {"file": {"schema": {"type": "string", "format": "uri"}}}


def test_files_go_inline_and_others_as_links(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    base = {"file": tmp_path.as_uri()}
    inline = {
        "value": "YQ==",
        "encoding": "base64",
        "mediaType": "text/plain",
        "basename": "a.txt",
    }

    def sent(value: Any) -> Any:
        return outgoing({"file": value}, FILE, base)["file"]

    assert sent("a.txt") == inline
    assert sent(["a.txt"]) == [inline]
    assert sent({"class": "File", "location": (tmp_path / "a.txt").as_uri()}) == inline
    assert sent("https://example.org/a.tif") == {"href": "https://example.org/a.tif"}
    assert outgoing({"text": "a.txt"}, {}, {}) == {"text": "a.txt"}, "a text is what it is"


def test_what_cannot_be_sent_is_told(tmp_path: Path) -> None:
    with open(tmp_path / "large.tif", "wb") as file:
        file.truncate(MOST + 1)
    base = {"file": tmp_path.as_uri()}
    for place, said in (
        ("large.tif", "more than 10 MiB"),
        ("nothing.tif", "No such file"),
        (".", "is the folder"),
    ):
        with pytest.raises(InvalidInputs, match=said):
            outgoing({"file": place}, FILE, base)


def test_texts_are_read_by_what_the_description_says() -> None:
    described: dict[str, Any] = {
        "text": {"schema": {"type": "string"}},
        "number": {"schema": {"type": "integer"}},
        "texts": {"schema": {"type": "array", "items": {"type": "string"}}},
    }
    pairs = [("text", "3"), ("number", "3"), ("texts", "a"), ("texts", "[b, c]"), ("new", "true")]
    assert typed_texts(pairs, described) == {
        "text": "3",
        "number": 3,
        "texts": ["a", "b", "c"],
        "new": True,
    }
