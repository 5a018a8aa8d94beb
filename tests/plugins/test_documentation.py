"""What plugins/README.md says is what there is."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from localproc.plugins import hooks
from localproc.plugins.backend import Backend
from localproc.plugins.containers import ContainerRuntime
from localproc.plugins.executor import Executor
from localproc.plugins.storage import Storage

PLUGINS = Path(__file__).parents[2] / "plugins"
README = (PLUGINS / "README.md").read_text()

HOOKS = {
    name: list(inspect.signature(hook).parameters)
    for name, hook in vars(hooks).items()
    if name.startswith("localproc_")
}


def test_every_hook_is_documented_with_its_arguments() -> None:
    found = re.findall(r"^### `(\w+)\((.*)\)`$", README, re.MULTILINE)
    documented = {name: arguments.split(", ") if arguments else [] for name, arguments in found}
    assert documented == HOOKS
    assert len(HOOKS) >= 5


def section(title: str) -> str:
    """Give what stands under a heading, up to the next one."""
    return re.split(r"\n##+ ", re.split(rf"\n##+ {title}\n", README)[1])[0]


@pytest.mark.parametrize(
    ("title", "protocol"),
    [
        ("An executor", Executor),
        ("A backend", Backend),
        ("A container runtime", ContainerRuntime),
        ("Storages", Storage),
    ],
)
def test_every_method_of_a_protocol_is_documented_with_its_arguments(
    title: str, protocol: type
) -> None:
    rows = re.findall(r"^\| `(\w+)\((.*?)\)` \|", section(title), re.MULTILINE)
    documented = {
        name: [one.partition("=")[0] for one in filter(None, arguments.split(", "))]
        for name, arguments in rows
    }
    methods = {
        name: list(inspect.signature(method).parameters)[1:]
        for name, method in vars(protocol).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    assert documented == methods


def test_the_names_in_the_text_exist() -> None:
    for module, name in re.findall(r"`(localproc(?:\.\w+)+)\.(\w+)`", README):
        found = __import__(module, fromlist=[name])
        assert hasattr(found, name), f"{module}.{name}"


def test_the_template_imports_only_what_is_promised() -> None:
    promised = ("localproc.model", "localproc.errors", "localproc.plugins", "localproc.testing")
    for path in (PLUGINS / "localproc-template").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for module in filter(None, modules):
                if module.partition(".")[0] == "localproc":
                    assert module.startswith(promised), f"{path.name} imports {module}"
