"""Where results come from, as PROV-JSON."""

from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, Job, __version__

#: The members of each relation that name something, and the kind of what they name.
REFERENCES = {
    "prov:activity": "activity",
    "prov:entity": "entity",
    "prov:agent": "agent",
    "prov:plan": "entity",
    "prov:informed": "activity",
    "prov:informant": "activity",
}
RELATIONS = ("used", "wasAssociatedWith", "wasGeneratedBy", "wasInformedBy")


@pytest.fixture
def job(localproc_engine: Engine, packages: Path) -> Job:
    return localproc_engine.run(packages / "three-steps.cwl", {"text": "hello"}, run_as="jane")


def related(document: dict[str, Any], relation: str, **members: str) -> list[dict[str, str]]:
    wanted = {f"prov:{name}": value for name, value in members.items()}
    return [one for one in document[relation].values() if wanted.items() <= one.items()]


def test_every_relation_is_between_things_that_are_there(job: Job) -> None:
    document = job.provenance()
    assert set(document) == {"prefix", "entity", "activity", "agent", *RELATIONS}
    for relation in RELATIONS:
        for members in document[relation].values():
            for name, key in members.items():
                assert key in document[REFERENCES[name]], f"{relation}: {key}"
    for kind in ("entity", "activity", "agent"):
        for key in document[kind]:
            assert key.partition(":")[0] in document["prefix"], key


def test_a_result_leads_back_to_step_package_input_and_user(job: Job) -> None:
    document = job.provenance()
    activity = f"job:{job.id}"
    output = f"{activity}/outputs/last"
    assert document["entity"][output]["prov:location"] == job.result("last").as_uri()
    assert related(document, "wasGeneratedBy", entity=output) == [
        {"prov:entity": output, "prov:activity": activity}
    ]
    assert document["entity"][f"{activity}/inputs/text"] == {"prov:value": "hello"}
    assert related(document, "used", activity=activity, entity=f"{activity}/inputs/text")
    steps = [one["prov:informed"] for one in related(document, "wasInformedBy")]
    assert steps == [f"{activity}/steps/{step.name}" for step in job.steps]
    plan = f"package:{job.record.revision}"
    (associated,) = related(document, "wasAssociatedWith", plan=plan)
    assert document["agent"][associated["prov:agent"]]["prov:label"] == f"localproc {__version__}"
    assert document["agent"]["localproc:user"]["prov:label"] == "jane"


def test_a_failure_has_a_history_too(localproc_engine: Engine, packages: Path) -> None:
    job = localproc_engine.run(packages / "three-steps.cwl", {"text": "x", "code": 3})
    document = job.provenance()
    second = document["activity"][f"job:{job.id}/steps/second"]
    assert (second["localproc:status"], second["localproc:exitCode"]) == ("failed", 3)
    assert not related(document, "wasGeneratedBy", activity=f"job:{job.id}")
