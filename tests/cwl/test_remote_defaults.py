"""Files elsewhere that steps have as defaults: they are brought in as the job's inputs are."""

from typing import Any

from localproc.cwl.run.plan import Invocation, Plan
from localproc.cwl.run.process import Workflow
from localproc.cwl.run.process_inputs import fill
from localproc.cwl.run.remote_defaults import remote_defaults, with_defaults
from tests.cwl.memory import Memory, file, workflow

SCENE = {"class": "File", "location": "https://x.org/a.tif", "basename": "a.tif"}
INDEX = {"class": "File", "location": "https://x.org/i", "basename": "i"}
PACKAGE = """
inputs:
  own: {type: 'File?', default: {class: File, location: 'https://x.org/own'}}
outputs: []
steps:
  tool: {in: [], out: [], run: TOOL}
  again: {in: [], out: [], run: TOOL}
  entry:
    in:
      x:
        default:
          - {class: Directory, basename: d, listing: [{class: File, path: 'https://x.org/i'}]}
    out: []
    run: {class: CommandLineTool, baseCommand: a, inputs: {x: 'Directory[]'}, outputs: []}
  given:
    in: {x: {default: {class: File, location: 'file:///here'}}}
    out: []
    run: {class: CommandLineTool, baseCommand: a, inputs: {x: File}, outputs: []}
""".replace(
    "TOOL",
    "{class: CommandLineTool, baseCommand: a, outputs: [],"
    " inputs: {x: {type: File, default: {class: File, location: 'https://x.org/a.tif'}}}}",
)


def test_they_are_those_of_steps_and_of_what_these_run() -> None:
    assert remote_defaults(workflow(PACKAGE)) == (INDEX, SCENE)


def test_steps_are_given_the_staged_ones() -> None:
    package = workflow(PACKAGE)
    staged = {SCENE["location"]: file("/in/a.tif"), INDEX["location"]: file("/in/i")}
    found = [staged[one["location"]] for one in remote_defaults(package)]
    localized = with_defaults(package, found)
    files = Memory({"/in/a.tif": "", "/in/i": "", "/here": ""})
    inputs: dict[str, Any] = {"own": file("/here")}
    plan = Plan(localized, inputs, files)
    given = {}
    while isinstance(instance := plan.pull(), Invocation):
        given[instance.key] = fill(instance.tool, instance.inputs)["x"]
    assert given["tool"]["location"] == given["again"]["location"] == "file:///in/a.tif"
    assert given["entry"][0]["listing"][0]["location"] == "file:///in/i"
    assert given["given"]["location"] == "file:///here"


def test_a_package_without_them_stays_what_it_is() -> None:
    package = workflow("inputs: []\noutputs: []\nsteps: []")
    assert isinstance(package, Workflow)
    assert remote_defaults(package) == ()
    assert with_defaults(package, []) is package
