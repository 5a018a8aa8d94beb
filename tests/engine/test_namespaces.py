"""Namespaces: one engine, processes and jobs of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs
from localproc.engine.engine import namespace_of
from localproc.errors import NoSuchJob, NoSuchProcess


def test_namespaces_do_not_mix(localproc_engine: Engine, packages: Path) -> None:
    acme = localproc_engine.within("acme")
    job = acme.run(packages / "echo.cwl", {"message": "hello"})
    assert job.result("said").parent == localproc_engine.home / "results" / "acme" / job.id
    assert [one.id for one in acme.jobs()] == [job.id]
    assert acme.process("echo").id == "echo"
    assert localproc_engine.jobs() == []
    assert localproc_engine.executions() == []
    assert acme.executions()[0]["_id"] == job.id
    with pytest.raises(NoSuchProcess):
        localproc_engine.process("echo")
    for look in (localproc_engine.job, localproc_engine.dismiss, localproc_engine.delete):
        with pytest.raises(NoSuchJob):
            look(job.id)


def test_a_process_of_the_same_id_is_another(localproc_engine: Engine, packages: Path) -> None:
    text = (packages / "echo.cwl").read_text()
    localproc_engine.deploy(text)
    localproc_engine.within("acme").deploy(text.replace("What to say", "What to shout"))
    titles = [
        engine.process("echo").inputs["message"]["title"]
        for engine in (localproc_engine, localproc_engine.within("acme"))
    ]
    assert titles == ["What to say", "What to shout"]


def test_a_token_opens_its_own_namespace_alone(localproc_engine: Engine) -> None:
    acme = localproc_engine.within("acme")
    secret = acme.tokens.make("laptop")
    assert acme.tokens.find(secret) is not None
    assert localproc_engine.tokens.find(secret) is None
    assert localproc_engine.tokens.all() == []


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", ".hidden", "a b", "ä", "x" * 65])
def test_names_that_no_folder_or_address_could_have(
    localproc_engine: Engine, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InvalidInputs, match="cannot be a namespace"):
        localproc_engine.within(name)
    with pytest.raises(InvalidInputs, match="cannot be a namespace"):
        Engine(tmp_path / "other", namespace=name)
    assert not (tmp_path / "other").exists()


def test_reading_a_package_deploys_nothing(localproc_engine: Engine, packages: Path) -> None:
    found = localproc_engine.read(packages / "three-steps.cwl", fragment="write")
    assert found.id == "write"
    assert localproc_engine.read(f"{packages / 'three-steps.cwl'}#write").revision == found.revision
    assert localproc_engine.processes() == []


@pytest.mark.parametrize("name", ["cores", "ram", "slots", "grace", "active"])
def test_settings_that_count_are_numbers_and_not_negative(tmp_path: Path, name: str) -> None:
    settings: dict[str, Any] = {name: -1}
    with pytest.raises(InvalidInputs, match=f"{name}: cannot be negative"):
        Engine(tmp_path / "home", **settings)
    settings[name] = "two"
    with pytest.raises(InvalidInputs, match=rf"{name}: expected \w+, got 'two'"):
        Engine(tmp_path / "home", **settings)
    assert not (tmp_path / "home").exists()


SLEEP = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "sleep",
    "baseCommand": ["sleep", "0.3"],
    "inputs": {},
    "outputs": {},
}


def test_an_engine_is_left_when_the_jobs_of_all_its_namespaces_have_ended(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        own = engine.deploy(SLEEP).execute()
        theirs = engine.within("acme").deploy(SLEEP).execute()
        with engine.within("acme").client() as client:
            answer = client.post(
                "processes/sleep/execution",
                json={},
                headers={"Prefer": "respond-async"},
            )
            assert answer.status_code == 201
    with Engine(tmp_path, run_jobs=False) as engine:
        assert engine.job(own.id).status == "successful"
        acme = engine.within("acme").jobs()
        assert {str(one.status) for one in acme} == {"successful"}
        assert theirs.id in {one.id for one in acme}
        assert len(acme) == 2


def test_an_engine_that_was_closed_is_left_at_once(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        job = engine.deploy({**SLEEP, "baseCommand": ["sleep", "60"]}).execute()
        engine.close()
    with Engine(tmp_path) as engine:
        assert engine.job(job.id).dismiss().status == "dismissed"


def test_a_job_of_another_namespace_cannot_be_waited_for(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        job = engine.within("acme").deploy(SLEEP).execute()
        with pytest.raises(NoSuchJob):
            namespace_of(engine).wait_for(job.id, 0)


def tool(name: str, port: str) -> dict[str, Any]:
    return {
        "class": "CommandLineTool",
        "id": name,
        "baseCommand": ["echo", name],
        "inputs": {port: {"type": "string", "inputBinding": {}}},
        "stdout": "said.txt",
        "outputs": {"said": "stdout"},
    }


@pytest.mark.parametrize("ids", [("", ""), ("same", "same")])
def test_every_process_of_a_package_is_a_process_of_its_own(
    tmp_path: Path, localproc_engine: Engine, ids: tuple[str, str]
) -> None:
    package = tmp_path / "both.cwl"
    graph = {"cwlVersion": "v1.2", "$graph": [tool("one", "a"), tool("two", "b")]}
    package.write_text(json.dumps(graph))
    for name, port, process_id in zip(("one", "two"), ("a", "b"), ids, strict=True):
        process = localproc_engine.deploy(f"{package}#{name}", process_id=process_id)
        job = process.execute({port: "x"}).wait().raise_for_status()
        assert job.result("said").read_text() == f"{name} x\n"
    again = localproc_engine.deploy(f"{package}#one", process_id=ids[0])
    assert again.execute({"a": "x"}).wait().result("said").read_text() == "one x\n"
