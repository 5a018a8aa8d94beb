"""What users and plugins call says what it takes and gives."""

import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

import localproc
from localproc import remote
from localproc.engine import mirror
from localproc.engine.triggers import schedules, subscriptions
from localproc.plugins import backend, containers, executor, software, storage, store
from tests.docs.markdown import ROOT
from tests.held import HELD, MADE

MODULES: list[ModuleType] = [
    *(mirror, schedules, subscriptions),
    *(backend, containers, executor, software, storage, store),
]
#: Names of members or of parameters, the class of a document, or what a mapping is keyed by.
SHAPE = re.compile(
    r"``\w+``|\.yaml\"|RFC \d|W3C|statusInfo|\bby (its|their|key|name|output|URI|id)"
)
UNIT = re.compile(r"second|byte|MiB|how many")
NUMBER = re.compile(r"(int|float)( \| None)?")


def public_calls() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Yield methods and properties, each with what its class says."""
    kinds = {getattr(localproc, name) for name in localproc.__all__} | {*HELD, *MADE}
    for module in MODULES:
        kinds |= {one for one in vars(module).values() if module.__name__ == defined_in(one)}
    for kind in sorted(filter(inspect.isclass, kinds), key=repr):
        for name in dir(kind):
            member = inspect.getattr_static(kind, name)
            call = member.fget if isinstance(member, property) else member
            is_ours = defined_in(call).startswith("localproc.")
            if inspect.isfunction(call) and is_ours and not name.startswith("_"):
                yield f"{kind.__name__}.{name}", call, inspect.getdoc(kind) or ""


def defined_in(one: object) -> str:
    return str(getattr(one, "__module__", ""))


def types(call: Callable[..., Any]) -> dict[str, str]:
    return {
        name: one.__name__ if isinstance(one, type) and not hasattr(one, "__args__") else str(one)
        for name, one in call.__annotations__.items()
    }


def test_what_gives_a_mapping_says_what_that_has() -> None:
    silent = [
        name
        for name, call, _ in public_calls()
        if re.search(r"\bdict\[|Mapping\[", types(call).get("return", ""))
        and not SHAPE.search(inspect.getdoc(call) or "")
    ]
    assert not silent, silent


def test_what_takes_a_number_says_what_it_is() -> None:
    silent = [
        f"{name}: {parameter}"
        for name, call, of_class in public_calls()
        for parameter, kind in types(call).items()
        if parameter != "return" and NUMBER.fullmatch(kind)
        for said in [f"{of_class} {inspect.getdoc(call)}"]
        if f"``{parameter}``" not in said and not UNIT.search(said)
    ]
    assert not silent, silent


def test_an_example_is_what_help_begins_with() -> None:
    said = inspect.getdoc(localproc.Engine) or ""
    assert "with localproc.Engine(" in said.partition("\n\n")[2].partition("``home``")[0]
    for kind in (localproc.Engine, remote.Server):
        compile(example_of(kind), kind.__name__, "exec")


def example_of(one: object) -> str:
    found = re.search(r":?\n\n((?:    .*\n|\n)+)", inspect.getdoc(one) or "")
    assert found, one
    return dedent(found[1])


@pytest.mark.parametrize("one", [localproc, localproc.Engine], ids=["localproc", "Engine"])
def test_the_example_runs_beside_the_package_that_comes_with_localproc(
    one: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "examples/water_bodies", tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    exec(compile(example_of(one), "example", "exec"), {})
    said = capsys.readouterr().out
    assert "stage_out successful" in said
    assert "StacResults" in said
