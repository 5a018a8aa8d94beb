"""Files of any name: what a document says can be fetched, as it stands."""

from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from localproc import Engine
from tests.http.page import Page
from tests.http.service import execute, finish

TOOL: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "named",
    "baseCommand": ["sh", "-c", 'mkdir -p "d/$0" && printf x > "d/$0/$0" && printf x > "$0"'],
    "inputs": {"name": {"type": "string", "inputBinding": {}}},
    "outputs": {
        "file": {"type": "File", "outputBinding": {"glob": "$(inputs.name)"}},
        "folder": {"type": "Directory", "outputBinding": {"glob": "d"}},
    },
    "requirements": {"InlineJavascriptRequirement": {}},
}
for output in TOOL["outputs"].values():  # a name is no pattern
    pattern = output["outputBinding"]["glob"]
    output["outputBinding"]["glob"] = f"$([{pattern[2:-1]}])" if "$" in pattern else pattern

NAMES = [
    "plain.txt",
    "a b.txt",
    "a%20b",
    "100%",
    "a#b",
    "a?b=c",
    "a;b",
    "a&b+c",
    "é.tif",
    "B04:10m.tif",
    "'\"<>|",
    "x~-_.",
]


def links(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list(document["links"])


@pytest.mark.parametrize("name", NAMES)
def test_files_are_where_documents_say(engine: Engine, client: httpx.Client, name: str) -> None:
    engine.deploy(TOOL)
    job = finish(client, {"name": name}, "named")
    results = client.get(f"{job}/results").json()
    file = results["file"]
    assert (client.get(file["href"]).text, file["title"]) == ("x", name)
    assert unquote(urlsplit(file["href"]).path).endswith(f"/{name}")
    (inner,) = links(client.get(results["folder"]["href"]).json())
    (deepest,) = links(client.get(inner["href"]).json())
    assert (client.get(deepest["href"]).text, deepest["title"]) == ("x", name)
    page = Page(client.get(f"{job}/results?f=html"))
    assert client.get(next(href for href in page.links() if href == file["href"])).text == "x"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(name="a\nb")
@given(name=st.text(st.sampled_from("ab%20#?;:&+=é \n,@!$'()"), min_size=1, max_size=12))
def test_files_of_any_name(engine: Engine, client: httpx.Client, name: str) -> None:
    engine.deploy(TOOL)
    done = execute(client, {"name": f"_{name}_"}, "named", response="document")
    assert done.status_code == 200, done.text
    assert client.get(done.json()["file"]["href"]).text == "x"


@given(path=st.text(st.characters(exclude_categories=["Cs"]), max_size=20), follow=st.booleans())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_path_is_answered(
    engine: Engine, client: httpx.Client, path: str, follow: bool
) -> None:
    found = engine.jobs(limit=1, status="successful")
    job = found[0].id if found else "none"
    for place in ("", "jobs/", f"jobs/{job}/", f"jobs/{job}/files/", f"jobs/{job}/results/"):
        answer = client.get(place + quote(path, safe=""), params={"follow": follow})
        assert answer.status_code < 500
        assert answer.headers["content-type"]


# Uploads


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("scene.tif", "scene.tif"),
        ("a b#%20.tif", "a b#%20.tif"),
        ("folder/scene.tif", "scene.tif"),
        ("C:\\scenes\\scene.tif", "scene.tif"),
        ("..", "input"),
    ],
)
def test_uploads_keep_their_names(
    engine: Engine, client: httpx.Client, sent: str, name: str
) -> None:
    tool = {**TOOL, "id": "upload", "baseCommand": ["basename"], "stdout": "name.txt"}
    tool |= {"inputs": {"file": {"type": "File", "inputBinding": {}}}}
    engine.deploy({**tool, "outputs": {"name": "stdout"}})
    answer = client.post(
        "processes/upload/execution",
        files={"file": (sent, b"x", "application/octet-stream")},
        headers={"Accept": "text/html"},
    )
    assert answer.status_code == 303
    job = engine.job(answer.headers["location"].rpartition("/")[2]).wait()
    assert job.result("name").read_text() == f"{name}\n"
