"""Namespaces: one engine, processes and jobs of their own."""

from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs
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
def test_settings_are_not_negative(tmp_path: Path, name: str) -> None:
    settings: dict[str, Any] = {name: -1}
    with pytest.raises(InvalidInputs, match=f"{name}: cannot be negative"):
        Engine(tmp_path / "home", **settings)
    assert not (tmp_path / "home").exists()
