"""Keys that steps are given for a while. Moto stands in for AWS's token service."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import localproc_s3
import pytest
from click.testing import CliRunner
from localproc_s3.credentials import s3_credentials
from moto.server import ThreadedMotoServer

from localproc import Engine
from localproc.errors import EnvironmentProblem
from localproc.testing.executor_secrets import found_in, texts_below

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROLE = "arn:aws:iam::123456789012:role/reader"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a token service, for who has a key."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


def printed(*words: str) -> Any:
    return json.loads(CliRunner().invoke(s3_credentials, words, catch_exceptions=False).output)


@pytest.mark.parametrize("words", [(), ("--role", ROLE)])
def test_keys_hold_for_as_long_as_is_asked(service: str, words: tuple[str, ...]) -> None:
    asked = datetime.now(UTC)
    found = printed("--endpoint", service, "--duration", "900", *words)
    assert set(found) == {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert found["AccessKeyId"] != "AKIDOFTESTS"
    lasts = datetime.fromisoformat(found["Expiration"]) - asked
    assert timedelta(seconds=800) < lasts < timedelta(seconds=1000)


def test_keys_that_end_by_themselves_are_given_as_they_are(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del service
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    lines = ("[eo]", "aws_access_key_id = A", "aws_secret_access_key = B", "aws_session_token = C")
    (tmp_path / "credentials").write_text("\n".join(lines))
    assert printed("--profile", "eo") == {
        "AccessKeyId": "A",
        "SecretAccessKey": "B",
        "SessionToken": "C",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "nobody"), "nobody"),
        (("--endpoint", "http://127.0.0.1:1"), "127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_said_without_a_key(
    service: str, words: tuple[str, ...], said: str
) -> None:
    del service
    with pytest.raises(EnvironmentProblem, match=said) as error:
        printed(*words)
    assert "hush-hush" not in str(error.value)


def test_a_step_is_given_temporary_keys_and_no_other_is(service: str, tmp_path: Path) -> None:
    place = str(Path(localproc_s3.__file__).parents[1])
    script = f"import sys; sys.path.insert(0, {place!r}); "
    script += "from localproc_s3.credentials import s3_credentials; s3_credentials()"
    command = [sys.executable, "-c", script, "--endpoint", service, "--role", ROLE]
    names = {
        "AWS_ACCESS_KEY_ID": "secret:s3.AccessKeyId",
        "AWS_SECRET_ACCESS_KEY": "secret:s3.SecretAccessKey",
        "AWS_SESSION_TOKEN": "secret:s3.SessionToken",
    }
    test = 'test "${AWS_SESSION_TOKEN:-none}" != none'
    steps = {
        name: {
            "run": {
                "class": "CommandLineTool",
                "baseCommand": ["sh", "-c", f"{test}; echo $? $AWS_SECRET_ACCESS_KEY"],
                "inputs": {},
                "outputs": {"said": "stdout"},
                "stdout": "said.txt",
            },
            "in": {},
            "out": ["said"],
        }
        for name in ("fetch", "other")
    }
    outputs = {name: {"type": "File", "outputSource": f"{name}/said"} for name in steps}
    package = {"cwlVersion": "v1.2", "class": "Workflow", "id": "two", "inputs": {}}
    home = tmp_path / "home"
    with Engine(home, secrets={"s3": {"command": command}}) as engine:
        rules = [{"step": "fetch", "set": names}]
        whole = {**package, "steps": steps, "outputs": outputs}
        job = engine.run(whole, variables=rules).raise_for_status()
        assert job.result("fetch").read_text() == "0 (secret:s3.SecretAccessKey)\n"
        assert job.result("other").read_text() == "1\n"
    assert found_in(texts_below(home), ["hush-hush"]) == []
