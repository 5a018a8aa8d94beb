"""Variables and secrets of tools: who gets them, and that their values are found nowhere else."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs, Job
from localproc.errors import JobPutAside, SecretUnavailable
from localproc.model import InputPolicy
from localproc.testing.executor_secrets import found_in
from localproc.testing.executor_secrets import texts_below as texts_in
from tests.children import child
from tests.patience import patient, until

#: Values that have to be escaped in any kind of text.
TOKEN = "tök\"en'\\n <&> %41 $(id) `x`"
PASSWORD = "pass word\twith 'quotes' \"and\" \\backslashes\\ & ünïcode"
REFERENCE = {"LOCALPROC_SECRET_TOKEN": TOKEN, "LOCALPROC_SECRET_DB": PASSWORD}

SHOUT = """
import base64, json, os, sys, urllib.parse
for text in (os.environ.get("TOKEN", "none"), *sys.argv[1:]):
    for stream in (sys.stdout, sys.stderr):
        print(text, json.dumps(text), repr(text), urllib.parse.quote(text), file=stream)
        print(base64.b64encode(text.encode()).decode(), file=stream)
        for letter in text:  # a piece at a time
            stream.write(letter)
            stream.flush()
        print(file=stream)
print(open("login.txt").read() if os.path.exists("login.txt") else "no login")
sys.exit(int(os.environ.get("CODE", "0")))
"""


def tool(*names: str, login: bool = False, **more: Any) -> dict[str, Any]:
    """Return a tool that says all it knows, in every way it can."""
    requirements: dict[str, Any] = {}
    if login:
        entry = {"entryname": "login.txt", "entry": "login: $(inputs.password)\n"}
        requirements = {"InitialWorkDirRequirement": {"listing": [entry]}}
    return {
        "class": "CommandLineTool",
        "baseCommand": [sys.executable, "-c", SHOUT],
        "requirements": requirements,
        "inputs": {name: {"type": "string", "inputBinding": {}} for name in names},
        "outputs": {"said": "stdout"},
        "stdout": "said.txt",
        **more,
    }


WORKFLOW: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "$namespaces": {"cwltool": "http://commonwl.org/cwltool#"},
    "class": "Workflow",
    "id": "shouting",
    "hints": {"cwltool:Secrets": {"secrets": ["password"]}},
    "inputs": {"password": "string", "plain": "string"},
    "outputs": {
        "given": {"type": "File", "outputSource": "given/said"},
        "other": {"type": "File", "outputSource": "other/said"},
    },
    "steps": {
        "given": {
            "run": tool("password", "plain", login=True),
            "in": {"password": "password", "plain": "plain"},
            "out": ["said"],
        },
        "other": {"run": tool("plain"), "in": {"plain": "plain"}, "out": ["said"]},
    },
}
BREAKS = tool("plain", baseCommand=["sh", "-c", "exit 3"])
TO_ONE_STEP = [{"step": "given", "set": {"TOKEN": "secret:token"}}]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REFERENCE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home", results=str(tmp_path / "results"), slots=2) as engine:
        engine.deploy(WORKFLOW)
        yield engine


def check_nowhere(texts: Mapping[str, bytes], *values: str) -> None:
    assert found_in(texts, values) == []


def answers(engine: Engine, job: Job) -> dict[str, bytes]:
    """Return what the API, and the objects of a job, say of it."""
    paths = [
        "",
        "/inputs",
        "/results",
        "/prov",
        *(f"/{step.log}" for step in job.steps if step.log),
        "/events",
    ]
    with engine.client() as client:
        told = {path: client.get(f"jobs/{job.id}{path}").content for path in paths}
        told["html"] = client.get(f"jobs/{job.id}?f=html").content
        told["execution"] = client.get(f"executions/v1/private/{job.id}").content
    told["reprs"] = repr([job, job.events(), job.steps, job.record, engine.settings]).encode()
    told["logs"] = "".join(job.logs(step.name).text for step in job.steps).encode()
    return told


def test_a_value_is_found_nowhere_but_in_the_steps_that_it_is_given_to(
    engine: Engine, tmp_path: Path
) -> None:
    inputs = {"password": "secret:db", "plain": "(secret:token)"}
    job = engine.execute("shouting", inputs, variables=TO_ONE_STEP).wait()
    assert job.status == "successful", job.problem
    given, other = job.result("given").read_text(), job.result("other").read_text()
    assert "(secret:token)" in given
    assert "login: (secret:db)" in given
    assert given.count("(secret:db)") == 7  # each form, each letter by itself, and the file
    assert other.startswith("none")
    check_nowhere(texts_in(tmp_path) | answers(engine, job), TOKEN, PASSWORD)


def test_a_failed_step_leaves_no_value_behind(engine: Engine, tmp_path: Path) -> None:
    rules = [*TO_ONE_STEP, {"step": "given", "set": {"CODE": "3"}}]
    inputs = {"password": PASSWORD, "plain": "x"}
    job = engine.execute("shouting", inputs, variables=rules).wait()
    assert job.status == "failed"
    assert job.problem is not None
    assert job.problem["exitCode"] == 3
    assert any("(secret:" in line for line in job.problem["stderrTail"])
    (login,) = (tmp_path / "home").rglob("login.txt")
    assert login.read_text().startswith("login: (secret:given-")
    check_nowhere(texts_in(tmp_path) | answers(engine, job), TOKEN, PASSWORD)


def test_what_a_program_ends_with_its_job_ends_with(engine: Engine) -> None:
    for script, code in (("exit 7", 7), ("kill -9 $$", -9), ("no-such-program-here", 127)):
        argv = ["sh", "-c", script] if " " in script else [script]
        package = {
            "cwlVersion": "v1.2",
            **tool(baseCommand=argv, stdout="said.txt", arguments=[], id="ends"),
        }
        job = engine.run(package, variables=[{"step": "*", "set": {"TOKEN": "secret:token"}}])
        assert job.steps[-1].exit_code == code


def test_a_client_cannot_use_secrets_by_name_but_give_values(
    engine: Engine, tmp_path: Path
) -> None:
    strangers = InputPolicy(roots=())
    with pytest.raises(InvalidInputs, match="secrets cannot be used") as refused:
        engine.execute("shouting", {"password": "secret:db", "plain": "x"}, policy=strangers)
    assert refused.value.problems[0].where == "inputs.password"
    with engine.client() as client:
        answer = client.post(
            "processes/shouting/execution",
            json={"inputs": {"password": {"value": PASSWORD}, "plain": "x"}},
        )
        wrong = client.post(
            "processes/shouting/execution", json={"inputs": {"password": [PASSWORD], "plain": "x"}}
        )
    assert answer.status_code == 200, answer.text
    assert wrong.status_code == 400
    check_nowhere(texts_in(tmp_path) | {"": answer.content, "wrong": wrong.content}, PASSWORD)


def test_a_value_that_a_client_gave_is_asked_for_again_by_a_retry(
    engine: Engine, tmp_path: Path
) -> None:
    """It is not in what is told of the job that failed, nor in what is kept of either."""
    broken = {**WORKFLOW, "id": "breaking"}
    broken["steps"] = {**WORKFLOW["steps"], "other": {**WORKFLOW["steps"]["other"], "run": BREAKS}}
    engine.deploy(broken)
    asked = {"inputs": {"password": PASSWORD, "plain": "x"}}
    with engine.client() as client:
        headers = {"prefer": "respond-async"}
        accepted = client.post("processes/breaking/execution", json=asked, headers=headers)
        place = accepted.headers["location"]
        failed = engine.job(place.rpartition("/")[2]).wait()
        assert failed.status == "failed"
        refused = client.post(f"jobs/{failed.id}/retry", json={})
        assert refused.status_code == 400
        assert "inputs.password" in refused.text
        assert "give it again" in refused.text
        again = client.post(f"jobs/{failed.id}/retry", json={"inputs": {"password": PASSWORD}})
        assert again.status_code == 201, again.text
    retried = engine.job(again.headers["location"].rpartition("/")[2]).wait()
    with pytest.raises(InvalidInputs, match="give it again"):
        failed.retry()
    for job in (failed, retried):
        job.crate(tmp_path / f"crate-{job.id}")
        (tmp_path / f"{job.id}.html").write_text(job.report())
        check_nowhere(answers(engine, job), PASSWORD)
    # A task that was stopped has had its files put right in the background.
    until(lambda: not found_in(texts_in(tmp_path), [PASSWORD]))


def test_a_value_is_not_kept_for_another_engine(engine: Engine) -> None:
    with pytest.raises(InvalidInputs) as refused:
        engine.execute("shouting", {"password": PASSWORD, "plain": "x"}, detached=True)
    assert "password=secret:NAME" in str(refused.value)
    assert PASSWORD not in str(refused.value)


DYING = """
import os, sys
import localproc
engine = localproc.Engine(sys.argv[1], slots=1)
process = engine.deploy(sys.argv[2])
job = process.execute({"password": sys.argv[3]})
print(job.id, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """Give a package whose tool waits until a file is there."""
    wait = f'until test -e {tmp_path}/go; do sleep 0.1; done; echo "$0"'
    first = {
        "class": "CommandLineTool",
        "baseCommand": ["sh", "-c", wait],
        "inputs": {},
        "outputs": {"said": "stdout"},
    }
    steps: dict[str, Any] = {
        "first": {"run": first, "in": {}, "out": ["said"]},
        "then": {
            "run": tool("password", "after"),
            "in": {
                "password": "password",
                "file": "first/said",
                "after": {"default": "x"},
            },
            "out": ["said"],
        },
    }
    steps["then"]["run"]["inputs"]["file"] = "File"
    package = {**WORKFLOW, "steps": steps, "inputs": {"password": "string"}, "id": "waiting"}
    package["outputs"] = {"said": {"type": "File", "outputSource": "then/said"}}
    path = tmp_path / "waiting.cwl"
    path.write_text(json.dumps(package))
    return path


def run_and_kill(home: Path, package: Path, password: str) -> str:
    """Start a job in another process and kill that with -9; return the job's id."""
    command = [sys.executable, "-c", DYING, home, package, password]
    with child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        job_id: str = dying.stdout.readline().strip()
        with Engine(home, run_jobs=False) as engine:
            until(lambda: [one for one in engine.job(job_id).steps if one.name == "first"])
    return job_id


def test_a_job_whose_engine_was_killed_goes_on_with_a_secret_by_name(
    tmp_path: Path, waiting: Path
) -> None:
    home = tmp_path / "home"
    job_id = run_and_kill(home, waiting, "secret:db")
    (tmp_path / "go").touch()
    with Engine(home) as engine:
        job = engine.job(job_id).wait(patient(60))
        assert job.status == "successful", job.problem
        assert "(secret:db)" in job.result("said").read_text()
        check_nowhere(texts_in(home) | answers(engine, job), PASSWORD)


def test_a_job_whose_value_died_with_its_engine_says_what_it_needs(
    tmp_path: Path, waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    job_id = run_and_kill(home, waiting, PASSWORD)
    (tmp_path / "go").touch()
    with Engine(home) as engine:
        with pytest.raises(JobPutAside, match="set the variable LOCALPROC_SECRET_GIVEN_") as said:
            engine.job(job_id).wait(patient(60))
        variable = str(said.value).partition("variable ")[2].partition(",")[0]
        monkeypatch.setenv(variable, PASSWORD)
        engine.resume()
        job = engine.job(job_id).wait(patient(60))
        assert job.status == "successful", job.problem
        check_nowhere(texts_in(home) | answers(engine, job), PASSWORD)


def test_a_step_is_reused_while_its_secrets_and_variables_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def states(engine: Engine, **variables: str) -> list[str]:
        inputs = {"password": "secret:db", "plain": "x"}
        rules: list[dict[str, Any]] = [*TO_ONE_STEP, {"set": variables}]
        job = engine.execute("shouting", inputs, variables=rules).wait()
        assert job.status == "successful", job.problem
        found = {one.name: str(one.status) for one in job.steps}
        return [found["given"], found["other"]]

    with Engine(tmp_path / "home", reuse=True) as engine:
        engine.deploy(WORKFLOW)
        assert states(engine) == ["successful", "successful"]
        until(lambda: states(engine) == ["reused", "reused"])  # they are kept in the background
        monkeypatch.setenv("LOCALPROC_SECRET_TOKEN", "another token")
        assert states(engine) == ["successful", "reused"]
        monkeypatch.setenv("LOCALPROC_SECRET_DB", "another password")
        assert states(engine) == ["successful", "reused"]
        assert states(engine, LEVEL="2") == ["successful", "successful"]
    check_nowhere(texts_in(tmp_path), TOKEN, PASSWORD, "another token", "another password")


def test_where_secrets_come_from(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from a file\n")
    keys = json.dumps({"AccessKeyId": "AKIA1", "SecretAccessKey": "very secret"})
    command = [sys.executable, "-c", f"print({keys!r})"]
    (tmp_path / "home").mkdir()
    settings = {
        "secrets": {
            "file": {"file": str(tmp_path / "file")},
            "variable": {"env": "LOCALPROC_SECRET_TOKEN"},
            "s3": {"command": command},
            "broken": {"command": [sys.executable, "-c", "print('oh no secret'); exit(3)"]},
        },
        "variables": [
            {
                "process": "show*",
                "step": "show*",
                "set": {
                    "A": "secret:file",
                    "B": "secret:variable",
                    "AWS_ACCESS_KEY_ID": "secret:s3.AccessKeyId",
                    "AWS_SECRET_ACCESS_KEY": "secret:s3.SecretAccessKey",
                },
            },
            {"process": "other", "set": {"OTHER": "1"}},
        ],
    }
    (tmp_path / "home" / "settings.yml").write_text(json.dumps(settings))
    package = {"cwlVersion": "v1.2", "id": "shows", **tool()}
    package["baseCommand"] = ["sh", "-c", "env; test ${#AWS_SECRET_ACCESS_KEY} = 11"]
    with Engine(tmp_path / "home") as engine:
        job = engine.run(package)
        assert job.status == "successful", job.problem
        said = dict(one.partition("=")[::2] for one in job.result("said").read_text().splitlines())
        assert said["A"] == "(secret:file)"
        assert said["AWS_ACCESS_KEY_ID"] == "(secret:s3.AccessKeyId)"
        assert said["AWS_SECRET_ACCESS_KEY"] == "(secret:s3.SecretAccessKey)"
        assert "OTHER" not in said
        assert "LOCALPROC_VEIL" not in said
        check_nowhere(texts_in(tmp_path / "home" / "jobs"), "very secret", TOKEN, "from a file")
        for name in ("broken", "s3.Nothing", "nowhere"):
            rules = [{"step": "*", "set": {"C": f"secret:{name}"}}]
            failed = engine.run(package, variables=rules)
            assert failed.status == "failed"
            assert failed.problem is not None
            assert name in failed.problem["detail"]
            assert failed.problem["cause"] == SecretUnavailable.__name__
            assert "oh no" not in json.dumps(failed.problem)


def test_variables_are_given_and_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDAL_CACHEMAX", "512")
    monkeypatch.setenv("GIVEN", "by name")
    monkeypatch.setenv("UNSEEN", "1")
    package = {"cwlVersion": "v1.2", "id": "shows", **tool(), "baseCommand": "env"}
    package["requirements"] = {"EnvVarRequirement": {"envDef": {"OWN": "package"}}}
    rules = [
        {"set": {"GIVEN": None, "LEVEL": 3, "OWN": "user", "YES": True}, "preserve": ["GDAL_*"]}
    ]
    with Engine(tmp_path / "home") as engine:
        text = engine.run(package, variables=rules).result("said").read_text()
        said = dict(one.partition("=")[::2] for one in text.splitlines())
        assert said["GDAL_CACHEMAX"] == "512"
        assert said["GIVEN"] == "by name"
        assert said["LEVEL"] == "3"
        assert said["YES"] == "true"
        assert said["OWN"] == "package"
        assert "UNSEEN" not in said
        missing = engine.run(package, variables={"NOT_SET_ANYWHERE": None})
        assert missing.status == "failed"
        assert "NOT_SET_ANYWHERE" in missing.message


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        ({"HOME": "/"}, "variables[0].set.HOME"),
        ({"A B": "c"}, "variables[0].set.A B"),
        ({"A": ["c"]}, "variables[0].set.A"),
        ({"A": "secret:token"}, "variables[0].set.A"),
        ([{"steps": "x"}], "variables[0]"),
    ],
)
def test_variables_that_cannot_be_given_are_refused(engine: Engine, rules: Any, where: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        engine.execute("shouting", {"password": "secret:db", "plain": "x"}, variables=rules)
    assert refused.value.problems[0].where == where
    assert engine.jobs() == []


def test_secrets_from_nowhere_are_refused_when_the_engine_is_opened(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputs, match="cannot be had"):
        Engine(tmp_path, secrets={"a": {"path": "x"}})
