"""Namespaces of a home, and the tokens that open them."""

from pathlib import Path

import pytest

from localproc import Engine
from tests.cli.terminal import elsewhere, localproc
from tests.patience import patient


def in_acme(*words: object) -> tuple[object, ...]:
    return ("--namespace", "acme", *words)


def test_namespaces_do_not_mix(packages: Path, home: Path) -> None:
    job = localproc(*in_acme("run", "--json", packages / "echo.cwl", "message=x")).document
    assert job["folder"] == str(home / "jobs" / job["jobID"])
    assert (home / "results" / "acme" / job["jobID"] / "said.txt").read_text() == "x\n"
    assert localproc("jobs", "--json").document["jobs"] == []
    assert localproc("processes", "--json").document["processes"] == []
    assert localproc("status", job["jobID"]).code == 2
    assert [one["id"] for one in localproc(*in_acme("jobs", "--json")).document["jobs"]] == [
        job["jobID"]
    ]
    assert localproc(*in_acme("undeploy", "echo")).code == 0


def test_the_namespace_may_come_from_the_environment(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALPROC_NAMESPACE", "acme")
    localproc("deploy", packages / "echo.cwl")
    monkeypatch.delenv("LOCALPROC_NAMESPACE")
    assert localproc("describe", "echo").code == 2
    assert localproc(*in_acme("describe", "echo")).code == 0


@pytest.mark.parametrize("name", ["../elsewhere", "", "a/b", "-a", "a b", "x" * 65])
def test_a_namespace_that_no_folder_or_address_could_have(home: Path, name: str) -> None:
    said = localproc("--namespace", name, "jobs")
    assert said.code == 2
    assert f"{name!r} cannot be a namespace" in said.err


def test_a_job_of_a_namespace_is_run_in_the_background(packages: Path, home: Path) -> None:
    job_id = elsewhere(*in_acme("execute", packages / "echo.cwl", "message=x")).out.strip()
    with Engine(home, run_jobs=False, namespace="acme") as engine:
        assert engine.job(job_id).wait(patient(15)).status == "successful"


def test_the_secret_of_a_token_is_shown_once(home: Path) -> None:
    made = localproc(*in_acme("token", "make", "laptop"))
    assert made.code == 0
    secret = made.out.strip()
    assert made.err == "keep it: it is not shown again\n"
    listed = localproc(*in_acme("token", "list"))
    assert [line.split()[0] for line in listed.out.splitlines()] == ["token", "laptop"]
    assert secret not in listed.out
    with Engine(home, run_jobs=False) as engine:
        found = engine.within("acme").tokens.find(secret)
        assert found is not None
        assert found.name == "laptop"
        assert engine.tokens.find(secret) is None
    assert secret.encode() not in (home / "localproc.db").read_bytes()


def test_a_token_that_was_removed_opens_nothing(home: Path) -> None:
    secret = localproc("token", "make", "laptop").out.strip()
    assert localproc("token", "remove", "laptop").out == "laptop is removed\n"
    with Engine(home, run_jobs=False) as engine:
        assert engine.tokens.find(secret) is None
    said = localproc("token", "remove", "laptop")
    assert said.code == 2
    assert "there is no token 'laptop'" in said.err


def test_a_token_needs_a_name() -> None:
    said = localproc("token", "make", " ")
    assert (said.code, said.out) == (2, "")
    assert "a token needs a name" in said.err


def test_a_new_token_replaces_one_of_its_name(home: Path) -> None:
    first, second = (localproc("token", "make", "laptop").out.strip() for _ in range(2))
    with Engine(home, run_jobs=False) as engine:
        assert engine.tokens.find(first) is None
        assert engine.tokens.find(second) is not None


def test_tokens_as_documents(home: Path) -> None:
    made = localproc(*in_acme("token", "make", "--json", "laptop"))
    assert made.err == ""
    document = made.document
    assert (document["name"], document["namespace"]) == ("laptop", "acme")
    with Engine(home, run_jobs=False, namespace="acme") as engine:
        assert engine.tokens.find(document["token"]) is not None
    (listed,) = localproc(*in_acme("token", "list", "--json")).document["tokens"]
    assert set(listed) == {"name", "created"}
    removed = localproc(*in_acme("token", "remove", "--json", "laptop")).document
    assert removed == {"name": "laptop", "namespace": "acme"}
    assert localproc(*in_acme("token", "list", "--json")).document == {"tokens": []}
