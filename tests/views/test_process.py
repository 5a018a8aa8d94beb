"""The documents about processes."""

from pathlib import Path

from localproc import Engine
from localproc.views.process import process_description, process_summary


def test_the_summary_of_a_process(localproc_engine: Engine, packages: Path) -> None:
    record = localproc_engine.deploy(packages / "echo.cwl").record
    summary = process_summary(record, "https://example.com/ogc")
    place = "https://example.com/ogc/processes/echo"
    assert summary == {
        "id": "echo",
        "title": "Echo",
        "description": "Writes a message into a file.",
        "version": record.version,
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "mutable": True,
        "links": [
            {
                "rel": "self",
                "type": "application/json",
                "href": place,
                "title": "Process description",
            },
            {
                "rel": "alternate",
                "type": "text/html",
                "href": f"{place}?f=html",
                "title": "As HTML",
            },
        ],
    }


def test_what_a_package_does_not_say_is_left_out(localproc_engine: Engine, packages: Path) -> None:
    record = localproc_engine.deploy(packages / "three-steps.cwl").record
    assert not {"description", "keywords"} & process_summary(record).keys()


def test_the_description_of_a_process_is_its_summary_and_more(
    localproc_engine: Engine, packages: Path
) -> None:
    record = localproc_engine.deploy(packages / "echo.cwl", mutable=False).record
    description = process_description(record, "https://example.com/ogc")
    summary = process_summary(record, "https://example.com/ogc")
    place = "https://example.com/ogc/processes/echo"
    assert description | {"links": summary["links"]} == summary | {
        "inputs": record.description["inputs"],
        "outputs": record.description["outputs"],
    }
    assert description["mutable"] is False
    assert description["links"][:2] == summary["links"]
    assert {link["rel"]: link["href"] for link in description["links"][2:]} == {
        "http://www.opengis.net/def/rel/ogc/1.0/execute": f"{place}/execution",
        "service-desc": f"{place}/package",
    }
    assert description["links"][3]["type"] == "application/cwl+yaml"


def test_making_a_document_does_not_change_the_process(
    localproc_engine: Engine, packages: Path
) -> None:
    record = localproc_engine.deploy(packages / "echo.cwl").record
    assert process_description(record) == process_description(record)
    assert len(process_summary(record)["links"]) == 2
