"""What notebooks show."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.engine.results import StacResults
from localproc.errors import NoSuchProcess
from tests.conftest import PACKAGES, absent
from tests.patience import until

STEPS = PACKAGES / "three-steps.cwl"
VIEW = "application/vnd.jupyter.widget-view+json"
WAITS = """
cwlVersion: v1.2
class: CommandLineTool
id: waits
baseCommand: [sh, -c, 'while [ ! -e "$0" ]; do sleep 0.05; done']
inputs: {gate: {type: string, inputBinding: {position: 1}}}
outputs: {}
"""
#: Publishes a catalog of one item with a thumbnail of one pixel.
STAC = """
cwlVersion: v1.2
class: CommandLineTool
id: stac
requirements:
  InitialWorkDirRequirement:
    listing:
      - {entryname: catalog/catalog.json, entry: $(inputs.catalog)}
      - {entryname: catalog/item.json, entry: $(inputs.item)}
baseCommand: [sh, -c, 'echo "$0" | base64 -d > catalog/thumbnail.png']
arguments: [$(inputs.picture)]
inputs: {catalog: string, item: string, picture: string}
outputs: {found: {type: Directory, outputBinding: {glob: catalog}}}
"""
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


def item(name: str) -> dict[str, Any]:
    corners = [[5, 45], [6, 45], [6, 46], [5, 46], [5, 45]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [corners]},
        "bbox": [5, 45, 6, 46],
        "properties": {"datetime": "2026-01-02T03:04:05Z"},
        "links": [],
        "assets": {
            "thumbnail": {"href": "thumbnail.png", "type": "image/png", "roles": ["thumbnail"]}
        },
    }


def test_steps_are_a_table(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.run(STEPS, {"text": "x", "code": 3})
        assert [step.name for step in job.steps] == ["first", "second"]
        assert "<td>second</td><td>failed</td>" in job.steps._repr_html_()
        assert "exit code 3" in job.steps._repr_html_()


def test_results_are_a_map_and_a_table_with_thumbnails(tmp_path: Path) -> None:
    links = [{"rel": "item", "href": "item.json"}]
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "c"}
    inputs = {
        "catalog": json.dumps({**catalog, "links": links}),
        "item": json.dumps(item("<one>")),
        "picture": PICTURE,
    }
    with Engine(tmp_path / "home") as engine:
        found = engine.run(STAC, inputs).result("found")
        assert isinstance(found, StacResults)
        shown = found._repr_html_()
        assert "data:image/svg+xml" in shown
        assert f'src="data:image/png;base64,{PICTURE}"' in shown
        for said in ("&lt;one&gt;", "2026-01-02T03:04:05Z", "thumbnail"):
            assert f"<td>{said}" in shown
        assert "<script" not in shown


def test_a_job_that_has_ended_needs_no_widget(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.run(STEPS, {"text": "x"})
        assert set(job._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_a_job_that_goes_on_is_shown_live(tmp_path: Path) -> None:
    if find_spec("ipywidgets") is None:
        absent("ipywidgets is not installed")
    from ipywidgets.widgets.widget import _instances

    with Engine(tmp_path / "home") as engine:
        job = engine.deploy(WAITS).execute({"gate": str(tmp_path / "gate")})
        told = job._repr_mimebundle_(include=None, exclude=None)
        assert "waits" in told["text/html"]
        widget = _instances[told[VIEW]["model_id"]]
        assert job.id in widget.value
        (tmp_path / "gate").touch()
        until(lambda: "successful, 100 %" in widget.value)


def test_the_view_of_an_engine_that_was_closed_ends(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        job = engine.deploy(WAITS).execute({"gate": "none"})
        assert job._waits_more(0)
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        engine.job(job.id).dismiss(wait=False)


def test_a_traceback_ends_at_the_line_that_called(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine, pytest.raises(NoSuchProcess) as caught:
        engine.process("none")
    lines = caught.value._render_traceback_()
    assert lines[0] == "Traceback (most recent call last):"
    end = next(place for place, line in enumerate(lines) if line.startswith("NoSuchProcess: "))
    assert 'engine.process("none")' in "".join(lines[end - 2 : end])
    assert sum(line.startswith("  File") for line in lines) == 1


def test_ipython_shows_that_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if find_spec("IPython") is None:
        absent("IPython is not installed")
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = InteractiveShell.instance(ipython_dir=str(tmp_path / "ipython"))
    shell.history_manager.enabled = False
    cell = "from localproc import Engine\nwith Engine(home) as engine:\n  engine.process('x')"
    shell.user_ns["home"] = tmp_path / "home"
    shell.run_cell(cell)
    InteractiveShell.clear_instance()
    said = "".join(capsys.readouterr())
    assert "engine.process('x')" in said
    assert "site-packages" not in said
    assert "engine.py" not in said
