"""OGC application packages, in the forms that clients send."""

import json
from typing import Any

import pytest
from ruamel.yaml import YAML

from localproc.errors import InvalidPackage
from localproc.ogc.apppkg import is_apppkg, read_apppkg

CWL = {"cwlVersion": "v1.2", "class": "CommandLineTool", "inputs": [], "outputs": []}
PORTS = [{"id": "a", "title": "A"}, {"id": "b", "description": "B"}]


def written(**described: Any) -> dict[str, Any]:
    return {
        "processDescription": {"process": {"id": "p", **described}},
        "executionUnit": [{"unit": CWL}],
    }


def test_inputs_may_be_a_list() -> None:
    found = read_apppkg(json.dumps(written(inputs=PORTS, outputs=PORTS)).encode(), "p.json")
    for part in ("inputs", "outputs"):
        assert found.described[part] == {"a": {"title": "A"}, "b": {"description": "B"}}


def test_numbers_of_occurrences_may_be_texts() -> None:
    few = {"id": "few", "minOccurs": "0", "maxOccurs": "3"}
    many = {"id": "many", "minOccurs": "1", "maxOccurs": "unbounded"}
    found = read_apppkg(json.dumps(written(inputs=[few, many])).encode(), "p.json")
    assert found.described["inputs"] == {
        "few": {"minOccurs": 0, "maxOccurs": 3},
        "many": {"minOccurs": 1, "maxOccurs": "unbounded"},
    }


@pytest.mark.parametrize("most", ["many", "-1", "1.5", [1], "9" * 5000, "٣"])
def test_a_number_of_occurrences_that_is_none_is_refused(most: Any) -> None:
    with pytest.raises(InvalidPackage, match="is not an OGC application package"):
        read_apppkg(json.dumps(written(inputs={"a": {"maxOccurs": most}})).encode(), "p.json")


def test_an_input_that_is_described_twice_is_refused() -> None:
    twice = [{"id": "a", "title": "one"}, {"id": "a", "title": "other"}]
    with pytest.raises(InvalidPackage, match="inputs in processDescription has 'a' twice"):
        read_apppkg(json.dumps(written(inputs=twice)).encode(), "p.json")


@pytest.mark.parametrize("inputs", [[{"title": "A"}], ["a"], 5])
def test_inputs_that_are_none_are_refused(inputs: Any) -> None:
    with pytest.raises(InvalidPackage, match="inputs in processDescription"):
        read_apppkg(json.dumps(written(inputs=inputs)).encode(), "p.json")


def test_a_package_may_be_yaml(tmp_path: Any) -> None:
    path = tmp_path / "p.yml"
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(written(inputs=PORTS), file)
    data = path.read_bytes()
    assert is_apppkg(data)
    assert read_apppkg(data, "p.yml").document == CWL


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CWL),
        json.dumps({**CWL, "executionUnit": {}}),
        "executionUnit",
        "- executionUnit",
        "{executionUnit",
        "a: &a [executionUnit]\n" + "\n".join(f"b{n}: [*a, *a]" for n in range(3)),
    ],
)
def test_what_is_no_application_package(text: str) -> None:
    assert not is_apppkg(text.encode())


def test_the_author_says_how_a_process_may_be_run() -> None:
    found = read_apppkg(json.dumps(written(jobControlOptions=["async-execute"])).encode(), "p")
    assert found.described["jobControlOptions"] == ["async-execute"]
    with pytest.raises(InvalidPackage, match="jobControlOptions has 'asink'"):
        read_apppkg(json.dumps(written(jobControlOptions=["asink"])).encode(), "p")
    with pytest.raises(InvalidPackage, match="jobControlOptions has the wrong type"):
        read_apppkg(json.dumps(written(jobControlOptions=5)).encode(), "p")


@pytest.mark.parametrize("memory", [".inf", ".nan", "-1", "1e300"])
def test_an_amount_of_memory_that_nobody_has_does_no_harm(memory: str) -> None:
    text = f"executionUnit: {{image: a, config: {{memoryMin: {memory}, memoryMax: 2}}}}"
    found = read_apppkg(text.encode(), "p").document
    assert found is not None
    assert found["requirements"]["ResourceRequirement"]["ramMax"] == 1907


def test_a_unit_whose_aliases_repeat_too_much_is_refused() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    unit = {"executionUnit": {"value": "\n".join(lines)}}
    with pytest.raises(InvalidPackage, match="aliases of this document repeat too much"):
        read_apppkg(json.dumps(unit).encode(), "p.json")
