"""``--env`` and ``--preserve-environment``: variables and secrets of tools."""

from pathlib import Path

import pytest

from tests.cli.terminal import localproc

ENVIRONMENT = """\
cwlVersion: v1.2
class: CommandLineTool
id: environment
baseCommand: env
inputs: {}
outputs: {said: stdout}
stdout: said.txt
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "environment.cwl"
    path.write_text(ENVIRONMENT)
    return path


def said_by(*words: object) -> dict[str, str]:
    said = localproc("run", "--quiet", *words)
    assert said.code == 0, said.err
    text = Path(said.out.strip().partition(": ")[2]).read_text()
    return dict(line.partition("=")[::2] for line in text.splitlines())


def test_variables_are_given_to_tools(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NAMED", "GDAL_A", "GDAL_B", "OTHER"):
        monkeypatch.setenv(name, f"{name}=1")
    options = ("--env", "NAMED", "--env", "GIVEN=a=b", "--preserve-environment", "GDAL_*")
    found = said_by(*options, "--env", "node_elsewhere:UNSEEN=1", package)
    assert found["NAMED"] == "NAMED=1"
    assert found["GIVEN"] == "a=b"
    assert found["GDAL_A"] == "GDAL_A=1"
    assert found["GDAL_B"] == "GDAL_B=1"
    assert "OTHER" not in found
    assert "UNSEEN" not in found


def test_secrets_are_given_to_steps_that_are_named(
    package: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALPROC_SECRET_API_KEY", "correct horse")
    assert said_by("--env", "environment:KEY=secret:api-key", package)["KEY"] == "(secret:api-key)"
    everywhere = b"".join(one.read_bytes() for one in home.rglob("*") if one.is_file())
    assert b"correct horse" not in everywhere
    refused = localproc("run", "--env", "KEY=secret:api-key", package)
    assert refused.code == 2
    assert "STEP:KEY=secret:api-key" in refused.err
