"""The pages in a real browser."""

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from localproc.errors import NoSuchJob
from localproc.views.ogc import timestamp
from tests.browser.conftest import EXAMPLE, PATIENCE, Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

SCREENSHOTS = os.environ.get("LOCALPROC_SCREENSHOTS")
MOST = 150_000  # bytes of a screenshot
CLOCK = 2500  # ms, longer than between two looks of a job's page

#: Two steps; each tells that it has begun and waits until its gate, a file, is there.
GATES = """
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: gates
    inputs: {first_gate: string, second_gate: string}
    outputs: {}
    steps:
      first: {run: "#wait", in: {gate: first_gate}, out: [out]}
      second: {run: "#wait", in: {gate: second_gate, after: first/out}, out: [out]}
  - class: CommandLineTool
    id: wait
    baseCommand:
      - sh
      - -c
      - 'echo waiting >&2; while [ ! -e "$0" ]; do sleep 0.05; done; echo through >&2'
    inputs: {gate: {type: string, inputBinding: {position: 1}}, after: File?}
    stdout: out.txt
    outputs: {out: stdout}
"""

#: A package whose tool lies in another folder, and sorts before it.
FOLDER = {
    "app/a/tool.cwl": """
cwlVersion: v1.2
class: CommandLineTool
baseCommand: "true"
inputs: []
outputs: []
""",
    "app/main.cwl": """
cwlVersion: v1.2
class: Workflow
id: foldered
inputs: []
outputs: []
steps: {only: {run: a/tool.cwl, in: [], out: []}}
""",
}

#: Gives each element with text of its own whose contrast to what is behind it is below 4.5.
PALE = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const pale = [];
  for (const element of document.body.querySelectorAll(":not(svg *)")) {
    const own = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const shades = [parse(getComputedStyle(element).color), behind(element)].map(light);
    const contrast = (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
    if (contrast < 4.5) pale.push(`${element.outerHTML.slice(0, 80)}: ${contrast.toFixed(1)}`);
  }
  return pale;
}
"""


def expect(locator: "Locator") -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def state(page: "Page") -> "Locator":
    return page.locator(".state .badge")


def step(page: "Page", name: str) -> "Locator":
    return page.locator(f"#step-{name}")


def mark(page: "Page") -> None:
    """Leave something in the page that does not survive when it is loaded anew."""
    page.evaluate("document.marked = true")


def is_marked(page: "Page") -> bool:
    return bool(page.evaluate("document.marked === true"))


# From the form to the result


def test_a_form_is_filled_in_and_its_job_succeeds(
    service: Service, page: "Page", tmp_path: Path
) -> None:
    (tmp_path / "upload.bin").write_bytes(bytes(range(256)))
    page.goto(f"{service.base}/processes")
    page.get_by_role("link", name="Echo").click()
    page.get_by_label("A text string").fill("<i>hello</i>")
    page.get_by_label("A number number").fill("2.5")
    page.get_by_label("Yes or no").select_option("yes")
    page.get_by_label("One of three").select_option("second")
    page.get_by_label("Several texts").fill("one\ntwo")
    page.get_by_label("Any object").fill('{"a": 1}')
    for side, degrees in {"west": "5", "south": "45", "east": "6", "north": "46"}.items():
        page.get_by_label(side).fill(degrees)
    page.get_by_label("An image or any other file").set_input_files(tmp_path / "upload.bin")
    page.get_by_label("Seconds to wait before").fill("1")
    page.get_by_role("button", name="Execute").click()

    page.wait_for_url("**/jobs/*")
    mark(page)
    expect(state(page)).to_have_text("successful")
    assert is_marked(page)

    page.get_by_role("link", name="Results", exact=True).click()
    main = page.get_by_role("main")
    for said in ("<i>hello</i>", "2.5", "true", "second", '"two"', '"a": 1', "256 B", "5,"):
        expect(main).to_contain_text(said)


def test_a_form_that_does_not_fit_is_explained(service: Service, page: "Page") -> None:
    page.goto(f"{service.base}/processes/three-steps")
    page.get_by_role("button", name="Execute").click()
    assert page.url.endswith("/processes/three-steps")  # the browser asks for what is required
    assert page.locator(":invalid:not(form)").count() == 1


def test_a_form_that_is_not_accepted_keeps_what_was_filled_in(
    service: Service, context: "BrowserContext"
) -> None:
    page = context.new_page()
    page.goto(f"{service.base}/processes/echo")
    page.get_by_label("A text string").fill("kept <b>")
    page.get_by_label("Several texts").fill("one\ntwo")
    page.get_by_label("Yes or no").select_option("no")
    page.get_by_label("Any object").fill("{oops")
    page.get_by_label("west").fill("5")
    page.get_by_label("its address").fill("scenes/a.tif")
    page.get_by_label("Any object").focus()
    page.keyboard.press("Control+End")
    with page.expect_response(lambda answer: answer.status == 400):
        page.get_by_role("button", name="Execute").focus()
        page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    assert page.title().startswith("Not accepted")
    expect(page.get_by_label("A text string")).to_have_value("kept <b>")
    expect(page.get_by_label("Several texts")).to_have_value("one\ntwo")
    expect(page.get_by_label("Yes or no")).to_have_value("false")
    expect(page.get_by_label("west")).to_have_value("5")
    expect(page.get_by_label("its address")).to_have_value("scenes/a.tif")
    wrong = page.get_by_label("Any object")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_accessible_description(re.compile("is not JSON"))
    expect(page.locator(".wrong")).to_have_count(3)
    expect(alert).to_contain_text("choose the file itself")

    alert.get_by_role("link", name="Any object").focus()  # from the list to the field
    page.keyboard.press("Enter")
    expect(wrong).to_be_focused()
    wrong.fill("{}")
    for side, degrees in {"west": "5", "south": "45", "east": "6", "north": "46"}.items():
        page.get_by_label(side).fill(degrees)
    page.get_by_label("its address").fill("")
    page.get_by_role("button", name="Execute").click()
    page.wait_for_url("**/jobs/*")


def test_a_folder_and_an_archive_are_deployed(
    service: Service, page: "Page", tmp_path: Path
) -> None:
    for name, text in FOLDER.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    archive = shutil.make_archive(str(tmp_path / "app"), "zip", tmp_path, "app")
    for label, chosen in (("the folder", tmp_path / "app"), ("ZIP archive", Path(archive))):
        page.goto(f"{service.base}/processes")
        page.get_by_label(label).set_input_files(chosen)
        page.get_by_role("button", name="Deploy").click()
        page.wait_for_url("**/processes/foldered")
        width = "(one) => one.decode().then(() => one.naturalWidth)"
        assert page.locator("img.graph").evaluate(width) > 0
        service.engine.undeploy("foldered")


def test_a_package_that_is_none_has_a_way_back(
    service: Service, context: "BrowserContext", tmp_path: Path
) -> None:
    page = context.new_page()
    (tmp_path / "none.cwl").write_text("class: Nothing")
    page.goto(f"{service.base}/processes")
    page.get_by_label("A CWL document").set_input_files(tmp_path / "none.cwl")
    with page.expect_response(lambda answer: answer.status == 400):
        page.get_by_role("button", name="Deploy").click()
    with page.expect_response(lambda answer: answer.status == 400):
        page.get_by_role("button", name="Deploy").click()  # nothing is chosen there
    expect(page.get_by_role("heading", level=1)).to_have_text("No package was chosen")
    expect(page.get_by_role("main")).to_contain_text("choose a file, or the folder")
    page.locator(".crumbs").get_by_role("link", name="Processes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Processes")


def test_a_package_is_deployed_from_the_list(
    service: Service, page: "Page", tmp_path: Path
) -> None:
    (tmp_path / "gates.cwl").write_text(GATES.replace("id: gates", "id: uploaded"))
    page.goto(f"{service.base}/processes")
    page.get_by_label("A CWL document").set_input_files(tmp_path / "gates.cwl")
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/processes/uploaded")
    expect(page.get_by_role("heading", level=1)).to_have_text("Process uploaded")
    service.engine.undeploy("uploaded")


# A job's page


def test_steps_and_logs_appear_while_they_happen(
    service: Service, page: "Page", tmp_path: Path
) -> None:
    gates = {name: str(tmp_path / name) for name in ("first_gate", "second_gate")}
    job = service.engine.deploy(GATES).execute(gates)
    page.goto(f"{service.base}/jobs/{job.id}")
    mark(page)
    first, second = step(page, "first"), step(page, "second")
    expect(first.locator(".badge")).to_have_text("running")
    expect(second).to_have_count(0)

    first.locator("summary").click()
    expect(first.locator("pre")).to_have_text("waiting\n")
    Path(gates["first_gate"]).touch()
    expect(first.locator(".badge")).to_have_text("successful")
    expect(second.locator(".badge")).to_have_text("running")
    expect(first.locator("pre")).to_contain_text("through")
    assert first.get_attribute("open") is not None
    assert second.get_attribute("open") is None
    length = float(second.locator(".part").get_attribute("width") or 0)
    expect(second.locator(".part")).not_to_have_attribute("width", f"{length}")

    Path(gates["second_gate"]).touch()
    expect(state(page)).to_have_text("successful")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "100")
    expect(page.get_by_role("status")).to_contain_text("successful")
    assert page.title().startswith("successful")
    assert is_marked(page)
    assert first.get_attribute("open") is not None


def test_the_keyboard_keeps_its_place(service: Service, page: "Page", tmp_path: Path) -> None:
    gates = {name: str(tmp_path / name) for name in ("first_gate", "second_gate")}
    job = service.engine.deploy(GATES).execute(gates)
    page.goto(f"{service.base}/jobs/{job.id}")
    first = step(page, "first")
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(first.locator("pre")).to_have_text("waiting\n")
    Path(gates["first_gate"]).touch()
    expect(first.locator(".badge")).to_have_text("successful")
    expect(first.locator("summary")).to_be_focused()
    Path(gates["second_gate"]).touch()
    expect(state(page)).to_have_text("successful")


def test_a_failure_says_why_without_reloading(
    service: Service, page: "Page", tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    wait = f"until [ -e {gate} ]; do sleep 0.05; done"
    package = "cwlVersion: v1.2\nclass: CommandLineTool\nid: fails\ninputs: []\noutputs: []\n"
    package += f"baseCommand: [sh, -c, '{wait}; echo this is why >&2; exit 7']\n"
    job = service.engine.deploy(package).execute()
    page.goto(f"{service.base}/jobs/{job.id}")
    mark(page)
    expect(state(page)).to_have_text("running")
    gate.touch()
    expect(state(page)).to_have_text("failed")
    why = page.locator(".failure")
    for said in ("exit code 7", "this is why", "What to do"):
        expect(why).to_contain_text(said)
    assert is_marked(page)


def test_a_job_is_dismissed(service: Service, page: "Page") -> None:
    job = service.engine.execute("echo", {"pause": 600})
    page.goto(f"{service.base}/jobs/{job.id}")
    mark(page)
    expect(state(page)).to_have_text("running")
    page.get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Enter")
    expect(state(page)).to_have_text("dismissed")
    expect(page.locator(".state")).to_be_focused()
    expect(page.locator(".state")).to_contain_text("This job was dismissed")
    assert job.record.finished is not None
    finished = page.locator("dt", has_text="Finished").locator("+ dd time")
    expect(finished).to_have_attribute("datetime", timestamp(job.record.finished))
    took = page.locator(".steps .number").text_content()
    page.wait_for_timeout(CLOCK)
    assert page.locator(".steps .number").text_content() == took
    expect(page.get_by_role("status")).to_contain_text("dismissed")
    expect(page.get_by_role("button", name="Dismiss")).to_have_count(0)
    expect(page.locator(".steps .badge")).to_have_text("dismissed")
    assert is_marked(page)
    assert job.status == "dismissed"
    page.goto(f"{service.base}/jobs")
    expect(page.get_by_role("link", name=job.id[-12:])).to_have_count(0)


def test_a_job_that_is_taken_away_is_not_waited_for(
    service: Service, context: "BrowserContext"
) -> None:
    page = context.new_page()
    job = service.engine.execute("echo", {"pause": 600})
    page.goto(f"{service.base}/jobs/{job.id}")
    expect(state(page)).to_have_text("running")
    job.dismiss()
    service.engine.delete(job.id)
    with pytest.raises(NoSuchJob):
        service.engine.job(job.id)
    expect(page.get_by_role("status")).to_have_text(re.compile("no longer here|dismissed"))


def test_the_other_tab_of_a_job_that_is_gone_shows_nothing_of_it(
    service: Service, context: "BrowserContext"
) -> None:
    job = service.engine.execute("echo", {"pause": 600})
    pages = [context.new_page() for _ in range(2)]
    for page in pages:
        page.goto(f"{service.base}/jobs/{job.id}")
        expect(state(page)).to_have_text("running")
    one, other = pages
    one.bring_to_front()  # what is hidden is not drawn, and a click waits until it is
    one.get_by_role("button", name="Dismiss").click()
    expect(one.locator(".state")).to_contain_text("This job was dismissed")
    expect(other.locator("#live")).to_have_text(
        re.compile("^ *This job is no longer here: it was dismissed or removed. *$")
    )
    expect(other.get_by_role("button", name="Dismiss")).to_have_count(0)
    expect(other.locator(".badge")).to_have_count(0)


MANY = """
cwlVersion: v1.2
class: Workflow
id: many
requirements: {ScatterFeatureRequirement: {}}
inputs: {words: "string[]"}
outputs: {}
steps:
  say:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo "says $0" >&2; test "$0" != bad']
      inputs: {word: {type: string, inputBinding: {}}}
      outputs: {}
    scatter: word
    in: {word: words}
    out: []
"""


@pytest.mark.parametrize("width", [390, 1100])
def test_a_failed_step_of_a_scatter_tells_all_and_is_retried(
    service: Service, page: "Page", width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    inputs = {"words": ["good", "bad", "fine"]}
    job = service.engine.deploy(MANY).execute(inputs, keep_going=True).wait()
    page.goto(f"{service.base}/jobs/{job.id}")
    scatter = page.locator("#rows-say")
    expect(scatter).to_contain_text("2 of 3, 1 failed")
    expect(step(page, "say_2")).to_be_hidden()
    scatter.locator("summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    bad = step(page, "say_2")
    for said in ("word=bad", "sh -c", f"jobs/{job.id}/work/say_2", "exit code 1", "says bad"):
        expect(bad).to_contain_text(said)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".steps").first).to_contain_text("2 reused")
    assert job.id not in page.url


@pytest.mark.parametrize("width", [390, 1100])
def test_a_failed_job_is_retried_with_other_inputs_by_keyboard(
    service: Service, page: "Page", width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    job = service.engine.execute("three-steps", {"text": "hi there", "code": 3}).wait()
    page.goto(f"{service.base}/jobs/{job.id}")
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    code = page.get_by_label("code")
    expect(page.get_by_label("text")).to_have_value("hi there")
    expect(code).to_have_value("3")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(PALE) == []
    code.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(page.locator(".steps").first).to_contain_text("third")
    expect(state(page)).to_have_text("successful")
    again = service.engine.job(page.url.rpartition("/")[2])
    assert dict(again.inputs) == {"text": "hi there", "code": 0}
    assert [step.name for step in again.steps if step.reused_from] == ["first"]
    for one in (job, again):
        service.engine.delete(one.id)


# Lists and results


def test_jobs_are_filtered(service: Service, page: "Page") -> None:
    page.goto(f"{service.base}/jobs")
    page.get_by_label("failed").check()
    page.get_by_label("Process").select_option("three-steps")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody .badge")).to_have_text("failed")
    assert page.get_by_label("failed").is_checked()
    page.get_by_label("From").fill("2020-01-01T00:00")
    page.get_by_label("To", exact=False).last.fill("2020-01-02T00:00")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("main")).to_contain_text("There is no such job.")
    page.get_by_role("link", name="Show all").click()
    assert page.locator("tbody tr").count() >= 3


@pytest.mark.parametrize("width", [390, 1100])
def test_filters_fold_where_there_is_little_room(
    service: Service, page: "Page", width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{service.base}/jobs?f=html&limit=5")
    button, fold = page.get_by_role("button", name="Filter"), page.get_by_text("Filters")
    if width > 640:
        expect(button).to_be_visible()
        expect(fold).to_be_hidden()
        return
    expect(button).to_be_hidden()
    fold.focus()
    page.keyboard.press("Enter")
    expect(button).to_be_visible()
    page.get_by_label("failed").check()
    button.click()
    expect(page.get_by_label("failed")).to_be_visible()  # what is filtered by is seen


@pytest.mark.parametrize("width", [390, 1100])
def test_labels_of_a_map_are_legible_and_apart(
    service: Service, page: "Page", water_bodies: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{service.base}/jobs/{water_bodies}/results")
    labels = page.locator(".map text").all()
    boxes = [box for label in labels if (box := label.bounding_box())]
    assert len(boxes) >= 7
    for place, one in enumerate(boxes):
        assert one["height"] >= 11
        for other in boxes[:place]:
            assert (
                one["x"] >= other["x"] + other["width"]
                or other["x"] >= one["x"] + one["width"]
                or one["y"] >= other["y"] + other["height"]
                or other["y"] >= one["y"] + one["height"]
            )


def test_results_are_on_a_map_with_quicklooks(
    service: Service, page: "Page", water_bodies: str
) -> None:
    page.goto(f"{service.base}/jobs/{water_bodies}/results")
    pictures = page.locator("img.quicklook")
    expect(pictures).to_have_count(2)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        loaded = picture.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }")
        assert loaded == 194
    expect(page.locator(".map .outline")).to_have_count(2)
    expect(page.locator(".map")).to_contain_text("8.00° S")
    page.locator(".map a").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".item:target h3")).to_have_text("LE07_OLINDA_S")
    page.get_by_text("Properties").first.click()
    expect(page.locator(".item dl").first).to_contain_text("proj:")
    catalog = page.get_by_role("link", name="catalog.json").get_attribute("href") or ""
    assert page.request.get(catalog).json()["type"] == "Catalog"
    with page.expect_download() as download:
        page.locator(".item a").first.click()
    assert download.value.suggested_filename.startswith("otsu")


# All pages


PAGES = [
    "",
    "/conformance",
    "/api?f=html",
    "/processes",
    "/processes/echo",
    "/processes/three-steps",
    "/jobs",
    "/jobs?status=failed",
    "/executions",
    "/executions/v1",
    "/logs?search=hello",
    "/schedules",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read(service: Service, browser: "Browser", scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 640})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    jobs = service.engine.jobs(process="three-steps")
    places = [*PAGES, *(f"/jobs/{job.id}" for job in jobs), f"/jobs/{jobs[0].id}/results"]
    for place in places:
        page.goto(service.base + place)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
        assert page.evaluate(PALE) == [], place
    context.close()


def test_pages_work_without_scripts(service: Service, browser: "Browser", tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    service.engine.deploy(GATES)
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{service.base}/processes/echo")
    page.get_by_label("A text string").fill("hello")
    page.get_by_role("button", name="Execute").click()
    page.wait_for_url("**/jobs/*")
    gates = {"first_gate": str(gate), "second_gate": str(gate)}
    job = service.engine.execute("gates", gates)
    page.goto(f"{service.base}/jobs/{job.id}")
    expect(page.get_by_role("button", name="Dismiss")).to_be_hidden()
    gate.touch()
    job.wait()
    page.get_by_role("link", name="Refresh").click()
    expect(state(page)).to_have_text("successful")
    expect(page.get_by_role("link", name="Refresh")).to_have_count(0)
    context.close()


def test_a_workflow_is_drawn(service: Service, page: "Page") -> None:
    page.goto(f"{service.base}/processes/three-steps")
    drawing = page.get_by_role("img", name="steps: first, second, third")
    drawing.evaluate("(one) => one.decode()")
    assert drawing.evaluate("(one) => one.naturalHeight") > 200


def test_screenshots(service: Service, page: "Page", water_bodies: str, tmp_path: Path) -> None:
    """The pictures of the documentation: with ``LOCALPROC_SCREENSHOTS`` they go to that folder."""
    folder = Path(SCREENSHOTS) if SCREENSHOTS else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    places = {
        "process": "/processes/water-bodies",
        "jobs": "/jobs",
        "job": f"/jobs/{water_bodies}",
        "results": f"/jobs/{water_bodies}/results",
        "executions": "/executions/v1",
        "logs": "/logs?search=why",
        "phone": f"/jobs/{water_bodies}",
    }
    service.engine.schedules.add("water-bodies", "30 */3 * * *", EXAMPLE / "inputs.yml")
    for name, place in places.items():
        width, height = (390, 760) if name == "phone" else (1000, 900)
        page.set_viewport_size({"width": width, "height": height})
        page.goto(service.base + place)
        if name == "job":
            page.locator("details:has(#step-node_otsu) > summary").click()
            step(page, "node_otsu").locator("summary").click()
            expect(step(page, "node_otsu").locator("pre")).to_contain_text("threshold")
        for picture in page.locator("img").all():
            picture.evaluate("(one) => one.decode()")
        page.screenshot(path=folder / f"{name}.png")
        assert 10_000 < (folder / f"{name}.png").stat().st_size < MOST
    service.engine.schedules.remove("water-bodies")


def test_executions_are_found_looked_at_and_run_again(page: "Page", service: Service) -> None:
    service.engine.schedules.add("echo", "0 * * * * ?", {"string": "tick"}, name="each-minute")
    page.goto(f"{service.base}/executions/v1?f=html")
    page.locator("select[name=last]").select_option("24h")
    page.locator("select[name=trigger]").select_option("manual")
    page.locator("select[name=status]").select_option("failed")
    with page.expect_navigation():
        page.get_by_role("button", name="Filter").click()
    rows = page.locator("tbody tr")
    assert set(rows.locator(".badge").all_inner_texts()) == {"failed"}
    assert page.get_by_role("heading", name="In the next 24 hours").is_visible()
    assert page.get_by_role("link", name="each-minute").first.is_visible()
    bars = page.get_by_role("img", name=re.compile("to come, the next is each-minute"))
    expect(bars.locator(".due").first).to_be_visible()
    failed = page.locator(".agenda li").filter(has=page.get_by_role("link", name="three-steps"))
    expect(failed.get_by_role("img")).to_have_accessible_name(re.compile("1 failed"))
    with page.expect_navigation():
        failed.locator("a:has(.part)").first.click()
    expect(page.get_by_role("heading", name="Phases")).to_be_visible()
    page.go_back()
    service.engine.schedules.remove("each-minute")

    page.locator("select[name=status]").select_option("success")
    page.locator("input[name=name]").fill("echo")
    with page.expect_navigation():
        page.get_by_role("button", name="Filter").click()
    with page.expect_navigation():
        rows.first.get_by_role("link").click()
    page.locator("summary").filter(has_text="give_back").click()
    inputs = page.get_by_label("Inputs of that one run")
    inputs.fill(inputs.input_value().replace("hello", "once more"))
    with page.expect_navigation():
        page.get_by_role("button", name="Run").click()
    page.get_by_role("definition").filter(has_text="run again").wait_for()
    job = service.engine.job(page.url.rpartition("/")[2])
    assert job.inputs["string"] == "once more"
    job.wait()


@pytest.mark.parametrize("width", [390, 1100])
def test_logs_are_searched_with_the_keyboard(service: Service, page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{service.base}/jobs")
    page.get_by_role("link", name="Logs").focus()
    page.keyboard.press("Enter")
    page.get_by_role("searchbox").focus()
    page.keyboard.type('"this is why"')
    page.keyboard.press("Enter")
    found = page.get_by_role("region", name=re.compile("second of"))
    expect(found.first).to_contain_text("this is why")
    expect(page.get_by_role("searchbox")).to_have_value('"this is why"')
    found.first.get_by_role("link", name="three-steps").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Job of three-steps")
